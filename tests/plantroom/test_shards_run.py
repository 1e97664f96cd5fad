"""Two shards as real processes: a building moves while its tanks speak and a rule waits, whatever is killed meanwhile.

The rule raises at its right instant to the microsecond, once, whichever engine judges it by then; every acknowledged
reading is in one of the journals.
"""

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from brokers import Mosquitto
from running import ROOT, System, wait_until
from soaking import Begin
from tanks import DIVIDED, PERSISTENCE_US, TANKS, Tanks, findings_of, journalled, strike

from facility.instant import parse_instant, to_us
from plantroom.database import Database
from ticketing import shard_rows
from ticketing.tables_shard import BuildingShardRow

NewTankPlant = Callable[..., tuple[System, Tanks]]
Divided = tuple[System, Tanks, Database]
ANNEX = range(4, TANKS)
MOVES = 8
TOKEN = "a-token-of-this-test-that-nobody-guesses"  # noqa: S105 - ends with the test
VICTIMS = ("ingest", "engine", "ingest-south", "engine-south")


@pytest.fixture
def plant(new_tank_plant: NewTankPlant) -> Iterator[Divided]:
    system, tanks = new_tank_plant(shards="south", site_text=DIVIDED, within="240")
    with closing(Database(f"sqlite:///{system.var}/plantroom.db")) as database:
        yield system, tanks, database


@pytest.fixture
def on_postgres(new_tank_plant: NewTankPlant, new_postgres: Callable[[], str]) -> Iterator[Divided]:
    address = new_postgres()
    processes = "engine web,jobs"
    system, tanks = new_tank_plant(
        shards="south", site_text=DIVIDED, within="240", database_url=address, processes=processes
    )
    with closing(Database(address)) as database:
        yield system, tanks, database


@pytest.fixture
def on_mosquitto(new_tank_plant: NewTankPlant, tmp_path: Path) -> Iterator[Divided]:
    """Each ingest hears by filters of its own; with the embedded broker every one hears all."""
    broker = Mosquitto(tmp_path, "allow_anonymous true\nmax_queued_messages 100000\n")
    broker.start()
    address = f"sqlite:///{tmp_path}/plantroom.db"
    system, tanks = new_tank_plant(
        shards="south", site_text=DIVIDED, within="240", mode="production", token=TOKEN, mqtt_password=TOKEN,
        mqtt_port=str(broker.port), database_url=address,
    )  # fmt: skip
    (system.var / "token").write_text(TOKEN, encoding="ascii")  # what asks it reads it there
    with closing(Database(address)) as database:
        yield system, tanks, database
    tanks.halt.set()
    system.stop()
    broker.kill()


def row(database: Database) -> BuildingShardRow:
    with database.reading() as session:
        return session.get_one(BuildingShardRow, "annex")


def is_at(database: Database, shard: str) -> bool:
    found = row(database)
    return found.shard == shard and not found.phase


def move(system: System, shard: str, *more: str) -> "subprocess.Popen[bytes]":
    """The command, as somebody types it."""
    command = [sys.executable, "-m", "plantroom", "shards", "move", "annex", shard, *more]
    return subprocess.Popen(command, env={**os.environ, **system.settings}, cwd=ROOT, stdout=subprocess.DEVNULL)


def south(system: System) -> Path:
    return system.var / "shards/south/journal"


def heard(system: System) -> set[tuple[str, int]]:
    """Every scan that one of the journals holds."""
    return set(journalled(system.journal)) | set(journalled(south(system)))


def episode(system: System, tanks: Tanks, tank: int, meanwhile: Callable[[], object]) -> None:
    """Low, something happens while the rule waits, the finding at its right instant, and full again."""
    onset_us = tanks.fall(tank)
    wait_until(lambda: (f"tank-{tank}", onset_us) in heard(system), 120, "the first low reading")
    meanwhile()
    said = f"tank {tank}'s finding; log:\n{system.log()[-4000:]}"
    (found,) = wait_until(lambda: active(system, tank), 180, said)
    assert to_us(parse_instant(found["raised_at"])) == onset_us + PERSISTENCE_US
    tanks.refill(tank)
    wait_until(lambda: not active(system, tank), 120, f"tank {tank}'s finding to be cleared")


def active(system: System, tank: int) -> list[dict[str, Any]]:
    return [one for one in findings_of(system, tank) if one["state"] == "active"]


def finish(system: System, tanks: Tanks, falls: int, low: int) -> dict[str, int]:
    """Nothing that was acknowledged is lost, each fall has one finding, and each tank that was low one order."""
    tanks.halt.set()
    tanks.join(180)
    assert tanks.drained
    wait_until(lambda: tanks.sent <= heard(system), 180, "every acknowledged reading in a journal")
    system.wait_ready()
    lags = [f'plantroom_engine_lag_commits{{shard="{name}"}} 0.0' for name in ("main", "south")]
    wait_until(lambda: set(lags) <= set(system.get_text("/metrics").splitlines()), 180, "every commit to be judged")
    found = [one for tank in range(TANKS) for one in findings_of(system, tank)]
    assert len(found) == len({one["id"] for one in found}) == falls
    orders = system.get("/api/work-orders", limit="1000")
    assert len(orders) == len({order["id"] for order in orders}) == low
    return {"readings": len(tanks.sent), "findings": falls}


def test_a_building_moves_while_a_rule_waits_and_processes_die(plant: Divided) -> None:
    system, tanks, database = plant
    started: list[subprocess.Popen[bytes]] = []
    episode(system, tanks, 4, lambda: started.append(move(system, "south")))
    assert started[0].wait(60) == 0, system.log()[-4000:]
    assert is_at(database, "south")

    def struck() -> None:
        strike(system, "ingest-south", signal.SIGKILL)
        strike(system, "engine-south", signal.SIGKILL)

    episode(system, tanks, 5, struck)
    episode(system, tanks, 0, lambda: None)
    last = max(at_us for _, at_us in journalled(system.journal))
    assert max(at_us for name, at_us in journalled(system.journal) if name == "tank-5") < last, "main hears it no more"
    series = system.get("/api/readings", asset="tank-5", point="tank_level")
    assert len(series["readings"]) > 20
    tanks.fall(6)
    (found,) = wait_until(lambda: active(system, 6), 120, "a finding of south")
    system.post(f"/api/findings/{found['id']}/shelve", {"hours": 1, "reason": "a test"})
    wait_until(lambda: active(system, 6)[0]["shelved_by"], 60, "what people say to reach the journal of south")
    tanks.refill(6)
    finish(system, tanks, 4, 4)


def kill_in_every_step(divided: Divided, counted: dict[str, int], seed: int, victims: Sequence[str] = VICTIMS) -> None:
    system, tanks, database = divided
    dice = random.Random(seed)
    wait_until(lambda: known(database), 60, "the buildings to have rows")
    for number, victim in enumerate([*victims, *dice.sample(victims, MOVES - len(victims))]):
        there = "main" if row(database).shard == "south" else "south"
        tank = ANNEX[number % len(ANNEX)]

        def killed(victim: str = victim, there: str = there) -> None:
            assert move(system, there, "--no-wait").wait(60) == 0
            for _ in range(2):
                threading.Event().wait(dice.uniform(0.0, 1.2))
                strike(system, victim, signal.SIGKILL)

        episode(system, tanks, tank, killed)
        wait_until(lambda there=there: is_at(database, there), 120, f"the move; {row(database)} {system.log()[-4000:]}")  # type: ignore[misc]  # mypy does not see the default
        counted["moves"], counted["kills"] = counted.get("moves", 0) + 1, counted.get("kills", 0) + 2
    counted.update(finish(system, tanks, MOVES, len(ANNEX)))


def known(database: Database) -> bool:
    with database.reading() as session:
        return len(shard_rows.list_buildings(session)) == 2


@pytest.mark.soak
def test_processes_die_in_every_step_of_a_move(plant: Divided, soak_row: Begin) -> None:
    kill_in_every_step(plant, soak_row("kill -9 of ingest and engines of two shards while a building moves"), 11)


@pytest.mark.soak
@pytest.mark.service
def test_processes_die_in_every_step_of_a_move_on_postgres(on_postgres: Divided, soak_row: Begin) -> None:
    counted = soak_row("kill -9 of ingest, engines and pages of two shards while a building moves, on PostgreSQL")
    kill_in_every_step(on_postgres, counted, 12, (*VICTIMS, "web"))


@pytest.mark.soak
@pytest.mark.service
def test_processes_die_in_every_step_of_a_move_on_mosquitto(on_mosquitto: Divided, soak_row: Begin) -> None:
    counted = soak_row("kill -9 of ingest and engines of two shards while a building moves, with Mosquitto")
    kill_in_every_step(on_mosquitto, counted, 13)
