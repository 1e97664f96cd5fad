"""Everything there is twice, as real processes behind a real broker: whoever dies, the one beside it goes on.

In the end every acknowledged reading is in the journal once, and each finding was raised at its right instant.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from brokers import Mosquitto
from locks import lock_holder
from running import PLAIN, System, wait_until
from soaking import Begin
from tanks import Tanks, episode, finish

from ingest.journal import JournalReader
from plantroom.database import Database

NewTankPlant = Callable[..., tuple[System, Tanks]]
TWICE = "ingest ingest engine engine web,jobs web,jobs"
LOCKS = {"pages": "run/pages.lock", "ingest": "journal/writer.lock"}
SAYS = {
    "pages": "another process serves the pages, this one stands by",
    "ingest": "another process writes the journal, this one stands by",
}
TOKEN = "of-the-plant-whose-parts-are-there-twice"  # noqa: S105 - ends with the test


class Doubled:
    """A plant whose parts are there twice."""

    def __init__(self, system: System, tanks: Tanks) -> None:
        self.system, self.tanks = system, tanks
        self._stood = dict.fromkeys(SAYS, 0)

    def holder(self, part: str) -> int:
        """Process id of the one that does the work."""
        return lock_holder(self.system.var / LOCKS[part])

    def warm(self, *parts: str) -> None:
        """Wait until one more stands by for each of these."""
        for part in parts:
            self._stood[part] += 1
            wait_until(partial(self._stands_by, part), 180, f"{part} to stand by: {self.system.log()[-3000:]}")

    def _stands_by(self, part: str) -> bool:
        return self.system.log().count(SAYS[part]) >= self._stood[part]

    def kill(self, *parts: str) -> dict[str, float]:
        """Kill -9 of who does the work, all at once; seconds until another process does it."""
        dead = {part: self.holder(part) for part in parts}
        is_back = {"pages": self._is_served, "ingest": self._has_grown(JournalReader(self.system.journal))}
        for pid in dead.values():
            os.kill(pid, signal.SIGKILL)
        began, pause, found = time.monotonic(), threading.Event(), dict[str, float]()
        while len(found) < len(parts):
            assert time.monotonic() - began < 120, self.system.log()[-4000:]
            pause.wait(0.02)
            found |= {part: time.monotonic() - began for part in parts if part not in found and is_back[part]()}
        for part, pid in dead.items():
            assert self.holder(part) not in (0, pid)
        return found

    def _is_served(self) -> bool:
        try:
            url = f"http://127.0.0.1:{self.system.http_port}/readyz"
            return httpx.get(url, timeout=1, trust_env=False, verify=PLAIN).is_success
        except httpx.TransportError:
            return False

    def _has_grown(self, journal: JournalReader) -> Callable[[], bool]:
        seq = 0

        def check() -> bool:
            nonlocal seq
            seq = seq or journal.last_seq()
            return journal.last_seq() > seq

        check()
        return check


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path, "allow_anonymous true\nmax_queued_messages 100000\n")
    broker.start()
    yield broker
    broker.kill()


def doubled(plant: tuple[System, Tanks]) -> Doubled:
    """Everything is started, and one of each stands by."""
    system, tanks = plant
    wait_until(lambda: "Ctrl-C ends it." in system.log(), 180, "everything to be started")
    found = Doubled(system, tanks)
    found.warm("pages", "ingest")
    return found


def behind(broker: Mosquitto, database: Database) -> dict[str, str]:
    """Settings of a plant with a broker and a database of its own."""
    return {
        "mode": "production",
        "token": TOKEN,
        "mqtt_password": "of-nobody",  # this broker asks for none
        "mqtt_port": str(broker.port),
        "database_url": database.url.render_as_string(hide_password=False),
    }


def kill_all_in_turn(plant: Doubled, counted: dict[str, int]) -> None:
    """Each four times, then both at once."""
    for tank, parts in enumerate([*4 * [["pages"], ["ingest"]], ["pages", "ingest"]]):
        for part, seconds in plant.kill(*parts).items():
            name = f"ms until {part} is back, at most"
            counted[name] = max(counted.get(name, 0), round(1000 * seconds))
            counted[f"kills of {part}"] = counted.get(f"kills of {part}", 0) + 1
        plant.warm(*parts)
        if tank % 2:
            episode(plant.system, plant.tanks, tank // 2, [], random.Random(tank))
    counted.update(finish(plant.system, plant.tanks))


@pytest.mark.soak
def test_pages_and_ingest_die_at_once_and_those_beside_them_go_on(new_tank_plant: NewTankPlant) -> None:
    plant = doubled(new_tank_plant(processes="ingest ingest engine,web,jobs engine,web,jobs"))
    plant.kill("pages", "ingest")
    episode(plant.system, plant.tanks, 0, [], random.Random(0))
    assert finish(plant.system, plant.tanks)["orders"] == 1


@pytest.mark.soak
@pytest.mark.service
def test_pages_and_ingest_that_are_killed_are_back(
    mosquitto: Mosquitto, database: Database, new_tank_plant: NewTankPlant, soak_row: Begin
) -> None:
    kind = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[database.engine.dialect.name]
    counted = soak_row(f"kill -9 of the serving pages and of ingest, a standby beside each, with Mosquitto on {kind}")
    plant = new_tank_plant(processes=TWICE, **behind(mosquitto, database))
    (plant[0].var / "token").write_text(TOKEN, encoding="ascii")  # what asks it reads it there
    kill_all_in_turn(doubled(plant), counted)
    check_soon(counted)


@pytest.mark.soak
def test_they_are_back_with_the_embedded_broker_too(new_tank_plant: NewTankPlant, soak_row: Begin) -> None:
    counted = soak_row("kill -9 of the serving pages and of ingest, a standby beside each, with the embedded broker")
    kill_all_in_turn(doubled(new_tank_plant(processes=TWICE)), counted)
    check_soon(counted)


def check_soon(counted: dict[str, int]) -> None:
    """None of them was away for two seconds."""
    assert all(counted[f"ms until {part} is back, at most"] < 2_000 for part in LOCKS)
