"""One segment file of the journal: SQLite in WAL mode, one row per group commit, named by its first sequence number.

Writer and readers are different processes; SQLite's own locks and its WAL keep a commit whole. A commit is durable
when `append` returns (`synchronous=FULL`).
"""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import structlog

from facility.errors import PermanentError
from facility.reading import Commit, decode_entries
from ingest.assigned import Standing, absorb, write_assigned
from ingest.runs import KEPT_RUNS, Run, Runs

log = structlog.get_logger(__name__)

_PREFIX, _SUFFIX = "journal-", ".sqlite"
_BUSY_S = 10.0
_RUNS = "CREATE TABLE IF NOT EXISTS runs (place INTEGER PRIMARY KEY, first_seq INTEGER NOT NULL, run TEXT NOT NULL)"
_ADD_RUN = "INSERT INTO runs (first_seq, run) VALUES (?, ?)"
_INSERT = "INSERT INTO commits VALUES (?, ?, ?)"
_READ = "SELECT seq, arrived_us, entries FROM commits WHERE seq > ? ORDER BY seq LIMIT ?"


class JournalError(PermanentError):
    """The journal cannot do what was asked; the message says which file and what to do."""


def segment_path(folder: Path, first_seq: int) -> Path:
    """The file of the segment whose first commit is `first_seq`."""
    return folder / f"{_PREFIX}{first_seq:016d}{_SUFFIX}"


def list_segments(folder: Path) -> list[tuple[int, Path]]:
    """(first sequence number, file) of every segment, oldest first; nothing when there is no folder yet."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names only: the follower lists on every poll
    except FileNotFoundError:
        return []
    return [(int(name[len(_PREFIX) : -len(_SUFFIX)]), folder / name) for name in sorted(names) if _is_segment(name)]


def _is_segment(name: str) -> bool:
    return name.startswith(_PREFIX) and name.endswith(_SUFFIX) and name[len(_PREFIX) : -len(_SUFFIX)].isdigit()


def create_segment(path: Path, runs: Sequence[Run] = (), assigned: Standing | None = None) -> None:
    """An empty segment that knows the `runs` before it and what the journal is about, durable under its name when this
    returns: readers never see one half made."""
    fresh = path.with_suffix(".fresh")
    remove_segment(fresh)
    with closing(sqlite3.connect(fresh, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE commits (seq INTEGER PRIMARY KEY, arrived_us INTEGER NOT NULL, entries BLOB NOT NULL)")
        db.execute(_RUNS)
        db.executemany(_ADD_RUN, runs)
        write_assigned(db, assigned)
    fresh.rename(path)
    sync_folder(path.parent)


def remove_segment(path: Path) -> None:
    """Unlink the file and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def segment_bytes(path: Path) -> int:
    """What the segment takes on disk, with what SQLite keeps beside it."""
    total = 0
    for suffix in ("", "-wal", "-shm"):
        try:
            total += path.with_name(path.name + suffix).stat().st_size
        except FileNotFoundError:
            continue
    return total


def sync_folder(folder: Path) -> None:
    """Make renames and unlinks in the folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def open_segment(path: Path, *, writable: bool) -> sqlite3.Connection:
    """A connection to an existing segment. Raises sqlite3.Error when it is gone or damaged."""
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=_BUSY_S, check_same_thread=False
    )
    try:
        # A reader opens for writing too: after a killed writer someone has to recover the WAL's index.
        db.execute("PRAGMA synchronous=FULL" if writable else "PRAGMA query_only=ON").close()
        db.execute("SELECT 1 FROM commits LIMIT 1").close()
    except BaseException:  # whatever it was goes on to the caller; the connection must not stay
        db.close()
        raise
    return db


def read_rows(
    db: sqlite3.Connection, after_seq: int, limit: int, most_bytes: int
) -> tuple[list[tuple[int, int, bytes]], int]:
    """Up to `limit` rows (seq, arrived_us, entries) after `after_seq`, in order; at least one, where there is one, and
    then no more than `most_bytes` of entries. With them what is left of these bytes, 0 when they did not suffice."""
    rows: list[tuple[int, int, bytes]] = []
    with closing(db.execute(_READ, (after_seq, limit))) as found:
        for row in found:
            if rows and most_bytes < len(row[2]):
                return rows, 0
            most_bytes -= len(row[2])
            rows.append(row)
    return rows, max(0, most_bytes)


def insert_row(db: sqlite3.Connection, row: tuple[int, int, bytes], assigned: Standing | None) -> None:
    """One commit, durable on return, with what the journal is about where it says so. Raises sqlite3.Error: nothing was
    written."""
    if assigned is None:
        db.execute(_INSERT, row).close()
        return
    db.execute("BEGIN").close()
    try:
        db.execute(_INSERT, row).close()
        write_assigned(db, assigned)
        db.execute("COMMIT").close()
    except BaseException:  # whatever it was goes on to the caller; the next try must find no transaction
        if db.in_transaction:
            db.execute("ROLLBACK").close()
        raise


def last_row(db: sqlite3.Connection) -> int | None:
    """The newest sequence number of the segment; None while it is empty."""
    newest: int | None = db.execute("SELECT max(seq) FROM commits").fetchone()[0]
    return newest


def data_version(db: sqlite3.Connection) -> int:
    """A number that is another one as soon as another connection has committed anything to the file."""
    version: int = db.execute("PRAGMA data_version").fetchone()[0]
    return version


def read_runs(db: sqlite3.Connection) -> Runs:
    """The runs of the writer up to this segment's newest commit, oldest first."""
    try:
        return tuple(Run(*row) for row in db.execute("SELECT first_seq, run FROM runs ORDER BY place"))
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        return ()  # written before runs were kept


def count_runs(db: sqlite3.Connection) -> int:
    """A number that grows with every run; cheaper than reading them."""
    try:
        newest: int | None = db.execute("SELECT max(place) FROM runs").fetchone()[0]
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        newest = None
    return newest or 0


def begin_run(db: sqlite3.Connection, run: Run) -> Runs:
    """Note durably that from here on another run writes; returns all runs, the newest 1,000."""
    db.execute("BEGIN")
    db.execute(_RUNS)
    db.execute(_ADD_RUN, run)
    db.execute("DELETE FROM runs WHERE place <= (SELECT max(place) FROM runs) - ?", (KEPT_RUNS,))
    db.execute("COMMIT")
    return read_runs(db)


def check_segment(path: Path) -> str:
    """What is wrong with the file, or an empty text."""
    try:
        with closing(open_segment(path, writable=True)) as db:
            report = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            return "" if report == "ok" else str(report).replace("\n", " ")
    except sqlite3.Error as error:
        return str(error)


def salvage_segment(path: Path, first_seq: int, earlier: Runs = ()) -> int:
    """Replace a damaged segment by its whole commits from `first_seq` on; returns the last one kept. `earlier` are
    its runs from a copy, for when its own cannot be read.

    The damaged file stays beside it as `*.damaged`. Nothing after the first unreadable commit is kept, because
    the sequence has no gaps.
    """
    kept: list[tuple[int, int, bytes]] = []
    assigned = None
    try:
        with closing(_open_damaged(path)) as db:
            for row in db.execute(_READ, (first_seq - 1, -1)):
                if row[0] != first_seq + len(kept):
                    break
                commit = Commit(row[0], row[1], decode_entries(row[2]))
                kept.append(row)
                assigned = absorb(assigned, commit.entries)
    except (sqlite3.Error, ValueError, TypeError, MemoryError) as error:
        log.warning("journal segment unreadable from here", file=path.name, after_seq=first_seq + len(kept) - 1,
                    reason=str(error))  # fmt: skip
    runs = _salvage_runs(path) or earlier
    for suffix in ("", "-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.rename(path.with_name(path.name + ".damaged" + suffix))
    create_segment(path, runs, assigned)
    with closing(open_segment(path, writable=True)) as db:
        db.execute("BEGIN")
        db.executemany(_INSERT, kept)
        db.execute("COMMIT")
    return first_seq + len(kept) - 1


def _open_damaged(path: Path) -> sqlite3.Connection:
    """A connection that reads what is there of a file that is shorter than it says."""
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=_BUSY_S)
    db.execute("PRAGMA writable_schema=ON").close()  # without this SQLite refuses a file with pages missing at its end
    return db


def _salvage_runs(path: Path) -> Runs:
    try:
        with closing(_open_damaged(path)) as db:
            return read_runs(db)
    except (sqlite3.Error, TypeError) as error:
        log.warning("journal segment has lost its runs", file=path.name, reason=str(error))
        return ()
