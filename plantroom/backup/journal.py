"""A journal's segments copied while its writer goes on: closed ones as files, open ones through SQLite."""

import sqlite3
from contextlib import closing
from pathlib import Path

from ingest.segment import last_row, list_segments
from plantroom.backup.copying import Copier
from plantroom.backup.manifest import BackupError, JournalFacts

_RUNS = "runs.json"


def copy_journal(source: Path, folder: Path, path: str, copier: Copier) -> JournalFacts:
    """Copy every segment to `path` under `folder`. What the writer drops meanwhile is left out from the front.

    A segment that has a successor is never written again, but a reader may still hold what is to be merged into it
    (`-wal`): such a one is read through SQLite too. Raises OSError, BackupError.
    """
    segments = list_segments(source)
    copied: list[tuple[int, str]] = []
    for index, (first_seq, segment) in enumerate(segments):
        relative = f"{path}/{segment.name}"
        try:
            if index + 1 < len(segments) and not _has_wal(segment):
                copier.take(segment, relative)
            else:
                (folder / path).mkdir(parents=True, exist_ok=True)
                copy_sqlite(segment, folder / relative)
                copier.note(relative, 0o644)
        except (FileNotFoundError, sqlite3.OperationalError) as error:
            if segment.exists():
                msg = f"{segment} cannot be read: {error}. Run `plantroom doctor`, then take the backup again"
                raise BackupError(msg) from error
            for _, gone in copied:  # older than one that was dropped: there would be a gap
                copier.forget(gone)
            copied = []
        else:
            copied.append((first_seq, relative))
    if (source / _RUNS).exists():
        copier.take(source / _RUNS, f"{path}/{_RUNS}")
    if not copied:
        return JournalFacts(path, 1, 0)
    return JournalFacts(path, copied[0][0], newest_seq(folder / copied[-1][1], copied[-1][0]))


def newest_seq(segment: Path, first_seq: int) -> int:
    """The newest commit of a copied segment that begins with `first_seq`; the one before it while it is empty."""
    with closing(open_copy(segment)) as db:
        newest = last_row(db)
    return first_seq - 1 if newest is None else newest


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a SQLite database as it was at one instant, whoever writes meanwhile. Raises sqlite3.Error."""
    with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True, timeout=10)) as live:
        live.execute("PRAGMA query_only=ON")
        with closing(sqlite3.connect(target)) as copy:
            live.backup(copy)  # all pages at once: in WAL nobody waits for it, and it never begins anew


def open_copy(path: Path) -> sqlite3.Connection:
    """A connection that only reads and leaves nothing beside the file, for one that nobody writes."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1&mode=ro", uri=True)


def _has_wal(segment: Path) -> bool:
    wal = segment.with_name(segment.name + "-wal")
    try:
        return wal.stat().st_size > 0
    except FileNotFoundError:
        return False
