"""What a finding is made of: every reading, term and parameter that made the case, with units."""

from collections.abc import Iterator, Sequence

from facility.finding import Evidence, EvidenceKind, Finding, FindingState, finding_id
from facility.reading import Value
from facility.registry import Registry
from rules.judgement import Judgement
from rules.kinds import Kind
from rules.learners import TrendTerm
from rules.program import Known
from rules.rule import Group

MAX_POINTS, MAX_NEIGHBOURS = 6, 12
"""Of how many points a finding keeps the readings before it, and of how many neighbour rules the reason."""


def make_finding(
    judgement: Judgement,
    registry: Registry,
    state: FindingState,
    now_us: int,
    neighbours: Sequence[Judgement] | None = None,
) -> Finding:
    """The finding of a judgement as it stands at `now_us` (event time), raised at onset plus persistence.

    With `neighbours` (when it is raised) the evidence is whole: what led to it, every part of the expressions, and
    why those neighbours found nothing.
    """
    rule, asset, onset = judgement.rule, judgement.asset, judgement.memory.onset_us
    outlooks = [item.outlook for item in judgement.learning if isinstance(item, TrendTerm) and item.outlook is not None]
    days_left, confidence = min(outlooks, default=(None, None))
    about = asset.name if judgement.point is None else f"{asset.name} ({judgement.point})"
    return Finding(
        id=finding_id(rule.id, judgement.subject, onset),
        rule_id=rule.id,
        asset_id=asset.id,
        building_id=asset.building_id,
        kind=rule.kind,
        severity=rule.severity,
        state=state,
        title=f"{rule.name['en']}: {about}",
        advice=rule.advice,
        cause_key=cause_key(judgement),
        onset_us=onset,
        raised_us=onset + judgement.persistence_us + judgement.memory.delayed_us,
        days_left=days_left,
        confidence=confidence,
        diagnoses=rule.diagnosis,
        evidence=(
            *_evidence(judgement, registry, now_us),
            *(_around(judgement, neighbours, now_us) if neighbours is not None else ()),
        ),
    )


def cause_key(judgement: Judgement) -> str:
    """What names the cause: the asset and rule, or the space or building and rule where the rule groups."""
    rule, asset = judgement.rule, judgement.asset
    if rule.group is Group.SPACE and asset.space_id is not None:
        return f"space:{asset.space_id}/{rule.id}"
    if rule.group is Group.BUILDING:
        return f"building:{asset.building_id}/{rule.id}"
    return f"{asset.id}/{rule.id}"


def _evidence(judgement: Judgement, registry: Registry, now_us: int) -> Iterator[Evidence]:
    for look in judgement.looks:
        if look.memory.last is not None:
            yield Evidence(look.origin_asset_id, look.origin_point, look.memory.quality_us, look.memory.last, look.unit)
    if not judgement.looks:
        yield from _last_heard(judgement, registry)
    program, asset_id = judgement.rule.program, judgement.asset.id
    values = [slot.value if slot.fresh_until_us >= now_us else None for slot in judgement.slots]
    results = program.lets(values, judgement.constants, judgement.terms, now_us)
    for name, kind, result in zip(program.let_names, program.let_kinds, results, strict=True):
        if result is not None:
            value: Value = result if isinstance(result, str) else float(result)
            unit = "bool" if kind is Kind.CONDITION else ""
            yield Evidence(asset_id, name, now_us, value, unit, EvidenceKind.TERM)
    for name, number in judgement.parameters.items():
        yield Evidence(asset_id, name, now_us, number, judgement.rule.parameters[name].unit, EvidenceKind.PARAMETER)
    for (kind_of, name), number in zip(program.constants, judgement.constants, strict=True):
        if kind_of == "design":
            yield Evidence(asset_id, f"design {name}", now_us, number, "", EvidenceKind.DESIGN)


def _around(judgement: Judgement, neighbours: Sequence[Judgement], now_us: int) -> Iterator[Evidence]:
    asset_id = judgement.asset.id
    for look in judgement.looks[:MAX_POINTS]:
        for at_us, value in look.memory.recent:
            if at_us < min(look.memory.good_us, now_us):
                yield Evidence(look.origin_asset_id, look.origin_point, at_us, value, look.unit, EvidenceKind.BEFORE)
    steps = judgement.rule.program.steps()
    results = steps.values(judgement.values(now_us), judgement.constants, judgement.terms, now_us)
    for text, unit, result in zip(steps.texts, steps.units, results, strict=True):
        if result is not None:
            known = result if isinstance(result, str) else float(result)
            yield Evidence(asset_id, text, now_us, known, unit, EvidenceKind.PART)
    for other in neighbours[:MAX_NEIGHBOURS]:
        text, verdict = _verdict(other, now_us)
        yield Evidence(other.asset.id, other.rule.id, now_us, text, verdict, EvidenceKind.NEIGHBOUR)


def _verdict(judgement: Judgement, now_us: int) -> tuple[str, str]:
    """Where a judgement stands, and the part of its condition that decides.

    It is as a look at `now_us` would find it, however long ago the last one was, and is left as it is.
    """
    steps = judgement.rule.program.steps()
    if judgement.memory.phase:
        return judgement.rule.when_text, "active" if judgement.active else "pending"
    results = steps.values(judgement.values(now_us), judgement.constants, judgement.terms_at(now_us), now_us)
    number, verdict = decisive(results[: steps.parts])
    return judgement.rule.when_text if number is None else steps.texts[number], verdict


def decisive(parts: Sequence[Known]) -> tuple[int | None, str]:
    """Which part of a condition decides and how: the first false one, else the first Unknown; None when it holds."""
    for number, result in enumerate(parts):
        if result is False or result == 0.0:
            return number, "false"
    for number, result in enumerate(parts):
        if result is None:
            return number, "unknown"
    return None, "holds"


def _last_heard(judgement: Judgement, registry: Registry) -> Iterator[Evidence]:
    """For a rule about the whole asset (silence): the newest reading there was of it."""
    heard = [(memory.quality_us, name, memory) for name, memory in judgement.heard.items() if memory.last is not None]
    if heard:
        at_us, name, memory = max(heard, key=lambda item: item[:2])
        if memory.last is not None:
            unit = registry.assets[judgement.asset.id].points[name].unit
            yield Evidence(judgement.asset.id, name, at_us, memory.last, unit)
