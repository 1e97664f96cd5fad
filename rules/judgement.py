"""One rule on one asset, bound to what it looks at: the unit of judging."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from facility.asset import Asset
from facility.reading import Value
from rules.learners import LearningTerm
from rules.memory import NEVER, JudgementMemory, Phase, PointMemory
from rules.program import AWAKE, HOLDS, UNKNOWN, Hold, Known
from rules.rule import Rule
from rules.terms import Alarm, ConditionTerm


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
    `queued_us` its entry among the building's timers; `asleep` the part of the condition that holds it back, where only
    a change of what that part looks at can matter, AWAKE otherwise; `hold` what it asks while it is not active.
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
    asleep: int = AWAKE
    hold: Hold = field(init=False)

    def __post_init__(self) -> None:
        program, alarm = self.rule.program, self.alarm
        if self.plain:
            self.hold = self._hold_plainly
        else:
            self.hold = program.hold.bind(self.slots, self.constants, self.terms, self.remembering, alarm)

    def _hold_plainly(self, now_us: int) -> int:
        return HOLDS if self.when(self.look(now_us), now_us) is True else UNKNOWN

    @property
    def subject(self) -> str:
        """What the finding is about: the asset, with `for_each` the point too."""
        return self.asset.id if self.point is None else f"{self.asset.id}/{self.point}"

    @property
    def active(self) -> bool:
        """Whether its finding is raised and not cleared."""
        return self.memory.phase == Phase.ACTIVE

    def explaining(self, now_us: int) -> str | None:
        """The id of the finding by which it explains others now; None when it explains nothing."""
        if self.active and self.memory.finding is not None:
            return self.memory.finding.id
        return self.memory.last_finding_id if now_us < self.memory.explains_until_us else None

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
        apart = {id(term): term.apart() for term in self.remembering if isinstance(term, ConditionTerm)}
        terms = [apart.get(id(term), term) for term in self.terms]
        values = self.values(now_us)
        for term in apart.values():
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
