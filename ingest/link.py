"""The connection to the broker as the service sees it: MQTT 3.1.1, persistent session, QoS 1, acknowledged by hand.

Two clients do it: `ingest.mqtt_raw` (our own, one large read a wake-up) and `ingest.mqtt_paho` (paho-mqtt). One test
suite holds for both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from threading import Event
from typing import NamedTuple, Protocol

from facility.errors import RetryableError

ALL_TOPICS = "#"
DROPPED_TOPIC = "$SYS/broker/publish/messages/dropped"
"""Where Mosquitto says how many messages it threw away since its start; others say nothing here."""
QOS = 1
KEEPALIVE_S = 30
OPEN_S = 10.0
CONNECT_S = 5.0
MAX_UNANSWERED = 60
"""Own messages (heartbeats) that wait for the broker's acknowledgement; further ones are not sent."""

NOT_UTF8 = "(a topic that is not UTF-8)"


class LinkError(RetryableError):
    """No connection, or one that cannot receive: the message says why and what to do."""


class ClientKind(StrEnum):
    """Which MQTT client ingest uses: its own, or the one of paho-mqtt."""

    RAW = "raw"
    PAHO = "paho"


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is and who we are. `ca_file` switches TLS on."""

    host: str = "127.0.0.1"
    port: int = 1883
    client_id: str = "plantroom-ingest"
    user: str | None = None
    password: str | None = None
    ca_file: str | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Delivery(NamedTuple):
    """One message as it arrived. `retained`: a stored copy that the broker sent because we subscribed."""

    topic: str
    payload: bytes
    qos: int
    mid: int
    retained: bool
    redelivered: bool
    generation: int


class Link(Protocol):
    """One persistent session, over any number of connections, in the caller's thread.

    A generation counts connections: a message is acknowledged only on the connection that delivered it, because packet
    ids mean nothing on the next one. `lost` is why there is no connection, None while there is one.
    """

    address: BrokerAddress
    generation: int
    lost: str | None

    def open(self, stop: Event) -> bool:
        """Connect and subscribe to what is wanted; True when subscribed, False when `stop` came first.

        Raises LinkError: unreachable, refused, or the first filter was not granted at QoS 1.
        """

    def want(self, filters: Sequence[str], held: Iterable[str] = ()) -> None:
        """From here on be subscribed to these filters, on the connection there is and on those to come; without a word
        to everything. What is wanted no more is given up once everything wanted is answered, and so is what the
        session may hold from an earlier run (`held`). A broker that has a queue for each filter (nats-server) drops
        what waits in it then; one with a queue for the session (Mosquitto) does not."""

    @property
    def granted(self) -> frozenset[str]:
        """The filters that the broker has granted at QoS 1 on this connection; another object after every change."""

    @property
    def refused(self) -> tuple[str, ...]:
        """The filters that are wanted and were not granted."""

    @property
    def held(self) -> frozenset[str]:
        """The filters that the session at the broker may hold."""

    @property
    def is_over(self) -> bool:
        """Whether nothing can be read any more: the connection is lost, and what it had delivered is read."""

    def read(self, limit: int, timeout_s: float) -> list[Delivery]:
        """What arrived, at most `limit` messages, waiting at most `timeout_s` for the first. `lost` says afterwards
        whether the connection still stands."""

    def acknowledge(self, deliveries: Iterable[Delivery]) -> int:
        """Acknowledge what this connection delivered at QoS 1; returns how many. What an older connection delivered
        is forgotten: the broker sends it again."""

    def publish(self, topic: str, payload: bytes) -> None:
        """Send at QoS 1; nothing happens while there is no connection."""

    def keep_alive(self) -> None:
        """Answer the broker's patience while we cannot read."""

    def close(self) -> None:
        """Take leave; the session stays at the broker, and so does what was not acknowledged."""


def explain_unreachable(address: BrokerAddress, error: Exception) -> str:
    """For a broker that cannot be reached at all."""
    return f"cannot connect to the broker at {address}: {error}. Start it, or correct its address"


def explain_refusal(address: BrokerAddress, topic: str, granted: int | None, lost: str | None) -> str:
    """Why a connection cannot be used, by the code of SUBACK for a filter (None: none came); empty when it can."""
    if granted == QOS:
        return ""
    if granted is None:
        return f"the broker at {address} did not take us: {lost or f'no answer in {OPEN_S:g} s'}"
    if granted >= 0x80:
        return (
            f"the broker at {address} refused the subscription to {topic!r} (code 0x{granted:02x}). "
            f"Allow {address.client_id!r} to read it; on nats-server max_ack_pending must be below 32768"
        )
    return (
        f"the broker at {address} grants only QoS {granted} for {topic!r}: messages would be lost while "
        "ingest is down. Allow QoS 1"
    )
