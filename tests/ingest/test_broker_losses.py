"""What the broker threw away is said and counted, by Mosquitto's own word."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from brokers import Mosquitto
from prometheus_client import CollectorRegistry
from running import wait_until

from facility.clock import RealClock
from facility.reading import Entry
from facility.registry import Registry
from ingest.broker_losses import BrokerLosses
from ingest.link import BrokerAddress
from ingest.mqtt_raw import RawLink
from ingest.service import IngestService, IngestSettings


def test_the_count_goes_on_and_begins_anew_with_the_broker(capsys: pytest.CaptureFixture[str]) -> None:
    losses = BrokerLosses()
    said = [b"0", b"0", b"7", b"7", b"9", b"3", b"0", b"none", b"9" * 40]
    assert [losses.look(word) for word in said] == [0, 0, 7, 0, 2, 3, 0, 0, 0]
    assert capsys.readouterr().out.count("raise max_queued_messages") == 3
    assert BrokerLosses().look(b"12") == 0
    assert "total=12" in capsys.readouterr().out


class StalledDisk:
    """Takes nothing until it is told to go on."""

    def __init__(self) -> None:
        self.goes_on = threading.Event()
        self.last_seq = 0

    def append(self, arrived_us: int, entries: Sequence[Entry]) -> int:
        assert arrived_us
        assert entries
        self.goes_on.wait(30)
        self.last_seq += 1
        return self.last_seq


@pytest.mark.service
def test_a_queue_that_ran_over_while_the_disk_stood_still_is_counted(tmp_path: Path) -> None:
    limits = "allow_anonymous true\nsys_interval 1\nmax_queued_messages 5\nmax_inflight_messages 20\n"
    broker, disk, metrics, stop = Mosquitto(tmp_path, limits), StalledDisk(), CollectorRegistry(), threading.Event()
    broker.start()
    address = BrokerAddress(port=broker.port)
    settings = IngestSettings(allowance_us=2_000_000)
    service = IngestService(
        address, disk, tmp_path / "none", tmp_path / "spool", Registry(), RealClock(), settings, metrics
    )
    thread = threading.Thread(target=service.run, args=(stop,))
    thread.start()
    other = RawLink(BrokerAddress(port=broker.port, client_id="other"))
    try:
        assert service.listening.wait(20)
        assert other.open(threading.Event())
        for number in range(60):  # more than the 20 under way and the 5 that wait
            other.publish("a", b"%d" % number)
            other.acknowledge(other.read(10, 0.0))
        wait_until(lambda: other.acknowledge(other.read(100, 0.2)) == 0, 20, "the sender to have its own back")
        disk.goes_on.set()
        name = "plantroom_broker_dropped_total"
        wait_until(lambda: (metrics.get_sample_value(name) or 0) > 0, 20, "the broker's word")
    finally:
        stop.set()
        disk.goes_on.set()
        thread.join(20)
        other.close()
        broker.kill()
