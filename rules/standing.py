"""How each rule stands on one asset at the last instant that was judged. Looking changes nothing of what is judged.

Unlike a finding, which keeps what made the case when it was raised, this is what the terms are now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from facility.asset import Asset
from facility.finding import Finding
from rules.evidence import decisive
from rules.judgement import Judgement
from rules.memory import JudgementMemory, Phase
from rules.parameters import Override, ParameterNow, parameters_now
from rules.plan import Plan
from rules.program import Known
from rules.rule import Rule
from rules.rule_set import RuleSet


class Stand(StrEnum):
    """Where a rule stands on an asset. RESTING: it judges at other hours; UNKNOWN: a reading it needs is stale or bad;
    LEARNING: what is usual is not known yet; LACKING: the asset does not have what it needs."""

    ACTIVE = "active"
    PENDING = "pending"
    RESTING = "resting"
    UNKNOWN = "unknown"
    QUIET = "quiet"
    LEARNING = "learning"
    LACKING = "lacking"


@dataclass(frozen=True, slots=True)
class TermNow:
    """A let term or a part of an expression: None is Unknown, `unit` is bool for conditions. `is_whole`: `and` joins it
    to the whole condition."""

    text: str
    value: Known
    unit: str
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """One rule on one asset (with `for_each` on one `point`). Times are event time in microseconds.

    `since_us`: since when the condition holds. `until_us`: when a pending finding is raised, or an active one cleared,
    if all stays as it is. `decides`: the part that keeps it from holding. `missing` as in `NotApplicable`.
    `persistence_us` and `clear_persistence_us` are how long either must hold.
    """

    rule: Rule
    state: Stand
    point: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    finding: Finding | None = None
    decides: str = ""
    missing: tuple[str, ...] = ()
    terms: tuple[TermNow, ...] = ()
    parts: tuple[TermNow, ...] = ()
    parameters: tuple[ParameterNow, ...] = ()
    persistence_us: int = 0
    clear_persistence_us: int = 0


def find_standings(
    asset: Asset, plan: Plan, rule_set: RuleSet, overrides: Sequence[Override], now_us: int
) -> list[Standing]:
    """How each rule meant for the asset stands at `now_us`; those last that it lacks something for."""

    def in_force(rule: Rule) -> tuple[ParameterNow, ...]:
        return parameters_now(rule, asset, plan.registry, overrides)

    found = [find_standing(one, in_force(one.rule), now_us) for one in plan.on_asset(asset.id)]
    for gap in plan.lacking(asset.id):
        rule = rule_set.rules[gap.rule_id]
        found.append(Standing(rule, Stand.LACKING, missing=gap.missing, parameters=in_force(rule)))
    return found


def find_standing(judgement: Judgement, parameters: tuple[ParameterNow, ...], now_us: int) -> Standing:
    """How a judgement stands at `now_us`, the last instant of its building that was judged."""
    rule, memory, steps = judgement.rule, judgement.memory, judgement.rule.program.steps()
    values, terms = judgement.values(now_us), judgement.terms_at(now_us)
    results = steps.values(values, judgement.constants, terms, now_us)
    lets = rule.program.lets(values, judgement.constants, terms, now_us)
    number, verdict = decisive(results[: steps.parts])
    missing = judgement.warming(now_us)
    if memory.phase:
        state = Stand.ACTIVE if judgement.active else Stand.PENDING
    elif missing:
        state = Stand.LEARNING
    elif verdict == "unknown":
        state = Stand.UNKNOWN
    else:
        state = Stand.RESTING if number in steps.hours else Stand.QUIET
    return Standing(
        rule=rule,
        state=state,
        point=judgement.point,
        since_us=memory.onset_us if memory.phase else None,
        until_us=_until(judgement, memory),
        finding=memory.finding,
        decides=steps.texts[number] if number is not None else "",
        missing=missing,
        terms=tuple(map(TermNow, rule.program.let_names, lets, steps.let_units)),
        parts=tuple(
            TermNow(text, value, unit, index < steps.parts)
            for index, (text, value, unit) in enumerate(zip(steps.texts, results, steps.units, strict=True))
        ),
        parameters=parameters,
        persistence_us=judgement.persistence_us,
        clear_persistence_us=judgement.quiet_us,
    )


def _until(judgement: Judgement, memory: JudgementMemory) -> int | None:
    if memory.phase == Phase.PENDING:
        return memory.onset_us + judgement.persistence_us
    if memory.phase != Phase.ACTIVE or memory.clearing_us < 0 or (judgement.rule.latch and not memory.released):
        return None
    return memory.clearing_us + judgement.quiet_us
