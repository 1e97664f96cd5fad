"""What the tables know of orders that may be claims."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from facility.finding import OrderKind
from ticketing.tables import WorkOrderRow
from ticketing.work_order import Status


def unassigned_faults(session: Session, after: int, limit: int) -> Sequence[WorkOrderRow]:
    """Fault orders with a number above `after` that are open and with nobody, by number."""
    row = WorkOrderRow
    query = select(row).where(
        row.status == Status.OPEN.value, col(row.number) > after, col(row.assignee).is_(None),
        row.kind == OrderKind.FAULT.value,
    )  # fmt: skip
    return session.exec(query.order_by(col(row.number)).limit(limit)).all()


def newest_number(session: Session) -> int:
    """The highest number of an order."""
    return session.exec(select(WorkOrderRow.number).order_by(col(WorkOrderRow.number).desc()).limit(1)).first() or 0


def assigned_to(
    session: Session, names: Sequence[str], limit: int, offset: int, buildings: frozenset[str] | None = None
) -> Sequence[WorkOrderRow]:
    """Fault orders that are with one of these people, in any building or in one of these, the newest first."""
    row = WorkOrderRow
    query = select(row).where(col(row.assignee).in_(names), row.kind == OrderKind.FAULT.value)
    if buildings is not None:
        query = query.where(col(row.building_id).in_(sorted(buildings)))
    return session.exec(query.order_by(col(row.number).desc()).limit(limit).offset(offset)).all()
