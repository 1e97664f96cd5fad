"""How far an engine has come in the journal, and its snapshot. The caller owns the transaction."""

import sqlalchemy as sa
from sqlmodel import Session

from ticketing.statements import insert_into
from ticketing.tables import EngineStateRow


def save_cursor(session: Session, seq: int, name: str = "engine") -> None:
    """The engine's output up to and including commit `seq` is in this database; never goes back."""
    insert = insert_into(session.get_bind().dialect.name, EngineStateRow).values(name=name, cursor_seq=seq)
    newest = sa.case((insert.excluded.cursor_seq > EngineStateRow.cursor_seq, insert.excluded.cursor_seq),
                     else_=EngineStateRow.cursor_seq)  # fmt: skip
    session.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"cursor_seq": newest}))


def save_snapshot(session: Session, seq: int, blob: bytes, name: str = "engine") -> None:
    """The engine's whole state after commit `seq`; replaces the one before."""
    insert = insert_into(session.get_bind().dialect.name, EngineStateRow).values(
        name=name, cursor_seq=0, snapshot=blob, snapshot_seq=seq
    )
    changed = {"snapshot": insert.excluded.snapshot, "snapshot_seq": insert.excluded.snapshot_seq}
    session.execute(insert.on_conflict_do_update(index_elements=["name"], set_=changed))


def load_engine_state(session: Session, name: str = "engine") -> EngineStateRow:
    """Cursor and snapshot; a cursor of 0 and no snapshot when the engine never ran."""
    row = session.get(EngineStateRow, name, populate_existing=True)
    return row if row is not None else EngineStateRow(name=name, cursor_seq=0)
