"""The visits of the plan that have an order, by the day they are due."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from facility.finding import OrderKind
from ticketing.tables import WorkOrderRow

MOST = 5_000


def visits_between(
    session: Session, from_at: datetime, until_at: datetime, buildings: frozenset[str] | None = None
) -> Sequence[WorkOrderRow]:
    """Those whose day ends in (from, until] (aware UTC: the end of a day is the next midnight), at most 5,000."""
    due = col(WorkOrderRow.planned_due_at)
    query = select(WorkOrderRow).where(due > from_at, due <= until_at, WorkOrderRow.kind == OrderKind.PREVENTIVE.value)
    if buildings is not None:
        query = query.where(col(WorkOrderRow.building_id).in_(sorted(buildings)))
    return session.exec(query.order_by(due, col(WorkOrderRow.number)).limit(MOST)).all()
