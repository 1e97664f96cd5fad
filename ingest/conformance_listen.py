"""A guest at the broker: it listens to some topics for a while, with a session that leaves nothing behind."""

import queue
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from facility.clock import Clock
from ingest.link import BrokerAddress, LinkError

_KEEPALIVE_S = 30
_OPEN_S = 8.0
_QUEUED = 50_000
PROBE_PREFIX = "simulation/plantroom-probe/"
"""Under `simulation/` nothing is data: a probe's own message is never taken for a reading."""


class Heard(NamedTuple):
    """One message as a guest hears it, at `arrived_us` of the clock. `qos` is what it was published with.

    `retained`: a stored copy, sent because we subscribed.
    """

    arrived_us: int
    topic: str
    payload: bytes
    qos: int
    retained: bool


class Guest:
    """One connection with a clean session. Use as a context manager. Raises LinkError when nobody takes it in.

    It asks for QoS 2, so that each message comes with the QoS it was published with.
    """

    def __init__(self, address: BrokerAddress, topics: Sequence[str], clock: Clock) -> None:
        self._address, self._topics, self._clock = address, list(topics), clock
        self._heard: queue.Queue[Heard] = queue.Queue(_QUEUED)
        self._settled = threading.Event()
        self._trouble = ""
        self._left = threading.Event()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, f"plantroom-guest-{uuid.uuid4().hex[:12]}", clean_session=True,
            protocol=mqtt.MQTTv311,
        )  # fmt: skip
        self._client.connect_timeout = 5.0
        if address.user is not None:
            self._client.username_pw_set(address.user, address.password)
        if address.ca_file is not None:
            self._client.tls_set(ca_certs=address.ca_file)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.on_disconnect = self._on_disconnect

    def __enter__(self) -> "Guest":
        try:
            self._client.connect(self._address.host, self._address.port, _KEEPALIVE_S)
        except (OSError, ValueError) as error:
            msg = f"cannot connect to the broker at {self._address}: {error}. Start it, or correct its address"
            raise LinkError(msg) from error
        self._client.loop_start()
        if not self._settled.wait(_OPEN_S) or self._trouble:
            self.__exit__()
            msg = f"the broker at {self._address} did not take us: {self._trouble or f'no answer in {_OPEN_S:g} s'}"
            raise LinkError(msg)
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def lost(self) -> str:
        """Why the broker ended the connection; empty while it stands."""
        return self._trouble

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send at QoS 1."""
        self._client.publish(topic, payload, qos=1, retain=retain)

    def hear(self, seconds: float, stop: threading.Event) -> Iterator[Heard]:
        """What comes within so many real seconds, or until `stop`."""
        until = time.monotonic() + seconds
        while not stop.is_set() and (left := until - time.monotonic()) > 0 and not self._trouble:
            try:
                yield self._heard.get(timeout=min(left, 0.2))
            except queue.Empty:
                continue

    def _on_connect(
        self, client: mqtt.Client, _data: Any, _flags: mqtt.ConnectFlags, code: ReasonCode, _more: Properties | None  # noqa: ANN401 - paho's own signature
    ) -> None:  # fmt: skip
        if code.is_failure:
            self._trouble = f"refused: {code}. Check user and password"
            self._settled.set()
        else:
            client.subscribe([(topic, 2) for topic in self._topics])

    def _on_subscribe(
        self, _client: mqtt.Client, _data: Any, _mid: int, codes: list[ReasonCode], _more: Properties | None  # noqa: ANN401 - paho's own signature
    ) -> None:  # fmt: skip
        refused = [
            topic for topic, code in zip(self._topics, codes, strict=False) if code.is_failure or code.value >= 0x80
        ]
        if refused:
            self._trouble = f"it refuses the subscription to {', '.join(refused)}. Allow this user to read there"
        self._settled.set()

    def _on_disconnect(
        self, _client: mqtt.Client, _data: Any, _flags: mqtt.DisconnectFlags, code: ReasonCode, _more: Properties | None  # noqa: ANN401 - paho's own signature
    ) -> None:  # fmt: skip
        if not self._left.is_set() and not self._trouble:
            self._trouble = f"the broker closed the connection: {code}"
            self._settled.set()

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:  # noqa: ANN401 - paho's own signature
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return
        heard = Heard(self._clock.now_us(), topic, bytes(message.payload), message.qos, message.retain)
        if not self._heard.full():  # a guest who cannot keep up misses some; it judges a device, it keeps nothing
            self._heard.put_nowait(heard)


def probe(address: BrokerAddress, clock: Clock, stop: threading.Event, *, name: str = "probe") -> float | None:
    """Publish to ourselves through the broker on a topic that ends in `name`: the seconds it took.

    None when it never came back. Raises LinkError when the broker does not take us in, or throws us out.
    """
    topic = f"{PROBE_PREFIX}{uuid.uuid4().hex}/{name}"
    with Guest(address, [f"{PROBE_PREFIX}#"], clock) as guest:
        began = time.monotonic()
        guest.publish(topic, b"{}")
        for heard in guest.hear(5.0, stop):
            if heard.topic == topic:
                return time.monotonic() - began
        if guest.lost:
            raise LinkError(guest.lost)
    return None
