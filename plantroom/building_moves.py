"""Says in a shard's journal which buildings its engine judges, and brings moves between shards forward.

What is to be said follows from the rows of the database alone (`ticketing.shard_rows`), so that whoever leads next,
after a kill at any instant, says the same. The steps of a move:

1. somebody asks for it: the row is `wanted`. The new shard expects the building: its ingest subscribes to its topics,
   and its engine keeps back unjudged what comes of it.
2. the broker has granted all of them to the lasting session of the new ingest: the row is `covered`. The old shard is
   told to let it go. Its ingest journals that once everything that was under way to it before has come.
3. the old engine has judged up to there: in the transaction of its cursor the row gets its memory of the building, and
   belongs to the new shard (`released`).
4. the new shard is told that it is its own, with that memory; its engine judges what was kept back, and in the
   transaction of its cursor the move is over.
"""

import hashlib
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import structlog

from facility.clock import Clock, RealClock
from facility.errors import RetryableError
from facility.instant import SECOND_US
from facility.reading import BuildingsAssigned
from facility.registry import Registry
from ingest.control import peek, submit
from ingest.shard import read_covered
from plantroom.database import Database
from plantroom.shard import Shard
from rules.engine import Engine
from ticketing import shard_rows
from ticketing.lease import Lease
from ticketing.shard_rows import Phase
from ticketing.tables_shard import BuildingShardRow

log = structlog.get_logger(__name__)
LOOK_S = 0.25
AGAIN_US = 5 * SECOND_US
"""So long nothing is said again that is in the journal without effect."""


class LeadingHost(Protocol):
    """The engine's host of the shard."""

    cursor: int
    away: str

    @property
    def leads(self) -> bool:
        """Whether this process writes what is found."""

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Held while the engine is looked at."""

    @property
    def engine(self) -> Engine:
        """The engine that judges."""

    def note(self, left: Iterable[str], came: Iterable[str]) -> None:
        """The next write says that the engine has no more of the first, and judges the others."""

    def awaits_files(self) -> bool:
        """Whether the journal does not say yet which site and rules hold."""


class Journal(Protocol):
    """The shard's journal."""

    def last_seq(self) -> int:
        """The newest sequence number."""


@dataclass(frozen=True, slots=True)
class InForce:
    """What an engine judges by now."""

    assigned: tuple[str, ...] | None
    expected: tuple[str, ...]
    everything: frozenset[str]
    released: Mapping[str, bytes]

    @classmethod
    def of(cls, host: LeadingHost) -> "InForce":
        """As it is between two events."""
        with host.lock:
            engine = host.engine
            everything = frozenset(engine.directory.buildings)
            return cls(engine.assigned, engine.expected, everything, {**engine.released})

    def judges(self, building: str) -> bool:
        """Whether it is judged here, if it is there at all."""
        return building in (self.everything if self.assigned is None else self.assigned)


@dataclass(frozen=True, slots=True)
class Lists:
    """What a journal is to say. `epochs` are the moves that have made it so."""

    buildings: tuple[str, ...]
    expected: tuple[str, ...]
    handed: Mapping[str, bytes]
    elsewhere: tuple[str, ...]
    epochs: int

    def event_id(self, shard: str, again: str = "") -> str:
        """Of the same lists after the same moves, the same: an event that comes late is known, and changes nothing."""
        said = repr((shard, self.buildings, self.expected, sorted(self.handed), self.epochs)).encode()
        return f"buildings/{shard}/{hashlib.sha256(said).hexdigest()[:32]}{again}"

    def are(self, now: InForce, *, is_main: bool) -> bool:
        """Whether the engine judges by them. A journal that says nothing is about all buildings: that of another shard
        than the first begins with a word."""
        if now.assigned is None:
            own, handed = frozenset(self.buildings), self.handed.keys()
            return is_main and not self.expected and handed <= now.everything <= own
        wanted = (frozenset(self.buildings), frozenset(self.expected))
        return (frozenset(now.assigned), frozenset(now.expected)) == wanted

    def are_said_by(self, event: BuildingsAssigned) -> bool:
        """Whether an event says them."""
        return (event.buildings, event.expected, event.handed.keys()) == (
            self.buildings,
            self.expected,
            self.handed.keys(),
        )


def wished(rows: Sequence[BuildingShardRow], shard: str) -> Lists:
    """What the journal of this shard is to say by these rows."""
    released = {
        row.building_id: row.memory or b"" for row in rows if row.shard == shard and row.phase == Phase.RELEASED.value
    }
    own = [
        row.building_id
        for row in rows
        if row.shard == shard and not (row.phase == Phase.COVERED.value and row.after_seq is not None)
    ]
    coming = (Phase.WANTED.value, Phase.COVERED.value)
    expected = [row.building_id for row in rows if row.to_shard == shard and row.phase in coming]
    elsewhere = {row.building_id for row in rows} - {*own, *expected}
    epochs = sum(row.epoch for row in rows)
    return Lists(tuple(sorted(own)), tuple(sorted(expected)), released, tuple(sorted(elsewhere)), epochs)


class BuildingMoves:
    """For the process that leads the engine of a shard. By `clock`, the plant's, events stand in the journal."""

    def __init__(
        self, shard: Shard, database: Database, lease: Lease, host: LeadingHost, journal: Journal, clock: Clock
    ) -> None:
        self._shard, self._database, self._lease, self._host = shard, database, lease, host
        self._journal, self._clock, self._wall = journal, clock, RealClock()
        self._lock = threading.Lock()
        self._foreseen: frozenset[str] = frozenset()
        self._said: Lists | None = None
        self._settled: tuple[Lists, int] | None = None
        self._gone_at: int | None = None
        self._said_us, self._again_us = 0, 0

    def run(self, stop: threading.Event) -> None:
        """Look four times a second while this process leads; a database that is away is waited for."""
        while not stop.wait(LOOK_S):
            try:
                if self._host.leads and not self._host.away and not self._host.awaits_files():
                    self.look()
            except (RetryableError, OSError) as error:
                log.debug("who judges which building is looked at again", reason=str(error))

    def foresee(self, registry: Registry) -> None:
        """Site files with these buildings are about to be said: whose those are is said before them. Raises
        RetryableError, OSError."""
        self._foreseen = frozenset(registry.buildings)
        self.look()

    def look(self) -> None:
        """One step of whatever is to be done. Raises RetryableError, OSError."""
        with self._lock:
            # Before `now` and what is covered: what it takes back is durably not covered once it is gone from here.
            on_the_way = self._on_the_way()
            now, rows = InForce.of(self._host), self._rows()
            if self._shard.is_main and (new := self._new(rows, now)):
                with self._lease.writing() as session:
                    shard_rows.add_buildings(session, new, self._shard.name, self._wall.now())
                rows = self._rows()
            if self._advance(rows, now, is_said=bool(on_the_way)):
                rows = self._rows()
            lists = wished(rows, self._shard.name)
            if lists.are(now, is_main=self._shard.is_main):
                self._said = self._gone_at = None
                self._note(rows, now, None if on_the_way else lists)
            else:
                self._settled = None
                self._say(lists, on_the_way)

    def _rows(self) -> Sequence[BuildingShardRow]:
        with self._database.reading() as session:
            return shard_rows.list_buildings(session)

    def _new(self, rows: Sequence[BuildingShardRow], now: InForce) -> Collection[str]:
        known = {row.building_id for row in rows}
        return sorted((now.everything | self._foreseen) - known)

    def _on_the_way(self) -> list[BuildingsAssigned]:
        """What waits for ingest to journal it."""
        return [event for event in peek(self._shard.control_folder) if isinstance(event, BuildingsAssigned)]

    def _advance(self, rows: Sequence[BuildingShardRow], now: InForce, *, is_said: bool) -> bool:
        """The next step of each move that waits for this shard; whether a row has changed. With `is_said` something
        waits for ingest, and what it covers then is not known."""
        shard, covered = self._shard.name, read_covered(self._shard.run_folder)
        changed = False
        for row in rows:
            name, stays = row.building_id, row.phase in (Phase.STAYS.value, Phase.WANTED.value)
            hears = name in now.expected and (name in covered or self._is_gone(name, now))
            if row.to_shard == shard and row.phase == Phase.WANTED.value and hears and not is_said:
                with self._lease.writing() as session:
                    changed |= shard_rows.cover(session, row, self._wall.now())
            elif row.shard == shard and stays and name in now.released and not now.judges(name):
                log.warning(
                    "a building left by a journal that is newer than the database; it comes back", building=name
                )
                with self._lease.writing() as session:
                    changed |= shard_rows.give_back(session, row, now.released[name], self._wall.now())
            elif row.shard == shard and row.phase in (Phase.COVERED.value, Phase.RELEASED.value):
                changed |= self._begin_step(row)
        return changed

    def _is_gone(self, building: str, now: InForce) -> bool:
        """Whether no site file describes it, neither in force nor on disk: nothing is heard of it, nor kept back."""
        return bool(self._foreseen) and building not in now.everything | self._foreseen

    def _note(self, rows: Sequence[BuildingShardRow], now: InForce, lists: Lists | None) -> None:
        """Steps that the journal says nothing of any more, because it is so already: a building that was gone when it
        was to leave, or that came by a database which has been put back since. `lists` are in force, and nothing else
        waits to be journalled; None while something does."""
        if lists is None or self._settled is None or self._settled[0] != lists:
            self._settled = None if lists is None else (lists, self._journal.last_seq())
            return
        cursor = self._host.cursor
        if cursor < self._settled[1]:
            return
        own = [row for row in rows if row.shard == self._shard.name]
        begun = [(row.building_id, row.phase) for row in own if row.after_seq is not None and row.after_seq < cursor]
        left = [name for name, phase in begun if phase == Phase.COVERED.value and not now.judges(name)]
        came = [name for name, phase in begun if phase == Phase.RELEASED.value and now.judges(name)]
        if left or came:
            self._host.note(left, came)

    def _begin_step(self, row: BuildingShardRow) -> bool:
        last_seq = self._journal.last_seq()
        if row.after_seq is not None and row.after_seq <= last_seq:
            return False
        with self._lease.writing() as session:
            return shard_rows.begin_step(session, row, last_seq)

    def _say(self, lists: Lists, on_the_way: Sequence[BuildingsAssigned]) -> None:
        """Once, and again when it has been journalled, or refused, without effect."""
        if any(lists.are_said_by(one) for one in on_the_way):
            self._said, self._gone_at = lists, None
            return
        again = ""
        if self._said == lists:
            if self._gone_at is None:
                self._gone_at = self._journal.last_seq()
            if self._host.cursor < self._gone_at or self._wall.now_us() < self._again_us:
                return
            again = f"/{self._gone_at}"
        # Files are journalled in the order of their instants, and the files of the site come after this.
        self._said_us = max(self._clock.now_us() - 1, self._said_us + 1)
        event_id = lists.event_id(self._shard.name, again)
        event = BuildingsAssigned(
            event_id, self._said_us, lists.buildings, lists.expected, dict(lists.handed), lists.elsewhere
        )
        submit(self._shard.control_folder, event)
        log.info(
            "told the journal which buildings are judged", shard=self._shard.name, own=len(lists.buildings),
            coming=lists.expected, handed=sorted(lists.handed),
        )  # fmt: skip
        self._said, self._gone_at, self._again_us = lists, None, self._wall.now_us() + AGAIN_US
