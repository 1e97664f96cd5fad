"""Two shards of one plant, each an ingest process of its own that may kill itself at a chosen commit, and meters."""

import signal
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from running import wait_until

from facility.clock import RealClock
from facility.instant import format_instant, from_us
from facility.reading import BuildingsAssigned, Entry, Heartbeat, Scan
from ingest.control import submit
from ingest.journal import JournalReader
from ingest.shard import read_covered

SITE = """
site: {id: demo, zone: UTC}
buildings:
  - {id: tower, assets: [{id: meter-tower, class: water_meter, points: [water_volume]}]}
  - {id: mall, assets: [{id: meter-mall, class: water_meter, points: [water_volume]}]}
  - {id: school, assets: [{id: meter-school, class: water_meter, points: [water_volume]}]}
"""
METERS = ("meter-tower", "meter-mall", "meter-school")
INGEST = """
import os, signal, sys, threading
from pathlib import Path
from prometheus_client import CollectorRegistry
from facility.clock import RealClock
from facility.site_file import parse_site
from ingest.journal import JournalWriter
from ingest.link import BrokerAddress, ClientKind
from ingest.service import IngestService, IngestSettings
from ingest.shard import ShardFeed

folder, port, name, client, hears_all, settle_s, kill = sys.argv[1:]
folder, (when, _, event) = Path(folder), kill.partition(":")


class Journal:
    def __init__(self, writer):
        self.writer, self.last = writer, 0

    last_seq = property(lambda self: self.writer.last_seq)

    def append(self, arrived_us, entries):
        is_it = any(getattr(entry, "event_id", "") == event for entry in entries)
        if is_it and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        seq = self.writer.append(arrived_us, entries)
        self.last += self.last > 0 or is_it
        if is_it and when == "after" or self.last == 3 and when == "soon":
            os.kill(os.getpid(), signal.SIGKILL)
        return seq


settings = IngestSettings(
    allowance_us=2_000_000, redelivery_s=1.3 if hears_all else 0.0, heartbeat_s=0.1, spool_s=0.05,
    backoff_s=(0.05, 0.2), client=ClientKind(client), hears_all=bool(hears_all),
    settle_s=float(settle_s),
)
client_id = "plantroom-ingest" if name == "main" else f"plantroom-ingest-{name}"
with JournalWriter(folder / "journal", segment_bytes=20_000) as writer:
    IngestService(
        BrokerAddress("127.0.0.1", int(port), client_id), Journal(writer), folder / "journal", folder / "spool",
        parse_site((folder / "site.yaml").read_text(), "site.yaml"), RealClock(), settings, CollectorRegistry(),
        ShardFeed(name, folder / "run"),
    ).run(threading.Event())
"""


@dataclass
class ShardProcess:
    """The ingest of one shard. `hears_all` for the embedded broker."""

    folder: Path
    port: int
    name: str
    client: str
    hears_all: bool
    process: "subprocess.Popen[bytes] | None" = None
    events: int = 0
    settle_s: float = 0.3

    def start(self, kill: str = "") -> None:
        """`kill` is before, after or soon (after the second commit that follows), a colon and an event id."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "site.yaml").write_text(SITE, encoding="utf-8")
        whom = [str(self.folder), str(self.port), self.name, self.client]
        how = [*whom, "yes" if self.hears_all else "", str(self.settle_s), kill]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([sys.executable, "-c", INGEST, *how], stdout=log, stderr=log)

    def stop(self) -> None:
        """Kill it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)

    def assign(
        self,
        event_id: str,
        *buildings: str,
        expected: tuple[str, ...] = (),
        elsewhere: tuple[str, ...] | None = None,
    ) -> None:
        """Hand an assignment over."""
        self.events += 1
        event = BuildingsAssigned(event_id, self.events, buildings, expected, {}, elsewhere)
        submit(self.folder / "spool", event)

    def entries(self) -> list[Entry]:
        """Everything in its journal."""
        found: list[Entry] = []
        seq = 0
        with JournalReader(self.folder / "journal") as reader:
            while commits := reader.read(seq):
                seq = commits[-1].seq
                found += [entry for commit in commits for entry in commit.entries]
        return found

    def place(self, event_id: str) -> int:
        """Where the event stands for the first time; -1 while it does not."""
        return next((at for at, one in enumerate(self.entries()) if getattr(one, "event_id", "") == event_id), -1)

    def values(self, until: int | None = None) -> dict[str, set[int]]:
        """The numbers each meter said, by asset."""
        found: dict[str, set[int]] = defaultdict(set)
        for entry in self.entries()[:until]:
            if isinstance(entry, Scan):
                found[entry.asset_id] |= {int(float(one.value)) for one in entry.values}
        return found

    def log(self) -> bytes:
        """What it has said so far."""
        return (self.folder / "log").read_bytes()

    def covers(self) -> frozenset[str]:
        """The buildings it says it hears."""
        return read_covered(self.folder / "run")

    def holds(self) -> set[str]:
        """The filters that its session at the broker may hold."""
        return {*msgspec.json.decode((self.folder / "run" / "filters.json").read_bytes())}

    def wait(self, holds: Callable[[], bool], what: str) -> None:
        """Start it again whenever it is dead, until that holds."""

        def is_so() -> bool:
            assert self.process is not None
            if (code := self.process.poll()) is not None:
                if code != -signal.SIGKILL:
                    pytest.fail(f"it ended by itself while we waited for {what}")
                self.start()
            return holds()

        try:
            wait_until(is_so, 30, what)
        except pytest.fail.Exception as error:
            pytest.fail(f"{error.msg}; it covers {sorted(self.covers())}: {self.log().decode()[-3000:]}")

    def wait_for_heartbeat(self) -> None:
        """Until everything that was sent before this call is in its journal."""
        now_us = RealClock().now_us()

        def is_in() -> bool:
            return any(isinstance(one, Heartbeat) and one.at_us > now_us for one in self.entries())

        self.wait(is_in, "a heartbeat")


@dataclass
class Meters:
    """Devices that publish numbers as fast as the broker takes them, until they stop."""

    port: int
    names: Sequence[str] = METERS
    taken: dict[str, set[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.taken = {name: set() for name in self.names}
        self._stop, self._room = threading.Event(), threading.Semaphore(20)
        self._mids: dict[int, tuple[str, int]] = {}
        self._answers: list[int] = []
        self.sent: list[int] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, "meters", clean_session=False)
        self._client.on_publish = self._on_publish
        self._client.connect("127.0.0.1", self.port)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set():
            if not self._room.acquire(timeout=0.1):
                continue
            name, number = self.names[number % len(self.names)], number + 1
            self.sent.append(number)
            at = format_instant(from_us(RealClock().now_us()))
            body = f'{{"at": "{at}", "values": {{"water_volume": {number}}}}}'
            self._mids[self._client.publish(f"plantroom/demo/{name}/readings", body, qos=1).mid] = (name, number)
            self._stop.wait(0.003)

    def _on_publish(self, _client: mqtt.Client, _data: object, mid: int, _code: ReasonCode, _more: Properties) -> None:
        self._answers.append(mid)
        self._room.release()

    def stop(self) -> None:
        """Send no more; `taken` is what the broker has taken, and that is all."""
        self._stop.set()
        self._thread.join()
        wait_until(lambda: len(self._answers) == len(self._mids), 30, "the broker to take everything")
        self._client.disconnect()
        self._client.loop_stop()
        for name, number in self._mids.values():
            self.taken[name].add(number)
