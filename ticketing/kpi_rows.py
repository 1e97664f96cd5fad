"""What the figures of a period need of the tables, in a few statements whatever the number of orders."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col

from facility.finding import OrderKind, Severity
from ticketing.statements import chunks, read_columns
from ticketing.tables import EventRow, WorkOrderRow
from ticketing.tables_service import ComplaintRow, CostLineRow, SurveyRow
from ticketing.work_order import Change, Status, Verb


class OrderLine(NamedTuple):
    """An order as the figures ask about it, as it stands now."""

    id: str
    number: int
    kind: OrderKind
    severity: Severity
    status: Status
    building_id: str
    asset_id: str
    rule_id: str
    title: str
    contract_id: str | None
    contract_revision: int | None
    service_level: str
    key_equipment: bool
    opened_at: datetime
    response_due_at: datetime | None
    resolution_due_at: datetime | None
    planned_due_at: datetime | None
    arrived_at: datetime | None
    completed_at: datetime | None
    accepted_at: datetime | None
    cancelled_at: datetime | None
    assignee: str | None
    repeats: int
    repeat_of: str | None


class WaitingLine(NamedTuple):
    """An order of which only its waiting matters."""

    building_id: str
    asset_id: str
    kind: str
    contract_id: str | None
    opened_at: datetime
    resolution_due_at: datetime | None
    planned_due_at: datetime | None


class Steps(NamedTuple):
    """How often a completed order's history has each step."""

    arrivals: int
    reopenings: int
    diagnoses: int
    repairs: int
    tests: int
    follow_ups: int


_MOVES = (Verb.HOLD, Verb.RELEVEL, Verb.REOPEN)
_COUNTED = (Verb.ARRIVE, Verb.REOPEN, Verb.DIAGNOSE, Verb.REPAIR, Verb.TEST, Verb.FOLLOW_UP)


@dataclass(frozen=True, slots=True)
class Window:
    """[from, until), and the levels and contracts whose orders are always read whole: named clocks, force majeure."""

    from_at: datetime
    until_at: datetime
    levels: frozenset[str] = frozenset()
    contracts: frozenset[str] = frozenset()


def orders_alive(session: Session, window: Window) -> list[OrderLine]:
    """Every order that was open at some instant of the window, by number; without those of `orders_waiting`."""
    found: list[OrderLine] = []
    for where in _alive(window):
        columns = read_columns(session, WorkOrderRow, OrderLine._fields, partial(_where, where))
        for index, known in ((2, _KINDS), (3, _SEVERITIES), (4, _STATUSES)):
            columns[index] = [known[one] for one in columns[index]]
        found += map(OrderLine, *columns)
    return sorted(found, key=lambda line: line.number)


def orders_waiting(session: Session, window: Window) -> list[WaitingLine]:
    """The orders that have waited since before the window and about which nothing was decided in it."""
    where = _waiting(window)
    return list(map(WaitingLine, *read_columns(session, WorkOrderRow, WaitingLine._fields, partial(_where, where))))


def unsteady_orders(session: Session, order_ids: Iterable[str]) -> frozenset[str]:
    """Those of these orders that were held, reopened, or given another level."""
    order, verb = col(EventRow.work_order_id), col(EventRow.verb)
    moves = [one.value for one in _MOVES]
    return frozenset(
        found
        for part in chunks(order_ids)
        for found in session.scalars(sa.select(order).where(order.in_(part), verb.in_(moves)).distinct())
    )


def _alive(window: Window) -> tuple[tuple[sa.ColumnElement[bool], ...], ...]:
    """Three parts, each along an index: opened inside; opened before and done since; opened before, never done."""
    opened, completed = col(WorkOrderRow.opened_at), col(WorkOrderRow.completed_at)
    cancelled, from_at = col(WorkOrderRow.cancelled_at), window.from_at
    never = (opened < from_at, completed.is_(None), sa.or_(cancelled.is_(None), cancelled >= from_at))
    return (
        (opened >= from_at, opened < window.until_at),
        (opened < from_at, completed >= from_at),
        (*never, sa.not_(sa.and_(*_waiting(window)))),
    )


def _where(where: Iterable[sa.ColumnElement[bool]], query: "sa.Select[Any]") -> "sa.Select[Any]":
    return query.where(*where)


def _waiting(window: Window) -> tuple[sa.ColumnElement[bool], ...]:
    """No condition is ever NULL, so that its opposite is exactly the rest."""
    row = WorkOrderRow

    def outside(column: Any) -> sa.ColumnElement[bool]:  # noqa: ANN401 - any instant of the table
        return sa.or_(column.is_(None), column < window.from_at, column >= window.until_at)

    arrived, contract = col(row.arrived_at), col(row.contract_id)
    return (
        col(row.opened_at) < window.from_at,
        col(row.completed_at).is_(None),
        col(row.cancelled_at).is_(None),
        col(row.repeats) == 0,
        col(row.status) != Status.HELD.value,
        sa.or_(arrived.is_(None), arrived < window.from_at),
        outside(col(row.response_due_at)),
        outside(col(row.resolution_due_at)),
        outside(col(row.planned_due_at)),
        col(row.service_level).not_in(sorted(window.levels)),
        sa.or_(contract.is_(None), contract.not_in(sorted(window.contracts))),
    )


def steps_of_completed(session: Session, from_at: datetime, until_at: datetime) -> dict[str, Steps]:
    """Order id -> its steps, of the fault orders completed in [from, until)."""
    verb = col(EventRow.verb)
    counts = [sa.func.sum(sa.case((verb == one.value, 1), else_=0)) for one in _COUNTED]
    completed = col(WorkOrderRow.completed_at)
    query = (
        sa.select(col(EventRow.work_order_id), *counts)
        .join(WorkOrderRow, col(WorkOrderRow.id) == col(EventRow.work_order_id))
        .where(
            completed >= from_at,
            completed < until_at,
            col(WorkOrderRow.kind) == OrderKind.FAULT.value,
            verb.in_([one.value for one in _COUNTED]),
        )
        .group_by(col(EventRow.work_order_id))
    )
    return {order_id: Steps(*rest) for order_id, *rest in session.connection().execute(query)}


def priced_orders(session: Session, from_at: datetime, until_at: datetime) -> frozenset[str]:
    """The orders completed in [from, until) that have a cost line."""
    completed = col(WorkOrderRow.completed_at)
    query = (
        sa.select(col(CostLineRow.order_id))
        .join(WorkOrderRow, col(WorkOrderRow.id) == col(CostLineRow.order_id))
        .where(completed >= from_at, completed < until_at)
        .distinct()
    )
    return frozenset(session.scalars(query))


def returned_orders(session: Session, from_at: datetime) -> frozenset[str]:
    """The orders of which one opened since `from_at` says that it is their repeat."""
    query = sa.select(col(WorkOrderRow.repeat_of)).where(
        col(WorkOrderRow.repeat_of).is_not(None), col(WorkOrderRow.opened_at) >= from_at
    )
    return frozenset(one for one in session.scalars(query) if one is not None)


def histories_of(session: Session, order_ids: Iterable[str]) -> dict[str, list[Change]]:
    """Order id -> its whole history in order of writing."""
    event = EventRow
    columns = (event.work_order_id, event.version, event.at, event.verb, event.by, event.to_status, event.from_status)
    found: dict[str, list[Change]] = {}
    for part in chunks(order_ids):
        query = (
            sa.select(*(col(one) for one in columns), col(event.note), col(event.reason))
            .where(col(event.work_order_id).in_(part))
            .order_by(col(event.id))
        )
        for order_id, version, at, verb, by, to_status, from_status, note, reason in session.execute(query):
            before = Status(from_status) if from_status is not None else None
            line = Change(version, at, verb, by, Status(to_status), before, note, reason)
            found.setdefault(order_id, []).append(line)
    return found


def complaints_of(session: Session, from_at: datetime, until_at: datetime) -> list[ComplaintRow]:
    """Complaints received before the end that were not resolved before the beginning."""
    row = ComplaintRow
    still = sa.or_(col(row.received_at) >= from_at, col(row.resolved_at).is_(None), col(row.resolved_at) >= from_at)
    return list(session.scalars(sa.select(row).where(col(row.received_at) < until_at, still)))


def surveys_of(session: Session, from_at: datetime, until_at: datetime) -> list[SurveyRow]:
    """Surveys sent or answered in [from, until)."""
    row = SurveyRow
    sent, answered = col(row.sent_at), col(row.answered_at)
    either = sa.or_(sa.and_(sent >= from_at, sent < until_at), sa.and_(answered >= from_at, answered < until_at))
    return list(session.scalars(sa.select(row).where(either)))


def costs_of(session: Session, from_at: datetime, until_at: datetime) -> list[tuple[str, str, datetime, int, str, str]]:
    """(building, asset, instant, cents, currency, payer) of each cost line booked in [from, until)."""
    line, order = CostLineRow, WorkOrderRow
    query = (
        sa.select(
            col(order.building_id), col(order.asset_id), col(line.at), col(line.amount_cents), col(line.currency),
            col(line.payer),
        )
        .join(order, col(order.id) == col(line.order_id))
        .where(col(line.at) >= from_at, col(line.at) < until_at)
        .order_by(col(line.id))
    )  # fmt: skip
    return [(building, asset, at, cents, currency, payer)
            for building, asset, at, cents, currency, payer in session.execute(query)]  # fmt: skip


_KINDS, _SEVERITIES, _STATUSES = ({one.value: one for one in known} for known in (OrderKind, Severity, Status))
