"""Two shards with their journals on disk, engines over one database, and what the real ingest promises.

A message is journalled by every shard that hears the building, and what a journal says of buildings is said in order.
"""

import random
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import prometheus_client
import sqlalchemy as sa
from journaling import AT_US, RULE_FILES
from tanks import CONTRACT

from facility.clock import JournalClock, RealClock
from facility.errors import RetryableError
from facility.instant import SECOND_US, to_us
from facility.reading import BuildingsAssigned, Entry, Heartbeat, PointValue, RuleSetActivated, Scan, SiteEdited
from facility.site_file import parse_site
from ingest.control import waiting
from ingest.journal import JournalReader, JournalWriter
from ingest.shard import write_covered
from plantroom.building_moves import BuildingMoves
from plantroom.building_owner import OneOfSeveral
from plantroom.database import Database
from plantroom.engine_host import EngineHost
from plantroom.engine_metrics import EngineMetrics, HostMetrics
from plantroom.shard import Shard, shards_in
from rules.rule_set import RuleSet
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.desk import Desk
from ticketing.lease import TTL, Lease
from ticketing.tables import EventRow, FindingRow, WorkOrderRow

BUILDINGS = ("mall", "tower")
SITE = "site: {id: kill, zone: UTC}\nbuildings:\n" + "".join(
    f"  - id: {building}\n    assets:\n"
    + "".join(
        f"      - {{id: {building}-{number}, class: tank, points: {{tank_level: {{cadence: 1 s}}}}}}\n"
        for number in range(2)
    )
    for building in BUILDINGS
)
DIRECTORY = parse_site(SITE, "site.yaml")
FILES: tuple[Entry, ...] = (
    SiteEdited("site", AT_US, {"site.yaml": SITE}),
    RuleSetActivated("rules", AT_US, RuleSet.load(RULE_FILES).digest, RULE_FILES),
)


class Part:
    """One shard: `hear` and `listen` are its ingest, `step` its leading process, and `start` another one after it.

    The one before may have been stopped only: `wake` lets it look once more.
    """

    def __init__(self, shard: Shard, database: Database) -> None:
        self.shard, self._database = shard, database
        self.wall, self._lives = JournalClock(AT_US), 0
        self._opened = ExitStack()
        self.writer = self._opened.enter_context(JournalWriter(shard.journal_folder))
        self.known = frozenset(BUILDINGS)
        """The buildings of the site files in force."""
        self._hears: frozenset[str] | None = None if shard.is_main else frozenset()
        self.host: EngineHost
        self.moves: BuildingMoves
        self._before: list[BuildingMoves] = []
        self.start()

    def start(self) -> None:
        """Another process over what is kept."""
        self._lives += 1
        self.wall.advance(to_us(self.wall.now() + TTL + timedelta(seconds=1)))
        reader = self._opened.enter_context(JournalReader(self.shard.journal_folder))
        lease = Lease(self._database, self.shard.engine, f"{self.shard.name}-{self._lives}", self.wall)
        self.host = host_of(reader, self._database, lease, self.shard.engine, OneOfSeveral(self.shard.name))
        self.moves = BuildingMoves(self.shard, self._database, lease, self.host, reader, JournalClock(AT_US))
        moves = self.moves
        self.host.leveled = lambda: moves.foresee(DIRECTORY)
        self._before.append(moves)

    def listen(self, at_us: int) -> None:
        """Journal what waits, then its heartbeat."""
        events = waiting(self.shard.control_folder)
        self.writer.append(at_us, [*(item.event for item in events), Heartbeat(at_us)])
        for item in events:
            if isinstance(item.event, BuildingsAssigned):
                self._hears = frozenset((*item.event.buildings, *item.event.expected))
                write_covered(self.shard.run_folder, self._hears & self.known)
            item.path.unlink()

    def hear(self, scan: Scan) -> None:
        """Journal a message, unless it belongs to another shard."""
        if self._hears is None or DIRECTORY.assets[scan.asset_id].building_id in self._hears:
            self.writer.append(scan.at_us, [scan])

    def step(self) -> None:
        """Judge what is there and look at the rows."""
        self.host.step()
        if self.host.leads:
            self.moves.look()

    def wake(self, chance: random.Random) -> None:
        """A process that was replaced looks, and says what it has to say, before it notices."""
        with suppress(RetryableError):
            chance.choice(self._before).look()

    def close(self) -> None:
        self._opened.close()


class Divided:
    """A plant of `main` and `south`. Each tick is a second of event time in which every tank speaks."""

    def __init__(self, folder: Path, database: Database, alone: Database) -> None:
        self.database, self._alone, self._folder = database, alone, folder
        self.main, self.south = (Part(shard, database) for shard in shards_in(folder / "var", ["south"]))
        self.whole = JournalWriter(folder / "whole")
        self.low: set[str] = set()
        self._seconds = 0
        self.main.writer.append(AT_US, list(FILES))
        self.whole.append(AT_US, list(FILES))
        self._settle_files()

    def _settle_files(self) -> None:
        for _ in range(3):
            self.south.step()
            self.south.listen(AT_US)
        self.south.writer.append(AT_US, list(FILES))

    @property
    def parts(self) -> tuple[Part, Part]:
        return self.main, self.south

    def tick(self, chance: random.Random | None = None) -> None:
        """A second: messages and heartbeats, and both engines; with `chance` in any order, and some of it only."""
        self._seconds += 1
        at_us = AT_US + self._seconds * SECOND_US
        scans = [Scan(name, at_us, True, (PointValue("tank_level", 20.0 if name in self.low else 50.0),))
                 for name in DIRECTORY.assets]  # fmt: skip
        for scan in scans:
            self.whole.append(at_us, [scan])
            for part in self.parts:
                part.hear(scan)
        self.whole.append(at_us, [Heartbeat(at_us)])
        for part in self.parts:
            part.listen(at_us)
        doing = [part for part in self.parts for _ in range(2)]
        if chance is not None:
            chance.shuffle(doing)
            doing = doing[: chance.randint(0, len(doing))]
        for part in doing:
            part.step()

    def finish(self) -> None:
        """Everything is judged, also by the engine that nothing befell."""
        for _ in range(40):
            self.tick()
        with JournalReader(self._folder / "whole") as journal:
            clock = JournalClock(AT_US)
            host = host_of(journal, self._alone, Lease(self._alone, "engine", "alone", clock), "engine", None)
            while host.cursor < journal.last_seq():
                host.step()

    def kept(self, *, alone: bool = False) -> dict[str, list[Any]]:
        """Findings, and of orders and their histories what does not depend on which engine was first."""
        database = self._alone if alone else self.database
        with database.reading() as session:
            findings = [one.model_dump() for one in session.execute(sa.select(FindingRow)).scalars()]
            orders = {one.id: one for one in session.execute(sa.select(WorkOrderRow)).scalars()}
            lines = [(orders[one.work_order_id].cause_key, orders[one.work_order_id].opened_at, one.at, one.verb)
                     for one in session.execute(sa.select(EventRow)).scalars()]  # fmt: skip
        return {
            "findings": sorted(findings, key=lambda one: str(one["id"])),
            "orders": sorted((one.cause_key, one.opened_at, one.status) for one in orders.values()),
            "histories": sorted(lines),
        }

    def close(self) -> None:
        for part in self.parts:
            part.close()
        self.whole.close()


def host_of(
    journal: JournalReader, database: Database, lease: Lease, name: str, owner: OneOfSeveral | None
) -> EngineHost:
    """A process that judges."""
    desk = Desk(ContractBook([parse_contract(CONTRACT, "contract.yaml")]), lambda: DIRECTORY)
    return EngineHost(
        journal, database, desk, lease=lease,
        allowance_us=0, clock=RealClock(), name=name, owner=owner,
        metrics=HostMetrics(EngineMetrics(prometheus_client.CollectorRegistry())),
    )  # fmt: skip
