"""When which order has to be looked at: stored due instants. The caller owns the transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from ticketing.statements import insert_into
from ticketing.tables_outbox import WatchRow


def look_again(session: Session, orders: Mapping[str, datetime]) -> None:
    """Have these orders looked at from these instants (aware UTC) on, or earlier if they were to be anyway."""
    if not orders:
        return
    insert = insert_into(session.get_bind().dialect.name, WatchRow)
    old, new = col(WatchRow.look_at), insert.excluded.look_at
    earlier = sa.case((sa.or_(old.is_(None), new < old), new), else_=old)
    values = [{"work_order_id": order_id, "look_at": at, "told_event_id": 0} for order_id, at in sorted(orders.items())]
    session.execute(insert.on_conflict_do_update(index_elements=["work_order_id"], set_={"look_at": earlier}), values)


def lock_due(session: Session, now: datetime, limit: int) -> Sequence[WatchRow]:
    """The orders that are to be looked at by now, the longest due first, held until the transaction ends."""
    query = select(WatchRow).where(col(WatchRow.look_at) <= now).order_by(col(WatchRow.look_at)).limit(limit)
    return session.exec(query.with_for_update(skip_locked=True)).all()


def next_look(session: Session) -> datetime | None:
    """The earliest instant at which an order is to be looked at; None when there is none."""
    return session.exec(select(sa.func.min(col(WatchRow.look_at)))).one()


def looked(session: Session, rows: Sequence[tuple[str, datetime | None, int]]) -> None:
    """Write (order id, next instant, last line told) of orders held by `lock_due`."""
    update = sa.update(WatchRow).where(col(WatchRow.work_order_id) == sa.bindparam("order_id"))
    for order_id, at, told in rows:
        session.execute(update.values(look_at=at, told_event_id=told), {"order_id": order_id})
