"""Which buildings a journal is about, beside its commits: in every segment the newest assignment there was.

It is written in one transaction with the commit that says so, and carried into each new segment: so it is there when
the commit itself was dropped long ago, and who opens the journal knows it without reading. A journal that was never
told has no such table.
"""

import sqlite3
from collections.abc import Sequence

import msgspec

from facility.reading import BuildingsAssigned, Entry, decode_event, encode_event

_TABLE = "CREATE TABLE IF NOT EXISTS assigned (place INTEGER PRIMARY KEY CHECK (place = 1), event BLOB NOT NULL)"


def newest_assignment(entries: Sequence[Entry]) -> BuildingsAssigned | None:
    """The last assignment among some entries, without what it hands over."""
    if BuildingsAssigned not in {*map(type, entries)}:  # nearly always, and asked at every commit
        return None
    for entry in reversed(entries):
        if isinstance(entry, BuildingsAssigned):
            return msgspec.structs.replace(entry, handed={})
    return None


def write_assigned(db: sqlite3.Connection, event: BuildingsAssigned | None) -> None:
    """Keep it in a segment; the caller owns the transaction."""
    if event is not None:
        db.execute(_TABLE).close()
        db.execute("INSERT OR REPLACE INTO assigned VALUES (1, ?)", (encode_event(event),)).close()


def read_assigned(db: sqlite3.Connection) -> BuildingsAssigned | None:
    """What a segment keeps; None when its journal was never told. Raises sqlite3.Error, DecodeError."""
    try:
        row = db.execute("SELECT event FROM assigned").fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        return None
    found = decode_event(row[0]) if row is not None else None
    return found if isinstance(found, BuildingsAssigned) else None
