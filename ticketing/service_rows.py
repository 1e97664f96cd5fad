"""What requests, complaints, surveys and quotes share in the tables: their history and their numbers."""

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col, func, select

from ticketing.statements import chunks, row_count
from ticketing.tables_service import ComplaintRow, QuoteRow, RequestRow, ServiceEventRow

Numbered = TypeVar("Numbered", RequestRow, ComplaintRow)
Versioned = TypeVar("Versioned", RequestRow, ComplaintRow, QuoteRow)
Row = TypeVar("Row", bound=SQLModel)


def new_id(kind: str) -> str:
    """An id that nobody can guess."""
    return f"{kind}_{uuid.uuid4().hex}"


def one_at_a_time(session: Session, table: type[Numbered]) -> None:
    """Wait until no other transaction adds to the table: numbers and keys then hold until this one ends.

    SQLite has one writer anyway; PostgreSQL takes an advisory lock.
    """
    if session.get_bind().dialect.name == "postgresql":
        key = int.from_bytes(hashlib.sha256(str(table.__tablename__).encode()).digest()[:7], "big")
        session.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def next_number(session: Session, table: type[Numbered]) -> int:
    """The number after the highest one; a unique column keeps two from having it."""
    return (session.exec(select(func.max(table.number))).one() or 0) + 1


def insert(session: Session, row: Row) -> Row:
    """Add a row, its history line aside. Raises IntegrityError when another has its key or number."""
    session.add(row)
    session.flush()
    return row


def advance(session: Session, row: Versioned, values: Mapping[str, Any]) -> bool:
    """Write a decision made on the row's version; False, and nothing written, when it has moved on since."""
    table = type(row)
    still = (col(table.id) == row.id, col(table.version) == row.version)
    done = row_count(session.execute(sa.update(table).where(*still).values(version=row.version + 1, **values)))
    if done:
        session.refresh(row)
    return bool(done)


def append(session: Session, kind: str, owner_id: str, at: datetime, verb: str, by: str, note: str = "") -> None:
    """Append a line of history."""
    values = {"owner_kind": kind, "owner_id": owner_id, "at": at, "verb": verb, "by": by, "note": note}
    session.execute(sa.insert(ServiceEventRow).values(values))


def histories(session: Session, kind: str, owner_ids: Iterable[str]) -> dict[str, list[ServiceEventRow]]:
    """Owner id -> its lines in order of writing."""
    found: dict[str, list[ServiceEventRow]] = {}
    for part in chunks(owner_ids):
        query = (
            select(ServiceEventRow)
            .where(ServiceEventRow.owner_kind == kind, col(ServiceEventRow.owner_id).in_(part))
            .order_by(col(ServiceEventRow.id))
        )
        for row in session.exec(query):
            found.setdefault(row.owner_id, []).append(row)
    return found


def is_name(text: str) -> bool:
    """Whether a text can be in the tables at all: PostgreSQL refuses a NUL."""
    return "\x00" not in text


def find(session: Session, table: type[Numbered], prefix: str, name: str, *, lock: bool = False) -> Numbered | None:
    """One by its id or number (`RQ-000012` or `12`); with `lock`, held until the transaction ends."""
    if not is_name(name):
        return None
    digits = name.upper().removeprefix(prefix)
    query = select(table)
    if digits.isascii() and digits.isdecimal() and len(digits) <= 9:
        query = query.where(table.number == int(digits))
    else:
        query = query.where(table.id == name)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.exec(query).one_or_none()
