"""The journal: every group commit in sequence, in segment files. The truth that all followers read by cursor.

One writer (a lock file sees to it), any number of readers in any process. Sequence numbers count from 1 without
gaps across segments; a segment ends by size or by time, and a new one begins at the next number.
"""

import sqlite3
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self

import structlog

from facility.errors import RetryableError
from facility.reading import Commit, Entry, decode_entries, encode_entries
from ingest.assigned import absorb, keep_newest, write_copy
from ingest.decoded import DecodedCommits
from ingest.journal_lock import JournalBusyError, lock_journal
from ingest.runs import Place, Run, Runs, SeenRuns, common_place, common_seq, place_of
from ingest.segment import (
    JournalError,
    begin_run,
    check_segment,
    count_runs,
    create_segment,
    data_version,
    insert_row,
    last_row,
    list_segments,
    open_segment,
    read_rows,
    read_runs,
    remove_segment,
    salvage_segment,
    segment_path,
    sync_folder,
)

__all__ = ["JournalBusyError", "JournalCutError", "JournalError", "JournalReader", "JournalWriter"]
log = structlog.get_logger(__name__)
_RUNS_FILE = "runs.json"
"""A copy of the newest segment's runs, for when its own cannot be read any more."""
READ_BYTES = 4 * 2**20
"""Packed entries that a reader takes at once: some 100,000 readings."""
_NEWER = "Start from a newer snapshot"
_QUIET_LOOKS = 20
"""So often in a row the end of the journal is only glanced at: see `_End`."""


class JournalCutError(JournalError):
    """The journal was cut back, or put back from a copy, after it had been read. Up to `common` it is what was read;
    what was read after that is not in it any more, and other commits may bear its numbers."""

    def __init__(self, message: str, common: int) -> None:
        super().__init__(message)
        self.common = common


class JournalWriter:
    """Appends group commits. `segment_bytes` of packed entries or `segment_us` of arrival time end a segment.

    On opening, a newest segment that a crash or a bad disk damaged is cut back to its last whole commit, the
    damaged file is set aside as `*.damaged`, and the log says what was kept. Raises JournalBusyError when another
    process writes here.
    """

    def __init__(self, folder: Path, *, segment_bytes: int = 64 * 2**20, segment_us: int = 3600 * 10**6) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._segment_bytes, self._segment_us = folder, segment_bytes, segment_us
        self._lock = lock_journal(folder)
        try:
            self._open_newest()
        except BaseException:  # whatever it was goes on to the caller; the lock must not stay
            self._lock.close()
            raise

    def _open_newest(self) -> None:
        segments = list_segments(self._folder)
        if not segments:
            create_segment(segment_path(self._folder, 1))
            segments = list_segments(self._folder)
        first_seq, path = segments[-1]
        if trouble := check_segment(path):
            kept = salvage_segment(path, first_seq, SeenRuns(self._folder / _RUNS_FILE).runs)
            log.error(
                "journal segment was damaged and cut back to its last whole commit",
                file=path.name,
                reason=trouble,
                last_seq=kept,
                kept=kept - first_seq + 1,
                set_aside=path.name + ".damaged",
            )
        self._db = open_segment(path, writable=True)
        newest = last_row(self._db)
        self._first_seq, self._last_seq = first_seq, newest if newest is not None else first_seq - 1
        size, began_us = self._db.execute(
            "SELECT coalesce(sum(length(entries)), 0), min(arrived_us) FROM commits"
        ).fetchone()
        self._bytes: int = size
        self._began_us: int | None = began_us
        self._runs = begin_run(self._db, Run(self._last_seq + 1, uuid.uuid4().hex))
        SeenRuns(self._folder / _RUNS_FILE).keep(self._runs)
        self._assigned = keep_newest(self._folder, self._db)

    @property
    def last_seq(self) -> int:
        """The newest durable commit; 0 in a new journal."""
        return self._last_seq

    def append(self, arrived_us: int, entries: Sequence[Entry]) -> int:
        """Make one group commit durable and return its sequence number. Raises OSError or sqlite3.Error (disk
        full, folder gone): then nothing was written, and the same call may be made again."""
        blob = encode_entries(tuple(entries))
        if self._is_full(arrived_us, len(blob)):
            self._rotate()
        seq = self._last_seq + 1
        assigned = absorb(self._assigned, entries)
        insert_row(self._db, (seq, arrived_us, blob), None if assigned is self._assigned else assigned)
        if assigned is not None and assigned is not self._assigned:
            write_copy(self._folder, assigned)
        self._last_seq, self._assigned = seq, assigned
        self._bytes += len(blob)
        self._began_us = arrived_us if self._began_us is None else self._began_us
        return seq

    def _is_full(self, arrived_us: int, more: int) -> bool:
        if self._began_us is None:
            return False
        return self._bytes + more > self._segment_bytes or arrived_us - self._began_us >= self._segment_us

    def _rotate(self) -> None:
        path = segment_path(self._folder, self._last_seq + 1)
        create_segment(path, self._runs, self._assigned)
        fresh = open_segment(path, writable=True)
        self._db.close()
        self._db, self._first_seq, self._bytes, self._began_us = fresh, self._last_seq + 1, 0, None

    def drop_before(self, seq: int) -> int:
        """Unlink the segments that hold only commits before `seq`; returns how many. Never the newest."""
        segments = list_segments(self._folder)
        dropped = 0
        for (_, path), (next_first, _) in pairwise(segments):
            if next_first > seq:
                break
            remove_segment(path)
            dropped += 1
        if dropped:
            sync_folder(self._folder)
        return dropped

    def close(self) -> None:
        """Let another writer in. Everything appended is durable already."""
        self._db.close()
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(slots=True)
class _End:
    """What the newest segment was like when nothing came after commit `seq`. As long as it is the same file, nobody
    has committed to it and it has no successor, there is still nothing: a glance costs a fifth of a look."""

    seq: int
    path: Path
    successor: Path
    inode: int
    version: int
    looks: int = 0


class JournalReader:
    """Reads commits by sequence number, from any process, while a writer writes, rotates and drops.

    Never blocks for new commits. Any thread may ask; one at a time is answered. What runs of the writer were read
    stays in the small file `seen`, while `owns_seen` says that it is this reader's: with it, a journal that was cut
    back is noticed after a restart too. Readers of one process that follow together share what is `decoded`;
    `read_bytes` of packed entries are read at once.
    """

    def __init__(
        self,
        folder: Path,
        *,
        seen: Path | None = None,
        owns_seen: Callable[[], bool] = lambda: True,
        read_bytes: int = READ_BYTES,
        decoded: DecodedCommits | None = None,
    ) -> None:
        self._folder, self._read_bytes = folder, read_bytes
        self._decode = decode_entries if decoded is None else decoded.decode
        self._seen = SeenRuns(seen, owns_seen)
        self._open: dict[Path, tuple[int, sqlite3.Connection]] = {}
        self._lock = threading.Lock()
        self._runs_read: tuple[sqlite3.Connection, int, Runs] | None = None
        self._end: _End | None = None

    def read(self, after_seq: int, limit: int = 500) -> list[Commit]:
        """Up to `limit` commits after `after_seq`, in order and without gaps; empty when there are none yet. Large ones
        come fewer at a time, so that who lags does not fill the memory.

        Raises JournalCutError when the journal was cut back and `after_seq` is not the commit that was read under
        this number; JournalError when the next commit is there no more (dropped), when the cursor is ahead of the
        journal (another one), or when a file is damaged.
        """
        with self._lock:
            if self._is_at_end(after_seq):
                return []
            self._end, end = None, self._glance(after_seq)
            commits = self._read(after_seq, limit)
            if not commits:
                self._end = end
            return commits

    def _is_at_end(self, seq: int) -> bool:
        end = self._end
        if end is None or end.seq != seq or end.looks >= _QUIET_LOOKS:
            return False
        end.looks += 1
        try:
            known = self._open.get(end.path)
            return (
                known is not None
                and end.path.stat().st_ino == known[0] == end.inode
                and data_version(known[1]) == end.version
                and not end.successor.exists()
            )
        except (sqlite3.DatabaseError, OSError):
            return False  # the look that follows says what is the matter

    def _glance(self, seq: int) -> _End | None:
        """The end as it is before a look, so that what is committed during the look is not taken for known. None while
        no segment is open, or `seq` + 1 is the first commit that the newest will hold: it is its own successor then."""
        if not self._open:
            return None
        path = max(self._open)
        inode, db = self._open[path]
        successor = segment_path(self._folder, seq + 1)
        if path == successor:
            return None
        try:
            return _End(seq, path, successor, inode, data_version(db))
        except sqlite3.DatabaseError:
            return None

    def _read(self, after_seq: int, limit: int) -> list[Commit]:
        # Listed before reading: a segment that has a successor in this list is never written again.
        segments = list_segments(self._folder)
        self._forget({path for _, path in segments})
        if not segments:
            return []
        self._check_runs(segments, after_seq)
        if after_seq + 1 < segments[0][0]:
            what = f"commit {after_seq + 1} was dropped from {self._folder}; the oldest is {segments[0][0]}"
            raise JournalError(f"{what}. {_NEWER}")
        start = max(index for index, (first, _) in enumerate(segments) if first <= after_seq + 1)
        commits: list[Commit] = []
        left = self._read_bytes
        for _first, path in segments[start:]:
            more, left = self._commits(path, after_seq + len(commits), limit - len(commits), left)
            commits += more
            if len(commits) >= limit or not left:
                break
        if not commits and after_seq > 0 and after_seq > (newest := self._newest(segments)):
            what = f"the cursor {after_seq} is ahead of the journal {self._folder}, which ends at {newest}"
            raise JournalError(f"{what}. Rebuild the follower")
        if commits:
            self._keep_runs(segments)
        return commits

    def _check_runs(self, segments: list[tuple[int, Path]], after_seq: int) -> None:
        if not self._seen.runs:
            return
        common = common_seq(self._seen.runs, self._runs(segments), after_seq)
        if common is None:
            what = f"the journal {self._folder} is not the one that was read up to commit {after_seq}"
            raise JournalError(f"{what}. Put the old journal back, or rebuild the follower")
        if common < after_seq:
            what = f"the journal {self._folder} was cut back to commit {common} after {after_seq} had been read"
            raise JournalCutError(f"{what}; other commits come under these numbers", common)

    def _keep_runs(self, segments: list[tuple[int, Path]]) -> None:
        """Before the commits are handed out, so that a cut after that cannot go unnoticed."""
        try:
            self._seen.keep(self._runs(segments))
        except OSError as error:
            msg = f"cannot keep which runs of the journal were read: {error}; check space and permissions"
            raise RetryableError(msg) from error

    def _runs(self, segments: list[tuple[int, Path]]) -> Runs:
        path = segments[-1][1]
        try:
            db = self._connection(path)
            if self._runs_read is None or self._runs_read[0] is not db or self._runs_read[1] != count_runs(db):
                self._runs_read = (db, count_runs(db), read_runs(db))
            return self._runs_read[2]
        except (sqlite3.DatabaseError, OSError) as error:
            msg = f"{path} cannot be read: {error}. Restart ingest: it cuts the file back to its last whole commit"
            raise JournalError(msg) from error

    def place(self, seq: int) -> Place:
        """Where commit `seq` is that was read last, or one before it, in words that last beyond a cut."""
        with self._lock:
            return place_of(self._seen.runs, seq)

    def common(self, place: Place) -> Place | None:
        """Up to which commit, at most that of `place`, this journal is the one that `place` was in; None when it is
        another one. It is taken to be the same while there is no segment at all, and for a place of no known run where
        there is a commit of that number. Raises JournalError."""
        with self._lock:
            segments = list_segments(self._folder)
            self._forget({path for _, path in segments})
            if not segments:
                return place
            if not place.run and place.seq > self._newest(segments):
                return None
            return common_place(place, self._runs(segments))

    def first_seq(self) -> int:
        """The oldest commit that is still held; 1 in a new journal."""
        segments = list_segments(self._folder)
        return segments[0][0] if segments else 1

    def last_seq(self) -> int:
        """The newest commit; 0 in a new journal. Raises JournalError for a damaged file."""
        with self._lock:
            if self._end is not None and self._is_at_end(self._end.seq):
                return self._end.seq
            segments = list_segments(self._folder)
            return self._newest(segments) if segments else 0

    def _newest(self, segments: list[tuple[int, Path]]) -> int:
        first, path = segments[-1]
        try:
            newest = last_row(self._connection(path))
        except (sqlite3.DatabaseError, OSError) as error:
            msg = f"{path} cannot be read: {error}. Restart ingest: it cuts the file back to its last whole commit"
            raise JournalError(msg) from error
        return newest if newest is not None else first - 1

    def _commits(self, path: Path, after_seq: int, limit: int, most_bytes: int) -> tuple[list[Commit], int]:
        """The commits, and what is left of the bytes, 0 when they did not suffice."""
        try:
            rows, left = read_rows(self._connection(path), after_seq, limit, most_bytes)
            commits = [Commit(seq, arrived_us, self._decode(blob)) for seq, arrived_us, blob in rows]
        except (sqlite3.DatabaseError, OSError, ValueError) as error:
            if not path.exists():
                what = f"commit {after_seq + 1} was dropped from {self._folder} while it was read"
                raise JournalError(f"{what}. {_NEWER}") from error
            what = f"{path} cannot be read after commit {after_seq}: {error}"
            raise JournalError(f"{what}. Restore the file. Otherwise: {_NEWER}") from error
        for offset, commit in enumerate(commits, 1):
            if commit.seq != after_seq + offset:
                msg = f"{path} lacks commit {after_seq + offset}: the next one is {commit.seq}. Restore the file"
                raise JournalError(msg)
        return commits, left

    def _connection(self, path: Path) -> sqlite3.Connection:
        inode = path.stat().st_ino
        known = self._open.get(path)
        if known is not None and known[0] != inode:  # a damaged file was set aside, and another one has its name
            self._open.pop(path)[1].close()
            known = None
        if known is None:
            known = self._open[path] = (inode, open_segment(path, writable=False))
        return known[1]

    def _forget(self, present: set[Path]) -> None:
        """Close what was dropped, and all but the two newest segments in use."""
        gone = [path for path in self._open if path not in present]
        for path in gone + sorted(set(self._open) - set(gone))[:-2]:
            self._open.pop(path)[1].close()

    def close(self) -> None:
        """Close the files."""
        for _inode, db in self._open.values():
            db.close()
        self._open.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
