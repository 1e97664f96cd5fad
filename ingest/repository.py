"""SQL of ingest: dead letters, by the shard in whose journal they stand. The caller owns the transaction."""

from collections.abc import Sequence

from sqlmodel import Session, col, delete, func, select

from facility.reading import Commit, DeadLetter
from ingest.shard import MAIN_SHARD
from ingest.tables import DeadLetterRow

PAYLOAD_BYTES = 65_536
KEPT = 10_000


def add_dead_letters(session: Session, commits: Sequence[Commit], *, kept: int = KEPT, shard: str = MAIN_SHARD) -> int:
    """Add the dead letters of these commits that are not there yet; returns how many were added.

    Only the newest `kept` of the shard stay, and of each payload the first 64 KiB (its true size is noted).
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
                col(DeadLetterRow.shard) == shard,
                col(DeadLetterRow.seq) >= seqs[0],
                col(DeadLetterRow.seq) <= seqs[-1],
            )
        )
    )
    new = [
        DeadLetterRow(
            shard=shard,
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
    _cap(session, kept, shard)
    return len(new)


def newest_dead_letters(session: Session, limit: int) -> Sequence[DeadLetterRow]:
    """Those first that were kept last: of one journal, in its order."""
    return session.exec(select(DeadLetterRow).order_by(col(DeadLetterRow.id).desc()).limit(limit)).all()


def count_dead_letters(session: Session) -> int:
    """How many are kept."""
    return session.exec(select(func.count()).select_from(DeadLetterRow)).one()


def remove_dead_letters(session: Session, after_seq: int, shard: str = MAIN_SHARD) -> None:
    """Remove those of the shard's commits after `after_seq`."""
    mine = col(DeadLetterRow.shard) == shard
    session.execute(delete(DeadLetterRow).where(mine, col(DeadLetterRow.seq) > after_seq))


def _cap(session: Session, kept: int, shard: str) -> None:
    mine = col(DeadLetterRow.shard) == shard
    order = (col(DeadLetterRow.seq).desc(), col(DeadLetterRow.entry).desc())
    query = select(DeadLetterRow.seq, DeadLetterRow.entry).where(mine).order_by(*order)
    edge = session.exec(query.offset(kept).limit(1)).first()
    if edge is not None:
        seq, entry = edge
        older = (col(DeadLetterRow.seq) < seq) | ((col(DeadLetterRow.seq) == seq) & (col(DeadLetterRow.entry) <= entry))
        session.exec(delete(DeadLetterRow).where(mine, older))
