"""Two and more engines as real processes over one journal: the leader dies or stands still, and a standby goes on.

What is kept in the end is what one engine that nothing befell would have kept: each finding, order and line of history.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from judging import Judged
from receiver import Receiver
from running import wait_until
from soaking import Begin

from plantroom.database import Database
from plantroom.jobs import LEASE as JOBS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot stop a process and let it go on")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with closing(Receiver()) as listening:
        yield listening


@pytest.fixture
def plant(database: Database, receiver: Receiver, tmp_path: Path) -> Iterator[Judged]:
    with closing(Judged(tmp_path, database, receiver.port)) as judged:
        yield judged


@pytest.fixture
def empty(upgraded_sqlite: Path, tmp_path: Path) -> Iterator[Database]:
    """For the engine that nothing befalls."""
    copy = tmp_path / "alone.db"
    copy.write_bytes(upgraded_sqlite.read_bytes())
    with closing(Database(f"sqlite:///{copy}")) as opened:
        yield opened


def begin(plant: Judged, how_many: int) -> None:
    """So many processes that judge or stand by."""
    started = [plant.start() for _ in range(how_many)]
    wait_until(lambda: all(map(plant.is_ready, started)), 120, f"all to lead or stand by: {plant.log()[-3000:]}")


def wake(plant: Judged, pid: int) -> None:
    """Let a process that stood still go on, and wait until it has noticed that another one leads."""
    said = "this one stands by"
    before = plant.log().count(said)
    plant.strike(pid, signal.SIGCONT)
    wait_until(lambda: plant.log().count(said) > before, 60, f"{pid} to notice: {plant.log()[-3000:]}")
    assert plant.leader()[0] != pid


def check(plant: Judged, empty: Database, receiver: Receiver, disturbances: int) -> dict[str, int]:
    """Nothing is lost, nothing opened twice, and everyone is told once, but for what was on its way."""
    plant.finish()
    plant.undisturbed(empty)
    kept, wanted = plant.kept(), plant.kept(empty)
    assert {name: len(rows) for name, rows in kept.items()} == {name: len(rows) for name, rows in wanted.items()}
    for name, rows in wanted.items():
        assert kept[name] == rows, name
    mine, other = plant.engine(), plant.engine(empty)
    assert (mine.pending(), mine.active(), mine.judged_us()) == (other.pending(), other.active(), other.judged_us())
    with plant.database.reading() as session:
        told = [str(key) for (key,) in session.execute(sa.text("SELECT key FROM outbox"))]
    assert len(told) == len(kept["orders"])
    assert set(receiver.taken) <= set(told)
    assert receiver.taken.total() <= len(told) + disturbances
    return {name: len(rows) for name, rows in kept.items()}


def test_a_standby_goes_on_where_the_leader_died_and_a_sleeper_writes_nothing(
    sqlite_file: Path, tmp_path: Path, receiver: Receiver, empty: Database
) -> None:
    with (
        closing(Database(f"sqlite:///{sqlite_file}")) as database,
        closing(Judged(tmp_path, database, receiver.port)) as plant,
    ):
        begin(plant, 2)
        first, epoch = plant.leader()
        assert plant.progress().cursor_seq > 0
        plant.stand_still(first)
        plant.replaced(first)
        second, now = plant.leader()
        assert (second != first, now) == (True, epoch + 1)
        wake(plant, first)
        plant.strike(second, signal.SIGKILL)
        plant.replaced(second)
        assert plant.leader() == (first, epoch + 2)
        counted = check(plant, empty, receiver, 2)
        assert counted["orders"] > 0


@pytest.mark.soak
def test_leaders_die_and_stand_still_again_and_again(
    plant: Judged, receiver: Receiver, empty: Database, soak_row: Begin
) -> None:
    kind = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[plant.database.engine.dialect.name]
    counted = soak_row(f"the leading engine killed, stopped and woken, a standby beside it, on {kind}")
    begin(plant, 2)
    spans = []
    for number in range(8):
        leader, epoch = plant.leader()
        if number % 2:
            plant.stand_still(leader)
            spans.append(plant.replaced(leader))
            wake(plant, leader)
        else:
            plant.strike(leader, signal.SIGKILL)
            spans.append(plant.replaced(leader))
            plant.replaced(leader, JOBS)
            begin(plant, 1)
        assert plant.leader()[1] == epoch + 1
    counted.update({"kills": 4, "stops": 4} | check(plant, empty, receiver, 8))
    counted["ms until back, at most"] = round(1000 * max(spans))
    counted["ms until back, median"] = round(1000 * sorted(spans)[len(spans) // 2])
    assert max(spans) < 2.0
