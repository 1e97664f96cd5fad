"""What the tables know of visits: the newest of each kind for each asset, and those that are over."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from facility.finding import FindingState, OrderKind
from ticketing.tables import FindingRow, WorkOrderRow
from ticketing.work_order import RUNNING_STATUSES

Newest = tuple[datetime, datetime | None, bool]
"""Due (the end of its day), completed, and whether one is still to be done."""


def newest_visits(session: Session) -> dict[tuple[str, str], Newest]:
    """(asset id, rule id) -> the newest visit."""
    row = WorkOrderRow
    is_open = sa.func.max(sa.case((col(row.status).in_(sorted(RUNNING_STATUSES)), 1), else_=0))
    query = (
        sa.select(
            col(row.asset_id),
            col(row.rule_id),
            sa.func.max(col(row.planned_due_at)),
            sa.func.max(col(row.completed_at)),
            is_open,
        )
        .where(col(row.planned_due_at).is_not(None), col(row.kind) == OrderKind.PREVENTIVE.value)
        .group_by(col(row.asset_id), col(row.rule_id))
    )
    return {(asset, rule): (due, done, bool(now)) for asset, rule, due, done, now in session.execute(query)}


def clear_done(session: Session) -> int:
    """Clear the findings of visits that are completed or cancelled: nothing is due there any more. How many."""
    finding, order = FindingRow, WorkOrderRow
    query = (
        sa.select(col(finding.id), sa.func.coalesce(col(order.completed_at), col(order.cancelled_at)))
        .join(order, col(order.finding_id) == col(finding.id))
        .where(
            col(finding.state) == FindingState.ACTIVE.value,
            col(order.planned_due_at).is_not(None),
            col(order.status).not_in(sorted(RUNNING_STATUSES)),
        )
    )
    over = session.execute(query).all()
    for finding_id, at in over:
        values = {"state": FindingState.CLEARED.value, "cleared_at": at}
        session.execute(sa.update(finding).where(col(finding.id) == finding_id).values(values))
    return len(over)
