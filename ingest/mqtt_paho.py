"""The connection to the broker by paho-mqtt: proven everywhere, at some twenty microseconds a message."""

import selectors
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingest.link import (
    CONNECT_S,
    KEEPALIVE_S,
    MAX_UNANSWERED,
    NOT_UTF8,
    OPEN_S,
    QOS,
    BrokerAddress,
    Delivery,
    LinkError,
    explain_refusal,
    explain_unreachable,
)
from ingest.subscriptions import Subscriptions

_OPENING_READS = 100
_MISC_S = 1.0
_INBOX_BYTES = 8 * 2**20
"""Payload that is read in one turn; the rest waits in the socket. Together with the group it bounds the memory."""


class PahoLink:
    """A `Link`. Not thread-safe."""

    def __init__(self, address: BrokerAddress) -> None:
        self.address = address
        self.generation = 0
        self.lost: str | None = "not connected yet"
        self._inbox: list[Delivery] = []
        self._subscriptions = Subscriptions()
        self._is_taken = False
        self._misc_at = 0.0
        self._selector = selectors.DefaultSelector()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, address.client_id, clean_session=False, protocol=mqtt.MQTTv311, manual_ack=True
        )
        self._client.connect_timeout = CONNECT_S
        self._client.max_queued_messages_set(MAX_UNANSWERED)
        if address.user is not None:
            self._client.username_pw_set(address.user, address.password)
        if address.ca_file is not None:
            self._client.tls_set(ca_certs=address.ca_file)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_unsubscribe = self._on_unsubscribe
        self._client.on_message = self._on_message
        self._client.on_disconnect = self._on_disconnect
        # With a write callback paho queues what we send, and `_turn` writes it out in one go.
        self._client.on_socket_register_write = _nothing

    def open(self, stop: threading.Event) -> bool:
        """Connect and subscribe to what is wanted; True when subscribed, False when `stop` came first.

        Raises LinkError: unreachable, refused, or the first filter was not granted at QoS 1.
        """
        self._inbox.clear()
        self._is_taken, self.lost = False, None
        self._subscriptions.begin()
        self.generation += 1
        try:
            self._client.connect(self.address.host, self.address.port, KEEPALIVE_S)
        except (OSError, ValueError) as error:
            self.lost = f"{error}"
            raise LinkError(explain_unreachable(self.address, error)) from error
        self._watch()
        deadline = time.monotonic() + OPEN_S
        while self._is_opening() and not stop.is_set() and time.monotonic() < deadline:
            # A session that has a backlog delivers before it answers the subscription.
            self._turn(0.05, len(self._inbox) + _OPENING_READS)
        if self._is_opening() and stop.is_set():
            return False
        subscriptions = self._subscriptions
        if reason := explain_refusal(self.address, subscriptions.wanted[0], subscriptions.verdict, self.lost):
            self.close()
            self.lost = reason
            raise LinkError(reason)
        return True

    def _is_opening(self) -> bool:
        return self.lost is None and not (self._is_taken and self._subscriptions.is_settled)

    def want(self, filters: Sequence[str], held: Iterable[str] = ()) -> None:
        """See `Link`."""
        self._subscriptions.want(filters, held)
        if self._is_taken and self.lost is None:
            self._subscribe()
            self._write()

    @property
    def granted(self) -> frozenset[str]:
        """See `Link`."""
        return self._subscriptions.granted

    @property
    def refused(self) -> tuple[str, ...]:
        """See `Link`."""
        return self._subscriptions.refused

    @property
    def held(self) -> frozenset[str]:
        """See `Link`."""
        return self._subscriptions.held

    def _subscribe(self) -> None:
        """Ask for what is wanted and was not asked for; give up what is wanted no more."""
        for filters in self._subscriptions.to_ask():
            _, mid = self._client.subscribe([(one, QOS) for one in filters])
            if mid is not None:
                self._subscriptions.asked(mid, filters)
        for filters in self._subscriptions.to_leave():
            _, mid = self._client.unsubscribe(list(filters))
            if mid is not None:
                self._subscriptions.left(mid, filters)

    @property
    def is_over(self) -> bool:
        """Whether nothing can be read any more: the connection is lost, and what it had delivered is read."""
        return self.lost is not None and not self._inbox

    def read(self, limit: int, timeout_s: float) -> list[Delivery]:
        """What arrived, at most `limit` messages, waiting at most `timeout_s` for the first. `lost` says afterwards
        whether the connection still stands."""
        if not self._inbox and self.lost is None:
            self._turn(timeout_s, limit)
        found, self._inbox = self._inbox[:limit], self._inbox[limit:]
        return found

    def acknowledge(self, deliveries: Iterable[Delivery]) -> int:
        """Acknowledge what this connection delivered at QoS 1; returns how many. What an older connection delivered
        is forgotten: the broker sends it again."""
        count = 0
        if self.lost is None:
            for delivery in deliveries:
                if delivery.qos == QOS and delivery.generation == self.generation:
                    self._client.ack(delivery.mid, QOS)
                    count += 1
            self._write()
        return count

    def publish(self, topic: str, payload: bytes) -> None:
        """Send at QoS 1; nothing happens while there is no connection."""
        if self.lost is None:
            self._client.publish(topic, payload, QOS)
            self._write()

    def keep_alive(self) -> None:
        """Answer the broker's patience while we cannot read."""
        if self.lost is None:
            self._check(self._client.loop_misc())
            self._write()

    def close(self) -> None:
        """Take leave; the session stays at the broker, and so does what was not acknowledged."""
        if self.lost is None:
            self._client.disconnect()
            self._write()
            self.lost = "closed by us"
        self._unwatch()

    def _turn(self, timeout_s: float, limit: int) -> None:
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._client.want_write() else 0)
        for key in list(self._selector.get_map().values()):
            self._selector.modify(key.fileobj, events)
        for _key, ready in self._selector.select(timeout_s):
            if ready & selectors.EVENT_WRITE:
                self._write()
            if ready & selectors.EVENT_READ:
                self._drain(limit)
        now = time.monotonic()
        if self.lost is None and now - self._misc_at >= _MISC_S:
            self._misc_at = now
            self._check(self._client.loop_misc())

    def _drain(self, limit: int) -> None:
        """Read packets until the socket has no whole one more, or `limit` messages are in."""
        size = 0
        while self.lost is None and len(self._inbox) < limit and size < _INBOX_BYTES:
            before = len(self._inbox)
            self._check(self._client.loop_read())
            if len(self._inbox) == before:
                return
            size += sum(len(delivery.payload) for delivery in self._inbox[before:])

    def _write(self) -> None:
        if self.lost is None and self._client.want_write():
            self._check(self._client.loop_write())

    def _check(self, code: MQTTErrorCode) -> None:
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS and self.lost is None:
            self.lost = mqtt.error_string(code)
        if self.lost is not None:
            self._unwatch()

    def _watch(self) -> None:
        self._unwatch()
        sock = self._client.socket()
        if sock is not None:
            self._selector.register(sock, selectors.EVENT_READ)

    def _unwatch(self) -> None:
        for key in list(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)

    def _on_connect(
        self, _client: mqtt.Client, _data: Any, _flags: mqtt.ConnectFlags, code: ReasonCode, _more: Properties | None  # noqa: ANN401 - paho's own signature
    ) -> None:  # fmt: skip
        if code.is_failure:
            self.lost = f"refused: {code}. Check user and password"
        else:
            self._is_taken = True
            self._subscribe()

    def _on_subscribe(
        self, _client: mqtt.Client, _data: Any, mid: int, codes: list[ReasonCode], _more: Properties | None  # noqa: ANN401 - paho's own signature
    ) -> None:  # fmt: skip
        self._subscriptions.answered(mid, [code.value for code in codes])
        self._subscribe()

    def _on_unsubscribe(
        self, _client: mqtt.Client, _data: Any, mid: int, _codes: list[ReasonCode], _more: Properties | None  # noqa: ANN401 - paho's own signature
    ) -> None:  # fmt: skip
        self._subscriptions.confirmed(mid)
        self._subscribe()

    def _on_disconnect(
        self, _client: mqtt.Client, _data: Any, _flags: mqtt.DisconnectFlags, code: ReasonCode, _more: Properties | None  # noqa: ANN401 - paho's own signature
    ) -> None:  # fmt: skip
        if self.lost is None:
            self.lost = "the broker closed the connection" if code == "Unspecified error" else str(code)

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:  # noqa: ANN401 - paho's own signature
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = NOT_UTF8
        self._inbox.append(
            Delivery(
                topic, bytes(message.payload), message.qos, message.mid, message.retain, message.dup, self.generation
            )
        )


def _nothing(*_: object) -> None:
    """Paho asks to be told when it may write; `_turn` asks paho instead."""
