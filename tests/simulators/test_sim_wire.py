"""The publishing wire against a real broker: acknowledged once, kept over an outage, bounded, refused in words."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from ingest.broker import EmbeddedBroker
from simulators.wire import Wire, WireError, WireRefusedError

TOPIC = "plantroom/demo/EL-1/readings"


def until(done: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Poll until it holds, or the time is over."""
    end, pause = time.monotonic() + seconds, threading.Event()
    while not done() and time.monotonic() < end:
        pause.wait(0.02)
    return done()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker(tmp_path / "broker", port=0)
    broker.start()
    yield broker
    broker.stop()


class Listener:
    """A subscriber that keeps what it heard."""

    def __init__(self, port: int) -> None:
        self.heard: list[bytes] = []
        self._ready = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, "listener", clean_session=False)
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe("plantroom/#", qos=1)
        assert self._ready.wait(10)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self.heard.append(bytes(message.payload))

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def test_everything_is_acknowledged_and_arrives_in_order(broker: EmbeddedBroker) -> None:
    listener = Listener(broker.port)
    with Wire("127.0.0.1", broker.port, "sim", window=50) as wire:
        for number in range(500):
            assert wire.publish(TOPIC, str(number).encode())
            assert wire.unacknowledged <= 50
        assert wire.drain(20)
        assert (wire.acknowledged, wire.unacknowledged) == (500, 0)
    assert until(lambda: len(set(listener.heard)) == 500)
    first = list(dict.fromkeys(listener.heard))  # who answers late gets some of it again
    assert first == [str(number).encode() for number in range(500)]
    listener.close()


def test_nothing_taken_over_is_lost_when_the_broker_dies_and_comes_back(tmp_path: Path) -> None:
    first = EmbeddedBroker(tmp_path / "broker", port=0)
    first.start()
    listener = Listener(first.port)
    listener.close()  # its session stays and collects
    second = EmbeddedBroker(tmp_path / "broker", port=first.port)
    with Wire("127.0.0.1", first.port, "sim", window=400) as wire:
        for number in range(100):
            wire.publish(TOPIC, str(number).encode())
        first.stop()
        for number in range(100, 250):
            wire.publish(TOPIC, str(number).encode())
        assert until(lambda: wire.lost_count == 1)
        assert not wire.drain(0.1)
        second.start()
        for number in range(250, 300):
            wire.publish(TOPIC, str(number).encode())
        assert wire.drain(30)
    again = Listener(first.port)
    wanted = {str(number).encode() for number in range(300)}
    assert until(lambda: wanted <= set(again.heard))
    again.close()
    second.stop()


def test_a_full_window_holds_the_publisher_until_it_is_told_to_stop(broker: EmbeddedBroker) -> None:
    with Wire("127.0.0.1", broker.port, "sim", window=5) as wire:
        wire.publish(TOPIC, b"0")
        assert wire.drain(10)
        broker.stop()
        for _ in range(5):
            assert wire.publish(TOPIC, b"kept")
        stop = threading.Event()
        stop.set()
        assert wire.publish(TOPIC, b"not taken", stop) is False
        assert wire.unacknowledged == 5
        assert wire.drain(stop=stop) is False


def test_no_broker_is_said_with_its_place() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(WireError, match=f"127.0.0.1:{port}.*start it"):
        Wire("127.0.0.1", port, "sim").connect(timeout_s=0.3)


def test_a_wrong_password_is_a_refusal_and_not_a_reason_to_wait(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path / "broker", port=0, user="plant", password="right")  # noqa: S106 - of a test
    broker.start()
    wire = Wire("127.0.0.1", broker.port, "sim", username="plant", password="wrong")  # noqa: S106 - of a test
    with pytest.raises(WireRefusedError, match="check user and password"):
        wire.connect(timeout_s=20)
    wire.close()
    broker.stop()


def test_a_topic_with_a_wildcard_is_refused_and_leaves_nothing_behind(broker: EmbeddedBroker) -> None:
    with Wire("127.0.0.1", broker.port, "sim") as wire:
        with pytest.raises(WireRefusedError, match="plantroom/#"):
            wire.publish("plantroom/#", b"")
        assert wire.unacknowledged == 0


@pytest.mark.parametrize("window", [0, -1, 20_000])
def test_a_window_out_of_range_is_refused(window: int) -> None:
    with pytest.raises(ValueError, match="window"):
        Wire("127.0.0.1", 1883, "sim", window=window)
