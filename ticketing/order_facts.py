"""What the tables say for and against a decision: another open order of the cause, findings that are still active."""

import sqlalchemy as sa
from sqlmodel import Session, col, select

from facility.finding import FindingState
from ticketing.finding_rows import REPORTED
from ticketing.relation_rows import merged_ids
from ticketing.tables import OPEN_CONDITION, FindingRow, MemberRow, WorkOrderRow


def other_open_order(session: Session, row: WorkOrderRow) -> WorkOrderRow | None:
    """The open order of the same cause, when that is another one."""
    same = (col(WorkOrderRow.cause_key) == row.cause_key, sa.text(OPEN_CONDITION), col(WorkOrderRow.id) != row.id)
    return session.exec(select(WorkOrderRow).where(*same)).first()


def active_titles(session: Session, order_id: str) -> tuple[str, ...]:
    """The titles (with their assets) of an order's findings whose condition still holds by the data.

    Those of orders merged into it count; what a person reported does not: no reading verifies that.
    """
    query = (
        select(FindingRow)
        .join(MemberRow, col(FindingRow.id) == col(MemberRow.finding_id))
        .where(
            col(MemberRow.work_order_id).in_([order_id, *merged_ids(session, [order_id])]),
            col(FindingRow.state) == FindingState.ACTIVE.value,
            ~col(FindingRow.rule_id).startswith(REPORTED),
        )
        .order_by(col(FindingRow.raised_at), col(FindingRow.id))
    )
    return tuple(f"{row.title} ({row.asset_id})" for row in session.exec(query))
