"""A journal cut back under a store that is read by another process, which then becomes the one that writes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cutting import cut

from facility.clock import RealClock
from facility.reading import DeadLetter, PointValue, Scan
from ingest.follower import Follower, Sink
from ingest.journal import JournalReader, JournalWriter
from ingest.stores.base import SeriesSink
from ingest.stores.line import InLine
from ingest.stores.parquet import ParquetStore
from ingest.stores.upkeep import Upkeep
from plantroom.followed import KeptReadings
from plantroom.keeper import Keeper

S = 10**6
COUNT = 60
NEVER_S = 1e9


class Plant:
    """One process that writes and one that reads along; each reading's instant says how many were made before it."""

    def __init__(self, folder: Path) -> None:
        self.journal, self.parts, self.seen = folder / "journal", folder / "readings", folder / "readings.runs"
        self._opened, self._made, self._elapsed = ExitStack(), 0, 0.0
        self._keeper = Keeper(folder / "keeper.lock")
        self._opened.callback(self._keeper.close)
        self.writer = ParquetStore(self.parts, part_s=NEVER_S)
        self.writing = self._follower(SeriesSink(self.writer), lambda: True)
        self.reader = ParquetStore(
            self.parts, part_s=NEVER_S, writes=False, elapsed=lambda: self._elapsed,
            in_line=InLine(self.journal, self.seen),
        )  # fmt: skip
        kept = KeptReadings(self.reader, Upkeep(self.reader, RealClock()), self._keeper)
        self.reading = self._follower(kept, lambda: kept.writes)

    def _follower(self, sink: Sink, owns: Callable[[], bool]) -> Follower:
        reader = JournalReader(self.journal, seen=self.seen, owns_seen=owns)
        return Follower("readings", self._opened.enter_context(reader), sink)

    def write(self, count: int) -> int:
        with JournalWriter(self.journal) as journal:
            for _ in range(count):
                self._made += 1
                scan = Scan("tank-1", self._made * S, True, (PointValue("tank_level", float(self._made)),))
                journal.append(S, [scan, DeadLetter(S, "t", b"x" * 2000, "r")])
            return journal.last_seq

    def cut(self, keep: float) -> int:
        cut(self.journal, keep)
        with JournalWriter(self.journal) as journal:
            return journal.last_seq

    def look(self) -> None:
        """The one that reads sees what the other one has written down."""
        self._elapsed += 60.0
        self.reader.write(0, 0, [])

    def take_over(self) -> None:
        """The one that wrote is dead, and the other one keeps the readings: from the next commit on."""
        assert self._keeper.take()
        self.write(1)
        self.reading.catch_up()

    def journaled(self) -> set[float]:
        with JournalReader(self.journal) as reader:
            commits = reader.read(0, 10_000)
        scans = [entry for commit in commits for entry in commit.entries if isinstance(entry, Scan)]
        return {float(item.value) for scan in scans for item in scan.values}

    def close(self) -> None:
        self._opened.close()


def levels(store: ParquetStore) -> set[float]:
    return {float(one.value) for one in store.read("tank-1", "tank_level", 0, 10**6 * S)}


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(tmp_path)
    yield plant
    plant.close()


def check(plant: Plant, also: set[float]) -> None:
    """Nothing that is in the journal, or was read before the cut by who goes on, is hidden or skipped: now, from the
    parts alone, and after the parts were cleared up and merged."""
    expected = plant.journaled() | also
    assert levels(plant.reader) == expected
    plant.reader.flush()
    again = ParquetStore(plant.parts)
    assert levels(again) == expected
    again.merge()
    assert levels(ParquetStore(plant.parts)) == expected
    with JournalReader(plant.journal) as journal:
        assert again.cursor == journal.last_seq()


@pytest.mark.parametrize("more", [1, 10, COUNT])
@pytest.mark.parametrize("looks", [False, True])
@pytest.mark.parametrize("written", [5, 40, COUNT])
def test_the_writer_dies_before_it_notices(plant: Plant, written: int, *, looks: bool, more: int) -> None:
    plant.write(written)
    plant.writing.catch_up()
    plant.writer.flush()
    plant.write(COUNT - written)
    plant.writing.catch_up()
    plant.reading.catch_up()
    before = levels(plant.reader)
    assert len(before) == COUNT
    kept = plant.cut(0.5)
    assert 5 < kept < 40
    plant.write(more)
    plant.reading.catch_up()
    if looks:
        plant.look()
        assert levels(plant.reader) == before | plant.journaled()
    plant.take_over()
    check(plant, before)


@pytest.mark.parametrize("more", [1, 10, COUNT])
@pytest.mark.parametrize("reads", [False, True])
@pytest.mark.parametrize("flushed", [False, True])
def test_the_writer_dies_after_it_noticed(plant: Plant, *, flushed: bool, reads: bool, more: int) -> None:
    plant.write(COUNT)
    plant.writing.catch_up()
    plant.reading.catch_up()
    before = levels(plant.reader)
    plant.cut(0.5)
    plant.write(more)
    if reads:
        plant.reading.catch_up()
    plant.writing.catch_up()
    if flushed:
        plant.writer.flush()
    plant.look()
    plant.write(2)
    plant.take_over()
    check(plant, before)


def test_who_did_not_notice_either_goes_back_when_it_writes(plant: Plant) -> None:
    plant.write(COUNT)
    plant.writing.catch_up()
    plant.writer.flush()
    plant.reading.catch_up()
    before = levels(plant.reader)
    plant.cut(0.5)
    plant.write(COUNT)
    plant.take_over()
    check(plant, before)


def test_a_journal_cut_twice(plant: Plant) -> None:
    plant.write(COUNT)
    plant.writing.catch_up()
    before = set[float]()
    for _ in range(2):
        plant.reading.catch_up()
        before |= levels(plant.reader)
        plant.cut(0.5)
        plant.write(7)
    plant.reading.catch_up()
    plant.take_over()
    check(plant, before)
