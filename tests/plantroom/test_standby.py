"""Two and more engines as real processes over one journal: the leader dies or stands still, and a standby goes on.

What is kept in the end is what one engine that nothing befell would have kept: each finding, order and line of history.
"""

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from judging import Judged
from receiver import Receiver
from running import System, wait_until
from soaking import Begin
from tanks import Tanks, children, episode, finish

from ingest.journal import JournalReader
from plantroom.database import Database
from plantroom.engine_host import LEASE as ENGINE
from plantroom.jobs import LEASE as JOBS

NewTankPlant = Callable[..., tuple[System, Tanks]]
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


@pytest.mark.soak
def test_every_role_that_is_killed_is_back(new_tank_plant: NewTankPlant, soak_row: Begin) -> None:
    counted = soak_row("kill -9 of the leading engine, the jobs, the pages and ingest as processes of their own")
    system, tanks = new_tank_plant(processes="engine,jobs engine,jobs web")
    with (
        closing(Database(f"sqlite:///{system.var}/plantroom.db")) as database,
        JournalReader(system.journal) as journal,
    ):
        for tank in range(3):
            wait_until(system.is_caught_up, 90, "everything to be judged")
            pid, same = holder(database, ENGINE), holder(database, ENGINE) == holder(database, JOBS)
            os.kill(pid, signal.SIGKILL)
            began = time.monotonic()
            for lease in (JOBS, ENGINE) if same else (ENGINE,):
                note(counted, lease, partial(is_taken, database, lease, pid), began)
            os.kill(children(system)["web"], signal.SIGKILL)
            note(counted, "pages", partial(is_served, system), time.monotonic())
            os.kill(children(system)["ingest"], signal.SIGKILL)
            note(counted, "ingest", partial(has_grown, journal, journal.last_seq()), time.monotonic())
            episode(system, tanks, tank, [], random.Random(tank))
    assert max(counted.get(f"ms until {lease} is back, at most", 0) for lease in (ENGINE, JOBS)) < 2_000
    counted.update(finish(system, tanks))


def holder(database: Database, lease: str) -> int:
    """Process id of who took a lease last."""
    with database.reading() as session:
        name = session.execute(sa.text("SELECT holder FROM lease WHERE name = :name"), {"name": lease}).scalar_one()
    return int(name.split(":")[1])


def is_taken(database: Database, lease: str, dead: int) -> bool:
    """Whether another process than the dead one holds it."""
    return holder(database, lease) != dead


def has_grown(journal: JournalReader, seq: int) -> bool:
    """Whether there are commits after `seq`."""
    return journal.last_seq() > seq


def is_served(system: System) -> bool:
    """Whether the pages are there and can do their work."""
    try:
        return httpx.get(f"http://127.0.0.1:{system.http_port}/readyz", timeout=1, trust_env=False).is_success
    except httpx.TransportError:
        return False


def note(counted: dict[str, int], what: str, is_back: Callable[[], bool], began: float) -> None:
    """Wait until it is back, and count the longest time that took."""
    pause, name = threading.Event(), f"ms until {what} is back, at most"
    while not is_back():
        assert time.monotonic() - began < 120, what
        pause.wait(0.02)
    counted[name] = max(counted.get(name, 0), round(1000 * (time.monotonic() - began)))
