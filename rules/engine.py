"""The engine: journal commits in, findings out. Pure and deterministic; the same journal gives the same findings."""

from collections.abc import Callable, Collection, Container, Sequence

from facility.errors import InputError
from facility.finding import Finding
from facility.reading import (
    BuildingsAssigned,
    Commit,
    ControlEvent,
    DeadLetter,
    Entry,
    Heartbeat,
    MaintenanceDeclared,
    ParameterOverridden,
    RuleSetActivated,
    Scan,
    Shelved,
    SiteEdited,
    VisitRecorded,
)
from facility.registry import Registry
from rules.building import BuildingStream
from rules.directory import read_directory
from rules.explain import Shelf
from rules.handover import Arrival, pack_building, unpack_building
from rules.judgement import Judgement
from rules.kept_back import KeptBack
from rules.lifecycle import Step
from rules.memory import BuildingMemory, JudgementMemory, Kept
from rules.merge import RawStep, raw_step
from rules.parameters import Override
from rules.plan import NotApplicable, build_plan
from rules.rule import Rule
from rules.rule_set import RuleSet
from rules.snapshot import Plant, Snapshot, pack, unpack
from rules.standing import Standing, find_standings
from rules.vanished import clear, clear_vanished
from rules.words import hear, learn, words_of

LISTENING_GAP_US = 15 * 60 * 10**6
MAX_EVENT_IDS = 4_096
MAX_ERRORS = 100


class Engine:
    """Judges every building of the journal it is fed, from the first commit or from a snapshot on; once the journal
    says which ones are its own (`BuildingsAssigned`), those alone. `registry` is what is judged, `directory` all.

    `allowance_us` is how long the readings of one instant may straggle, in event time. An advance of event time by
    more than `listening_gap_us` is time nobody listened to. Without `scans_advance` only heartbeats move event time:
    so it must be wherever devices have clocks of their own, or one that is a minute ahead would make all others late.
    Journals without heartbeats, and replays whose heartbeats follow the readings, need it. The engine starts without
    site and rules: both come through the journal. Nothing here reads a clock. `plain` evaluates every condition as a
    whole at every reading: slow, and by promise the same findings. With `judged` only these assets are judged, and
    `steps` collects what a whole building's explanation is made of (`rules.merge`).
    """

    def __init__(
        self,
        *,
        allowance_us: int,
        listening_gap_us: int = LISTENING_GAP_US,
        scans_advance: bool = True,
        plain: bool = False,
        judged: Container[str] | None = None,
    ) -> None:
        if allowance_us < 0 or listening_gap_us <= allowance_us:
            msg = f"allowance is {allowance_us} us, listening gap {listening_gap_us} us; expected 0 <= first < second"
            raise ValueError(msg)
        self._state = Snapshot(allowance_us, listening_gap_us, scans_advance)
        self._plain, self._judged = plain, judged
        self.steps: list[RawStep] = []
        self.registry = self.directory = Registry()
        self.rule_set: RuleSet | None = None
        self._streams: dict[str, BuildingStream] = {}
        self._kept = KeptBack(self._state, self.registry)

    @property
    def last_seq(self) -> int:
        """The newest commit that was fed."""
        return self._state.last_seq

    @property
    def event_time_us(self) -> int:
        """The newest event of any building, 0 before the first."""
        return max((stream.memory.newest_us for stream in self._streams.values()), default=0)

    @property
    def site_files(self) -> dict[str, str]:
        """The site files in force (name -> text); empty before the first came."""
        return dict(self._state.site_files)

    @property
    def assigned(self) -> tuple[str, ...] | None:
        """The buildings that are judged here, as the journal says; None while it is about all of them."""
        return self._state.assigned

    @property
    def expected(self) -> tuple[str, ...]:
        """The buildings that are on the way here."""
        return self._state.expected

    @property
    def overrides(self) -> tuple[Override, ...]:
        """The parameters that were set while running, the newest word last."""
        return tuple(self._state.overrides.values())

    @property
    def errors(self) -> tuple[str, ...]:
        """What was refused on the way (a broken rule set or site, an override of nothing), newest last."""
        return tuple(self._state.errors)

    @property
    def late(self) -> int:
        """Scans that came after their instant had been judged."""
        return sum(stream.memory.late for stream in self._streams.values())

    def feed(self, commit: Commit) -> list[Finding]:
        """Judge one commit. Every finding that changed comes as a whole new value, in order of event time.

        A commit that was fed before changes nothing. Findings are raised, explained anew, or cleared; pending ones
        are not among them (see `pending`).
        """
        if commit.seq <= self._state.last_seq:
            return []
        found: list[Finding] = []
        waiting: dict[str, BuildingStream] = {}
        for entry in commit.entries:
            self._take(entry, waiting, found)
        self._drain(waiting, found)
        self._state.last_seq = commit.seq
        return found

    def rewind(self, seq: int) -> None:
        """The journal was cut back to `seq`: what was judged stays judged, and the next commit is `seq` + 1."""
        self._state.last_seq = min(self._state.last_seq, seq)

    @property
    def released(self) -> dict[str, bytes]:
        """The memory of the buildings that left, packed for the engine that gets them. Who takes one, or knows that
        nobody waits for it, takes it out; one that comes back is in it no more.

        Their findings stay as they were told. The same journal fed again offers the same again.
        """
        return self._state.released

    def pending(self) -> list[Finding]:
        """The findings whose persistence is running now; `raised_us` is when they will be raised."""
        return [finding for stream in self._streams.values() for finding in stream.pending()]

    def active(self) -> list[Finding]:
        """The findings that are raised and not cleared, suppressed and shelved ones too."""
        return [finding for stream in self._streams.values() for finding in stream.active()]

    def shelves(self) -> list[Shelf]:
        """What people took out of view, those whose time is over too until their building is judged again."""
        return list(self._state.shelves.values())

    def not_applicable(self) -> list[NotApplicable]:
        """Which rules cannot judge which assets, and what is missing or still being learnt."""
        return [
            item
            for stream in self._streams.values()
            for item in (*stream.plan.not_applicable, *stream.plan.warming(stream.memory.judged_us))
        ]

    def rules_on(self, asset_id: str) -> list[Rule]:
        """The rules that judge an asset. Who compiles their steps first asks `standings` for little time."""
        return list(dict.fromkeys(one.rule for one in self._judgements(asset_id)))

    def standings(self, asset_id: str) -> list[Standing]:
        """How each rule meant for an asset stands on it, in the order of rules; those last that it lacks something for.

        Everything in it is a copy: it may be read while the engine goes on.
        """
        asset = self.registry.assets.get(asset_id)
        if asset is None or self.rule_set is None:
            return []
        stream = self._streams[asset.building_id]
        return find_standings(asset, stream.plan, self.rule_set, self.overrides, stream.memory.judged_us)

    def _judgements(self, asset_id: str) -> Sequence[Judgement]:
        asset = self.registry.assets.get(asset_id)
        stream = self._streams.get(asset.building_id) if asset is not None else None
        return stream.plan.on_asset(asset_id) if stream is not None else ()

    def snapshot(self) -> bytes:
        """Everything the engine remembers. `restore` goes on from it as if nothing had happened."""
        self._state.digest = self.rule_set.digest if self.rule_set is not None else ""
        return pack(self._state)

    @classmethod
    def restore(cls, data: bytes, *, allowance_us: int | None = None) -> "Engine":
        """The engine of a snapshot. Raises RulesError for one of another version, with the reason.

        `allowance_us` replaces the snapshot's own from here on: after the clock's factor was changed.
        """
        state = unpack(data)
        if allowance_us is not None:
            state.allowance_us = allowance_us
        engine = cls(allowance_us=state.allowance_us, listening_gap_us=state.listening_gap_us)
        engine._state = state
        engine.directory = read_directory(tuple(state.site_files.items()))
        if state.rule_files is not None:
            engine.rule_set = RuleSet.load(state.rule_files)
        engine._bind()
        return engine

    @classmethod
    def begin(cls, plant: Plant, last_seq: int, *, allowance_us: int, scans_advance: bool = True) -> "Engine":
        """An engine that knows the plant and has seen no reading: after `last_seq` it begins to learn."""
        engine = cls(allowance_us=allowance_us, scans_advance=scans_advance)
        state = engine._state
        state.last_seq, state.site_files, state.event_ids = last_seq, plant.site_files, plant.event_ids
        state.overrides, state.shelves, state.maintenance = plant.overrides, plant.shelves, plant.maintenance
        state.assigned, state.expected, state.released = plant.assigned, plant.expected, plant.released
        state.said_us = plant.said_us
        try:
            engine.directory = read_directory(tuple(plant.site_files.items()))
            if plant.rule_files is not None:
                engine.rule_set, state.rule_files = RuleSet.load(plant.rule_files), plant.rule_files
        except InputError as error:  # files of another version: those of this one come through the journal
            engine._remember(f"the files of the plant are read otherwise by this version: {error}")
        engine._bind()
        return engine

    def judged_us(self) -> dict[str, int]:
        """The last instant that was judged, by building."""
        return {building_id: stream.memory.judged_us for building_id, stream in self._streams.items()}

    def _keep_step(self, judgement: Judgement, step: Step, now_us: int, before: JudgementMemory) -> None:
        self.steps.append(raw_step(self._state.last_seq + 1, judgement, step, now_us, before))

    def _take(self, entry: Entry, waiting: dict[str, BuildingStream], found: list[Finding]) -> None:
        if isinstance(entry, Scan):
            asset = self.directory.assets.get(entry.asset_id)
            if asset is not None:
                stream = self._streams.get(asset.building_id)
                if stream is not None:
                    stream.take(entry)
                    waiting[asset.building_id] = stream
                else:
                    self._kept.take(asset.building_id, entry)
        elif isinstance(entry, Heartbeat):
            for stream in self._streams.values():
                stream.tick(entry.at_us)
            self._kept.tick(entry.at_us)
            waiting.update(self._streams)
        elif not isinstance(entry, DeadLetter):
            self._drain(waiting, found)
            found += self._control(entry)

    def _drain(self, waiting: dict[str, BuildingStream], found: list[Finding]) -> None:
        for building_id in sorted(waiting):
            found += waiting[building_id].drain()
        waiting.clear()

    def _control(self, event: ControlEvent) -> list[Finding]:
        state = self._state
        if event.event_id in state.event_ids:
            return []
        state.event_ids[event.event_id] = None
        if len(state.event_ids) > MAX_EVENT_IDS:
            del state.event_ids[next(iter(state.event_ids))]
        match event:
            case SiteEdited():
                return self._attempt(event, lambda: self._edit_site(event))
            case RuleSetActivated():
                return self._attempt(event, lambda: self._activate(event))
            case ParameterOverridden():
                return self._override(event)
            case BuildingsAssigned():
                return self._assign(event)
            case Shelved() | MaintenanceDeclared():
                hear(state, event)
            case VisitRecorded():
                self._visit(event)
        return self._explain()

    def _attempt(self, event: ControlEvent, change: Callable[[], list[Finding]]) -> list[Finding]:
        """A broken file in the journal keeps the old set and is remembered."""
        try:
            return change()
        except InputError as error:
            self._remember(f"{type(event).__name__} {event.event_id} is refused: {error}")
            return []

    def _remember(self, error: str) -> None:
        self._state.errors.append(error)
        del self._state.errors[:-MAX_ERRORS]

    def _edit_site(self, event: SiteEdited) -> list[Finding]:
        files = sorted(event.files.items())
        self.directory, self._state.site_files = read_directory(tuple(files)), dict(files)
        return self._bind()

    def _activate(self, event: RuleSetActivated) -> list[Finding]:
        rule_set = RuleSet.load(event.files)
        if event.digest and event.digest != rule_set.digest:
            self._remember(
                f"RuleSetActivated {event.event_id}: its files have the digest {rule_set.digest}, not its own"
            )
        self.rule_set, self._state.rule_files = rule_set, dict(event.files)
        return self._bind()

    def _override(self, event: ParameterOverridden) -> list[Finding]:
        rule = self.rule_set.rules.get(event.rule_id) if self.rule_set is not None else None
        if rule is None or event.parameter not in rule.parameters:
            self._remember(f"ParameterOverridden {event.event_id}: there is no {event.rule_id}.{event.parameter}")
        hear(self._state, event)
        return self._bind({event.rule_id})

    def _visit(self, event: VisitRecorded) -> None:
        asset = self.directory.assets.get(event.asset_id)
        if asset is None:
            return
        if asset.building_id in self._streams:
            self._streams[asset.building_id].visit(asset.id)
        else:
            self._kept.visit(asset.building_id, event)

    def _assign(self, event: BuildingsAssigned) -> list[Finding]:
        """What is assigned no more leaves with its findings as they are; what is new begins with what was handed over
        and what was kept back."""
        state = self._state
        assigned = frozenset(event.buildings)
        news = [name for name in event.buildings if name not in state.buildings]
        arrivals = {name: unpack_building(event.handed[name]) for name in news if name in event.handed}
        found: list[Finding] = []
        for arrival in arrivals.values():  # nobody says again what people said where it comes from
            if (overridden := learn(state, arrival.words)) is not None:
                found += self._bind(overridden)
        for name in [one for one in state.assigned or state.buildings if one not in assigned]:
            memory = state.buildings.pop(name, None) or BuildingMemory(newest_us=-1)
            state.released[name] = pack_building(memory, state.event_ids, words_of(state))
            self._streams.pop(name, None)
        state.assigned = event.buildings
        state.expected = tuple(name for name in event.expected if name not in assigned)
        self._divide()
        for name in news:
            state.released.pop(name, None)
            found += self._adopt(name, arrivals.get(name, Arrival()), state.kept.get(name))
        state.kept = {name: one for name, one in state.kept.items() if name in state.expected}
        self._kept = KeptBack(state, self.directory)
        return found

    def _adopt(self, name: str, arrival: Arrival, kept: Kept | None) -> list[Finding]:
        if arrival.trouble:
            self._remember(f"building {name!r} came from another shard and {arrival.trouble}")
        memory = self._state.buildings[name] = arrival.memory
        found = [*(clear(one, one.raised_us) for one in arrival.ended), *self._bind_building(name)]
        if stream := self._streams.get(name):
            found += stream.explain(memory.judged_us)
            found += stream.join(kept, arrival.event_ids) if kept is not None else []
        return found

    def _explain(self) -> list[Finding]:
        """Shelves and maintenance count from where their event stands in the journal."""
        found: list[Finding] = []
        for stream in self._streams.values():
            stream.view_changed()
            found += stream.explain(stream.memory.judged_us)
        return found

    def _bind(self, overridden: Collection[str] = ()) -> list[Finding]:
        """Bind rules to assets anew, keeping what is unchanged; what is gone clears its findings. Rules that are
        `overridden` are looked at again at the next instant."""
        state = self._state
        self._divide()
        self._streams = {}
        found: list[Finding] = []
        for building_id in [*state.buildings, *(one for one in self.registry.buildings if one not in state.buildings)]:
            found += self._bind_building(building_id)
        self._kept = KeptBack(state, self.directory)
        for stream in self._streams.values():
            found += stream.explain(stream.memory.judged_us)
            stream.look_again(item for item in stream.plan.judgements if item.rule.id in overridden)
        return found

    def _bind_building(self, building_id: str) -> list[Finding]:
        state = self._state
        memory = state.buildings.setdefault(building_id, BuildingMemory(newest_us=-1))
        before = dict(memory.judgements)
        if building_id not in self.registry.buildings:
            del state.buildings[building_id]
            return clear_vanished(before, {}, memory.judged_us)
        plan = build_plan(
            self.directory, self.rule_set, self.overrides, building_id, memory, plain=self._plain, judged=self._judged
        )
        stream = self._streams[building_id] = BuildingStream(memory, plan, self.rule_set, state)
        if self._judged is not None:
            stream.on_step = self._keep_step
        return clear_vanished(before, memory.judgements, memory.judged_us)

    def _divide(self) -> None:
        """What of the directory is judged here."""
        assigned = self._state.assigned
        self.registry = self.directory if assigned is None else self.directory.within(frozenset(assigned))
