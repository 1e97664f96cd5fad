"""The answers to calls that carried an idempotency key, so that the same call again gets the first one again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from ticketing.statements import row_count
from ticketing.tables_outbox import KeptAnswerRow

KEPT_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Kept:
    """What was answered: HTTP status, kind and text of the answer, and its ETag. `body` is None while nobody knows:
    the call was carried out, and the program stopped before it had answered."""

    fingerprint: str
    status: int
    media_type: str
    body: str | None
    etag: str | None = None


def find_kept(session: Session, key: str) -> Kept | None:
    """What a call with this key was answered; None when there was none."""
    row = session.get(KeptAnswerRow, key)
    if row is None:
        return None
    return Kept(row.fingerprint, row.status, row.media_type, row.answer or None, row.etag)


def claim(session: Session, key: str, fingerprint: str, at: datetime) -> bool:
    """Say within the transaction that changes something which call it was; False when another one had the key.

    Waits for another transaction that is about the same key.
    """
    try:
        with session.begin_nested():
            values = {"key": key, "fingerprint": fingerprint, "answer": "", "at": at}
            session.execute(sa.insert(KeptAnswerRow).values(**values, status=0, media_type=""))
    except IntegrityError:
        return False
    return True


def keep(session: Session, key: str, kept: Kept) -> None:
    """Write down the answer to a call that was claimed."""
    values = {"answer": kept.body or "", "status": kept.status, "media_type": kept.media_type, "etag": kept.etag}
    session.execute(sa.update(KeptAnswerRow).where(col(KeptAnswerRow.key) == key).values(values))


def forget_answers(session: Session, now: datetime) -> int:
    """Remove what nobody will ask for again; how many."""
    return row_count(session.execute(sa.delete(KeptAnswerRow).where(col(KeptAnswerRow.at) < now - KEPT_FOR)))
