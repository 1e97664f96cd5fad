"""An engine of another version refuses the snapshot, and the journal's beginning is gone: it goes on warm."""

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import prometheus_client
import pytest
import sqlalchemy as sa
from sqlmodel import col
from tanks import CONTRACT, RULES, SITE

from facility.clock import JournalClock
from facility.errors import PermanentError
from facility.instant import DAY_US, SECOND_US, to_us
from facility.reading import (
    Commit,
    Entry,
    Heartbeat,
    PointValue,
    RuleSetActivated,
    Scan,
    Shelved,
    SiteEdited,
)
from ingest.runs import Place
from plantroom.database import Database
from plantroom.engine_host import LEASE, EngineHost
from plantroom.engine_metrics import EngineMetrics, HostMetrics
from plantroom.engine_start import WARM_UP_US
from rules.rule_set import RuleSet
from ticketing import repository
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.desk import Desk
from ticketing.lease import Lease
from ticketing.tables import EngineStateRow, FindingRow, WorkOrderRow

BEGIN_US = to_us(datetime(2026, 3, 2, 1, tzinfo=UTC))
STEP_US = 600 * SECOND_US
DAYS = 3
RULE_FILES = {"own.yaml": RULES}
EVENTS = (
    SiteEdited("site", BEGIN_US, {"site.yaml": SITE.replace("60 s", "10 min")}),
    RuleSetActivated("rules", BEGIN_US, RuleSet.load(RULE_FILES).digest, RULE_FILES),
    Shelved("shelved", BEGIN_US, "tank-3", "level-low-soon", BEGIN_US + 400 * DAY_US, "eve", "painting"),
)


class Kept:
    """A journal of a commit each ten minutes, whose beginning may be dropped."""

    def __init__(self) -> None:
        self.commits: list[Commit] = []
        self.first = 1

    def grow(self, *entries: Entry, **levels: float) -> None:
        at_us = BEGIN_US + len(self.commits) * STEP_US
        said = {name.replace("_", "-"): (PointValue("tank_level", level),) for name, level in levels.items()}
        scans = [Scan(asset_id, at_us, True, values) for asset_id, values in said.items()]
        self.commits.append(Commit(len(self.commits) + 1, at_us, (*entries, *scans, Heartbeat(at_us))))

    def read(self, after_seq: int, limit: int = 500) -> list[Commit]:
        assert after_seq >= self.first - 1, "what was dropped is asked for"
        return self.commits[after_seq : after_seq + limit]

    def last_seq(self) -> int:
        return len(self.commits)

    def first_seq(self) -> int:
        return self.first

    def place(self, seq: int) -> Place:
        return Place(seq)

    def common(self, place: Place) -> Place:
        return place


@pytest.fixture
def journal() -> Kept:
    return Kept()


def host(database: Database, journal: Kept, name: str) -> EngineHost:
    book = ContractBook([parse_contract(CONTRACT, "contract.yaml")])
    made: list[EngineHost] = []
    made.append(
        EngineHost(
            journal,
            database,
            Desk(book, lambda: made[0].registry),
            lease=Lease(database, LEASE, name, JournalClock(BEGIN_US)),
            allowance_us=2 * SECOND_US,
            clock=JournalClock(BEGIN_US),
            metrics=HostMetrics(EngineMetrics(prometheus_client.CollectorRegistry())),
        )
    )
    return made[0]


def run(engine: EngineHost) -> None:
    """Until nothing is waiting."""
    while engine.step() or engine.cursor < engine._journal.last_seq():
        continue


def of_another_version(database: Database) -> None:
    with database.writing() as session:
        row = session.get(EngineStateRow, "engine")
        assert row is not None
        assert row.snapshot is not None
        _, digest, body = msgspec.msgpack.decode(row.snapshot)
        row.snapshot = msgspec.msgpack.encode([1, digest, body])
        session.add(row)


def active(database: Database) -> dict[str, str]:
    """The id of the active finding of each asset that has one."""
    with database.reading() as session:
        rows = repository.list_findings(session, active=True, limit=None)
        found = {row.asset_id: row.id for row in rows}
        assert len(found) == len(rows)
    return found


def orders(database: Database) -> Sequence[tuple[str, str]]:
    with database.reading() as session:
        query = sa.select(col(WorkOrderRow.asset_id), col(WorkOrderRow.status)).order_by(col(WorkOrderRow.number))
        return [(asset_id, status) for asset_id, status in session.execute(query)]


@pytest.fixture
def judged(sqlite_file: Path, journal: Kept) -> Database:
    """Three days: a tank low from the first hour on, one since an hour, one was; then a snapshot of another version."""
    database = Database(f"sqlite:///{sqlite_file}")
    journal.grow(*EVENTS, tank_0=50.0)
    commits = DAYS * DAY_US // STEP_US
    for number in range(1, commits):
        lately, once = 20.0 if number > commits - 6 else 50.0, 20.0 if number < 6 else 50.0
        journal.grow(tank_0=20.0, tank_1=lately, tank_2=once, tank_3=20.0)
    old = host(database, journal, "old")
    run(old)
    assert set(active(database)) == {"tank-0", "tank-1", "tank-3"}
    old._write([], old.cursor, snapshot=True)
    assert old._lease is not None
    old._lease.let_go()
    of_another_version(database)
    journal.first = 20
    return database


def test_what_holds_stands_on_the_same_orders_and_the_engine_goes_on(judged: Database, journal: Kept) -> None:
    before, ordered = active(judged), orders(judged)
    new = host(judged, journal, "new")
    assert new.cursor == len(journal.commits) - WARM_UP_US // STEP_US - 1
    run(new)
    after = active(judged)
    assert set(after) == set(before)
    assert after["tank-1"] == before["tank-1"], "what began within the warm-up is the same finding"
    assert after["tank-0"] != before["tank-0"], "its beginning was not seen"
    assert orders(judged) == ordered, "nothing is opened twice"
    with judged.reading() as session:
        ended = session.get(FindingRow, before["tank-0"])
        assert ended is not None
        assert ended.cleared_at is not None
        members = repository.member_orders(session, [*before.values(), *after.values()])
    assert members[before["tank-0"]] == members[after["tank-0"]]
    assert [one.asset_id for one in new.engine.shelves()] == ["tank-3"]
    journal.grow(tank_0=50.0, tank_1=50.0, tank_2=50.0, tank_3=50.0)
    journal.grow(tank_0=50.0, tank_1=50.0, tank_2=50.0, tank_3=50.0)
    run(new)
    assert active(judged) == {}
    again = host(judged, journal, "again")
    assert again.cursor >= len(journal.commits) - 2, "its snapshot is of this version"


def test_what_ended_while_nobody_judged_is_cleared(judged: Database, journal: Kept) -> None:
    for _ in range(3):
        journal.grow(tank_0=50.0, tank_1=50.0, tank_2=50.0, tank_3=50.0)
    new = host(judged, journal, "new")
    run(new)
    assert active(judged) == {}


def test_a_standby_that_leads_long_after_ends_nothing_that_the_leader_found_last(
    judged: Database, journal: Kept
) -> None:
    leader, standby = host(judged, journal, "leader"), host(judged, journal, "standby")
    run(leader)
    while standby.cursor < leader.cursor:
        standby.step()
    for _ in range(4):
        journal.grow(tank_0=20.0, tank_1=20.0, tank_2=20.0, tank_3=20.0)
    run(leader)  # and what it found the standby has not judged yet
    before = active(judged)
    assert "tank-2" in before
    assert leader._lease is not None
    leader._lease.let_go()
    run(standby)
    assert standby.leads
    assert active(judged) == before


def test_killed_while_it_warms_up_it_begins_again(judged: Database, journal: Kept) -> None:
    killed = host(judged, journal, "killed")
    killed.step()
    assert killed._lease is not None
    killed._lease.let_go()
    before = set(active(judged))
    new = host(judged, journal, "new")
    run(new)
    assert set(active(judged)) == before


def test_a_snapshot_that_says_nothing_at_all_is_refused_with_what_to_do(judged: Database, journal: Kept) -> None:
    with judged.writing() as session:
        row = session.get(EngineStateRow, "engine")
        assert row is not None
        row.snapshot = b"dust"
        session.add(row)
    with closing(judged), pytest.raises(PermanentError, match=r"begins at 20 .* restore database and journal from one"):
        host(judged, journal, "new")
