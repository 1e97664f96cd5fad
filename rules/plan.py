"""Which rules judge which assets of one building, bound to its memory; and which cannot, for want of what."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from facility.asset import Asset, Point
from facility.registry import Registry
from rules.binding import Binder, SharedWindows
from rules.freshness import fresh_limit
from rules.functions import SILENCE, WINDOWED
from rules.hours import Hours
from rules.judgement import Judgement
from rules.memory import AssetMemory, BuildingMemory, JudgementMemory, PointMemory
from rules.parameters import Override
from rules.program import BOUND_POINT
from rules.row import Row
from rules.rule import Rule
from rules.rule_set import RuleSet
from rules.trigger import Trigger, find_trigger
from rules.watch import Groups, Watch

MAX_GROUPS = 64
"""How many groups of points that came together are remembered per asset, with who looks at them."""


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """A rule meant for an asset's class that cannot judge it: these points or figures are missing or not learnt yet."""

    rule_id: str
    asset_id: str
    missing: tuple[str, ...]


@dataclass(slots=True)
class Feed:
    """Where the readings of one point go. `limit_us` is how long one is believed: three cadences, at least 60 s.

    Those on `watch` are looked at when the value or its quality changed; `on_reading` at every reading while they are
    awake, `on_quality` when the quality changed, `on_return` (those that are not idle, by index) at every reading. They
    differ in cost, not in result.
    """

    memory: PointMemory
    limit_us: int
    is_text: bool
    is_counter: bool
    is_state: bool
    watch: Watch = field(default_factory=Watch)
    on_reading: tuple[Judgement, ...] = ()
    on_quality: tuple[Judgement, ...] = ()
    on_return: dict[int, Judgement] = field(default_factory=dict)
    row: Row | None = None


@dataclass(slots=True)
class Plan:
    """A building's judgements in order, the feeds of its points, and what does not apply."""

    registry: Registry
    judgements: list[Judgement] = field(default_factory=list)
    feeds: dict[str, dict[str, Feed]] = field(default_factory=dict)
    not_applicable: list[NotApplicable] = field(default_factory=list)
    by_subject: dict[tuple[str, str], list[Judgement]] = field(default_factory=dict)
    _by_asset: dict[str, list[Judgement]] = field(default_factory=dict)
    _lacking: dict[str, list[NotApplicable]] = field(default_factory=dict)
    groups: dict[str, Groups] = field(default_factory=dict)

    def readers(self, asset_id: str, names: Iterable[str]) -> dict[int, Judgement]:
        """Who looks at every reading of any of these points of the asset and is awake, by index."""
        groups, key = self.groups[asset_id], tuple(names)
        known = groups.get(key)
        if known is None:
            feeds = self.feeds[asset_id]
            reading = (one for name in key if name in feeds for one in feeds[name].on_reading)
            known = {one.index: one for one in reading if one.asleep is None}
            if len(groups) < MAX_GROUPS:
                groups[key] = known
        return known

    def neighbours(self, judgement: Judgement) -> list[Judgement]:
        """The other judgements of the same asset that look at points of this one, the closest first."""
        points = {id(look.memory) for look in judgement.looks}
        shared = [
            (-sum(id(look.memory) in points for look in other.looks), other.index, other)
            for other in self.on_asset(judgement.asset.id)
            if other is not judgement and other.rule.id != judgement.rule.id
        ]
        return [other for number, _, other in sorted(shared, key=lambda one: one[:2]) if number]

    def on_asset(self, asset_id: str) -> Sequence[Judgement]:
        """The judgements of one asset, in order."""
        if not self._by_asset:
            for one in self.judgements:
                self._by_asset.setdefault(one.asset.id, []).append(one)
        return self._by_asset.get(asset_id, ())

    def lacking(self, asset_id: str) -> Sequence[NotApplicable]:
        """What does not apply to one asset."""
        if not self._lacking:
            for one in self.not_applicable:
                self._lacking.setdefault(one.asset_id, []).append(one)
        return self._lacking.get(asset_id, ())

    def warming(self, now_us: int) -> Iterator[NotApplicable]:
        """The rules that cannot judge yet at `now_us`, because what is usual is still being learnt."""
        for judgement in self.judgements:
            if missing := judgement.warming(now_us):
                yield NotApplicable(judgement.rule.id, judgement.asset.id, missing)


def build_plan(
    registry: Registry,
    rule_set: RuleSet | None,
    overrides: Sequence[Override],
    building_id: str,
    memory: BuildingMemory,
    *,
    plain: bool = False,
    judged: Container[str] | None = None,
) -> Plan:
    """Bind every rule to every asset of the building it covers.

    Keeps the memory of what is unchanged, adds what is new, and drops from `memory` what is gone: the caller takes
    what it needs of the old judgements first. With `judged` only these assets are judged; the others are remembered.
    """
    plan = Plan(registry)
    assets = [asset for asset in registry.assets.values() if asset.building_id == building_id]
    memory.assets = {asset.id: _asset_memory(asset, memory) for asset in assets}
    for asset in assets:
        remembered = memory.assets[asset.id].points
        plan.feeds[asset.id] = {
            name: Feed(
                remembered[name], fresh_limit(point), point.type.is_text, point.type.kind == "counter", _is_state(point)
            )
            for name, point in asset.points.items()
        }
    hours = Hours(registry.buildings[building_id])
    plan.groups = {asset.id: {} for asset in assets}
    windows: SharedWindows = {}
    learnt: dict[str, set[str]] = {}
    watchers: Watchers = {}
    old, memory.judgements = memory.judgements, {}
    for asset in assets if judged is None else [asset for asset in assets if asset.id in judged]:
        for rule in rule_set.rules.values() if rule_set is not None else ():
            if not rule.covers(asset.equipment_class.name) or not asset.points:
                continue
            for point in _points_of(rule, asset):
                binder = Binder(rule, asset, point, registry, overrides, memory, hours, windows, learnt)
                if binder.missing:
                    plan.not_applicable.append(NotApplicable(rule.id, asset.id, binder.missing))
                    continue
                key = f"{rule.id}/{asset.id}" + (f"/{point}" if point else "")
                kept = old.get(key)
                fresh = kept is None or kept.rule_hash != rule.text_hash
                state = JudgementMemory(rule.text_hash, due_us=memory.judged_us) if fresh or kept is None else kept
                memory.judgements[key] = state
                judgement = binder.bind(len(plan.judgements), key, state, plain=plain)
                plan.judgements.append(judgement)
                plan.by_subject.setdefault((rule.id, asset.id), []).append(judgement)
                _watch(judgement, plan, memory, watchers)
    for asset_id, known in memory.assets.items():
        known.learnt = {key: item for key, item in known.learnt.items() if key in learnt.get(asset_id, ())}
    for feed in (feed for feeds in plan.feeds.values() for feed in feeds.values()):
        wanted = {length for length, _ in windows.get(id(feed.memory), ())}
        feed.memory.windows = {length: window for length, window in feed.memory.windows.items() if length in wanted}
        watching = watchers.get(id(feed.memory), {})
        feed.on_reading = tuple(watching.get(Trigger.READING, ()))
        feed.on_quality = tuple(watching.get(Trigger.QUALITY, ()))
        for judgement in watching.get(Trigger.RETURN, ()):
            judgement.returns = (*judgement.returns, feed.on_return)
            judgement.note_return()
        feed.row = Row(feed.memory.windows.values()) if feed.memory.windows else None
    return plan


def _is_state(point: Point) -> bool:
    """Whether its readings are states, so that only the changes say something."""
    return point.type.is_text or point.unit == "bool"


def _asset_memory(asset: Asset, memory: BuildingMemory) -> AssetMemory:
    kept = memory.assets.get(asset.id) or AssetMemory(quiet_from_us=memory.judged_us)
    kept.points = {name: kept.points.get(name) or PointMemory(quiet_from_us=memory.judged_us) for name in asset.points}
    for point in kept.points.values():
        for window in point.windows.values():
            window.come_back()
    return kept


def _points_of(rule: Rule, asset: Asset) -> Iterator[str | None]:
    """The points a `for_each` rule runs for (numbers only, when it uses the value); None for a plain rule."""
    if not rule.for_each_point:
        yield None
        return
    numeric = BOUND_POINT in rule.program.slots or any(
        term.point == BOUND_POINT and term.function in WINDOWED - {"changes"} for term in rule.program.terms
    )
    for name, point in asset.points.items():
        if not (numeric and point.type.is_text):
            yield name


Watchers = dict[int, dict[Trigger, list[Judgement]]]
"""By point memory (its `id`): who looks at its readings other than by its `Watch`."""


def _watch(judgement: Judgement, plan: Plan, memory: BuildingMemory, watchers: Watchers) -> None:
    program, trigger = judgement.rule.program, find_trigger(judgement.rule)
    watches = {
        name: plan.feeds[look.origin_asset_id][look.origin_point].watch
        for name, look in zip(program.points, judgement.looks, strict=True)
    }
    if trigger in (Trigger.READING, Trigger.CHANGE) and program.hold.reasons.parts:
        judgement.watches = watches
    if trigger is Trigger.CHANGE:
        judgement.every = tuple(dict.fromkeys(watches.values()))
        judgement.watch_all()
        return
    points = {id(look.memory) for look in judgement.looks}
    if any(term.point is None and term.function in SILENCE for term in program.terms):
        points |= {id(point) for point in memory.assets[judgement.asset.id].points.values()}
    for number in points:
        watchers.setdefault(number, {}).setdefault(trigger, []).append(judgement)
    if trigger is Trigger.READING:
        places = {judgement.asset.id, *(look.origin_asset_id for look in judgement.looks)}
        judgement.groups = tuple(plan.groups[place] for place in places)
