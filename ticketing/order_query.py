"""Which orders a list shows, and the lists themselves: by time left, without sorting what an index gives."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from facility.instant import from_us, to_us
from ticketing.tables import WorkOrderRow
from ticketing.work_order import RUNNING_STATUSES, Status

_STOPPED = frozenset(Status) - RUNNING_STATUSES


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a list an order stands: its running deadline (None among those that have none) and its number."""

    due_at: datetime | None
    number: int

    def __str__(self) -> str:
        return f"{to_us(self.due_at) if self.due_at is not None else ''}.{self.number}"


def parse_place(text: str) -> Place:
    """The inverse of `str(place)`. Raises ValueError."""
    match = re.fullmatch(r"([0-9]{1,16})?\.([0-9]{1,10})", text, re.ASCII)
    if match is None or int(match[2]) >= 2**31:
        msg = f"{text!r} is no place in a list"
        raise ValueError(msg)
    return Place(from_us(int(match[1])) if match[1] else None, int(match[2]))


def place_of(row: WorkOrderRow) -> Place:
    """Where an order stands as long as nobody works on it."""
    return Place(row.next_due_at, row.number)


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """Which orders a list shows. `statuses` empty means all; every other None means any, a limit
    of None all, an empty assignee nobody's. `after`: only what comes behind this place.
    """

    statuses: frozenset[Status] = frozenset()
    asset_id: str | None = None
    kind: str | None = None
    rule_id: str | None = None
    limit: int | None = 100
    offset: int = 0
    buildings: frozenset[str] | None = None
    severity: str | None = None
    assignee: str | None = None
    after: Place | None = None


def list_orders(session: Session, query: OrderQuery) -> Sequence[WorkOrderRow]:
    """Orders by time left: the nearest running deadline first, then those that have none, newest first."""
    statuses = query.statuses or frozenset(Status)
    running, rest = statuses & RUNNING_STATUSES, statuses - RUNNING_STATUSES
    due, number, status = col(WorkOrderRow.next_due_at), col(WorkOrderRow.number), col(WorkOrderRow.status)
    rows: list[WorkOrderRow] = []
    before, after = 0, query.after
    # Each condition is the one whose index also gives the order: nothing is sorted but a few completed orders.
    if running and (after is None or after.due_at is not None):
        where = [due.is_not(None) if running == RUNNING_STATUSES else status.in_(sorted(running)), *_wanted(query)]
        if after is not None:
            where += [due >= after.due_at, sa.or_(due > after.due_at, number > after.number)]
        page = select(WorkOrderRow).where(*where).order_by(due, number)
        rows += session.exec(page.limit(query.limit).offset(query.offset))
        if query.limit is not None and len(rows) >= query.limit:
            return rows
        if query.offset:
            before = session.exec(select(func.count()).select_from(WorkOrderRow).where(*where)).one()
    if rest:
        where = [due.is_(None) if rest == _STOPPED else status.in_(sorted(rest)), *_wanted(query)]
        if after is not None and after.due_at is None:
            where.append(number < after.number)
        page = select(WorkOrderRow).where(*where).order_by(number.desc())
        left = query.limit - len(rows) if query.limit is not None else None
        rows += session.exec(page.limit(left).offset(max(0, query.offset - before)))
    return rows


def _wanted(query: OrderQuery) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = [
        col(column) == value
        for column, value in (
            (WorkOrderRow.asset_id, query.asset_id),
            (WorkOrderRow.kind, query.kind),
            (WorkOrderRow.rule_id, query.rule_id),
            (WorkOrderRow.severity, query.severity),
        )
        if value is not None
    ]
    if query.assignee is not None:
        who = col(WorkOrderRow.assignee)
        wanted.append(who == query.assignee if query.assignee else who.is_(None))
    if query.buildings is not None:
        wanted.append(col(WorkOrderRow.building_id).in_(sorted(query.buildings)))
    return wanted


def count_orders(session: Session, query: OrderQuery) -> int:
    """How many there are, whatever the limit."""
    where = [col(WorkOrderRow.status).in_(sorted(query.statuses or frozenset(Status))), *_wanted(query)]
    return session.exec(select(func.count()).select_from(WorkOrderRow).where(*where)).one()
