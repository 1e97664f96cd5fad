"""Binding one rule to one asset: names to memories, parameters to numbers, calls to terms."""

from collections.abc import Callable, Sequence

from facility.asset import Asset
from facility.reading import Quality
from facility.registry import Registry
from rules.baseline import Baseline
from rules.freshness import fresh_limit
from rules.functions import CALENDAR, FLAGS, OF_HOURS, WINDOWED
from rules.hours import Hours
from rules.joint import Joint
from rules.judgement import Judgement, Look
from rules.learners import BaselineTerm, JointTerm, LearningTerm, TrendTerm, number
from rules.memory import BuildingMemory, JudgementMemory, TermMemory
from rules.parameters import Override, microseconds, resolve
from rules.program import BOUND_POINT, Known, Learner, Term
from rules.rule import Rule
from rules.running import AverageTerm, CusumTerm, SampledTerm
from rules.siblings import SiblingsTerm, sibling_memories
from rules.states import HeldTerm, OfLastTerm, SettledTerm, SwitchesTerm
from rules.terms import (
    Alarm,
    ConditionTerm,
    CountTerm,
    FlagTerm,
    HoursTerm,
    MeanTerm,
    NeverSeenTerm,
    SilentTerm,
    SinceTerm,
    StartsTerm,
    VisitTerm,
    WindowTerm,
)
from rules.trend import Trend
from rules.window import Window

_CONDITIONS: dict[str, Callable[..., ConditionTerm]] = {
    "since": SinceTerm,
    "count": CountTerm,
    "starts": StartsTerm,
    "average": AverageTerm,
    "sampled": SampledTerm,
    "cusum": CusumTerm,
    "held": HeldTerm,
    "switches": SwitchesTerm,
    "settled": SettledTerm,
    "of_last": OfLastTerm,
}
_FLAGS = {"out_of_range": Quality.OUT_OF_RANGE, "flagged_stuck": Quality.STUCK, "flagged_spike": Quality.SPIKE}

SharedWindows = dict[int, dict[tuple[int, str], WindowTerm]]
"""By point memory (its `id`), length and function: what one judgement asks, others need not compute again."""


class Binder:
    """Resolves everything a rule names on one asset. `missing` says what the asset lacks; then nothing is bound."""

    def __init__(
        self,
        rule: Rule,
        asset: Asset,
        point: str | None,
        registry: Registry,
        overrides: Sequence[Override],
        memory: BuildingMemory,
        hours: Hours,
        windows: SharedWindows,
        learnt: dict[str, set[str]],
    ) -> None:
        self._rule, self._asset, self._point, self._registry = rule, asset, point, registry
        self._memory, self._hours, self._windows, self._learnt = memory, hours, windows, learnt
        self._overrides = overrides
        self._alarm = Alarm()
        self._looks: dict[str, Look] = {}
        self.missing = tuple(self._resolve())
        self._parameters: dict[str, float] = {}

    def _resolve(self) -> list[str]:
        missing = []
        for name in self._rule.program.points:
            look = self._look(name)
            if look is None:
                missing.append(name)
            else:
                self._looks[name] = look
        missing += [
            f"design: {name}"
            for kind, name in self._rule.program.constants
            if kind == "design" and name not in self._asset.design
        ]
        if not self._hours.known and any(term.function in OF_HOURS for term in self._rule.program.terms):
            missing.append("occupied hours of the building")
        return missing

    def _look(self, name: str) -> Look | None:
        own = self._point if name == BOUND_POINT and self._point is not None else name
        origin, point = self._asset.id, own
        borrowed = self._asset.borrows.get(own)
        if own not in self._asset.points and borrowed is not None:
            origin, point = borrowed.asset_id, borrowed.point
        lender = self._memory.assets.get(origin)  # only assets of this building: it is the partition of judging
        if lender is None or point not in lender.points:
            return None
        unit = self._registry.assets[origin].points[point].unit
        return Look(own, origin, point, unit, lender.points[point])

    def bind(self, index: int, key: str, memory: JudgementMemory, *, plain: bool = False) -> Judgement:
        """The judgement, ready to run; its memory gets room for every term that remembers."""
        rule, program = self._rule, self._rule.program
        self._parameters = resolve(rule, self._asset, self._registry, self._overrides)
        wanted = sum(term.remembers for term in program.terms)
        if len(memory.terms) != wanted:
            memory.terms = [TermMemory() for _ in range(wanted)]
        remembering: list[ConditionTerm | LearningTerm] = []
        terms: list[Callable[[int], Known]] = []
        for term in program.terms:
            if term.learner is not None:
                learner = program.learners[term.learner]
                bound: Callable[[int], Known] = self._learning(term.function, learner, memory.terms[len(remembering)])
            else:
                bound = self._term(term, memory, len(remembering))
            if isinstance(bound, ConditionTerm | LearningTerm):
                remembering.append(bound)
            terms.append(bound)
        windowed = {term.point for term in program.terms if term.function in WINDOWED and term.point}
        believed = {name: self._looks[name].memory for name in (*program.slots, *sorted(windowed))}
        return Judgement(
            index=index,
            key=key,
            rule=rule,
            asset=self._asset,
            point=self._point,
            memory=memory,
            looks=tuple(self._looks.values()),
            slots=tuple(self._looks[name].memory for name in program.slots),
            believed=tuple(believed.values()),
            constants=tuple(self._constant(kind, name) for kind, name in program.constants),
            parameters=self._parameters,
            terms=tuple(terms),
            remembering=tuple(remembering),
            learning=tuple(term for term in remembering if isinstance(term, LearningTerm)),
            alarm=self._alarm,
            persistence_us=microseconds(rule, rule.persistence, self._parameters),
            clear_persistence_us=microseconds(rule, rule.clear_persistence, self._parameters),
            forgive_us=microseconds(rule, rule.forgive, self._parameters),
            heard=self._memory.assets[self._asset.id].points,
            plain=plain,
        )

    def _constant(self, kind: str, name: str) -> float:
        return self._parameters[name] if kind == "parameter" else float(self._asset.design[name])

    def _number(self, term: Term) -> float:
        return number(term.number if term.number is not None else 1, self._parameters)

    def _term(self, term: Term, memory: JudgementMemory, number: int) -> "Callable[[int], Known]":
        length = max(microseconds(self._rule, term.duration, self._parameters), 1) if term.duration is not None else 0
        if term.condition is not None:
            code = self._rule.program.conditions[term.condition]
            names = self._rule.program.condition_points[term.condition]
            looked_at = [self._looks[name].memory for name in names]
            made = _CONDITIONS[term.function](code, looked_at, memory.terms[number], self._alarm, length)
            return made.of(self._number(term)) if isinstance(made, OfLastTerm) else made
        if term.function in CALENDAR:
            return HoursTerm(self._hours, term.function, self._alarm)
        if term.function in ("silent", "never_seen"):
            watched = self._memory.assets[self._asset.id] if term.point is None else self._looks[term.point].memory
            if isinstance(term.duration, str):
                length = max(length, self._patience(term.point))
            return (SilentTerm if term.function == "silent" else NeverSeenTerm)(watched, length, self._alarm)
        look = self._looks[term.point or ""]
        if term.function in FLAGS:
            point = self._registry.assets[look.origin_asset_id].points[look.origin_point]
            return FlagTerm(look.memory, fresh_limit(point), _FLAGS[term.function], self._alarm)
        if term.function in ("since_visit", "siblings"):
            return self._apart(term.function, look)
        shared = self._windows.setdefault(id(look.memory), {})
        if (length, term.function) not in shared:
            window = look.memory.windows.setdefault(length, Window(length))
            kind = MeanTerm if term.function == "mean" else WindowTerm
            shared[length, term.function] = kind(look.memory, window, term.function)
        return shared[length, term.function]

    def _apart(self, function: str, look: Look) -> "Callable[[int], Known]":
        if function == "siblings":
            return SiblingsTerm(sibling_memories(self._asset, look.name, self._registry, self._memory))
        point = self._registry.assets[look.origin_asset_id].points[look.origin_point]
        return VisitTerm(look.memory, point.at_last_visit or 0.0)

    def _patience(self, name: str | None) -> int:
        """How long a parameter, which is meant for many assets, must let what is watched say nothing: as long as its
        readings are believed, of an asset those of its quickest point."""
        if name is None:
            return min(fresh_limit(point) for point in self._asset.points.values())
        look = self._looks[name]
        return fresh_limit(self._registry.assets[look.origin_asset_id].points[look.origin_point])

    def _learning(self, function: str, learner: Learner, memory: TermMemory) -> LearningTerm:
        settings, parameters = dict(learner.settings), self._parameters
        lengths = {
            name: max(microseconds(self._rule, settings[name], parameters), 1)  # type: ignore[arg-type]  # no float here
            for name in ("train", "follow")
            if name in settings
        }
        scope = (self._rule.id if learner.with_parameters else "", self._point or "")
        key = "\n".join([learner.signature, *scope, str(settings.get("by", "")), *map(str, lengths.values())])
        self._learnt.setdefault(self._asset.id, set()).add(key)
        learnt = self._memory.assets[self._asset.id].learnt
        codes = self._rule.program.conditions
        looked_at = [self._looks[name].memory for name in learner.points]
        common = (learner, codes, looked_at, memory, lengths["train"])
        if learner.group == "trend":
            trend = learnt.setdefault(key, Trend())
            assert isinstance(trend, Trend)  # noqa: S101 - the key begins with the group
            return TrendTerm(*common).bind(trend, self._hours, function, number(settings["sure"], parameters))
        if learner.group == "joint":
            joint = learnt.setdefault(key, Joint())
            assert isinstance(joint, Joint)  # noqa: S101 - as above
            return JointTerm(*common).bind(joint, lengths["follow"])
        baseline = learnt.setdefault(key, Baseline())
        assert isinstance(baseline, Baseline)  # noqa: S101 - the key begins with the group
        least = number(settings["least"], parameters)
        return BaselineTerm(*common).bind(
            baseline, self._hours, str(settings["by"]), lengths["follow"], least, off=function == "off_baseline"
        )
