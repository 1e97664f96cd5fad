"""What a process knows of a shard's journal beside the engine: newest values, kept readings, dead letters, strangers.

Every process with pages follows all of it. The one that is the keeper also writes it down.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry

from facility.clock import Clock
from facility.errors import RetryableError
from facility.reading import Commit
from facility.registry import Registry
from ingest.dead_letters import DeadLetterBox
from ingest.decoded import DecodedCommits
from ingest.discovery import DeviceInbox
from ingest.discovery_desk import Learned
from ingest.follower import Follower, FollowerMetrics, Sink
from ingest.journal import JournalReader
from ingest.latest import LatestValues
from ingest.quality_skew import DeviceClocks
from ingest.stores.base import SeriesSink, SeriesStore
from ingest.stores.upkeep import Upkeep, UpkeepMetrics
from ingest.unknown_codes import UnknownCodes
from plantroom.cursor_board import CursorBoard
from plantroom.database import Database
from plantroom.files import write_atomically
from plantroom.keeper import Keeper
from plantroom.series_store import open_store, upkept
from plantroom.settings import Settings, StoreKind
from plantroom.shard import Shard

log = structlog.get_logger(__name__)
Loop = Callable[[threading.Event], None]


class FollowedMetrics:
    """What the followers of all shards of a process show on /metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.followers, self.upkeep = FollowerMetrics(registry), UpkeepMetrics(registry)


@dataclass(slots=True)
class Followed:
    """Of one shard. `followers` grows when this process becomes the keeper."""

    settings: Settings
    shard: Shard
    keeper: Keeper
    database: Database
    decoded: DecodedCommits
    gauges: FollowerMetrics
    store: SeriesStore
    upkeep: Upkeep
    latest: LatestValues
    devices: DeviceInbox
    learned: Learned
    files: "KeptFiles"
    letters: DeadLetterBox
    followers: dict[str, Follower] = field(default_factory=dict)

    def lags(self) -> list[int]:
        """How many commits each follower is behind."""
        return [one.state.lag for one in list(self.followers.values())]

    def skews(self) -> list[int]:
        """How far the clocks of the devices are off that are known, in microseconds."""
        return [one.skew_us for one in self.learned.clocks.all()]

    def follow(self, name: str, sink: Sink, owns: Callable[[], bool] = lambda: True) -> Follower:
        """A follower of this name that hands the journal on to `sink`. `owns`: its file of runs is this process's."""
        journal, called = open_journal(self.shard, name, self.decoded, owns), self.shard.called(name)
        self.followers[called] = follower = Follower(called, journal, sink, metrics=self.gauges)
        return follower

    def loops(self, kept_cursor: Callable[[], int], *, pages: bool, keeps: bool) -> dict[str, Loop]:
        """What is to run in threads of their own. With `keeps` this process may become the keeper; `kept_cursor` says
        up to where the engine is done with the journal."""
        held = self.keeper
        loops: dict[str, Loop] = {"latest": self.follow("latest", self.latest, lambda: held.held).run}
        if pages or keeps:
            loops["devices"] = self._follow_into(self.shard.inbox_file, "devices", self.devices).run
            loops["codes"] = self._follow_into(self.shard.codes_file, "codes", self.learned.codes).run
            loops["device_clocks"] = self.follow("device_clocks", self.learned.clocks, lambda: held.held).run
        if (pages and self.settings.store is StoreKind.PARQUET) or self.keeper.held:
            loops["readings"] = self._follow_readings().run
        elif keeps:
            loops["readings"] = self._once_keeper(self._follow_readings)
        if self.keeper.held:
            loops["dead_letters"] = self.follow("dead_letters", self.letters).run
        elif keeps:
            loops["dead_letters"] = self._once_keeper(self._follow_letters)
        if keeps:
            loops["cursors"] = self._publish(kept_cursor)
        return loops

    def _follow_into(self, path: Path, name: str, sink: Sink) -> Follower:
        """`sink` keeps what it learns, and its cursor, in `path`: the file of runs is ours from when that one is."""
        return self.follow(name, sink, lambda: self.files.is_ours(path))

    def _once_keeper(self, follow: Callable[[], Follower]) -> Loop:
        """The durable cursors are those that the keeper before left: they are read when this one is it."""

        def run(stop: threading.Event) -> None:
            if self.keeper.wait(stop):
                follow().run(stop)

        return run

    def _follow_readings(self) -> Follower:
        """The file of runs is ours when the store writes: until then it says what the keeper before had read, by which
        the store sees whether all that was written is of the journal as it is."""
        sink = KeptReadings(self.store, self.upkeep, self.keeper)
        return self.follow("readings", sink, lambda: sink.writes)

    def _follow_letters(self) -> Follower:
        self.letters.begin_writing()
        return self.follow("dead_letters", self.letters)

    def _publish(self, kept_cursor: Callable[[], int]) -> Loop:
        cursors = {"engine": kept_cursor, "readings": lambda: self.store.cursor}
        board = CursorBoard(self.shard.cursors_file, cursors | {"dead_letters": lambda: self.letters.cursor})

        def run(stop: threading.Event) -> None:
            if self.keeper.wait(stop):
                board.run(stop)

        return run


class KeptFiles:
    """What the keeper writes for the next start. A file says what the keeper before knew until this one has written."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper, self._was_held, self._written = keeper, keeper.held, set[Path]()

    def write(self, path: Path, data: bytes) -> None:
        """Whole or not at all; nothing while another process is the keeper. Raises OSError."""
        if self._keeper.held:
            write_atomically(path, data)
            self._written.add(path)

    def is_ours(self, path: Path) -> bool:
        """Whether the file says what this process knows."""
        return self._was_held or path in self._written


class KeptReadings:
    """A sink: readings go to the store, and from the moment this process is the keeper they are written down."""

    def __init__(self, store: SeriesStore, upkeep: Upkeep, keeper: Keeper) -> None:
        self._store, self._upkeep, self._keeper = store, upkeep, keeper
        self._sink, self.writes = SeriesSink(store), False
        self._look()

    @property
    def cursor(self) -> int:
        """The store's own cursor."""
        return self._sink.cursor

    def take(self, commits: Sequence[Commit]) -> None:
        """Into the store. Raises what the store raises."""
        self._look()
        self._sink.take(commits)
        if self.writes:
            self._upkeep.look()

    def rewind(self, seq: int) -> None:
        """The journal was cut back."""
        self._sink.rewind(seq)

    def _look(self) -> None:
        if self._keeper.held and not self.writes:
            self._store.begin_writing()
            self.writes = True


def open_followed(
    settings: Settings,
    shard: Shard,
    parts: tuple[Database, Clock, Keeper, DecodedCommits, FollowedMetrics],
    registry: Callable[[], Registry],
    first: Registry,
) -> Followed:
    """Everything at where it was left. `first` is the directory of the files just read, `registry` the one in force."""
    database, clock, keeper, decoded, metrics = parts
    store = open_store(settings, shard, registry, writes=keeper.held)
    latest = _newest_readings(store, first)

    files = KeptFiles(keeper)
    codes = UnknownCodes(registry, shard.codes_file, files.write)
    return Followed(
        settings, shard, keeper, database, decoded, metrics.followers, store,
        upkeep=Upkeep(upkept(settings, shard, store), clock, metrics=metrics.upkeep),
        latest=latest,
        devices=DeviceInbox(shard.inbox_file, files.write),
        learned=Learned(DeviceClocks(latest.cursor), codes),
        files=files,
        letters=DeadLetterBox(database.writing, shard.letters_cursor, shard=shard.name),
    )  # fmt: skip


def open_journal(
    shard: Shard, follower: str, decoded: DecodedCommits, owns: Callable[[], bool] = lambda: True
) -> JournalReader:
    """A reader of the journal that knows after a restart too what this follower has read."""
    return JournalReader(shard.journal_folder, seen=shard.runs_file(follower), owns_seen=owns, decoded=decoded)


def _newest_readings(store: SeriesStore, registry: Registry) -> LatestValues:
    """Seeded from the store; from the journal alone while the store is away."""
    latest = LatestValues(store.cursor)
    try:
        for asset_id in registry.assets:
            latest.seed(store.last(asset_id).values())
    except RetryableError as error:
        log.warning("the newest readings come from the journal alone", reason=str(error))
    return latest
