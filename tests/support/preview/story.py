"""The made-up findings and orders of the preview, an hour into a bad afternoon: read from story.yaml."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from pydantic import BaseModel

from dashboards.web.order_view import DeadlineView, OrderEventView, OrderView
from dashboards.web.protocols import RuleView
from facility.document import parse_document
from facility.finding import Evidence, Finding, FindingState, OrderKind, Severity, finding_id
from facility.instant import from_us, to_us

MINUTE_US = 60_000_000
STEPS = {"acknowledge": "acknowledged", "arrive": "arrived", "complete": "completed", "accept": "accepted",
         "close": "closed", "cancel": "cancelled"}  # fmt: skip
VERBS = {
    "open": ("acknowledge", "arrive", "cancel"),
    "acknowledged": ("arrive", "cancel"),
    "arrived": ("hold", "complete", "cancel"),
    "held": ("resume", "cancel"),
    "completed": ("accept", "close"),
    "accepted": ("close",),
}
AFTER = {**STEPS, "hold": "held", "resume": "arrived"}
STOPS = {"arrive": "response", "complete": "resolution"}
CHECKLIST = ("Make the place safe", "Find the cause", "Repair and test", "Watch the value come back to normal")


class _Order(BaseModel):
    number: int
    status: str
    priority: int
    level: str = ""
    clause: str
    response: int
    resolution: int
    paused: str | None = None


class _Entry(BaseModel):
    rule: str
    building: str
    asset: str
    title: dict[str, str]
    severity: Severity
    kind: OrderKind = OrderKind.FAULT
    onset: int
    raised: int
    cleared: int | None = None
    suppressed_by: str | None = None
    reference: str = ""
    evidence: dict[str, tuple[float | str, str]]
    advice: str = ""
    diagnoses: tuple[str, ...] = ()
    order: _Order | None = None


class _Story(BaseModel):
    findings: tuple[_Entry, ...]


@cache
def _story() -> _Story:
    text = (Path(__file__).parent / "story.yaml").read_text(encoding="utf-8")
    return parse_document(_Story, text, "preview/story.yaml")


def rules() -> dict[str, RuleView]:
    """The rules the story is about."""
    return {
        each.rule: RuleView(each.rule, each.title, each.reference, chinese={each.advice: f"（{each.rule}）的处理建议"})
        for each in _story().findings
    }


def findings(start: datetime) -> list[Finding]:
    """Every finding of the story, newest first. `start` is when the afternoon goes wrong."""
    begin = to_us(start)
    entries = {each.rule: each for each in _story().findings}

    def ident(entry: _Entry) -> str:
        return finding_id(entry.rule, entry.asset, begin + entry.onset * MINUTE_US)

    found = []
    for entry in entries.values():
        raised = begin + entry.raised * MINUTE_US
        found.append(
            Finding(
                id=ident(entry),
                rule_id=entry.rule,
                asset_id=entry.asset,
                building_id=entry.building,
                kind=entry.kind,
                severity=entry.severity,
                state=FindingState.ACTIVE if entry.cleared is None else FindingState.CLEARED,
                title=f"{entry.title['en']}: {entry.asset}",  # the engine's titles name the asset too
                advice=entry.advice,
                cause_key=f"{entry.asset}/{entry.rule}",
                onset_us=begin + entry.onset * MINUTE_US,
                raised_us=raised,
                cleared_us=None if entry.cleared is None else begin + entry.cleared * MINUTE_US,
                suppressed_by=ident(entries[entry.suppressed_by]) if entry.suppressed_by else None,
                diagnoses=entry.diagnoses,
                evidence=tuple(
                    Evidence(entry.asset, point, raised, value, unit) for point, (value, unit) in entry.evidence.items()
                ),
            )
        )
    return sorted(found, key=lambda each: -each.raised_us)


def orders(found: list[Finding]) -> list[OrderView]:
    """Every order of the story, newest first."""
    terms = {entry.rule: entry.order for entry in _story().findings}
    opened = [_order(each, order) for each in found if (order := terms[each.rule_id]) is not None]
    return sorted(opened, key=lambda each: each.opened_at, reverse=True)


def _order(finding: Finding, terms: _Order) -> OrderView:
    opened = from_us(finding.raised_us)
    states = list(STEPS.values())
    done = 0 if terms.status == "open" else 1 + states.index(terms.status)
    stamps = {step: opened + timedelta(minutes=6 + 9 * index) for index, step in enumerate(list(STEPS)[:done])}
    history = [OrderEventView(opened, "open", "Plantroom", f"{finding.title} ({finding.rule_id})")]
    history += [OrderEventView(at, step, "m.chen") for step, at in stamps.items()]
    return OrderView(
        id=f"wo_{finding.id[:20]}",
        number=f"WO-{terms.number:06d}",
        kind=finding.kind,
        status=terms.status,
        is_open=True,
        priority=terms.priority,
        severity=finding.severity,
        asset_id=finding.asset_id,
        rule_id=finding.rule_id,
        title=finding.title,
        opened_at=opened,
        deadlines=(
            DeadlineView(
                "response", opened + timedelta(minutes=terms.response), _limit(terms.response), stamps.get("arrive")
            ),
            DeadlineView(
                "resolution",
                opened + timedelta(minutes=terms.resolution),
                _limit(terms.resolution),
                stamps.get("complete"),
                terms.paused,
                timedelta(hours=7, minutes=12) if terms.paused else None,
            ),
        ),
        members=(finding.id,),
        advice=finding.advice,
        diagnoses=finding.diagnoses,
        checklist=CHECKLIST,
        evidence=finding.evidence,
        acknowledged_at=stamps.get("acknowledge"),
        arrived_at=stamps.get("arrive"),
        completed_at=stamps.get("complete"),
        contract_id="harbour-2026",
        contract_revision=2,
        service_level=terms.level or "default",
        clause=terms.clause,
        is_default_level=not terms.level,
        history=tuple(history),
        verbs=VERBS[terms.status],
    )


def _limit(minutes: int) -> str:
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def after(order: OrderView, verb: str, at: datetime, *, by: str, note: str, reason: str) -> OrderView:
    """The order one verb later."""
    status = AFTER[verb]
    return replace(
        order,
        status=status,
        is_open=status not in ("closed", "cancelled"),
        verbs=VERBS.get(status, ()),
        deadlines=tuple(
            replace(each, stopped_at=at)
            if each.name == STOPS.get(verb) and each.stopped_at is None
            else replace(each, paused=reason or None, left=each.due_at - at)
            if each.name == "resolution" and verb in ("hold", "resume")
            else each
            for each in order.deadlines
        ),
        history=(*order.history, OrderEventView(at, verb, by, note)),
    )
