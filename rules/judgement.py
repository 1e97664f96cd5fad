"""One rule on one asset, bound to what it looks at: the unit of judging."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from facility.asset import Asset
from facility.reading import Value
from rules.learners import LearningTerm, TrendTerm
from rules.memory import NEVER, JudgementMemory, Phase, PointMemory
from rules.program import AWAKE, HOLDS, Hold, Known
from rules.rule import Rule
from rules.terms import Alarm, ConditionTerm
from rules.watch import Groups, Watch


@dataclass(frozen=True, slots=True)
class Look:
    """A point as a judgement sees it: under its own name, with the memory of whoever measures it."""

    name: str
    origin_asset_id: str
    origin_point: str
    unit: str
    memory: PointMemory = field(hash=False, compare=False)


@dataclass(slots=True, eq=False)
class Judgement:
    """Bound once per plan. `index` orders judgements inside a building; `key` finds the memory again.

    `looks` are all points it needs; `slots` the memories whose present values the expressions read, in slot order;
    `parameters` the values in force for this asset, in the parameters' units; `heard` all points the asset has;
    `plain` evaluates the condition as a whole, for comparison;
    `queued_us` its entry among the building's timers; `hold` what it asks while it is not active.

    Awake, every reading of its points concerns it (`groups` know who is) or every change of one (`every`), as its rule
    needs it. It is `asleep` while a part of its condition that changes only with a value is not true: then only what
    could make this part true concerns it, or what since and the like must know of. None is awake; otherwise the part
    and the truths by which it was found (see `Reasons`). `watches` are the points it can sleep on; without it cannot.
    `returns` tell who waits for a reading to end a silence.
    """

    index: int
    key: str
    rule: Rule
    asset: Asset
    point: str | None
    memory: JudgementMemory
    looks: tuple[Look, ...]
    slots: tuple[PointMemory, ...]
    believed: tuple[PointMemory, ...]
    constants: tuple[float, ...]
    parameters: dict[str, float]
    terms: tuple[Callable[[int], Known], ...]
    remembering: tuple[ConditionTerm | LearningTerm, ...]
    learning: tuple[LearningTerm, ...]
    alarm: Alarm
    persistence_us: int
    clear_persistence_us: int
    forgive_us: int
    heard: Mapping[str, PointMemory]
    plain: bool
    queued_us: int = NEVER
    asleep: tuple[Known, ...] | None = None
    watches: Mapping[str, Watch] = field(default_factory=dict)
    every: Sequence[Watch] = ()
    groups: Sequence[Groups] = ()
    returns: Sequence[dict[int, "Judgement"]] = ()
    hold: Hold = field(init=False)
    _atoms: Callable[[int], tuple[Known, ...]] = field(init=False)
    _limits: Sequence[Known] | None = None
    _watching: Sequence[Watch] = ()

    def __post_init__(self) -> None:
        code = self.rule.program.hold
        self.hold, self._atoms = code.bind(self.slots, self.constants, self.terms, self.remembering, self.alarm)
        if self.plain:
            self.hold = self._hold_plainly

    def _hold_plainly(self, now_us: int) -> int:
        return HOLDS if self.when(self.look(now_us), now_us) is True else AWAKE

    def rest(self, held: int, now_us: int) -> None:
        """It is idle, and its condition does not hold, as `hold` said: sleep if it can."""
        if held == AWAKE or not self.watches:
            self.wake_up()
            return
        wish_us, reasons = self.alarm.at_us, self.rule.program.hold.reasons
        found = (held, *self._atoms(now_us))
        matter = reasons.matter(held, found[1:])
        if not matter.timed:  # what keeps it from holding has its wish already
            self.alarm.at_us = wish_us
        if found == self.asleep:
            return
        if self._limits is None:
            self._limits = reasons.limits((), self.constants, (), 0)
        if self.asleep is None:
            self._change_groups()
        self._unwatch()
        bands: dict[Watch, tuple[float, float]] = {}
        for name, (low, high) in reasons.bands(matter, found[1:], self._limits).items():
            watch = self.watches[name]
            before = bands.get(watch, (low, high))
            bands[watch] = max(low, before[0]), min(high, before[1])
        for watch, (low, high) in bands.items():
            watch.add(self, low, high)
        self.asleep, self._watching = found, tuple(bands)

    def wake_up(self) -> None:
        """From here on all its points concern it."""
        if self.asleep is not None:
            self.asleep = None
            self._unwatch()
            self.watch_all()
            self._change_groups()

    def note_return(self) -> None:
        """A reading of its points concerns it (where its trigger is RETURN) while it is not idle."""
        for waiting in self.returns:
            if self.memory.phase:
                waiting[self.index] = self
            else:
                waiting.pop(self.index, None)

    def watch_all(self) -> None:
        """Be told of every change of a point."""
        for watch in self.every:
            watch.add(self, inf, -inf)
        self._watching = self.every

    def _unwatch(self) -> None:
        for watch in self._watching:
            watch.remove(self)

    def _change_groups(self) -> None:
        for groups in self.groups:
            groups.clear()

    @property
    def subject(self) -> str:
        """What the finding is about: the asset, with `for_each` the point too."""
        return self.asset.id if self.point is None else f"{self.asset.id}/{self.point}"

    @property
    def active(self) -> bool:
        """Whether its finding is raised and not cleared."""
        return self.memory.phase == Phase.ACTIVE

    @property
    def quiet_us(self) -> int:
        """For how long the clear condition must hold: a flapping finding waits longer."""
        quiet_us = self.clear_persistence_us
        return max(quiet_us, self.rule.flapping_us) if self.memory.flapping else quiet_us

    def explaining(self, now_us: int) -> str | None:
        """The id of the finding by which it explains others now; None when it explains nothing."""
        if self.active and self.memory.finding is not None:
            return self.memory.finding.id
        return self.memory.last_finding_id if now_us < self.memory.explains_until_us else None

    def warming(self, now_us: int) -> tuple[str, ...]:
        """What must still be learnt before it can judge; empty when it can."""
        missing = [text for term in self.learning if (text := term.warming(now_us)) is not None]
        return tuple(dict.fromkeys(missing))

    def values(self, now_us: int) -> list[Value | None]:
        """The present values, Unknown where stale."""
        return [slot.value if slot.fresh_until_us >= now_us else None for slot in self.slots]

    def look(self, now_us: int) -> list[Value | None]:
        """The present values; brings timers and counters up to `now_us`."""
        self.alarm.at_us = NEVER
        values = self.values(now_us)
        for term in self.remembering:
            term.update(values, self.constants, self.terms, now_us)
        return values

    def terms_at(self, now_us: int) -> Sequence[Callable[[int], Known]]:
        """Its terms as a look at `now_us` would leave them, to be asked only: what they remember stays as it is.

        While it sleeps, what `since` and `starts` remember may be older; what learns never lags behind.
        """
        apart: dict[int, ConditionTerm | TrendTerm] = {
            id(term): term.apart() for term in self.remembering if isinstance(term, ConditionTerm | TrendTerm)
        }
        terms = [apart.get(id(term), term) for term in self.terms]
        values = self.values(now_us)
        for term in apart.values():
            if isinstance(term, ConditionTerm):  # a trend would learn
                term.update(values, self.constants, terms, now_us)
        return terms

    def when(self, values: Sequence[Value | None], now_us: int) -> Known:
        """Whether the condition holds; None is Unknown."""
        return self.rule.program.when(values, self.constants, self.terms, now_us)

    def clear(self, values: Sequence[Value | None], now_us: int) -> Known:
        """Whether the clear condition holds; None is Unknown."""
        program = self.rule.program
        if program.clear is not None:
            return program.clear(values, self.constants, self.terms, now_us)
        held = program.when(values, self.constants, self.terms, now_us)
        return None if held is None else not held

    def wake_when_stale(self, now_us: int) -> None:
        """Look again when the first of the values it believes grows stale."""
        for memory in self.believed:
            if memory.fresh_until_us >= now_us:
                self.alarm.wake(memory.fresh_until_us + 1)
