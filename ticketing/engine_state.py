"""How far an engine has come in the journal, and its snapshot. The caller owns the transaction."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col

from ticketing.statements import insert_into
from ticketing.tables import EngineStateRow

NEW_JOURNAL = "new"
"""In place of a run's name: a journal was begun anew, and nothing of it is judged yet."""


class Progress(NamedTuple):
    """Up to which commit the output is kept and the snapshot reaches, how often the journal was cut back, and which run
    of the journal's writer wrote the first of them; empty when that is not known."""

    cursor_seq: int = 0
    snapshot_seq: int = 0
    rewinds: int = 0
    run: str = ""


def save_cursor(session: Session, seq: int, name: str = "engine", *, run: str = "") -> None:
    """The engine's output up to and including commit `seq`, which `run` wrote, is in this database, and no more of this
    journal is."""
    insert = insert_into(session.get_bind().dialect.name, EngineStateRow).values(name=name, cursor_seq=seq, run=run)
    changed = {"cursor_seq": insert.excluded.cursor_seq, "run": insert.excluded.run}
    session.execute(insert.on_conflict_do_update(index_elements=["name"], set_=changed))


def save_snapshot(session: Session, seq: int, blob: bytes, name: str = "engine") -> None:
    """The engine's whole state after commit `seq`; replaces the one before."""
    insert = insert_into(session.get_bind().dialect.name, EngineStateRow).values(
        name=name, cursor_seq=0, snapshot=blob, snapshot_seq=seq
    )
    changed = {"snapshot": insert.excluded.snapshot, "snapshot_seq": insert.excluded.snapshot_seq}
    session.execute(insert.on_conflict_do_update(index_elements=["name"], set_=changed))


def count_rewind(session: Session, name: str = "engine") -> None:
    """The journal was cut back after it had been judged; cursor and snapshot of this transaction begin anew there."""
    mine = sa.update(EngineStateRow).where(col(EngineStateRow.name) == name)
    session.execute(mine.values(rewinds=col(EngineStateRow.rewinds) + 1))


def begin_anew(session: Session, name: str = "engine") -> None:
    """The journal was lost, and whichever comes is judged from its beginning."""
    mine = sa.update(EngineStateRow).where(col(EngineStateRow.name) == name)
    anew = {"cursor_seq": 0, "snapshot": None, "snapshot_seq": None, "run": NEW_JOURNAL}
    session.execute(mine.values(**anew, rewinds=col(EngineStateRow.rewinds) + 1))


def load_progress(session: Session, name: str = "engine") -> Progress:
    """Where the engine stands, without its snapshot."""
    row = EngineStateRow
    columns = (col(row.cursor_seq), col(row.snapshot_seq), col(row.rewinds), col(row.run))
    found = session.execute(sa.select(*columns).where(col(row.name) == name)).one_or_none()
    return Progress(found[0], found[1] or 0, *found[2:]) if found is not None else Progress()


def load_engine_state(session: Session, name: str = "engine") -> EngineStateRow:
    """Cursor and snapshot; a cursor of 0 and no snapshot when the engine never ran."""
    row = session.get(EngineStateRow, name, populate_existing=True)
    return row if row is not None else EngineStateRow(name=name, cursor_seq=0, rewinds=0, run="")
