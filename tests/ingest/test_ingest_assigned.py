"""Which buildings a journal is about is known at once, also when the commit that says so is long gone."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from facility.reading import BuildingsAssigned, DeadLetter, Entry, Heartbeat
from ingest.assigned import Standing
from ingest.journal import JournalReader, JournalWriter
from ingest.recall import assigned_in
from ingest.segment import list_segments

NORTH = BuildingsAssigned("one", 1, ("tower",))
MORE = BuildingsAssigned("two", 2, ("tower", "mall"), ("school",), {"mall": b"packed" * 100})
AS_KEPT = BuildingsAssigned("two", 2, ("tower", "mall"), ("school",))


def standing_in(folder: Path) -> BuildingsAssigned | None:
    """What the journal is about."""
    standing = assigned_in(folder)
    return standing.event if standing is not None else None


def write(folder: Path, *commits: Sequence[Entry], segment_bytes: int = 10**6) -> None:
    with JournalWriter(folder, segment_bytes=segment_bytes) as writer:
        for entries in commits:
            writer.append(0, entries)


def names_of_tables(folder: Path) -> set[str]:
    found: set[str] = set()
    for _, path in list_segments(folder):
        with closing(sqlite3.connect(path)) as db:
            found |= {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
    return found


def test_a_journal_that_was_never_told_is_about_everything_and_has_no_table(tmp_path: Path) -> None:
    assert standing_in(tmp_path / "none") is None
    write(tmp_path, [Heartbeat(1)], [Heartbeat(2)])
    assert standing_in(tmp_path) is None
    assert names_of_tables(tmp_path) == {"commits", "runs"}


def test_the_newest_word_counts_without_what_it_hands_over(tmp_path: Path) -> None:
    write(tmp_path, [Heartbeat(1), NORTH])
    assert standing_in(tmp_path) == NORTH
    write(tmp_path, [Heartbeat(1)], [NORTH, MORE, Heartbeat(2)])
    assert standing_in(tmp_path) == AS_KEPT
    with JournalReader(tmp_path) as reader:
        assert reader.read(2)[0].entries == (NORTH, MORE, Heartbeat(2))


def test_one_that_comes_again_late_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, [NORTH, MORE], [NORTH])
    assert standing_in(tmp_path) == AS_KEPT
    write(tmp_path, [Heartbeat(1), NORTH, MORE])
    assert assigned_in(tmp_path) == Standing(AS_KEPT, ("one", "two"))


def test_it_outlasts_the_segment_in_which_it_was_said(tmp_path: Path) -> None:
    letter = DeadLetter(0, "t", b"x" * 300, "")
    write(tmp_path, [MORE], *[[letter]] * 10, segment_bytes=1_000)
    with JournalWriter(tmp_path, segment_bytes=1_000) as writer:
        assert writer.drop_before(writer.last_seq)
        assert list_segments(tmp_path)[0][0] > 1
        writer.append(0, [letter])
    write(tmp_path, *[[letter]] * 10, segment_bytes=1_000)
    assert standing_in(tmp_path) == AS_KEPT


@pytest.mark.parametrize("said_in_it", [True, False])
def test_what_was_said_stays_in_force_when_its_commit_is_cut_off(tmp_path: Path, *, said_in_it: bool) -> None:
    with JournalWriter(tmp_path, segment_us=10) as writer:
        writer.append(0, [NORTH])
        writer.append(100, [Heartbeat(1)])
        writer.append(101, [MORE] if said_in_it else [Heartbeat(2)])
    newest = list_segments(tmp_path)[-1][1]
    with closing(sqlite3.connect(newest)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for suffix in ("-wal", "-shm"):
        newest.with_name(newest.name + suffix).unlink(missing_ok=True)
    newest.write_bytes(newest.read_bytes()[:100])  # nothing of it can be read any more
    write(tmp_path, [Heartbeat(3)])
    assert list(tmp_path.glob("*.damaged"))
    assert standing_in(tmp_path) == (AS_KEPT if said_in_it else NORTH)


def test_without_the_copy_the_segment_tells_and_the_copy_is_made_again(tmp_path: Path) -> None:
    write(tmp_path, [NORTH], [MORE])
    copy = tmp_path / "assigned.msgpack"
    for broken in (b"", b"nonsense"):
        copy.write_bytes(broken)
        write(tmp_path, [Heartbeat(1)])
        assert standing_in(tmp_path) == AS_KEPT
    said = copy.read_bytes()
    write(tmp_path, [BuildingsAssigned("three", 3, ("school",))])
    copy.write_bytes(said)  # the machine went down before it was on the disk
    write(tmp_path, [Heartbeat(1)])
    assert standing_in(tmp_path) == BuildingsAssigned("three", 3, ("school",))


def test_a_commit_that_fails_says_nothing(tmp_path: Path) -> None:
    with JournalWriter(tmp_path) as writer:
        writer.append(0, [NORTH])
        with closing(sqlite3.connect(list_segments(tmp_path)[-1][1])) as other:
            other.execute("CREATE TRIGGER full BEFORE INSERT ON assigned BEGIN SELECT RAISE(ABORT, 'full'); END")
            with pytest.raises(sqlite3.Error, match="full"):
                writer.append(0, [MORE])
            assert writer.last_seq == 1
            other.execute("DROP TRIGGER full")
        assert standing_in(tmp_path) == NORTH
        assert writer.append(0, [MORE]) == 2
    assert standing_in(tmp_path) == AS_KEPT
