"""Judging a building in parts: engines that judge some of its assets each, and one explanation of all they found.

A part is given the readings its assets look at and every other instant as a heartbeat, so that time passes in it as in
the whole. What it found comes out as steps; put together in the order of event time they are explained as one engine
would have explained them. For history only: without events of people in between.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import msgspec

from facility.finding import Finding
from facility.registry import Registry
from rules.building import BuildingStream, Settings
from rules.judgement import Judgement
from rules.lifecycle import Step
from rules.memory import BuildingMemory, JudgementMemory, Phase
from rules.parameters import Override
from rules.plan import Plan, build_plan
from rules.rule_set import RuleSet


class StepState(msgspec.Struct, frozen=True, array_like=True):
    """The memory of a judgement at a step, as far as explaining needs it."""

    onset_us: int
    clearing_us: int
    latched: bool
    released: bool
    flapping: bool


class RawStep(msgspec.Struct, frozen=True, array_like=True):
    """A judgement (by its key in a building) was raised, changed or cleared at `now_us`, while commit `seq` was judged;
    `finding` as it was raised."""

    seq: int
    building_id: str
    now_us: int
    key: str
    step: int
    state: StepState
    finding: Finding | None


def raw_step(seq: int, judgement: Judgement, step: Step, now_us: int, before: JudgementMemory) -> RawStep:
    """A step as it is told of. `before` is the memory when the step was known and not yet told."""
    finding = judgement.memory.finding if step is Step.RAISED else None
    state = StepState(before.onset_us, before.clearing_us, before.latched, before.released, before.flapping)
    return RawStep(seq, judgement.asset.building_id, now_us, judgement.key, step.value, state, finding)


class _Merged(BuildingStream):
    """One building's explanations, with the steps of others."""

    def __init__(self, plan: Plan, memory: BuildingMemory, rule_set: RuleSet, settings: Settings) -> None:
        super().__init__(memory, plan, rule_set, settings)
        self._by_key = {judgement.key: judgement for judgement in plan.judgements}

    def advance(self, until_us: int, found: list[Finding]) -> None:
        """What comes back into view before `until_us`."""
        while self._views and self._views[0] < until_us:
            now_us = self._views[0]
            self._look(max(now_us, self.memory.judged_us), found, changed=False)

    def apply(self, now_us: int, steps: Sequence[RawStep], found: list[Finding]) -> None:
        """All steps of one instant."""
        self.advance(now_us, found)
        ordered = sorted((self._by_key[step.key].index, step) for step in steps)
        for index, step in ordered:
            judgement = self.plan.judgements[index]
            memory = judgement.memory
            kind, state = Step(step.step), step.state
            memory.onset_us, memory.clearing_us = state.onset_us, state.clearing_us
            memory.latched, memory.released, memory.flapping = state.latched, state.released, state.flapping
            memory.phase = Phase.IDLE if kind is Step.CLEARED else Phase.ACTIVE
            self._record(judgement, kind, now_us, found, step.finding)
        self._look(now_us, found, changed=True)
        self.memory.judged_us = now_us

    def _look(self, now_us: int, found: list[Finding], *, changed: bool) -> None:
        while self._views and self._views[0] <= now_us:
            heapq.heappop(self._views)
            changed = True
        if changed:
            found += self.explain(now_us)


def explain_steps(
    registry: Registry,
    rule_set: RuleSet,
    settings: Settings,
    steps: Iterable[RawStep],
    judged: Iterable[tuple[int, str, int]],
    overrides: Sequence[Override] = (),
) -> Iterator[list[Finding]]:
    """The findings of all buildings, one list a commit and building, in the order in which one engine tells them.

    `judged` are (commit, building, last instant that was judged then); parts may say the same more than once.
    """
    streams: dict[str, _Merged] = {}
    for building_id in registry.buildings:
        memory = BuildingMemory(newest_us=-1)
        plan = build_plan(registry, rule_set, overrides, building_id, memory)
        streams[building_id] = _Merged(plan, memory, rule_set, settings)
    reached: dict[tuple[int, str], int] = {}
    for seq, building_id, at_us in judged:
        reached[seq, building_id] = max(at_us, reached.get((seq, building_id), -1))
    by_commit: dict[tuple[int, str], list[RawStep]] = {}
    for step in steps:
        by_commit.setdefault((step.seq, step.building_id), []).append(step)
    for key in sorted(reached):
        found: list[Finding] = []
        ordered = sorted(by_commit.get(key, ()), key=_instant)
        for now_us, group in groupby(ordered, key=_instant):
            streams[key[1]].apply(now_us, list(group), found)
        streams[key[1]].advance(reached[key] + 1, found)
        yield found


def _instant(step: RawStep) -> int:
    return step.now_us
