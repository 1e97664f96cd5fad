"""What a new run of the service has to know of the journal: the recent readings, so that redelivery is no news, and
which buildings it is about."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from facility.reading import Commit, Heartbeat, Scan
from ingest.assigned import Standing, read_assigned
from ingest.intake import Intake
from ingest.journal import JournalError, JournalReader
from ingest.segment import list_segments, open_segment

_COMMITS = 4_000
_READINGS = 1 << 17
_CHUNK = 100


def recall(folder: Path, intake: Intake) -> int:
    """Tell `intake` what the newest commits hold; returns the newest event time of them, 0 without any.

    Reaches back far more than a broker holds unacknowledged: 4,000 commits or 131,072 readings.
    """
    newest_us = 0
    for commits in reversed(_newest_chunks(folder)):
        for commit in commits:
            for entry in commit.entries:
                intake.remember(entry)
                if isinstance(entry, Scan | Heartbeat):
                    newest_us = max(newest_us, entry.at_us)
    return newest_us


def assigned_in(folder: Path) -> Standing | None:
    """What a journal is about, by the newest word in it; None: every building. Raises JournalError for a damaged
    file."""
    segments = list_segments(folder)
    if not segments:
        return None
    path = segments[-1][1]
    try:
        with closing(open_segment(path, writable=False)) as db:
            return read_assigned(db)
    except (sqlite3.Error, msgspec.DecodeError) as error:
        msg = f"{path} cannot be read: {error}. Restart ingest: it cuts the file back to its last whole commit"
        raise JournalError(msg) from error


def _newest_chunks(folder: Path) -> list[list[Commit]]:
    chunks: list[list[Commit]] = []
    with JournalReader(folder) as reader:
        oldest, last = reader.first_seq(), reader.last_seq()
        high, readings = last, 0
        while high >= oldest and last - high < _COMMITS and readings < _READINGS:
            low = max(oldest - 1, high - _CHUNK)
            chunk: list[Commit] = []
            while more := reader.read(low + len(chunk), high - low - len(chunk)):
                chunk += more
                if low + len(chunk) == high:
                    break
            chunks.append(chunk)
            readings += sum(len(e.values) for commit in chunk for e in commit.entries if isinstance(e, Scan))
            high = low
    return chunks
