"""The rows of the outbox: put in with the change they tell of, claimed by one sender, and how it ended."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from ticketing.notice import Notice
from ticketing.statements import chunks, insert_into, row_count
from ticketing.tables_outbox import OutboxRow

WAITING, DELIVERED, DIGESTED, DROPPED, FAILED = "waiting", "delivered", "digested", "dropped", "failed"
CLAIM_FOR = timedelta(seconds=30)
"""Longer than any try takes: after that another sender may try."""


def put(session: Session, notices: Iterable[Notice], now: datetime, wall: datetime) -> int:
    """Put notices into the outbox; those whose key is there already change nothing. How many were given."""
    values = [_values(notice, now, wall) for notice in notices]
    if values:
        insert = insert_into(session.get_bind().dialect.name, OutboxRow)
        session.execute(insert.on_conflict_do_nothing(), values)
    return len(values)


def claim(session: Session, now: datetime, wall: datetime, sender: str, limit: int) -> list[OutboxRow]:
    """Take up to `limit` messages that are due, what is urgent first. Each is claimed by a conditional update, so that
    of two senders one has it; a claim that is never settled runs out."""
    row, due = OutboxRow, _due(now, wall)
    query = select(OutboxRow).where(*due).order_by(col(row.urgent).desc(), col(row.due_at), col(row.key)).limit(limit)
    found = []
    for one in session.exec(query).all():
        mine = sa.update(OutboxRow).where(col(row.key) == one.key, *due)
        if row_count(session.execute(mine.values(claimed_by=sender, lease_until=wall + CLAIM_FOR))):
            found.append(one)
    return found


def is_any_due(session: Session, now: datetime, wall: datetime) -> bool:
    """Whether `claim` would find a message; a question alone, so that nothing is written while there is none."""
    return session.exec(select(OutboxRow.key).where(*_due(now, wall)).limit(1)).first() is not None


def _due(now: datetime, wall: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    row = OutboxRow
    free = sa.or_(col(row.lease_until).is_(None), col(row.lease_until) <= wall)
    return col(row.state) == WAITING, col(row.next_try_at) <= wall, col(row.due_at) <= now, free, ~col(row.digest)


def settle(session: Session, key: str, sender: str, values: dict[str, Any]) -> bool:
    """Write how a try ended and end the claim; False when the claim has gone to another sender meanwhile."""
    mine = sa.update(OutboxRow).where(
        col(OutboxRow.key) == key, col(OutboxRow.claimed_by) == sender, col(OutboxRow.state) == WAITING
    )
    values = {"claimed_by": None, "lease_until": None} | values
    return bool(row_count(session.execute(mine.values(values))))


def drop_escalations(session: Session, order_id: str, clocks: Iterable[str], at: datetime) -> int:
    """Drop what was to be told of clocks that have stopped since; how many."""
    names = list(clocks)
    if not names:
        return 0
    waiting = sa.update(OutboxRow).where(
        col(OutboxRow.work_order_id) == order_id, col(OutboxRow.state) == WAITING, col(OutboxRow.clock).in_(names)
    )
    values = {"state": DROPPED, "ended_at": at, "error": "superseded: its clock has stopped"}
    return row_count(session.execute(waiting.values(values)))


def due_digests(session: Session, now: datetime) -> dict[str, list[OutboxRow]]:
    """Person -> what is waiting for her digest that is due now, oldest first, held until the transaction ends."""
    row = OutboxRow
    query = (
        select(OutboxRow)
        .where(col(row.state) == WAITING, col(row.digest), col(row.due_at) <= now)
        .order_by(col(row.person), col(row.created_at), col(row.key))
    )
    found: dict[str, list[OutboxRow]] = {}
    for one in session.exec(query.with_for_update(skip_locked=True)):
        found.setdefault(one.person, []).append(one)
    return found


def digested(session: Session, keys: Sequence[str], into: str, at: datetime) -> None:
    """Mark what a digest tells."""
    for part in chunks(keys):
        update = sa.update(OutboxRow).where(col(OutboxRow.key).in_(part))
        session.execute(update.values(state=DIGESTED, ended_at=at, delivered_by=into))


def messages_of(session: Session, order_ids: Iterable[str]) -> dict[str, list[OutboxRow]]:
    """Order id -> its messages in order of writing."""
    found: dict[str, list[OutboxRow]] = {}
    for part in chunks(order_ids):
        query = select(OutboxRow).where(col(OutboxRow.work_order_id).in_(part))
        for row in session.exec(query.order_by(col(OutboxRow.created_at), col(OutboxRow.key))):
            found.setdefault(row.work_order_id or "", []).append(row)
    return found


def list_messages(session: Session, state: str | None, limit: int, offset: int) -> Sequence[OutboxRow]:
    """The newest messages first, of one state if given."""
    query = select(OutboxRow)
    if state is not None:
        query = query.where(OutboxRow.state == state)
    newest = (col(OutboxRow.created_at).desc(), col(OutboxRow.key))
    return session.exec(query.order_by(*newest).limit(limit).offset(offset)).all()


def forget_messages(session: Session, before: datetime) -> int:
    """Remove what ended before an instant of the wall clock; how many."""
    return row_count(session.execute(sa.delete(OutboxRow).where(col(OutboxRow.ended_at) < before)))


def _values(notice: Notice, now: datetime, wall: datetime) -> dict[str, Any]:
    told = not notice.error
    return {
        "key": notice.key,
        "kind": notice.kind,
        "event": notice.event,
        "work_order_id": notice.order_id or None,
        "person": notice.person,
        "channels": list(notice.channels),
        "channel": 0,
        "language": notice.language,
        "subject": notice.subject,
        "body": notice.body,
        "urgent": notice.urgent,
        "late": notice.late,
        "digest": notice.digest,
        "clock": notice.clock,
        "due_at": notice.due_at,
        "created_at": now,
        "state": WAITING if told else FAILED,
        "tries": 0,
        "next_try_at": wall,
        "ended_at": None if told else wall,
        "error": notice.error,
    }
