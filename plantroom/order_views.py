"""A row of the order table as the pages want it: with its deadlines as of now, and the verbs that are possible."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from dashboards.web.order_view import DeadlineView, OrderEventView, OrderView
from facility.clock import Clock
from facility.finding import OrderKind, Severity
from facility.registry import Registry
from rules.rule import Rule
from ticketing import repository
from ticketing.contract import ServiceLevel
from ticketing.contract_book import ContractBook
from ticketing.history_rows import StoredLine
from ticketing.order_clock import OrderClock, decide_clocks
from ticketing.order_terms import order_terms
from ticketing.repository import as_change
from ticketing.tables import WorkOrderRow
from ticketing.views import format_number
from ticketing.work_order import OPEN_STATUSES, Status, Verb, allowed_verbs


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """What an order stands on: its pinned level (None when its contract is no longer loaded), and now (aware UTC)."""

    level: ServiceLevel | None
    checklist: tuple[str, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class OrderReader:
    """Makes views of rows, with what they stand on: contracts, rules, the directory and the clock."""

    book: ContractBook
    rule: Callable[[str], Rule | None]
    registry: Callable[[], Registry]
    clock: Clock

    def views(self, session: Session, rows: Sequence[WorkOrderRow], *, joins: bool = True) -> list[OrderView]:
        """The orders as of now, in the order of the rows; three statements whatever their number. A list has no use for
        the members and for the lines of findings that joined (`joins`), of which a storm leaves thousands."""
        if not rows:
            return []
        now, ids = self.clock.now(), [row.id for row in rows]
        histories = repository.histories(session, ids, joins=joins)
        members = repository.members(session, ids) if joins else {}
        found = []
        for row in rows:
            history = histories.get(row.id, ())
            level = order_terms(self.book, row, map(as_change, history))
            rule = self.rule(row.rule_id)
            terms = OrderTerms(level, tuple(rule.checklist) if rule is not None else (), now)
            found.append(order_view(row, history, members.get(row.id, ()), terms))
        return found


def order_view(
    row: WorkOrderRow, history: Sequence[StoredLine], members: Sequence[str], terms: OrderTerms
) -> OrderView:
    """The order as the pages show it."""
    return OrderView(
        id=row.id,
        number=format_number(row.number),
        kind=OrderKind(row.kind),
        status=row.status,
        is_open=Status(row.status) in OPEN_STATUSES,
        priority=row.priority,
        severity=Severity(row.severity),
        asset_id=row.asset_id,
        rule_id=row.rule_id,
        title=row.title,
        opened_at=row.opened_at,
        deadlines=_deadlines(row, history, terms),
        members=members,
        advice=row.advice,
        diagnoses=row.diagnoses,
        checklist=terms.checklist,
        evidence=row.evidence,
        acknowledged_at=row.acknowledged_at,
        arrived_at=row.arrived_at,
        completed_at=row.completed_at,
        closed_at=row.closed_at,
        contract_id=row.contract_id or "",
        contract_revision=row.contract_revision,
        service_level=row.service_level,
        clause=terms.level.clause if terms.level is not None else "",
        is_default_level=row.default_level,
        history=[_event(line) for line in history],
        assignee=row.assignee or "",
        level_reason=row.level_reason,
        level_reason_zh=row.level_reason_zh or "",
        verbs=[verb.value for verb in allowed_verbs(Status(row.status)) if verb not in _NO_FORM],
    )


_NO_FORM = frozenset({Verb.RELEVEL, Verb.TRIAGE, Verb.DISPATCH, Verb.ESCALATE, Verb.MERGE, Verb.LINK, Verb.PARENT})
"""Verbs that name a level, a person or another order: they are in the API, and the pages have no form for them yet."""


def _event(line: StoredLine) -> OrderEventView:
    return OrderEventView(line.at, line.verb, line.by, line.note, line.proof or "", line.note_zh or "")


def _deadlines(row: WorkOrderRow, history: Sequence[StoredLine], terms: OrderTerms) -> list[DeadlineView]:
    if terms.level is not None:
        clocks = decide_clocks(terms.level, row.opened_at, [as_change(line) for line in history], terms.now)
        return [_deadline(name, clock) for name, clock in clocks.every().items()]
    stored = (
        ("response", row.response_due_at, row.arrived_at),
        ("resolution", row.resolution_due_at, row.completed_at),
    )
    return [DeadlineView(name, due_at, stopped_at=stopped_at) for name, due_at, stopped_at in stored if due_at]


def _deadline(name: str, clock: OrderClock) -> DeadlineView:
    deadline = clock.deadline
    return DeadlineView(
        name=name,
        due_at=deadline.due_at,
        limit=str(deadline.promise.limit),
        stopped_at=clock.stopped_at,
        paused=deadline.paused_by.reason.value if deadline.paused_by is not None else None,
        left=deadline.left if deadline.paused_by is not None else None,
    )
