"""A journal that was cut back while nobody looked: whoever leads next finds it, and whoever follows hears of it."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import prometheus_client
import pytest
from cutting import cut
from tanks import CONTRACT, RULES, SITE

from facility.clock import JournalClock
from facility.instant import SECOND_US, to_us
from facility.reading import DeadLetter, Entry, Heartbeat, PointValue, RuleSetActivated, Scan, SiteEdited
from ingest.journal import JournalError, JournalReader, JournalWriter
from plantroom.database import Database
from plantroom.engine_host import LEASE, EngineHost, HostMetrics
from rules.rule_set import RuleSet
from ticketing import repository
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.desk import Desk
from ticketing.lease import TTL, Lease

AT_US = to_us(datetime(2026, 3, 2, 1, tzinfo=UTC))
RULE_FILES = {"own.yaml": RULES}
LOW, FULL = 20.0, 50.0
KEEP = 0.6


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
            metrics=HostMetrics(prometheus_client.CollectorRegistry()),
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


@pytest.fixture
def journal(database: Database, tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path / "journal", database).opened):
        yield Journal(tmp_path / "journal", database)


def run(host: EngineHost, seq: int) -> None:
    """Until it has come to `seq`."""
    for _ in range(100):
        host.step()
        if host.cursor >= seq:
            return
    raise AssertionError((host.cursor, seq))


def cut_below(journal: Journal, seq: int) -> int:
    """Cut the journal back; what was kept, which is less than `seq`, and more than the snapshot is of."""
    cut(journal.folder, KEEP)
    with JournalWriter(journal.folder) as writer:
        kept = writer.last_seq
    assert 10 < kept < seq
    return kept


@pytest.mark.parametrize("refilled", [False, True])
def test_who_leads_after_a_start_finds_a_cut_behind_its_snapshot(journal: Journal, *, refilled: bool) -> None:
    """The snapshot is older than the cut, so that reading on from there shows nothing of it."""
    journal.write(10)
    first, page = journal.host("first"), journal.host("")
    run(first, 10)  # and its snapshot is of here
    end = journal.write(60, "tank-1", LOW)
    run(first, end)
    run(page, end)
    assert journal.active() == {"tank-1"}
    assert journal.progress()[:3] == (end, 10, 0)
    kept = cut_below(journal, end)
    newest = journal.write(100 if refilled else 1, "tank-2", LOW)
    journal.ended()
    second = journal.host("second")
    assert second.cursor == 10
    run(second, newest)
    run(page, newest)
    assert (kept < newest, journal.progress().rewinds) == (True, 1)
    assert {one.asset_id for one in second.engine.active()} == {one.asset_id for one in page.engine.active()}
    assert journal.active() == {one.asset_id for one in second.engine.active()}


def test_what_was_found_in_the_part_that_is_gone_is_ended(journal: Journal) -> None:
    journal.write(10)
    first = journal.host("first")
    run(first, 10)
    journal.write(50)
    run(first, journal.write(5, "tank-1", LOW))
    assert journal.active() == {"tank-1"}
    kept = cut_below(journal, 60)
    journal.ended()
    second = journal.host("second")
    run(second, journal.write(3))
    assert journal.active() == set()
    assert journal.progress()[::2] == (kept + 3, 1)


def test_a_standby_that_lags_finds_what_the_leader_had_kept_beyond_it(journal: Journal) -> None:
    journal.write(10)
    leader, standby, page = journal.host("leader"), journal.host("standby"), journal.host("")
    run(leader, 10)
    run(standby, 10)
    end = journal.write(60, "tank-1", LOW)
    run(leader, end)
    run(page, end)
    cut_below(journal, end)
    newest = journal.write(2)
    journal.ended()
    run(standby, newest)
    run(page, newest)
    assert (standby.leads, journal.progress().rewinds) == (True, 1)


def test_a_leader_that_went_back_to_what_is_kept_finds_it_too(journal: Journal) -> None:
    journal.write(10)
    leader, page = journal.host("leader"), journal.host("")
    run(leader, 10)
    end = journal.write(60)
    run(leader, end)
    run(page, end)
    leader._stale = True  # the database was away
    cut_below(journal, end)
    newest = journal.write(2)
    run(leader, newest)
    run(page, newest)
    assert journal.progress().rewinds == 1


def test_starts_of_the_writer_are_no_cut(journal: Journal) -> None:
    for number in range(1, 5):
        end = journal.write(7)
        journal.ended()
        run(journal.host(f"engine-{number}"), end)
    assert journal.progress()[::2] == (28, 0)


def test_another_journal_is_not_judged(journal: Journal, tmp_path: Path) -> None:
    run(journal.host("first"), journal.write(10))
    journal.ended()
    other = Journal(tmp_path / "other", journal.database)
    other.write(50, "tank-1", LOW)
    stranger = journal.host("stranger", other.folder)
    with pytest.raises(JournalError, match="not the one that was judged up to commit 10"):
        stranger.step()
    assert journal.active() == set()
