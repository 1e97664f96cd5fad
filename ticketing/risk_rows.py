"""What the tables know of the orders that run out of time: how many by when, the first of each, and whose they are.

By the deadline that is kept on an order (`next_due_at`). That can only be too early, never too late, so nothing is
missed; what a list shows of an order is recomputed by whoever shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from ticketing.tables import WorkOrderRow
from ticketing.work_order import OPEN_STATUSES, RUNNING_STATUSES, Status

_TICKING = sorted(RUNNING_STATUSES - {Status.HELD})


@dataclass(frozen=True, slots=True)
class DueSpan:
    """Orders whose clock runs and whose deadline lies in [from, until); None is open. `buildings` None is all."""

    from_at: datetime | None
    until_at: datetime | None
    buildings: frozenset[str] | None = None


class Load(NamedTuple):
    """What one person has: open orders, of which past their deadline, of which held; the next deadline."""

    assignee: str
    orders: int
    breached: int
    held: int
    next_due_at: datetime | None


class Standing(NamedTuple):
    """The open orders of one building: how many, of which past their deadline, and the next deadline to come."""

    orders: int
    breached: int
    next_due_at: datetime | None


class Place(NamedTuple):
    """Where somebody was last: the newest arrival of an order that is still hers, and whether she is still there."""

    assignee: str
    building_id: str
    arrived_at: datetime
    is_there: bool


class Spot(NamedTuple):
    """What one person has at one asset (the empty name is nobody): open orders, of which past their deadline, and
    whether she is at one of them."""

    assignee: str
    building_id: str
    asset_id: str
    orders: int
    late: int
    is_there: bool


def count_due(session: Session, edges: Sequence[datetime], buildings: frozenset[str] | None) -> list[int]:
    """How many there are before the first of the growing edges, between each and the next, and after the last: in one
    look, for each order is touched anyhow."""
    spans = zip([None, *edges], [*edges, None], strict=True)
    counts = [sa.func.sum(sa.case((sa.and_(*_between(*span)), 1), else_=0)) for span in spans]
    row = session.execute(sa.select(*counts).where(*_due(DueSpan(None, None, buildings)))).one()
    return [int(count or 0) for count in row]


def first_due(session: Session, span: DueSpan, limit: int) -> Sequence[WorkOrderRow]:
    """The first ones, by time left."""
    query = select(WorkOrderRow).where(*_due(span)).order_by(col(WorkOrderRow.next_due_at), col(WorkOrderRow.number))
    return session.exec(query.limit(limit)).all()


def held_orders(session: Session, buildings: frozenset[str] | None, limit: int) -> tuple[int, Sequence[WorkOrderRow]]:
    """How many stand still, and the newest of them."""
    where = [col(WorkOrderRow.status) == Status.HELD.value, *_in(buildings)]
    count = session.exec(select(sa.func.count()).select_from(WorkOrderRow).where(*where)).one()
    rows = session.exec(select(WorkOrderRow).where(*where).order_by(col(WorkOrderRow.number).desc()).limit(limit))
    return count, rows.all()


def loads(session: Session, now: datetime, buildings: frozenset[str] | None) -> list[Load]:
    """What everybody has to do, by name; the empty name is nobody's."""
    row = WorkOrderRow
    who = sa.func.coalesce(col(row.assignee), sa.literal_column("''"))  # PostgreSQL groups by one and the same text
    held = col(row.status) == Status.HELD.value
    past = sa.and_(~held, col(row.next_due_at) < now)
    query = (
        sa.select(
            who,
            sa.func.count(),
            sa.func.sum(sa.case((past, 1), else_=0)),
            sa.func.sum(sa.case((held, 1), else_=0)),
            sa.func.min(sa.case((sa.and_(~held, col(row.next_due_at) >= now), col(row.next_due_at)), else_=None)),
        )
        .where(col(row.status).in_(sorted(RUNNING_STATUSES)), *_in(buildings))
        .group_by(who)
        .order_by(who)
    )
    return [
        Load(name, many, int(past or 0), int(held or 0), due) for name, many, past, held, due in session.execute(query)
    ]


def by_building(session: Session, now: datetime) -> dict[str, Standing]:
    """Building id -> its open orders."""
    row = WorkOrderRow
    ticks = col(row.status).in_(_TICKING)
    query = (
        sa.select(
            col(row.building_id),
            sa.func.count(),
            sa.func.sum(sa.case((sa.and_(ticks, col(row.next_due_at) < now), 1), else_=0)),
            sa.func.min(sa.case((sa.and_(ticks, col(row.next_due_at) >= now), col(row.next_due_at)), else_=None)),
        )
        .where(col(row.status).in_(sorted(OPEN_STATUSES)))
        .group_by(col(row.building_id))
    )
    return {name: Standing(many, int(late or 0), due) for name, many, late, due in session.execute(query)}


def places(session: Session, buildings: frozenset[str] | None) -> dict[str, Place]:
    """Where everybody with an order of her own was last."""
    row = WorkOrderRow
    query = (
        sa.select(col(row.assignee), col(row.building_id), col(row.arrived_at), col(row.status))
        .where(
            col(row.assignee).is_not(None),
            col(row.arrived_at).is_not(None),
            col(row.status).in_(sorted(RUNNING_STATUSES)),
            *_in(buildings),
        )
        .order_by(col(row.arrived_at))
    )
    return {
        who: Place(who, building, at, status == Status.ARRIVED.value)
        for who, building, at, status in session.execute(query)
    }


def spots(session: Session, now: datetime, buildings: frozenset[str] | None) -> list[Spot]:
    """The open orders by person and asset."""
    row = WorkOrderRow
    who = sa.func.coalesce(col(row.assignee), sa.literal_column("''"))
    past = sa.and_(col(row.status) != Status.HELD.value, col(row.next_due_at) < now)
    at = sa.and_(col(row.status) == Status.ARRIVED.value, col(row.assignee).is_not(None))
    query = (
        sa.select(
            who,
            col(row.building_id),
            col(row.asset_id),
            sa.func.count(),
            sa.func.sum(sa.case((past, 1), else_=0)),
            sa.func.sum(sa.case((at, 1), else_=0)),
        )
        .where(col(row.status).in_(sorted(RUNNING_STATUSES)), *_in(buildings))
        .group_by(who, col(row.building_id), col(row.asset_id))
    )
    return [
        Spot(name, building, asset, many, int(late or 0), bool(there))
        for name, building, asset, many, late, there in session.execute(query)
    ]


def _due(span: DueSpan) -> list[sa.ColumnElement[bool]]:
    due = col(WorkOrderRow.next_due_at)
    where = [due.is_not(None), col(WorkOrderRow.status).in_(_TICKING), *_in(span.buildings)]
    return [*where, *_between(span.from_at, span.until_at)]


def _between(from_at: datetime | None, until_at: datetime | None) -> list[sa.ColumnElement[bool]]:
    due = col(WorkOrderRow.next_due_at)
    edges = [] if from_at is None else [due >= from_at]
    return edges if until_at is None else [*edges, due < until_at]


def _in(buildings: frozenset[str] | None) -> list[sa.ColumnElement[bool]]:
    return [] if buildings is None else [col(WorkOrderRow.building_id).in_(sorted(buildings))]
