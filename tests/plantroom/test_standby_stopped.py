"""Pages and ingest that stand still keep their place: nobody takes it before they are killed; there are never two."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import msgspec
import pytest
from brokers import Mosquitto
from judging import Judged
from locks import lock_holder
from running import PLAIN, ROOT, free_ports, wait_until
from tanks import SITE, journalled

from facility.clock import RealClock
from facility.instant import format_instant, from_us
from ingest.segment import list_segments, open_segment, read_runs
from plantroom.database import Database
from simulators.wire import Wire


@dataclass
class Writers:
    """Two processes that want to write one journal, behind one broker."""

    folder: Path
    broker: Mosquitto
    processes: dict[int, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    sent: set[tuple[str, int]] = field(default_factory=set)

    @property
    def journal(self) -> Path:
        return self.folder / "var/journal"

    def start(self) -> None:
        """One more."""
        (self.folder / "site.yaml").write_text(SITE, encoding="utf-8")
        values = {
            "VAR": str(self.folder / "var"), "SITE": str(self.folder / "site.yaml"), "MQTT_PORT": str(self.broker.port),
            "MODE": "production", "TOKEN": "t" * 43, "MQTT_PASSWORD": "of-nobody", "DATABASE_URL": "sqlite:///none.db",
        }  # fmt: skip
        environment = {**os.environ, **{f"PLANTROOM_{name}": value for name, value in values.items()}}
        with (self.folder / "log").open("ab") as log:
            command = [sys.executable, "-m", "plantroom", "run", "--role", "ingest"]
            process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
        self.processes[process.pid] = process

    def writes(self) -> int:
        """Process id of the one that does."""
        return lock_holder(self.journal / "writer.lock")

    def says(self, text: str) -> int:
        """How often one of them has said so."""
        return (self.folder / "log").read_text(encoding="utf-8").count(text)

    def publish(self, wire: Wire) -> None:
        """Ten readings that the broker has taken."""
        for _ in range(10):
            at_us = RealClock().now_us()
            body = {"at": format_instant(from_us(at_us)), "values": {"tank_level": 31.0}}
            wire.publish("plantroom/kill/tank-0/readings", msgspec.json.encode(body))
            self.sent.add(("tank-0", at_us))
        assert wire.drain(30)

    def all_kept(self) -> bool:
        """Whether every reading is in the journal, and none twice."""
        counts = journalled(self.journal)
        return self.sent <= set(counts) and max(counts.values(), default=0) <= 1

    def runs(self) -> int:
        """How many writers the journal has had."""
        with closing(open_segment(list_segments(self.journal)[-1][1], writable=False)) as db:
            return len(read_runs(db))

    def close(self) -> None:
        """End both."""
        for process in self.processes.values():
            process.kill()
            process.wait()


@pytest.fixture
def writers(tmp_path: Path) -> Iterator[Writers]:
    with ExitStack() as stack:
        broker = Mosquitto(tmp_path)
        broker.start()
        stack.callback(broker.kill)
        yield stack.enter_context(closing(Writers(tmp_path, broker)))


@pytest.mark.service
def test_ingest_that_stands_still_stays_the_only_writer_until_it_is_killed(writers: Writers) -> None:
    for _ in range(2):
        writers.start()
    wait_until(lambda: writers.says("listening  "), 60, "the first one to listen")
    wait_until(lambda: writers.says("another process writes the journal, this one stands by"), 60, "the other to wait")
    first = writers.writes()
    with Wire("127.0.0.1", writers.broker.port, "tank") as wire:
        writers.publish(wire)
        wait_until(writers.all_kept, 30, "the first readings")
        os.kill(first, signal.SIGSTOP)
        writers.publish(wire)  # the broker has them, and nobody asks for them
        assert (writers.writes(), writers.runs(), writers.all_kept()) == (first, 1, False)
        os.kill(first, signal.SIGCONT)
        wait_until(writers.all_kept, 60, "what came while it stood still")
        assert (writers.writes(), writers.runs()) == (first, 1)
        os.kill(first, signal.SIGSTOP)
        writers.publish(wire)
        os.kill(first, signal.SIGKILL)
        wait_until(writers.all_kept, 60, "what came while it stood still, from the other one")
        assert writers.writes() not in (0, first)
        assert writers.runs() == 2


@pytest.mark.soak
def test_pages_that_stand_still_are_waited_for_until_they_are_killed(sqlite_file: Path, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with (
        closing(Database(f"sqlite:///{sqlite_file}")) as database,
        closing(Judged(tmp_path, database, receiver_port=9)) as plant,
    ):
        started = [plant.start("engine,web,jobs" if first else "web", HTTP_PORT=str(port)) for first in (False, True)]
        wait_until(lambda: all(map(plant.is_ready, started)), 180, f"both to be warm: {plant.log()[-3000:]}")
        page, lock = f"http://127.0.0.1:{port}/login", plant.var / "run/pages.lock"
        with httpx.Client(trust_env=False, verify=PLAIN, timeout=1.0) as client:
            wait_until(lambda: is_served(client, page), 60, "the pages")
            first = lock_holder(lock)
            plant.stand_still(first)
            with pytest.raises(httpx.ReadTimeout):
                client.get(page)
            assert lock_holder(lock) == first
            plant.strike(first, signal.SIGCONT)
            wait_until(lambda: is_served(client, page), 60, "the same one again")
            assert lock_holder(lock) == first
            plant.stand_still(first)
            plant.strike(first, signal.SIGKILL)
            wait_until(lambda: is_served(client, page), 60, "the other one")
            assert lock_holder(lock) not in (0, first)


def is_served(client: httpx.Client, page: str) -> bool:
    """Whether it comes."""
    try:
        return client.get(page).is_success
    except httpx.TransportError:
        return False
