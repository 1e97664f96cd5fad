"""Which buildings a journal is about, beside its commits: in every segment the newest assignment there was.

It is written in one transaction with the commit that says so, and carried into each new segment: so it is there when
the commit itself was dropped long ago, and who opens the journal knows it without reading. A journal that was never
told has no such table.

A copy lies beside the segments: when a damaged end is cut off, what it said stays in force, as the engine has judged
by it.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from facility.reading import BuildingsAssigned, Entry
from ingest.stores.cursor import write_whole

log = structlog.get_logger(__name__)

_KNOWN = 256
_COPY = "assigned.msgpack"
_TABLE = "CREATE TABLE IF NOT EXISTS assigned (place INTEGER PRIMARY KEY CHECK (place = 1), standing BLOB NOT NULL)"


class Standing(msgspec.Struct, frozen=True, array_like=True):
    """The newest assignment, without what it hands over, and the ids of the newest there were, oldest first: one that
    comes again, late, changes nothing."""

    event: BuildingsAssigned
    known: tuple[str, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Standing).decode


def absorb(standing: Standing | None, entries: Sequence[Entry]) -> Standing | None:
    """What stands after a commit; the same object when the commit says nothing about it."""
    if BuildingsAssigned not in {*map(type, entries)}:  # nearly always, and asked at every commit
        return standing
    for entry in entries:
        if isinstance(entry, BuildingsAssigned) and not is_known(standing, entry):
            known = standing.known if standing is not None else ()
            standing = Standing(msgspec.structs.replace(entry, handed={}), (*known, entry.event_id)[-_KNOWN:])
    return standing


def is_known(standing: Standing | None, event: BuildingsAssigned) -> bool:
    """Whether it is in the journal already."""
    return standing is not None and event.event_id in standing.known


def write_assigned(db: sqlite3.Connection, standing: Standing | None) -> None:
    """Keep it in a segment; the caller owns the transaction."""
    if standing is not None:
        db.execute(_TABLE).close()
        db.execute("INSERT OR REPLACE INTO assigned VALUES (1, ?)", (_encode(standing),)).close()


def read_assigned(db: sqlite3.Connection) -> Standing | None:
    """What a segment keeps; None when its journal was never told. Raises sqlite3.Error, DecodeError."""
    try:
        row = db.execute("SELECT standing FROM assigned").fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        return None
    return _decode(row[0]) if row is not None else None


def keep_newest(folder: Path, db: sqlite3.Connection) -> Standing | None:
    """What stands by the newest segment of a folder, or by the copy beside it where that knows more; in both of them on
    return. Raises sqlite3.Error, DecodeError."""
    kept, copy = read_assigned(db), _read_copy(folder)
    is_newer = copy is not None and (kept is None or is_known(copy, kept.event))
    standing = copy if is_newer else kept
    if standing != kept:
        write_assigned(db, standing)
    if standing is not None and standing != copy:
        write_copy(folder, standing)
    return standing


def write_copy(folder: Path, standing: Standing) -> None:
    """Keep the copy; when the disk refuses it, the next opening of the journal does."""
    try:
        write_whole(folder / _COPY, _encode(standing))
    except OSError as error:
        log.warning("no copy of what the journal is about", folder=str(folder), reason=str(error))


def _read_copy(folder: Path) -> Standing | None:
    try:
        return _decode((folder / _COPY).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        log.warning("the copy of what the journal is about cannot be read", folder=str(folder), reason=str(error))
        return None
