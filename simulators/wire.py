"""The publishing end of the wire: paho-mqtt, QoS 1, a bounded number of messages not acknowledged yet.

A message is kept until the broker acknowledges it; after a reconnect the kept ones go out again in order, so nothing
that was taken over is lost while this process lives (it may arrive twice).
"""

from collections import deque
from collections.abc import Callable
from pathlib import Path
from threading import Condition, Event
from time import monotonic
from typing import Any, NamedTuple, Self

import structlog
from paho.mqtt.client import MQTT_ERR_NO_CONN, MQTT_ERR_SUCCESS, Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from facility.errors import PermanentError, RetryableError

WINDOW = 1000
_LOOK_S = 0.5
_log = structlog.get_logger("simulators.wire")


class WireError(RetryableError):
    """The broker cannot be reached or did not acknowledge in time."""


class WireRefusedError(PermanentError):
    """The broker refused the connection, or a topic cannot be published."""


class _Held(NamedTuple):
    topic: str
    payload: bytes
    qos: int
    retain: bool


class Wire:
    """Publishes at QoS 1. Use as a context manager, or `connect` and `close`.

    At most `window` messages are unacknowledged at any time, connected or not: `publish` blocks above that. What comes
    without a connection waits here until the older messages are on their way again, so that none overtakes them. Safe
    for one publishing thread; paho's own thread acknowledges.
    """

    def __init__(
        self,
        host: str,
        port: int,
        client_id: str,
        *,
        username: str | None = None,
        password: str | None = None,
        ca_file: Path | None = None,
        window: int = WINDOW,
        wait_s: float = 30.0,
    ) -> None:
        if not 1 <= window <= 10_000:
            msg = f"window is {window!r}; expected 1 to 10,000 messages"
            raise ValueError(msg)
        self._place, self._window, self._wait_s = f"{host}:{port}", window, wait_s
        self._changed = Condition()
        self._unacknowledged, self._acknowledged = 0, 0
        self._connected, self._lost_count = False, 0
        self._is_in_order = False
        self._held: deque[_Held] = deque()
        self._refusal: str | None = None
        # A stable id and a lasting session: the broker knows us again. The answer to a lost PUBACK is to send again.
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id, clean_session=False, protocol=MQTTProtocolVersion.MQTTv311
        )
        self._client.max_inflight_messages_set(window)
        self._client.reconnect_delay_set(min_delay=1, max_delay=8)
        if username is not None:
            self._client.username_pw_set(username, password)
        if ca_file is not None:
            self._client.tls_set(str(ca_file))
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.connect_async(host, port, keepalive=30)

    # --- for whoever publishes ---------------------------------------------------------------------------------
    def connect(self, timeout_s: float = 30.0) -> Self:
        """Begin, and wait for the first connection. Raises WireError after the time, WireRefusedError on a refusal."""
        self._client.loop_start()
        if not self._await(lambda: self._connected, timeout_s):
            self.close()
            msg = f"no MQTT broker answered at {self._place} within {timeout_s:g} s; start it, or check host and port"
            raise WireError(msg)
        return self

    def publish(
        self, topic: str, payload: bytes, stop: Event | None = None, *, qos: int = 1, retain: bool = False
    ) -> bool:
        """Take one message over; blocks while the window is full. False when `stop` was set first.

        Raises WireRefusedError for a topic that cannot be published, or when the broker has refused us.
        """
        while not self._await(lambda: self._unacknowledged < self._window, _LOOK_S):
            if stop is not None and stop.is_set():
                return False
        message = _Held(topic, payload, qos, retain)
        with self._changed:
            self._unacknowledged += 1
            if not self._is_in_order or self._held:
                self._held.append(message)
                return True
        self._send(message)
        return True

    def _send(self, message: "_Held") -> None:
        try:
            info = self._client.publish(message.topic, message.payload, qos=message.qos, retain=message.retain)
        except ValueError as error:
            self._forget()
            msg = f"cannot publish on topic {message.topic!r}: {error}"
            raise WireRefusedError(msg) from error
        if info.rc not in (MQTT_ERR_SUCCESS, MQTT_ERR_NO_CONN):  # both of these keep the message
            self._forget()
            msg = f"the message on {message.topic!r} was not taken over: {info.rc!r}"
            raise WireError(msg)

    def drain(self, timeout_s: float | None = None, stop: Event | None = None) -> bool:
        """Wait until everything is acknowledged; False when the time passed or `stop` was set first."""
        end = None if timeout_s is None else monotonic() + timeout_s
        while True:
            left = _LOOK_S if end is None else min(_LOOK_S, end - monotonic())
            if self._await(lambda: self._unacknowledged == 0, max(0.0, left)):
                return True
            if (stop is not None and stop.is_set()) or (end is not None and monotonic() >= end):
                return False

    def close(self) -> None:
        """Leave in good order. What is not acknowledged is given up: `drain` first."""
        self._client.disconnect()
        self._client.loop_stop()

    def __enter__(self) -> Self:
        return self.connect(self._wait_s)

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def unacknowledged(self) -> int:
        """Messages taken over that the broker has not acknowledged yet."""
        return self._unacknowledged

    @property
    def acknowledged(self) -> int:
        """Messages the broker has acknowledged since the start."""
        return self._acknowledged

    @property
    def lost_count(self) -> int:
        """How often the connection was lost since the start."""
        return self._lost_count

    # --- from paho's thread ------------------------------------------------------------------------------------
    def _await(self, done: Callable[[], bool], timeout_s: float) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: done() or self._refusal is not None, timeout_s)
            if self._refusal is not None:
                msg = (
                    f"the MQTT broker at {self._place} refused the connection: {self._refusal}; check user and password"
                )
                raise WireRefusedError(msg)
            return done()

    def _forget(self) -> None:
        with self._changed:
            self._unacknowledged -= 1
            self._changed.notify_all()

    # paho calls these with its own types; Any where we do not look.
    def _on_connect(self, _client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:  # noqa: ANN401 - paho's callback signature
        with self._changed:
            if reason.is_failure:
                # Server unavailable is worth another try; the other refusals stay what they are.
                self._refusal = None if reason.getName() == "Server unavailable" else str(reason)
            else:
                self._connected = True
                # paho sends its kept messages after this call; the first acknowledgement shows that it has.
                self._is_in_order = self._unacknowledged == len(self._held)
            self._changed.notify_all()
        self._release()
        if not reason.is_failure:
            _log.info("connected", broker=self._place, to_resend=self._unacknowledged)

    def _on_disconnect(self, _client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:  # noqa: ANN401 - paho's callback signature
        with self._changed:
            was, self._connected = self._connected, False
            self._is_in_order = False
            self._lost_count += int(was and reason.is_failure)
        if was and reason.is_failure:
            _log.warning("connection lost", broker=self._place, reason=str(reason), kept=self._unacknowledged)

    def _on_publish(self, _client: Client, _data: Any, _mid: int, _reason: ReasonCode, _properties: Any) -> None:  # noqa: ANN401 - paho's callback signature
        with self._changed:
            self._unacknowledged -= 1
            self._acknowledged += 1
            self._is_in_order = self._connected
            self._changed.notify_all()
        self._release()

    def _release(self) -> None:
        """Send what was taken over while an older message could have been overtaken; only paho's thread does this."""
        while True:
            with self._changed:
                if not self._is_in_order or not self._held:
                    return
                message = self._held[0]
            try:
                self._send(message)
            except (WireError, WireRefusedError) as error:
                _log.error("message given up", topic=message.topic, reason=str(error))
            with self._changed:
                self._held.popleft()
