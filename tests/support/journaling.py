"""A journal on disk with tanks in it, and engines of one process over it, to be led through what befalls a journal."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import prometheus_client
from tanks import CONTRACT, RULES, SITE

from facility.clock import JournalClock
from facility.instant import SECOND_US, to_us
from facility.reading import DeadLetter, Entry, Heartbeat, PointValue, RuleSetActivated, Scan, SiteEdited
from ingest.journal import JournalReader, JournalWriter
from plantroom.database import Database
from plantroom.engine_host import LEASE, EngineHost
from plantroom.engine_metrics import EngineMetrics, HostMetrics
from rules.rule_set import RuleSet
from ticketing import repository
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.desk import Desk
from ticketing.lease import TTL, Lease

AT_US = to_us(datetime(2026, 3, 2, 1, tzinfo=UTC))
RULE_FILES = {"own.yaml": RULES}
FULL = 50.0


class Journal:
    """A journal on disk that hosts judge; a commit each ten minutes of event time."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder, self.database = folder, database
        self.wall = JournalClock(AT_US)
        self.opened = ExitStack()

    def write(self, count: int, tank: str = "tank-0", level: float = FULL) -> int:
        """Append so many commits in which a tank says this; the newest number."""
        with JournalWriter(self.folder) as writer:
            for _ in range(count):
                seq = writer.last_seq + 1
                at_us = AT_US + seq * 600 * SECOND_US
                said: list[Entry] = [Scan(tank, at_us, True, (PointValue("tank_level", level),)), Heartbeat(at_us)]
                if seq == 1:
                    files = SiteEdited("site", AT_US, {"site.yaml": SITE.replace("60 s", "10 min")})
                    said = [files, RuleSetActivated("rules", AT_US, RuleSet.load(RULE_FILES).digest, RULE_FILES), *said]
                writer.append(AT_US + seq, [*said, DeadLetter(at_us, "t", b"x" * 2000, "r")])
            return writer.last_seq

    def host(self, name: str, folder: Path | None = None) -> EngineHost:
        """A process over it; one that only follows without a name."""
        seen = self.folder.parent / f"{name or 'page'}.runs"
        reader = self.opened.enter_context(JournalReader(folder or self.folder, seen=seen))
        lease = Lease(self.database, LEASE, name, self.wall) if name else None
        desk = Desk(ContractBook([parse_contract(CONTRACT, "contract.yaml")]), lambda: made.registry)
        made = EngineHost(
            reader, self.database, desk, lease=lease, allowance_us=2 * SECOND_US, clock=JournalClock(AT_US),
            metrics=HostMetrics(EngineMetrics(prometheus_client.CollectorRegistry())),
        )  # fmt: skip
        return made

    def ended(self) -> None:
        """Whoever leads is gone."""
        self.wall.advance(to_us(self.wall.now() + TTL + timedelta(seconds=1)))

    def progress(self) -> repository.Progress:
        with self.database.reading() as session:
            return repository.load_progress(session)

    def active(self) -> set[str]:
        with self.database.reading() as session:
            return {row.asset_id for row in repository.list_findings(session, active=True, limit=None)}


def run(host: EngineHost, seq: int) -> None:
    """Until it has come to `seq`."""
    for _ in range(100):
        host.step()
        if host.cursor >= seq:
            return
    raise AssertionError((host.cursor, seq))
