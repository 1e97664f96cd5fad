"""Durable before acknowledged, with real processes: kill -9 of ingest, of the broker and of both under load.

Every message the broker took (PUBACK) stands in the journal exactly once with effect, and no heartbeat stands before
a message that was taken before it was sent.
"""

import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from facility.clock import RealClock
from facility.instant import format_instant, from_us
from facility.reading import Entry, Heartbeat, Quality, Scan
from ingest.broker import EmbeddedBroker
from ingest.journal import JournalReader

INGEST = """
import sys, threading
from pathlib import Path
from prometheus_client import CollectorRegistry
from facility.clock import RealClock
from facility.site_file import parse_site
from ingest.journal import JournalWriter
from ingest.link import BrokerAddress
from ingest.service import IngestService, IngestSettings

folder = Path(sys.argv[1])
site = parse_site('''
site: {id: demo, zone: UTC}
buildings: [{id: tower, assets: [{id: meter, class: water_meter, points: [water_volume]}]}]
''', "site.yaml")
settings = IngestSettings(allowance_us=2_000_000, redelivery_s=1.3, heartbeat_s=0.1, backoff_s=(0.05, 0.2))
with JournalWriter(folder / "journal", segment_bytes=50_000) as journal:
    IngestService(BrokerAddress("127.0.0.1", int(sys.argv[2])), journal, folder / "journal", folder / "spool", site,
                  RealClock(), settings, CollectorRegistry()).run(threading.Event())
"""


class Meter:
    """A device that publishes as fast as the broker takes it and knows when each message was taken."""

    def __init__(self, port: int) -> None:
        self.sent_us: list[int] = []
        self.taken_us: dict[int, int] = {}
        self._numbers: dict[int, int] = {}  # by message id: fewer than 65,535 are sent, so none comes twice
        self._answers: list[tuple[int, int]] = []
        self._room = threading.Semaphore(20)
        self._stop = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, "meter", clean_session=False)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_publish = self._on_publish
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            if not self._room.acquire(timeout=0.1):
                continue
            now_us = RealClock().now_us()
            number = len(self.sent_us)
            self.sent_us.append(now_us)
            body = f'{{"at": "{format_instant(from_us(now_us))}", "values": {{"water_volume": {number}}}}}'
            self._numbers[self._client.publish("plantroom/demo/meter/readings", body, qos=1).mid] = number
            self._stop.wait(0.002)

    def _on_publish(self, _client: mqtt.Client, _data: object, mid: int, _code: ReasonCode, _more: Properties) -> None:
        self._answers.append((mid, RealClock().now_us()))
        self._room.release()

    def stop(self) -> None:
        """Send no more, and wait until the broker has taken everything."""
        self._stop.set()
        self._thread.join()
        pause = threading.Event()
        for _ in range(1500):
            if len(self._answers) == len(self.sent_us):
                break
            pause.wait(0.02)
        self._client.disconnect()
        self._client.loop_stop()
        self.taken_us = {self._numbers[mid]: at_us for mid, at_us in self._answers}


def start_ingest(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    with (folder / "ingest.log").open("ab") as output:
        return subprocess.Popen([sys.executable, "-c", INGEST, str(folder), str(port)], stdout=output, stderr=output)


def wait_for(folder: Path, since_us: int, what: str) -> None:
    """Until the journal holds a heartbeat that was sent after `since_us`."""
    pause = threading.Event()
    with JournalReader(folder / "journal") as reader:
        for _ in range(1500):
            last = reader.last_seq()
            recent = [entry for commit in reader.read(max(0, last - 20)) for entry in commit.entries]
            if any(isinstance(entry, Heartbeat) and entry.at_us > since_us for entry in recent):
                return
            pause.wait(0.02)
    raise AssertionError(f"{what}: {(folder / 'ingest.log').read_text()}")


def kill(broker: EmbeddedBroker) -> None:
    pid = broker.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    pause = threading.Event()
    while broker.pid == pid:
        pause.wait(0.01)


def read_all(folder: Path) -> list[Entry]:
    entries: list[Entry] = []
    seq = 0
    with JournalReader(folder / "journal") as reader:
        while commits := reader.read(seq):
            assert [commit.seq for commit in commits] == list(range(seq + 1, seq + 1 + len(commits)))
            seq = commits[-1].seq
            entries += [entry for commit in commits for entry in commit.entries]
    return entries


def check(entries: list[Entry], meter: Meter) -> None:
    effect = Counter(
        int(float(value.value))
        for entry in entries
        if isinstance(entry, Scan)
        for value in entry.values
        if value.quality != Quality.DUPLICATE
    )
    missing = [number for number in meter.taken_us if effect[number] == 0]
    assert missing == [], f"{len(missing)} taken messages are not in the journal, the first is {missing[:3]}"
    assert [number for number, count in effect.items() if count > 1] == []
    newest_us = 0
    for entry in entries:
        if isinstance(entry, Heartbeat):
            newest_us = max(newest_us, entry.at_us)
        elif isinstance(entry, Scan):
            number = int(float(entry.values[0].value))
            assert meter.taken_us[number] >= newest_us, (
                f"message {number} stands behind a heartbeat sent after it was taken"
            )


def test_kill_minus_nine_loses_nothing_doubles_nothing_and_keeps_the_order(tmp_path: Path) -> None:
    random.seed(2)
    broker = EmbeddedBroker(tmp_path / "broker", port=0, ack_wait_s=1)
    broker.start()
    ingest = start_ingest(tmp_path, broker.port)
    try:
        wait_for(tmp_path, 0, "ingest does not start")  # from here on the broker keeps messages for it
    except AssertionError:
        ingest.kill()
        broker.stop()
        raise
    meter = Meter(broker.port)
    try:
        pause = threading.Event()
        for victims in ("ingest", "broker", "ingest", "both"):
            pause.wait(random.uniform(0.3, 0.8))
            if victims != "broker":
                ingest.kill()
                ingest.wait()
            if victims != "ingest":
                kill(broker)
                broker.start()
            if victims != "broker":
                ingest = start_ingest(tmp_path, broker.port)
            wait_for(tmp_path, RealClock().now_us(), f"ingest does not come back after the death of {victims}")
        meter.stop()
        wait_for(tmp_path, RealClock().now_us(), "ingest does not catch up")
    finally:
        ingest.kill()
        ingest.wait()
        meter.stop()
        broker.stop()
    assert len(meter.taken_us) == len(meter.sent_us) > 200
    check(read_all(tmp_path), meter)
