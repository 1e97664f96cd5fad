"""A follower hands commits on by cursor, and outlives everything that can happen to its sink and its journal."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from facility.errors import InputError, PermanentError, RetryableError
from facility.reading import Commit, Heartbeat, PointValue, Scan
from ingest.follower import Follower, FollowerMetrics, FollowerState
from ingest.journal import JournalReader, JournalWriter
from ingest.stores.base import SeriesSink
from ingest.stores.parquet import ParquetStore


class ListJournal:
    """A journal in a list; `dropped` commits at its beginning are gone."""

    def __init__(self, size: int, dropped: int = 0) -> None:
        self.commits = [Commit(seq, seq, (Heartbeat(seq),)) for seq in range(1, size + 1)]
        self.dropped = dropped

    def grow(self) -> None:
        seq = len(self.commits) + 1
        self.commits.append(Commit(seq, seq, (Heartbeat(seq),)))

    def read(self, after_seq: int, limit: int = 500) -> list[Commit]:
        if after_seq < self.dropped:
            msg = f"commit {after_seq + 1} was dropped"
            raise PermanentError(msg)
        return self.commits[after_seq : after_seq + limit]

    def first_seq(self) -> int:
        return self.dropped + 1

    def last_seq(self) -> int:
        return len(self.commits)


class ListSink:
    """Keeps what it took; raises what `failures` holds first."""

    def __init__(self, cursor: int = 0, failures: Sequence[Exception] = ()) -> None:
        self.cursor = cursor
        self.failures = list(failures)
        self.taken: list[int] = []

    def take(self, commits: Sequence[Commit]) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.taken += [commit.seq for commit in commits]
        self.cursor = self.taken[-1]

    def rewind(self, seq: int) -> None:
        self.cursor = seq


def wait_for(condition: threading.Event, follower: Follower, position: int) -> None:
    deadline = time.monotonic() + 10
    while follower.state.position < position and time.monotonic() < deadline:
        condition.wait(0.01)
    assert follower.state.position >= position


def metric(registry: CollectorRegistry, name: str, follower: str = "f") -> float:
    return registry.get_sample_value(name, {"follower": follower}) or 0.0


def test_it_begins_after_the_sinks_cursor_and_takes_each_commit_once() -> None:
    journal, sink = ListJournal(7), ListSink(cursor=2)
    follower = Follower("f", journal, sink, limit=2)
    assert follower.state.lag == 5
    assert follower.step() == 2
    assert follower.catch_up() == 3
    assert follower.step() == 0
    assert sink.taken == [3, 4, 5, 6, 7]
    assert follower.state.lag == 0


def test_a_retryable_error_loses_nothing_and_the_lag_shows() -> None:
    journal, sink = ListJournal(3), ListSink(failures=[RetryableError("away"), RetryableError("still away")])
    registry = CollectorRegistry()
    follower = Follower("f", journal, sink, backoff_s=(0.01, 0.02), idle_s=0.01, metrics=FollowerMetrics(registry))
    with pytest.raises(RetryableError):
        follower.step()
    assert follower.state.lag == 3
    stop = threading.Event()
    thread = threading.Thread(target=follower.run, args=(stop,))
    thread.start()
    wait_for(stop, follower, 3)
    journal.grow()
    wait_for(stop, follower, 4)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert sink.taken == [1, 2, 3, 4]
    assert follower.state.trouble == ""
    assert metric(registry, "plantroom_follower_retries_total") == 1
    assert metric(registry, "plantroom_follower_lag_commits") == 0
    assert metric(registry, "plantroom_follower_cursor") == 4


def test_while_the_sink_is_away_the_state_says_why() -> None:
    journal, sink = ListJournal(3), ListSink(failures=[RetryableError("the server is away")] * 1_000)
    follower = Follower("f", journal, sink, backoff_s=(0.005, 0.01))
    stop = threading.Event()
    thread = threading.Thread(target=follower.run, args=(stop,))
    thread.start()
    deadline = time.monotonic() + 10
    while not follower.state.trouble and time.monotonic() < deadline:
        stop.wait(0.005)
    assert follower.state.trouble == "the server is away"
    assert follower.state.lag == 3
    stop.set()
    thread.join(5)
    assert sink.taken == []


def test_stopping_does_not_wait_for_the_back_off() -> None:
    follower = Follower("f", ListJournal(1), ListSink(failures=[RetryableError("away")]), backoff_s=(60.0, 60.0))
    stop = threading.Event()
    thread = threading.Thread(target=follower.run, args=(stop,))
    thread.start()
    deadline = time.monotonic() + 10
    while not follower.state.trouble and time.monotonic() < deadline:
        threading.Event().wait(0.005)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def test_commits_the_sink_can_never_take_are_skipped_and_counted() -> None:
    journal, sink = ListJournal(4), ListSink(failures=[PermanentError("never")])
    registry = CollectorRegistry()
    follower = Follower("f", journal, sink, limit=2, metrics=FollowerMetrics(registry))
    follower.catch_up()
    assert sink.taken == [3, 4]
    assert metric(registry, "plantroom_follower_skipped_commits_total") == 2


def test_commits_gone_from_the_journal_are_counted() -> None:
    journal, sink = ListJournal(9, dropped=5), ListSink(cursor=2)
    registry = CollectorRegistry()
    Follower("f", journal, sink, metrics=FollowerMetrics(registry)).catch_up()
    assert sink.taken == [6, 7, 8, 9]
    assert metric(registry, "plantroom_follower_skipped_commits_total") == 3


def test_a_journal_that_cannot_be_read_is_trouble_and_no_skip() -> None:
    class Damaged(ListJournal):
        def read(self, after_seq: int, limit: int = 500) -> list[Commit]:
            msg = f"{limit} commits after {after_seq} cannot be read"
            raise PermanentError(msg)

    sink = ListSink()
    follower = Follower("f", Damaged(3), sink, backoff_s=(0.005, 0.01))
    stop = threading.Event()
    thread = threading.Thread(target=follower.run, args=(stop,))
    thread.start()
    deadline = time.monotonic() + 10
    while not follower.state.trouble and time.monotonic() < deadline:
        stop.wait(0.005)
    stop.set()
    thread.join(5)
    assert follower.state == FollowerState("f", 0, 0, 3, "500 commits after 0 cannot be read")
    assert sink.taken == []


def test_a_sink_that_followed_another_journal_is_refused_with_advice() -> None:
    with pytest.raises(InputError, match=r"seen commit 12, but the journal ends at 3.*move the follower's own folder"):
        Follower("series", ListJournal(3), ListSink(cursor=12))


def test_the_real_journal_into_the_real_store_across_a_restart(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "journal", segment_bytes=20_000)
    for minute in range(300):
        scan = Scan("p1", minute * 60_000_000, complete=True, values=(PointValue("water_flow", float(minute)),))
        writer.append(minute, [scan, Heartbeat(minute * 60_000_000)])
    reader = JournalReader(tmp_path / "journal")
    for limit in (70, 40):  # the first store is forgotten as by a kill: its tail is read from the journal again
        store = ParquetStore(tmp_path / "store", part_readings=170)
        follower = Follower("series", reader, SeriesSink(store), limit=limit)
        follower.step()
        follower.step()
    follower.catch_up()
    found = store.read("p1", "water_flow", 0, 300 * 60_000_000)
    assert [reading.value for reading in found] == [float(minute) for minute in range(300)]
    assert store.cursor < writer.last_seq
    store.close()
    assert store.cursor == writer.last_seq
    reader.close()
    writer.close()
