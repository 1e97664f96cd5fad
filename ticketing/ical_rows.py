"""The orders of one person that are still to be done."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from ticketing.tables import WorkOrderRow
from ticketing.work_order import RUNNING_STATUSES

MOST = 500


def orders_of(session: Session, names: Sequence[str]) -> Sequence[WorkOrderRow]:
    """The running orders of whoever has one of these names, by deadline; at most 500."""
    row = WorkOrderRow
    query = select(row).where(col(row.assignee).in_(names), col(row.status).in_(sorted(RUNNING_STATUSES)))
    return session.exec(query.order_by(col(row.next_due_at), col(row.number)).limit(MOST)).all()
