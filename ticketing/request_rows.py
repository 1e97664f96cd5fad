"""What the tables know of requests."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from ticketing.request import Earlier, RequestStatus, matter_of
from ticketing.tables import WorkOrderRow
from ticketing.tables_service import RequestRow
from ticketing.work_order import OPEN_STATUSES

OVER = frozenset({RequestStatus.REJECTED, RequestStatus.WITHDRAWN, RequestStatus.JOINED})


def by_key(session: Session, key: str) -> RequestRow | None:
    """The request that the sender has given this key."""
    return session.exec(select(RequestRow).where(RequestRow.key == key)).first()


def earlier_open(session: Session, building_id: str, since: datetime) -> list[Earlier]:
    """Requests of a building received since then that are under review, or whose order is open."""
    row, order = RequestRow, WorkOrderRow
    still = sa.or_(col(row.order_id).is_(None), col(order.status).in_(sorted(OPEN_STATUSES)))
    query = (
        select(row)
        .outerjoin(order, col(order.id) == col(row.order_id))
        .where(
            row.building_id == building_id, col(row.received_at) >= since, col(row.status).not_in(sorted(OVER)), still
        )
        .order_by(col(row.received_at), col(row.number))
    )
    return [
        Earlier(
            one.id, one.number, matter_of(one.building_id, one.space_id, one.asset_id, one.category), one.received_at,
            one.order_id,
        )
        for one in session.exec(query)
    ]  # fmt: skip


def list_requests(
    session: Session,
    *,
    status: RequestStatus | None,
    limit: int | None,
    offset: int = 0,
    buildings: frozenset[str] | None = None,
) -> Sequence[RequestRow]:
    """Requests, of all buildings or of these: those under review by their limit, others the newest first."""
    query = select(RequestRow)
    if buildings is not None:
        query = query.where(col(RequestRow.building_id).in_(sorted(buildings)))
    if status is not None:
        query = query.where(RequestRow.status == status.value)
    first = col(RequestRow.review_due_at) if status is RequestStatus.RECEIVED else col(RequestRow.number).desc()
    return session.exec(query.order_by(first, col(RequestRow.number)).limit(limit).offset(offset)).all()


def followers(session: Session, request_id: str) -> Sequence[RequestRow]:
    """The requests that joined this one."""
    return session.exec(select(RequestRow).where(RequestRow.joined_to == request_id)).all()


def of_order(session: Session, order_id: str) -> Sequence[RequestRow]:
    """The requests that an order answers, the oldest first."""
    return session.exec(
        select(RequestRow).where(RequestRow.order_id == order_id).order_by(col(RequestRow.number))
    ).all()


def give_order(session: Session, request_id: str, order_id: str) -> None:
    """Write the order onto the requests that joined this one."""
    session.execute(sa.update(RequestRow).where(col(RequestRow.joined_to) == request_id).values(order_id=order_id))
