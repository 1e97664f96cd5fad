"""The service with a real broker: what is published is in the journal, in order, once; trouble is said and survived."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from prometheus_client import CollectorRegistry

from facility.clock import Clock, JournalClock, RealClock
from facility.instant import format_instant, from_us
from facility.reading import DeadLetter, Entry, Heartbeat, Quality, Scan, SiteEdited
from facility.site_file import parse_site
from ingest.broker import EmbeddedBroker
from ingest.control import submit
from ingest.journal import JournalReader, JournalWriter
from ingest.link import BrokerAddress
from ingest.service import IngestService, IngestSettings

SITE = """
site: {id: demo, zone: UTC}
buildings:
  - id: tower
    assets: [{id: lift-1, class: elevator, points: [car_position, door_status]}]
"""
TOPIC = "plantroom/demo/lift-1/readings"


class FailingJournal:
    """A disk that is full for the first appends."""

    def __init__(self, journal: JournalWriter, failures: int) -> None:
        self._journal, self.failures = journal, failures

    @property
    def last_seq(self) -> int:
        return self._journal.last_seq

    def append(self, arrived_us: int, entries: Sequence[Entry]) -> int:
        if self.failures > 0:
            self.failures -= 1
            raise OSError(28, "No space left on device")
        return self._journal.append(arrived_us, entries)


class Plant:
    """A broker, a device and the folders of one installation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker = EmbeddedBroker(folder / "broker", port=0, ack_wait_s=1)
        self.broker.start()
        self.metrics = CollectorRegistry()
        self.device = mqtt.Client(CallbackAPIVersion.VERSION2, "device")
        self.device.reconnect_delay_set(1, 1)
        self.device.connect(self.broker.host, self.broker.port)
        self.device.loop_start()

    @contextmanager
    def ingest(self, clock: Clock | None = None, failures: int = 0) -> Iterator[IngestService]:
        stop, self.metrics = threading.Event(), CollectorRegistry()
        with JournalWriter(self.folder / "journal") as writer:
            service = IngestService(
                BrokerAddress(self.broker.host, self.broker.port),
                FailingJournal(writer, failures),
                self.folder / "journal",
                self.folder / "spool",
                parse_site(SITE, "site.yaml"),
                clock or RealClock(),
                IngestSettings(
                    allowance_us=2_000_000, redelivery_s=1.3, heartbeat_s=0.2, spool_s=0.05, backoff_s=(0.05, 0.2)
                ),
                self.metrics,
            )
            thread = threading.Thread(target=service.run, args=(stop,))
            thread.start()
            try:
                if not service.listening.wait(30):
                    pytest.fail("the service does not listen")
                yield service
            finally:
                stop.set()
                thread.join(30)
                assert not thread.is_alive()

    def publish(self, payload: str, topic: str = TOPIC, *, retain: bool = False) -> None:
        self.device.publish(topic, payload, qos=1, retain=retain).wait_for_publish(30)

    def entries(self) -> list[Entry]:
        with JournalReader(self.folder / "journal") as reader:
            return [entry for commit in reader.read(0, 10_000) for entry in commit.entries]

    def scans(self) -> list[Scan]:
        return [entry for entry in self.entries() if isinstance(entry, Scan)]

    def wait(self, holds: Callable[[list[Entry]], bool], what: str) -> list[Entry]:
        pause = threading.Event()
        for _ in range(600):
            if holds(entries := self.entries()):
                return entries
            pause.wait(0.05)
        pytest.fail(f"not in the journal: {what}; it holds {self.entries()}")

    def wait_for_heartbeat(self) -> list[Entry]:
        """Everything up to a heartbeat that was sent after this call began."""
        now_us = RealClock().now_us()
        return self.wait(lambda es: any(isinstance(e, Heartbeat) and e.at_us >= now_us for e in es), "a heartbeat")

    def metric(self, name: str, **labels: str) -> float:
        return self.metrics.get_sample_value(f"plantroom_ingest_{name}", labels) or 0.0

    def close(self) -> None:
        self.device.disconnect()
        self.device.loop_stop()
        self.broker.stop()


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(tmp_path)
    yield plant
    plant.close()


def payload(position: float, at_us: int | None = None) -> str:
    at = format_instant(from_us(RealClock().now_us() if at_us is None else at_us))
    return f'{{"at": "{at}", "values": {{"car_position": {position}}}}}'


def test_messages_become_scans_dead_letters_or_nothing(plant: Plant) -> None:
    with plant.ingest():
        plant.publish(payload(7))
        plant.publish("car_position=7")
        plant.publish(payload(7), "plantroom/demo/lift-2/readings")
        plant.publish("{}", "simulation/demo/truth")
        plant.publish("not a beat", "plantroom/$ingest/heartbeat")
        plant.publish(payload(1000))
        plant.publish(payload(8, RealClock().now_us() + 3600 * 10**6))
        entries = plant.wait_for_heartbeat()
    scans = [entry for entry in entries if isinstance(entry, Scan)]
    assert [(scan.values[0].value, scan.values[0].quality) for scan in scans] == [
        (7.0, Quality.GOOD),
        (1000.0, Quality.OUT_OF_RANGE),
        (8.0, Quality.FUTURE),
    ]
    dead = [entry for entry in entries if isinstance(entry, DeadLetter)]
    assert [(letter.topic, letter.payload[:4]) for letter in dead] == [
        (TOPIC, b"car_"),
        ("plantroom/demo/lift-2/readings", b'{"at'),
    ]
    assert "not JSON" in dead[0].reason
    assert f"Did you mean {TOPIC!r}" in dead[1].reason
    beats = [entry for entry in entries if isinstance(entry, Heartbeat)]
    assert beats[-1].rejected == 3
    assert plant.metric("rejected_total", reason="payload") == 1
    assert plant.metric("rejected_total", reason="unknown_topic") == 1
    assert plant.metric("rejected_total", reason="heartbeat") == 1
    assert plant.metric("readings_total") == 3
    assert plant.metric("ignored_total") == 1
    assert plant.metric("publish_to_commit_seconds_count") >= 1


def test_a_heartbeat_stands_behind_every_message_taken_before_it(plant: Plant) -> None:
    taken: dict[float, int] = {}
    with plant.ingest():
        for number in range(150):
            plant.publish(payload(number))
            taken[float(number)] = RealClock().now_us()
        entries = plant.wait_for_heartbeat()
    newest_us = 0
    for entry in entries:
        if isinstance(entry, Heartbeat):
            newest_us = entry.at_us
        elif isinstance(entry, Scan):
            assert taken[float(entry.values[0].value)] >= newest_us
    assert len(plant.scans()) == 150


def test_site_files_come_through_the_spool_and_bad_ones_are_rejected(plant: Plant) -> None:
    with plant.ingest():
        submit(plant.folder / "spool", SiteEdited("bad", 1, {"site.yaml": "site: ["}))
        edited = SiteEdited("good", 2, {"site.yaml": SITE.replace("lift-1", "lift-2")})
        submit(plant.folder / "spool", edited)
        plant.wait(lambda entries: edited in entries, "the edit")
        plant.publish(payload(3), "plantroom/demo/lift-2/readings")
        plant.publish(payload(3))
        entries = plant.wait(lambda es: any(isinstance(e, DeadLetter) for e in es), "the old topic's letter")
    assert [entry.event_id for entry in entries if isinstance(entry, SiteEdited)] == ["good"]
    assert [scan.asset_id for scan in plant.scans()] == ["lift-2"]
    assert [path.suffix for path in (plant.folder / "spool").iterdir()] == [".rejected"]


def test_a_retained_reading_is_one_reading_however_often_we_subscribe(plant: Plant) -> None:
    with plant.ingest():
        plant.publish(payload(5), retain=True)
        plant.wait_for_heartbeat()
    with plant.ingest():
        plant.wait_for_heartbeat()
        duplicates = plant.metric("duplicates_total")
    assert len(plant.scans()) == 1
    assert duplicates == 1


def test_what_is_published_while_ingest_is_away_comes_before_the_next_heartbeat(plant: Plant) -> None:
    with plant.ingest():
        plant.wait_for_heartbeat()
    before = len(plant.entries())
    for number in range(20):
        plant.publish(payload(number))
    with plant.ingest():
        entries = plant.wait_for_heartbeat()[before:]
    scans = [entry for entry in entries if isinstance(entry, Scan)]
    assert [scan.values[0].value for scan in scans] == [float(number) for number in range(20)]
    # Heartbeats still under way at the stop may come first: they were sent before.
    stamps = [entry.at_us for entry in entries[: entries.index(scans[-1])] if isinstance(entry, Heartbeat)]
    assert all(at_us <= scans[0].at_us for at_us in stamps)
    assert all(scan.values[0].quality == Quality.GOOD for scan in scans)


def test_a_broker_that_restarts_is_found_again(plant: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    with plant.ingest() as service:
        plant.publish(payload(1))
        plant.wait_for_heartbeat()
        plant.broker.stop()
        pause = threading.Event()
        while service.listening.is_set():
            pause.wait(0.02)
        plant.broker.start()
        assert service.listening.wait(20)
        plant.publish(payload(2))
        plant.wait_for_heartbeat()
    assert [scan.values[0].value for scan in plant.scans()] == [1.0, 2.0]
    said = capsys.readouterr().out
    assert said.count("connection to") == 1, "a loss is said once"
    assert said.count("] listening") == 2


def test_a_disk_that_refuses_loses_nothing_and_is_said_once(plant: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    with plant.ingest(failures=4):
        for number in range(5):
            plant.publish(payload(number))
        plant.wait_for_heartbeat()
    assert [scan.values[0].value for scan in plant.scans()] == [0.0, 1.0, 2.0, 3.0, 4.0]
    said = capsys.readouterr().out
    assert said.count("journal cannot be written") == 1
    assert said.count("journal can be written again") == 1


def test_with_the_journal_clock_now_is_the_newest_event(plant: Plant) -> None:
    clock = JournalClock()
    with plant.ingest(clock):
        plant.publish(payload(1, 10**15))
        plant.publish(payload(2, 10**15 + 60 * 10**6))
        entries = plant.wait(lambda es: sum(isinstance(e, Scan) for e in es) == 2, "both scans")
        plant.wait(lambda _: clock.now_us() == 10**15 + 60 * 10**6, "the clock to follow")
    assert not any(isinstance(entry, Heartbeat) for entry in entries), "a building would live through another's time"
    assert [scan.values[0].quality for scan in plant.scans()] == [Quality.GOOD, Quality.GOOD]
    resumed = JournalClock()
    with plant.ingest(resumed):
        assert resumed.now_us() == clock.now_us()
