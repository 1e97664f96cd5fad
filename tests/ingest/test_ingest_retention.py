"""The journal's old segments go when every follower is done with them, and never before."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from facility.clock import JournalClock
from facility.reading import Heartbeat
from ingest.journal import JournalReader, JournalWriter
from ingest.retention import KeepLimits, Retention, RetentionMetrics, publish_cursors

HOUR = 3600 * 10**6


class Keeper:
    """A journal of one commit an hour and segments of three hours, and what keeps it."""

    def __init__(self, folder: Path, hours: int) -> None:
        self.folder, self.cursors = folder / "journal", folder / "cursors" / "done.json"
        self.writer = JournalWriter(self.folder, segment_us=3 * HOUR)
        for number in range(1, hours + 1):
            self.writer.append(number * HOUR, [Heartbeat(number * HOUR)])
        self.clock, self.metrics = JournalClock(hours * HOUR), CollectorRegistry()

    def first_after(self, *, keep_hours: int, max_bytes: int = 10**9) -> int:
        """The oldest commit after one look."""
        limits = KeepLimits(keep_hours * HOUR, max_bytes)
        metrics = RetentionMetrics(self.metrics)
        Retention(self.folder, self.cursors, self.writer, self.clock, limits, metrics).look()
        with JournalReader(self.folder) as reader:
            return reader.first_seq()

    def metric(self, name: str) -> float:
        return self.metrics.get_sample_value(f"plantroom_journal_{name}") or 0.0


@pytest.fixture
def new_keeper(tmp_path: Path) -> Iterator[Callable[..., Keeper]]:
    made: list[Keeper] = []

    def make(name: str = "one") -> Keeper:
        made.append(Keeper(tmp_path / name, 30))
        return made[-1]

    yield make
    for keeper in made:
        keeper.writer.close()


def test_nothing_goes_before_the_followers_have_said_how_far_they_are(new_keeper: Callable[..., Keeper]) -> None:
    assert new_keeper().first_after(keep_hours=1) == 1
    keeper = new_keeper("other")
    keeper.cursors.parent.mkdir()
    keeper.cursors.write_bytes(b'{"engine": tru')
    assert keeper.first_after(keep_hours=1) == 1


@pytest.mark.parametrize(
    ("done", "keep_hours", "first"),
    [
        (30, 10, 19),  # by age: the segment of 16 to 18 ended when 19 came, 11 hours ago
        (30, 1, 28),
        (12, 1, 13),  # by the slowest: it needs 13 and what follows
        (11, 1, 10),
        (30, 100, 1),
    ],
)
def test_whole_segments_go_behind_the_slowest_and_when_they_are_old(
    new_keeper: Callable[..., Keeper], done: int, keep_hours: int, first: int
) -> None:
    keeper = new_keeper()
    publish_cursors(keeper.cursors, {"engine": 30, "readings": done, "dead_letters": 29})
    assert keeper.first_after(keep_hours=keep_hours) == first
    assert keeper.metric("dropped_segments_total") == (first - 1) // 3
    assert keeper.metric("segments") == 10 - (first - 1) // 3


def test_above_the_cap_young_segments_go_too_but_none_that_is_needed(
    new_keeper: Callable[..., Keeper], capsys: pytest.CaptureFixture[str]
) -> None:
    keeper = new_keeper()
    publish_cursors(keeper.cursors, {"engine": 8, "readings": 30})
    assert keeper.first_after(keep_hours=1000, max_bytes=1) == 7
    assert keeper.metric("over_cap") == 1
    said = capsys.readouterr().out
    assert "the journal is above its cap, and what could go is still needed" in said
    assert "waits_for=engine" in said
    publish_cursors(keeper.cursors, {"engine": 30, "readings": 30})
    keeper.metrics = CollectorRegistry()
    size = sum(path.stat().st_size for path in keeper.folder.iterdir()) // 2
    assert keeper.first_after(keep_hours=1000, max_bytes=size) > 7
    assert keeper.metric("over_cap") == 0
    keeper.writer.append(31 * HOUR, [Heartbeat(31 * HOUR)])
