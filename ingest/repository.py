"""SQL of ingest: dead letters. The caller owns the transaction."""

from collections.abc import Sequence

from sqlmodel import Session, col, delete, func, select

from facility.reading import Commit, DeadLetter
from ingest.tables import DeadLetterRow

PAYLOAD_BYTES = 65_536
KEPT = 10_000


def add_dead_letters(session: Session, commits: Sequence[Commit], *, kept: int = KEPT) -> int:
    """Add the dead letters of these commits that are not there yet; returns how many were added.

    Only the newest `kept` stay, and of each payload the first 64 KiB (its true size is noted).
    """
    found = {
        (commit.seq, number): entry
        for commit in commits
        for number, entry in enumerate(commit.entries)
        if isinstance(entry, DeadLetter)
    }
    if not found:
        return 0
    seqs = sorted({seq for seq, _ in found})
    known = set(
        session.exec(
            select(DeadLetterRow.seq, DeadLetterRow.entry).where(
                col(DeadLetterRow.seq) >= seqs[0], col(DeadLetterRow.seq) <= seqs[-1]
            )
        )
    )
    new = [
        DeadLetterRow(
            seq=key[0],
            entry=key[1],
            at_us=letter.at_us,
            topic=letter.topic.replace("\0", "\ufffd"),
            payload=letter.payload[:PAYLOAD_BYTES],
            size=len(letter.payload),
            reason=letter.reason.replace("\0", "\ufffd"),
        )
        for key, letter in list(found.items())[-kept:]
        if key not in known
    ]
    session.add_all(new)
    session.flush()
    _cap(session, kept)
    return len(new)


def newest_dead_letters(session: Session, limit: int) -> Sequence[DeadLetterRow]:
    """The newest dead letters first, in the journal's order."""
    order = (col(DeadLetterRow.seq).desc(), col(DeadLetterRow.entry).desc())
    return session.exec(select(DeadLetterRow).order_by(*order).limit(limit)).all()


def count_dead_letters(session: Session) -> int:
    """How many are kept."""
    return session.exec(select(func.count()).select_from(DeadLetterRow)).one()


def remove_dead_letters(session: Session, after_seq: int) -> None:
    """Remove those of commits after `after_seq`."""
    session.execute(delete(DeadLetterRow).where(col(DeadLetterRow.seq) > after_seq))


def _cap(session: Session, kept: int) -> None:
    order = (col(DeadLetterRow.seq).desc(), col(DeadLetterRow.entry).desc())
    edge = session.exec(select(DeadLetterRow.seq, DeadLetterRow.entry).order_by(*order).offset(kept).limit(1)).first()
    if edge is not None:
        seq, entry = edge
        older = (col(DeadLetterRow.seq) < seq) | ((col(DeadLetterRow.seq) == seq) & (col(DeadLetterRow.entry) <= entry))
        session.exec(delete(DeadLetterRow).where(older))
