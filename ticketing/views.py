"""What the API and `plantroom backtest` show: orders, findings, deadlines. Instants are aware UTC, ISO 8601 with Z."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from facility.finding import Evidence, EvidenceKind, FindingState, OrderKind, Severity
from facility.instant import format_duration, from_us
from facility.reading import Value
from ticketing.contract import ServiceLevel
from ticketing.deadline import Pause
from ticketing.deadline_explain import explain_deadline
from ticketing.history_rows import StoredLine
from ticketing.order_clock import OrderClock, cap_ends_at, decide_clocks, pauses_of
from ticketing.relation_rows import Relations
from ticketing.repository import as_change
from ticketing.tables import FindingRow, WorkOrderRow
from ticketing.tables_outbox import OutboxRow
from ticketing.telemetry import TELLS, Telemetry, TelemetryLine, TelemetryState, judge_telemetry
from ticketing.work_order import Change, Status, Verb, allowed_verbs


class EvidenceView(BaseModel):
    """One piece of what made the case: `kind` says what `point`, `value` and `unit` are.

    A reading at the moment or before it in the point's unit; a term, a part of the expressions, a parameter; or a
    neighbour rule (`point`), the part of its condition that decided (`value`) and how it came out (`unit`).
    """

    asset_id: str
    point: str
    at: datetime
    value: Value
    unit: str
    kind: EvidenceKind


class HistoryView(BaseModel):
    """One line of an order's history; never changed. `by` is `desk` where no person acted."""

    model_config = ConfigDict(populate_by_name=True)

    at: datetime
    verb: str
    by: str
    note: str
    reason: str | None
    from_status: Status | None = Field(alias="from")
    to_status: Status = Field(alias="to")
    finding_id: str | None
    version: int
    proof: str | None = None
    note_zh: str | None = Field(default=None, description="the note in Chinese where the program has a part in it")


_HISTORY = TypeAdapter(list[HistoryView])
_HOLD = Verb.HOLD.value


class PauseView(BaseModel):
    """Why and since when work waits, and where that can be seen. From `capped_at` on the resolution clock runs again,
    held or not: the contract caps this reason."""

    reason: str
    since: datetime
    proof: str = ""
    capped_at: datetime | None = None


class NoticeView(BaseModel):
    """A message about an order and what became of it: waiting, delivered, digested, dropped or failed (`error` says
    why). `due_at` is in the program's time; `late` when it told of something long past."""

    key: str
    kind: str
    event: str
    person: str
    subject: str
    state: str
    due_at: datetime
    urgent: bool
    late: bool
    tries: int
    delivered_by: str | None
    ended_at: datetime | None
    error: str


class TelemetryView(BaseModel):
    """What the data says: `state` active or recovered. `first`: it recovered before the work was completed."""

    state: TelemetryState
    recovered_at: datetime | None
    first: bool
    asks_for_cause: bool


_TELEMETRY = TypeAdapter(TelemetryView)


class WorkOrderView(BaseModel):
    """A work order. `version` goes with a verb, so that of two people at once one is refused.

    `findings` are all members, the first one first. `default_level` marks an order for which no level was meant.
    While `paused`, `resolution_due_at` is the deadline it has if work resumes now. `repeats` counts how often the
    cause returned inside the contract's window, `repeat_of` names the order that did not last. `planned_due_at` is
    the day's end a visit of the preventive plan is due by. `parent`, `children`, `links`, `merged_into` and `merged`
    are numbers of orders.
    """

    id: str
    number: str
    kind: OrderKind
    status: Status
    priority: int
    severity: Severity
    asset_id: str
    building_id: str
    rule_id: str
    finding_id: str
    findings: list[str]
    cause_key: str
    title: str
    advice: str
    diagnoses: list[str]
    opened_at: datetime
    response_due_at: datetime | None
    resolution_due_at: datetime | None
    acknowledged_at: datetime | None
    arrived_at: datetime | None
    completed_at: datetime | None
    accepted_at: datetime | None
    closed_at: datetime | None
    cancelled_at: datetime | None
    reopened_at: datetime | None
    planned_due_at: datetime | None
    assignee: str | None
    repeats: int
    repeat_of: str | None
    key_equipment: bool
    parent: str | None = None
    children: list[str] = []
    links: list[str] = []
    merged_into: str | None = None
    merged: list[str] = []
    notices: list[NoticeView] = []
    telemetry: TelemetryView
    contract_id: str | None
    contract_revision: int | None
    service_level: str
    level_reason: str
    level_reason_zh: str | None = Field(default=None, description="None of an order from before there was one")
    default_level: bool
    paused: PauseView | None
    verbs: list[Verb]
    version: int
    evidence: list[EvidenceView]
    history: list[HistoryView]


class FindingView(BaseModel):
    """A finding as it stands now. `active` until it is cleared; suppressed and shelved ones open no order."""

    id: str
    rule_id: str
    asset_id: str
    building_id: str
    kind: OrderKind
    severity: Severity
    state: FindingState
    title: str
    advice: str
    cause_key: str
    onset_at: datetime
    raised_at: datetime
    cleared_at: datetime | None
    suppressed_by: str | None
    shelved_by: str | None
    shelved_until: datetime | None
    shelved_reason: str
    latched: bool
    flapping: bool
    days_left: float | None
    confidence: float | None
    diagnoses: list[str]
    evidence: list[EvidenceView]
    work_order_id: str | None


class ClockView(BaseModel):
    """One deadline of an order and, line by line, how it comes about. `left_seconds` is 0 once it has passed."""

    due_at: datetime
    started_at: datetime
    stopped_at: datetime | None
    limit: str
    calendar: str
    clause: str
    left_seconds: float
    left: str
    paused_by: str | None
    breached: bool
    explanation: list[str]


class DeadlineView(BaseModel):
    """Both deadlines of an order as of `now`, and why they are these: contract, revision, level and its reason.

    `clocks` are the other clocks of its level that have started, by name.
    """

    work_order_id: str
    number: str
    now: datetime
    contract_id: str | None
    contract_revision: int | None
    service_level: str
    level_reason: str
    default_level: bool
    response: ClockView
    resolution: ClockView
    clocks: dict[str, ClockView]


def format_number(number: int) -> str:
    """12 as `WO-000012`."""
    return f"WO-{number:06d}"


def work_order_view(
    row: WorkOrderRow,
    history: Iterable[StoredLine],
    findings: Iterable[str],
    *,
    level: ServiceLevel | None = None,
    now: datetime | None = None,
    related: Relations | None = None,
    messages: Iterable[OutboxRow] = (),
    told: bool = True,
) -> WorkOrderView:
    """The order as others see it. `level` (its pinned terms) and `now` are needed only to bring a pause up to date;
    without `told` its history stays out of the view."""
    lines, members = list(history), list(findings)
    changes = [as_change(line) for line in lines] if _HOLD in {line.verb for line in lines} else []
    held = [pause for pause in pauses_of(changes) if pause.until_at is None]
    values = row.model_dump(exclude={"number", "diagnoses", "evidence", "parent_id", "merged_into"})
    values |= asdict(related if related is not None else Relations())
    if held and level is not None and now is not None:
        clocks = decide_clocks(level, row.opened_at, changes, now)
        values |= clocks.values()
    return WorkOrderView(
        **values,
        number=format_number(row.number),
        findings=members,
        notices=[NoticeView(**message.model_dump()) for message in messages],
        telemetry=_TELEMETRY.validate_python(telemetry_of(lines, members), from_attributes=True),
        diagnoses=list(row.diagnoses),
        paused=_pause_view(held[-1], changes, level) if held else None,
        verbs=list(allowed_verbs(Status(row.status))),
        evidence=evidence_views(row.evidence),
        history=_HISTORY.validate_python(lines, from_attributes=True) if told else [],
    )


def _pause_view(pause: Pause, changes: Iterable[Change], level: ServiceLevel | None) -> PauseView:
    hold = [change for change in changes if change.verb == Verb.HOLD][-1]
    capped_at = cap_ends_at(pauses_of(changes), level) if level is not None else None
    return PauseView(reason=pause.reason, since=pause.from_at, proof=hold.proof, capped_at=capped_at)


def telemetry_of(history: Sequence[StoredLine], members: Iterable[str]) -> Telemetry:
    """What the data says about the order with this history and these findings."""
    told = {(one.verb, one.finding_id): one for one in history[:-1] if one.verb in TELLS}  # the last of each kind
    lines = [*told.values(), *history[-1:]]
    return judge_telemetry(members, (TelemetryLine(one.at, one.verb, one.finding_id, one.to_status) for one in lines))


def finding_view(row: FindingRow, work_order_id: str | None) -> FindingView:
    """The finding as others see it, with the order it belongs to."""
    values = row.model_dump(exclude={"evidence", "diagnoses"})
    return FindingView(
        **values,
        diagnoses=list(row.diagnoses),
        evidence=evidence_views(row.evidence),
        work_order_id=work_order_id,
    )


def deadline_view(
    row: WorkOrderRow, history: Iterable[StoredLine], level: ServiceLevel, now: datetime, language: str = "en"
) -> DeadlineView:
    """Both deadlines recomputed from terms, history and pauses, each with its explanation in a language."""
    clocks = decide_clocks(level, row.opened_at, [as_change(line) for line in history], now)
    return DeadlineView(
        work_order_id=row.id,
        number=format_number(row.number),
        now=now,
        contract_id=row.contract_id,
        contract_revision=row.contract_revision,
        service_level=row.service_level,
        level_reason=(row.level_reason_zh if language.startswith("zh") else None) or row.level_reason,
        default_level=row.default_level,
        response=_clock_view(clocks.response, language),
        resolution=_clock_view(clocks.resolution, language),
        clocks={name: _clock_view(clock, language) for name, clock in clocks.named.items()},
    )


def evidence_views(evidence: Iterable[Evidence]) -> list[EvidenceView]:
    """Evidence with its instants."""
    return [
        EvidenceView(
            asset_id=one.asset_id, point=one.point, at=from_us(one.at_us), value=one.value, unit=one.unit, kind=one.kind
        )
        for one in evidence
    ]


def _clock_view(clock: OrderClock, language: str) -> ClockView:
    deadline = clock.deadline
    return ClockView(
        due_at=deadline.due_at,
        started_at=deadline.started_at,
        stopped_at=clock.stopped_at,
        limit=str(deadline.promise.limit),
        calendar=deadline.calendar.name,
        clause=deadline.clause,
        left_seconds=deadline.left.total_seconds(),
        left=format_duration(deadline.left),
        paused_by=deadline.paused_by.reason.value if deadline.paused_by is not None else None,
        breached=clock.is_breached,
        explanation=explain_deadline(deadline, language),
    )
