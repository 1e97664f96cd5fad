"""A process with pages that becomes the keeper just after a journal was cut back: no reading is lost."""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cutting import cut
from prometheus_client import CollectorRegistry
from running import wait_until
from tanks import SITE

from facility.clock import RealClock
from facility.instant import SECOND_US
from facility.reading import DeadLetter, PointValue, Scan
from facility.site_file import parse_site
from ingest.decoded import DecodedCommits
from ingest.follower import Follower
from ingest.journal import JournalReader, JournalWriter
from ingest.stores.base import SeriesSink
from ingest.stores.parquet import ParquetStore
from plantroom.database import Database
from plantroom.followed import Followed, FollowedMetrics, Loop, open_followed
from plantroom.keeper import Keeper
from plantroom.settings import load_settings

COUNT = 60
FOLLOW = ("readings", "devices", "codes")


class Standby:
    """Follows with pages while another process is the keeper."""

    def __init__(self, var: Path, database: Database) -> None:
        settings = load_settings(var=var)
        self.shard = settings.main
        self._before, self._keeper = Keeper(self.shard.keeper_lock), Keeper(self.shard.keeper_lock)
        assert self._before.take()
        self.journal = self.shard.journal_folder
        self._settings, self._database = settings, database
        self._made, self._over = 0, threading.Event()
        self.write(COUNT)
        with (
            closing(ParquetStore(self.shard.parquet_folder)) as store,
            closing(JournalReader(self.journal, seen=self.shard.runs_file("readings"))) as reader,
        ):
            Follower("readings", reader, SeriesSink(store)).catch_up()
        self._kept_before()
        self.followed, loops = self.open(self._keeper)
        self._threads = [threading.Thread(target=loops[name], args=(self._over,)) for name in FOLLOW]
        for thread in self._threads:
            thread.start()

    def _kept_before(self) -> None:
        """What the keeper has learnt, in its files."""
        followed, _ = self.open(self._before)
        for name in FOLLOW[1:]:
            followed.followers[name].catch_up()
        for sink in (followed.devices, followed.learned.codes):
            sink.rewind(COUNT)  # it saves
            assert sink.cursor == COUNT
        followed.store.close()

    def open(self, keeper: Keeper) -> tuple[Followed, dict[str, Loop]]:
        """As a process with pages does at its start."""
        registry = parse_site(SITE, "site.yaml")
        parts = (self._database, RealClock(), keeper, DecodedCommits(), FollowedMetrics(CollectorRegistry()))
        followed = open_followed(self._settings, self.shard, parts, lambda: registry, registry)
        return followed, followed.loops(lambda: 0, pages=True, keeps=True)

    def write(self, count: int) -> None:
        """Each reading says how many were made before it, and so does its instant."""
        with JournalWriter(self.journal) as journal:
            for _ in range(count):
                self._made += 1
                value = PointValue("tank_level", float(self._made))
                scan = Scan("tank-1", self._made * SECOND_US, True, (value,))
                journal.append(SECOND_US, [scan, DeadLetter(SECOND_US, "t", b"x" * 2000, "r")])

    def take_over(self) -> None:
        """The keeper is dead, and this one has the lock."""
        self._before.close()
        assert self._keeper.take()

    def await_end(self) -> None:
        """Until it has read to the journal's end."""
        with closing(JournalReader(self.journal)) as reader:
            newest = reader.last_seq()
        followers = [self.followed.followers[name] for name in FOLLOW]
        wait_until(lambda: {one.state.position for one in followers} == {newest}, 30, f"commit {newest}")

    def close(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        self.followed.store.close()
        self._keeper.close()


@pytest.fixture
def standby(tmp_path: Path, sqlite_file: Path) -> Iterator[Standby]:
    with closing(Database(f"sqlite:///{sqlite_file}")) as database:
        standby = Standby(tmp_path, database)
        try:
            yield standby
        finally:
            standby.close()


@pytest.mark.parametrize("noticed", [False, True])
def test_no_reading_of_after_a_cut_is_lost_to_who_goes_on(standby: Standby, *, noticed: bool) -> None:
    standby.await_end()
    cut(standby.journal, 0.5)
    standby.write(10)
    if noticed:
        standby.await_end()
    standby.take_over()
    standby.write(10)
    standby.await_end()
    standby.close()
    with closing(ParquetStore(standby.shard.parquet_folder)) as store:
        kept = {one.value for one in store.read("tank-1", "tank_level", 0, 10**4 * SECOND_US)}
    assert kept == {float(number) for number in range(1, COUNT + 21)}


def test_it_starts_anew_after_it_went_on_from_a_cut(standby: Standby) -> None:
    """What devices and codes were learnt is in files with the cursor of the keeper before, until there is news."""
    standby.await_end()
    cut(standby.journal, 0.5)
    standby.write(1)
    standby.await_end()
    standby.take_over()
    standby.write(1)
    standby.await_end()
    standby.close()
    with closing(Keeper(standby.shard.keeper_lock)) as keeper:
        assert keeper.take()
        again, _ = standby.open(keeper)
        for name in FOLLOW:
            again.followers[name].catch_up()
        again.store.close()
