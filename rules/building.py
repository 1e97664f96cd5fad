"""One building's stream: reorder buffer, watermark, timers. The same readings in any order give the same findings."""

import heapq
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf, isnan
from typing import Protocol

import msgspec

from facility.finding import Finding, FindingState, Severity
from facility.reading import PointValue, Quality, Scan
from rules.evidence import make_finding
from rules.explain import Maintenance, Shelf, explain, find_suppressors
from rules.judge import IGNORED, take_scan
from rules.judgement import Judgement
from rules.lifecycle import Step, advance, discard
from rules.memory import NEVER, AssetMemory, BuildingMemory, JudgementMemory, Kept, Phase, PointMemory
from rules.plan import Plan
from rules.rule import Group
from rules.rule_set import RuleSet
from rules.storm import join_storm, root_of


class Settings(Protocol):
    """What the engine was told when it began, and what people took out of view since."""

    allowance_us: int
    listening_gap_us: int
    scans_advance: bool

    @property
    def shelves(self) -> Mapping[str, Shelf]:
        """By rule and asset."""

    @property
    def maintenance(self) -> Mapping[str, Maintenance]:
        """By event."""


class BuildingStream:
    """Judges one building. Its memory is the truth; everything else here is rebuilt from it."""

    def __init__(self, memory: BuildingMemory, plan: Plan, rule_set: RuleSet | None, settings: Settings) -> None:
        self.memory, self.plan = memory, plan
        self._suppressor_ids = rule_set.suppressors if rule_set is not None else {}
        self._settings = settings
        self.on_step: Callable[[Judgement, Step, int, JudgementMemory], None] | None = None
        self._instants = sorted(memory.waiting)
        self._active = {item.index: item for item in plan.judgements if item.active}
        self._timers: list[tuple[int, int]] = []
        for item in plan.judgements:
            self._queue(item)
        self._suppressors: dict[int, tuple[Judgement, ...]] = {}
        self._views: list[int] = []
        self.view_changed()

    def take(self, scan: Scan) -> None:
        """Keep a scan until its instant is due; one that comes after its instant was judged is only counted."""
        memory, at_us = self.memory, scan.at_us
        if at_us <= memory.newest_us - self._settings.allowance_us:
            memory.late += 1
            return
        readings = {reading.point: reading for reading in scan.values if reading.quality not in IGNORED}
        if not readings and scan.values:
            return
        waiting = self._waiting(at_us)
        if at_us > memory.newest_us and self._settings.scans_advance:
            memory.newest_us = at_us
        if scan.asset_id not in waiting and len(readings) == len(scan.values):  # nothing twice, and nothing ignored
            waiting[scan.asset_id] = readings
            return
        values = waiting.setdefault(scan.asset_id, {})
        for reading in scan.values:
            if reading.quality not in IGNORED:
                _prefer(values, reading)

    def tick(self, at_us: int) -> None:
        """Somebody listened at `at_us`."""
        if at_us > self.memory.newest_us - self._settings.allowance_us:
            self._waiting(at_us)
            self.memory.newest_us = max(self.memory.newest_us, at_us)

    def join(self, kept: Kept, known: Container[str]) -> list[Finding]:
        """Judge what was kept back while the memory was on its way, as if it came now. What is no news to the memory
        changes nothing: it was late where that comes from, or waits in it; visits of `known` events are in it too."""
        memory, allowance_us = self.memory, self._settings.allowance_us
        judged_us = memory.newest_us - allowance_us
        for at_us in sorted(at for at in kept.memory.waiting if at > judged_us):
            waiting = self._waiting(at_us)
            for asset_id, readings in kept.memory.waiting[at_us].items():
                values = waiting.setdefault(asset_id, {})
                for reading in readings.values():
                    _prefer(values, reading)
        found: list[Finding] = []
        for newest_us, visit in kept.visits:
            if visit.event_id not in known:
                memory.newest_us = max(memory.newest_us, newest_us)
                found += self.drain()
                self.visit(visit.asset_id)
        memory.newest_us = max(memory.newest_us, kept.memory.newest_us)
        return found + self.drain()

    def visit(self, asset_id: str) -> None:
        """Somebody was at the asset: counters since the last visit start again, and what is latched may clear."""
        asset = self.memory.assets.get(asset_id)
        if asset is None:
            return
        for point in asset.points.values():
            if isinstance(point.last_good, float):
                point.visited = point.last_good + point.unrolled
        here = [item for item in self.plan.judgements if item.asset.id == asset_id]
        for judgement in here:
            judgement.memory.released = judgement.active
        self.look_again(here)

    def _waiting(self, at_us: int) -> dict[str, dict[str, PointValue]]:
        memory = self.memory
        if at_us not in memory.waiting:
            memory.waiting[at_us] = {}
            heapq.heappush(self._instants, at_us)
        return memory.waiting[at_us]

    def drain(self) -> list[Finding]:
        """Judge every instant up to the watermark (newest event minus allowance), in order."""
        found: list[Finding] = []
        memory, watermark = self.memory, self.memory.newest_us - self._settings.allowance_us
        while self._instants and self._instants[0] <= watermark:
            now_us = heapq.heappop(self._instants)
            scans = memory.waiting.pop(now_us)
            if memory.judged_us < 0:
                self._begin(now_us)
            elif now_us - memory.judged_us > self._settings.listening_gap_us:
                self._miss(now_us)
            elif (self._timers and self._timers[0][0] < now_us) or (self._views and self._views[0] < now_us):
                self._run_timers(now_us, found)
            touched: dict[int, Judgement] = {}
            for asset_id in sorted(scans):
                feeds = self.plan.feeds.get(asset_id)
                if feeds is not None:
                    values = scans[asset_id]
                    take_scan(now_us, values, memory.assets[asset_id], feeds, touched)
                    touched.update(self.plan.readers(asset_id, values))
            self._step(now_us, touched, found)
            memory.judged_us = now_us
        return found

    def _begin(self, now_us: int) -> None:
        """The first instant of this building: what was never seen is missing from here on."""
        for item in self._quiet():
            item.quiet_from_us = now_us

    def _miss(self, now_us: int) -> None:
        """Nobody listened since the last instant: timers did not run, windows and pending findings start anew."""
        missed = now_us - self.memory.judged_us
        for item in self._quiet():
            item.quiet_from_us += missed
        for feed in (feed for feeds in self.plan.feeds.values() for feed in feeds.values()):
            if feed.row is not None:
                feed.row.restart()
        for judgement in self.plan.judgements:
            discard(judgement)
            self._schedule(judgement, now_us)

    def _quiet(self) -> Iterator[AssetMemory | PointMemory]:
        for asset in self.memory.assets.values():
            yield asset
            yield from asset.points.values()

    def _run_timers(self, until_us: int, found: list[Finding]) -> None:
        """Everything that time alone brings before `until_us`."""
        while True:
            due_us = min(self._timers[0][0] if self._timers else NEVER, self._views[0] if self._views else NEVER)
            if due_us >= until_us:
                return
            self._step(max(due_us, self.memory.judged_us), {}, found)

    def _step(self, now_us: int, touched: dict[int, Judgement], found: list[Finding]) -> None:
        """Look at what was touched and what is due at `now_us`, then explain."""
        timers = self._timers
        while timers and timers[0][0] <= now_us:
            judgement = self.plan.judgements[heapq.heappop(timers)[1]]
            judgement.queued_us = NEVER
            if judgement.memory.due_us <= now_us:
                touched[judgement.index] = judgement
            else:
                self._queue(judgement)
        steps: list[tuple[Judgement, Step]] = []
        for index in sorted(touched):
            judgement = touched[index]
            step = advance(judgement, now_us)
            due_us = judgement.memory.due_us
            if due_us < judgement.queued_us:
                judgement.queued_us = due_us
                heapq.heappush(timers, (due_us, index))
            if step is not Step.NOTHING:
                steps.append((judgement, step))
        for judgement, step in steps:  # when all have been looked at: their evidence tells of one another
            before = replace(judgement.memory) if self.on_step is not None else judgement.memory
            self._record(judgement, step, now_us, found)
            if self.on_step is not None:
                self.on_step(judgement, step, now_us, before)
        changed = bool(steps)
        while self._views and self._views[0] <= now_us:
            heapq.heappop(self._views)
            changed = True
        if changed:
            found += self.explain(now_us)

    def _record(
        self, judgement: Judgement, step: Step, now_us: int, found: list[Finding], made: Finding | None = None
    ) -> None:
        """Take in that a judgement was raised (with the finding `made` elsewhere, or a new one) or cleared."""
        memory = judgement.memory
        if step is Step.RAISED:
            neighbours = () if made is not None else self.plan.neighbours(judgement)
            memory.finding = made or make_finding(
                judgement, self.plan.registry, FindingState.PENDING, now_us, neighbours
            )
            self._active[judgement.index] = judgement
        elif step is Step.CLEARED and memory.finding is not None:
            kept = judgement.rule.latch or memory.flapping
            cleared_us = now_us if kept else memory.clearing_us + judgement.clear_persistence_us
            found.append(
                msgspec.structs.replace(
                    memory.finding, state=FindingState.CLEARED, cleared_us=cleared_us, latched=False, flapping=False
                )
            )
            memory.last_finding_id, memory.last_raised_us = memory.finding.id, memory.finding.raised_us
            memory.finding, memory.clearing_us = None, -1
            memory.latched = memory.released = memory.flapping = False
            if judgement.rule.release_us:
                memory.explains_until_us = now_us + judgement.rule.release_us
                heapq.heappush(self._views, memory.explains_until_us)
            del self._active[judgement.index]

    def explain(self, now_us: int) -> list[Finding]:
        """Every active finding whose explanation changed, in the order of judgements; new ones among them."""
        view = self._settings
        explained = explain(
            self._active.values(),
            self._suppressors_of,
            view.shelves.values(),
            view.maintenance.values(),
            self.plan.registry,
            now_us,
        )
        found = []
        for index in sorted(self._active):
            memory, why = self._active[index].memory, explained[index]
            finding = memory.finding
            if finding is None or (
                finding.state is FindingState.ACTIVE
                and (finding.suppressed_by, finding.shelved_by) == (why.suppressed_by, why.shelved_by)
                and (finding.shelved_until_us, finding.shelved_reason) == (why.shelved_until_us, why.shelved_reason)
                and (finding.latched, finding.flapping) == (memory.latched, memory.flapping)
            ):
                continue
            news = msgspec.structs.replace(
                finding,
                state=FindingState.ACTIVE,
                suppressed_by=why.suppressed_by,
                shelved_by=why.shelved_by,
                shelved_until_us=why.shelved_until_us,
                shelved_reason=why.shelved_reason,
                latched=memory.latched,
                flapping=memory.flapping,
            )
            if news.opens_order and not finding.opens_order:
                news = self._join_storm(self._active[index], news, now_us)
            if news != finding:
                memory.finding = news
                found.append(news)
        return found

    def _join_storm(self, judgement: Judgement, finding: Finding, now_us: int) -> Finding:
        """The finding with the cause of the storm it is part of, if it is part of one."""
        if finding.severity is Severity.CRITICAL or judgement.rule.group is not Group.ASSET:
            return finding
        key = join_storm(self.memory.storms, root_of(judgement.asset, self.plan.registry), now_us)
        return finding if key is None else msgspec.structs.replace(finding, cause_key=key)

    def view_changed(self) -> None:
        """Shelves or maintenance changed: note the instants at which findings come back into view."""
        shelves, works = self._settings.shelves.values(), self._settings.maintenance.values()
        instants = {shelf.until_us for shelf in shelves} | {
            at for work in works for at in (work.from_us, work.until_us)
        }
        instants |= {item.memory.explains_until_us for item in self.plan.judgements}
        self._views = sorted(at for at in instants if at > self.memory.judged_us)

    def look_again(self, judgements: Iterable[Judgement]) -> None:
        """Something they depend on changed: look at them at the next instant."""
        for judgement in judgements:
            self._schedule(judgement, self.memory.judged_us)

    def active(self) -> list[Finding]:
        """The findings that are raised and not cleared."""
        return [item.memory.finding for _, item in sorted(self._active.items()) if item.memory.finding is not None]

    def pending(self) -> list[Finding]:
        """The findings whose persistence is running; `raised_us` is when they will be raised."""
        return [
            make_finding(item, self.plan.registry, FindingState.PENDING, self.memory.judged_us)
            for item in self.plan.judgements
            if item.memory.phase == Phase.PENDING
        ]

    def _schedule(self, judgement: Judgement, at_us: int) -> None:
        judgement.memory.due_us = at_us
        self._queue(judgement)

    def _queue(self, judgement: Judgement) -> None:
        """One entry a judgement is enough: it is looked at when its earliest wish passes, and queued anew."""
        if judgement.memory.due_us < judgement.queued_us:
            judgement.queued_us = judgement.memory.due_us
            heapq.heappush(self._timers, (judgement.queued_us, judgement.index))

    def _suppressors_of(self, judgement: Judgement) -> Sequence[Judgement]:
        known = self._suppressors.get(judgement.index)
        if known is None:
            plan = self.plan
            known = find_suppressors(judgement, plan.registry, self._suppressor_ids, plan.by_subject)
            self._suppressors[judgement.index] = known
        return known


def _prefer(values: dict[str, PointValue], reading: PointValue) -> None:
    other = values.get(reading.point)
    values[reading.point] = reading if other is None else max(reading, other, key=_preference)


def _preference(reading: PointValue) -> tuple[bool, bool, float, str]:
    """Two readings of one point at one instant: a good one first, then the larger, whatever came first."""
    text = reading.value if isinstance(reading.value, str) else ""
    number = reading.value if isinstance(reading.value, float) and not isnan(reading.value) else -inf
    return reading.quality == Quality.GOOD, not text, number, text
