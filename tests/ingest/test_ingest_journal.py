"""The journal as its users see it: in sequence, without gaps, whole after kill -9, clear when a file is damaged."""

import errno
import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facility.errors import PermanentError
from facility.reading import Commit, DeadLetter, Entry, Heartbeat, PointValue, Scan, Shelved
from ingest.journal import JournalBusyError, JournalError, JournalReader, JournalWriter
from ingest.segment import list_segments
from plantroom.lock import InstanceLock

SECOND = 10**6

WRITE_FOREVER = """
import sys
from pathlib import Path
from facility.reading import DeadLetter
from ingest.journal import JournalWriter
writer = JournalWriter(Path(sys.argv[1]), segment_bytes=20_000)
while True:
    seq = writer.append(writer.last_seq, [DeadLetter(0, str(writer.last_seq + 1), b"x" * 700, "")])
    sys.stdout.write(f"{seq}\\n")
    sys.stdout.flush()
"""


def beat(at_us: int) -> Heartbeat:
    return Heartbeat(at_us)


def fill(folder: Path, commits: int, **limits: int) -> None:
    with JournalWriter(folder, **limits) as writer:
        for number in range(1, commits + 1):
            assert writer.append(number * SECOND, [beat(number)]) == number


def _size(commit: Commit) -> int:
    return sum(len(entry.payload) for entry in commit.entries if isinstance(entry, DeadLetter))


def read_all(folder: Path, after_seq: int = 0) -> list[Commit]:
    found: list[Commit] = []
    with JournalReader(folder) as reader:
        while commits := reader.read(after_seq + len(found), 7):
            found += commits
    return found


def test_what_is_appended_is_read_in_sequence(tmp_path: Path) -> None:
    entries: tuple[Entry, ...] = (
        Scan("lift-1", 5, True, (PointValue("car_position", 7.0), PointValue("door_status", "open", 1))),
        Heartbeat(6, 3, 1),
        DeadLetter(7, "a/b", b"\xff", "not JSON"),
        Shelved("e1", 8, "lift-1", "r", 9, "ann", "noise"),
    )
    with JournalWriter(tmp_path) as writer, JournalReader(tmp_path) as reader:
        assert (reader.first_seq(), reader.last_seq(), reader.read(0)) == (1, 0, [])
        assert writer.append(10, entries) == 1
        assert reader.read(0) == [Commit(1, 10, entries)]
        assert reader.read(1) == []
        assert (reader.first_seq(), reader.last_seq()) == (1, 1)


def test_a_reader_may_be_there_before_the_journal(tmp_path: Path) -> None:
    with JournalReader(tmp_path / "later") as reader:
        assert (reader.read(0), reader.first_seq(), reader.last_seq()) == ([], 1, 0)
        fill(tmp_path / "later", 3)
        assert [commit.seq for commit in reader.read(0)] == [1, 2, 3]


@pytest.mark.parametrize("limits", [{"segment_us": 3 * SECOND}, {"segment_bytes": 30}])
def test_segments_end_by_time_and_by_size_and_the_sequence_goes_on(tmp_path: Path, limits: dict[str, int]) -> None:
    fill(tmp_path, 10, **limits)
    assert len(list_segments(tmp_path)) >= 3
    assert [commit.seq for commit in read_all(tmp_path)] == list(range(1, 11))
    with JournalWriter(tmp_path, **limits) as writer:
        assert writer.last_seq == 10
        assert writer.append(11 * SECOND, [beat(11)]) == 11
    assert [commit.seq for commit in read_all(tmp_path, 4)] == list(range(5, 12))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.integers(0, 400), max_size=30),
    segment_bytes=st.integers(1, 2000),
    limit=st.integers(1, 9),
    read_bytes=st.integers(1, 2000),
)
def test_every_commit_is_read_once_whatever_the_sizes(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], segment_bytes: int, limit: int, read_bytes: int
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    seen: list[Commit] = []
    with (
        JournalWriter(folder, segment_bytes=segment_bytes) as writer,
        JournalReader(folder, read_bytes=read_bytes) as reader,
    ):
        for size in sizes:
            writer.append(0, [DeadLetter(0, "", b"x" * size, "")])
            seen += reader.read(len(seen), limit)
        while commits := reader.read(len(seen), limit):
            assert len(commits) == 1 or sum(_size(commit) for commit in commits) <= read_bytes
            seen += commits
    payloads = [entry.payload for commit in seen for entry in commit.entries if isinstance(entry, DeadLetter)]
    assert [len(payload) for payload in payloads] == sizes
    assert [commit.seq for commit in seen] == list(range(1, len(sizes) + 1))


def test_dropping_unlinks_whole_segments_and_never_the_newest(tmp_path: Path) -> None:
    with JournalWriter(tmp_path, segment_us=2 * SECOND) as writer, JournalReader(tmp_path) as reader:
        for number in range(1, 8):
            writer.append(number * SECOND, [beat(number)])
        firsts = [first for first, _ in list_segments(tmp_path)]
        assert len(reader.read(0)) == 7
        assert writer.drop_before(firsts[1]) == 1
        assert writer.drop_before(firsts[1]) == 0
        assert reader.first_seq() == firsts[1]
        assert reader.read(firsts[1] - 1)[0].seq == firsts[1]
        with pytest.raises(JournalError, match=rf"commit 1 was dropped .* the oldest is {firsts[1]}"):
            reader.read(0)
        writer.drop_before(10**9)
        assert len(list_segments(tmp_path)) == 1
        assert writer.append(8 * SECOND, [beat(8)]) == 8
        assert reader.last_seq() == 8


def test_a_reader_at_rest_sees_each_commit_at_once(tmp_path: Path) -> None:
    with JournalWriter(tmp_path, segment_bytes=2_000) as writer, JournalReader(tmp_path) as reader:
        for number in range(1, 13):
            for _ in range(3):  # at rest it only glances
                assert (reader.read(number - 1), reader.last_seq()) == ([], number - 1)
            writer.append(number, [DeadLetter(number, "t", b"x" * 700, "r")])
            assert (reader.last_seq(), [commit.seq for commit in reader.read(number - 1)]) == (number, [number])
        assert len(list_segments(tmp_path)) > 3, "it saw commits in new segments too"
        with pytest.raises(JournalError, match="ahead of the journal"):
            reader.read(13)


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with JournalWriter(tmp_path), pytest.raises(JournalError, match="another process writes the journal"):
        JournalWriter(tmp_path)
    JournalWriter(tmp_path).close()


def test_a_disk_without_locks_is_no_other_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who stands by for another one would wait for ever."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(JournalError, match="cannot be locked: No locks available") as refused:
        JournalWriter(tmp_path)
    assert not isinstance(refused.value, JournalBusyError)
    with pytest.raises(PermanentError, match="cannot be locked: No locks available"), InstanceLock(tmp_path):
        pytest.fail("it has no lock")


def test_a_reader_in_another_process_follows_a_writer_that_is_killed(tmp_path: Path) -> None:
    """What `append` returned for is there after kill -9, in sequence, across rotation; the writer goes on behind it."""
    seen: list[Commit] = []
    for _ in range(2):
        child = subprocess.Popen([sys.executable, "-c", WRITE_FOREVER, str(tmp_path)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        with JournalReader(tmp_path) as reader:
            target = len(seen) + 120
            while len(seen) < target:
                line = child.stdout.readline()
                assert line, "the writer ended by itself"
                commits = reader.read(len(seen), 50)
                assert [commit.seq for commit in commits] == [len(seen) + n for n in range(1, len(commits) + 1)]
                seen += commits
            os.kill(child.pid, signal.SIGKILL)
            said = child.stdout.read().split()
            child.wait()
            child.stdout.close()
            seen += reader.read(len(seen), 10_000)
            assert len(seen) >= int(said[-1] if said else line)
    assert [commit.seq for commit in seen] == list(range(1, len(seen) + 1))
    assert [e.topic for c in seen for e in c.entries if isinstance(e, DeadLetter)] == [str(c.seq) for c in seen]
    assert len(list_segments(tmp_path)) > 4
    with JournalWriter(tmp_path) as writer:
        assert writer.last_seq == len(seen)


def test_a_reader_never_misses_while_a_thread_writes_and_rotates(tmp_path: Path) -> None:
    done = threading.Event()

    def write() -> None:
        with JournalWriter(tmp_path, segment_bytes=200) as writer:
            for number in range(1, 201):
                writer.append(number, [beat(number)])
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    seen: list[int] = []
    with JournalReader(tmp_path) as reader:
        while not done.is_set() or len(seen) < 200:
            seen += [commit.seq for commit in reader.read(len(seen), 5)]
            assert seen == list(range(1, len(seen) + 1))
    thread.join()


def damage(path: Path, *, keep: float) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = path.stat().st_size
    os.truncate(path, int(size * keep) // 4096 * 4096)


def big(number: int) -> list[Entry]:
    return [DeadLetter(number, "t", bytes([number % 251]) * 3000, "")]


@pytest.mark.parametrize("keep", [0.0, 0.2, 0.5, 0.9])
def test_a_truncated_newest_segment_is_cut_back_to_its_last_whole_commit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], keep: float
) -> None:
    with JournalWriter(tmp_path, segment_bytes=200_000) as writer:
        for number in range(1, 101):
            writer.append(number, big(number))
    first, newest = list_segments(tmp_path)[-1]
    assert first > 1
    damage(newest, keep=keep)
    with JournalWriter(tmp_path) as writer:
        kept = writer.last_seq
        assert first - 1 <= kept < 100
        whole = (100 - first) * max(0.0, keep - 0.1)  # the pages of the tree's inside are lost with the tail
        assert kept - first >= whole - 5, "what is whole before the damage is kept"
        assert writer.append(1, big(kept + 1)) == kept + 1
    commits = read_all(tmp_path)
    assert [commit.seq for commit in commits] == list(range(1, kept + 2))
    assert all(list(commit.entries) == big(commit.seq) for commit in commits)
    said = capsys.readouterr().out
    assert "cut back to its last whole commit" in said
    assert f"last_seq={kept}" in said
    assert newest.with_name(newest.name + ".damaged").exists()


def test_a_reader_says_which_file_is_damaged(tmp_path: Path) -> None:
    fill(tmp_path, 10, segment_us=3 * SECOND)
    _, oldest = list_segments(tmp_path)[0]
    oldest.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(JournalError, match=rf"{oldest.name} cannot be read after commit 0: .*Restore the file"):
        read_all(tmp_path)


def test_a_missing_segment_is_a_gap_and_is_said(tmp_path: Path) -> None:
    fill(tmp_path, 10, segment_us=3 * SECOND)
    segments = list_segments(tmp_path)
    segments[1][1].unlink()
    with pytest.raises(JournalError, match=f"lacks commit {segments[1][0]}"):
        read_all(tmp_path)


def test_a_cursor_ahead_of_the_journal_is_said(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    with JournalReader(tmp_path) as reader, pytest.raises(JournalError, match=r"cursor 9 is ahead .* ends at 3"):
        reader.read(9)
