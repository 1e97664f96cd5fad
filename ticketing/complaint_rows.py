"""What the tables know of complaints."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from ticketing.complaint import ComplaintStatus
from ticketing.tables_service import ComplaintRow

OVER = (ComplaintStatus.TOLD.value, ComplaintStatus.WITHDRAWN.value)


def by_key(session: Session, key: str) -> ComplaintRow | None:
    """The complaint that the sender has given this key."""
    return session.exec(select(ComplaintRow).where(ComplaintRow.key == key)).first()


def last_of_matter(session: Session, matter_key: str, since: datetime) -> ComplaintRow | None:
    """The newest complaint about a matter received since then, whatever became of it."""
    row = ComplaintRow
    query = select(row).where(row.matter_key == matter_key, col(row.received_at) >= since)
    return session.exec(query.order_by(col(row.number).desc())).first()


def list_complaints(
    session: Session,
    *,
    status: ComplaintStatus | None = None,
    order_id: str | None = None,
    limit: int | None,
    offset: int = 0,
    buildings: frozenset[str] | None = None,
) -> Sequence[ComplaintRow]:
    """Complaints, of all buildings or of these, the newest first."""
    query = select(ComplaintRow)
    if buildings is not None:
        query = query.where(col(ComplaintRow.building_id).in_(sorted(buildings)))
    if status is not None:
        query = query.where(ComplaintRow.status == status.value)
    if order_id is not None:
        query = query.where(ComplaintRow.order_id == order_id)
    return session.exec(query.order_by(col(ComplaintRow.number).desc()).limit(limit).offset(offset)).all()


def not_escalated(session: Session) -> Sequence[ComplaintRow]:
    """Open complaints that nobody higher has heard of yet, locked."""
    row = ComplaintRow
    query = select(row).where(col(row.escalated_at).is_(None), col(row.status).not_in(OVER))
    return session.exec(query.order_by(col(row.number)).with_for_update()).all()


def escalate(session: Session, complaint_id: str, at: datetime) -> None:
    """Write down that somebody higher has been told."""
    one = sa.update(ComplaintRow).where(col(ComplaintRow.id) == complaint_id)
    session.execute(one.values(escalated_at=at))
