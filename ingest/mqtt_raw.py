"""The connection to the broker by our own client: one large read a wake-up, one write for all acknowledgements.

It speaks what ingest needs of MQTT 3.1.1 and nothing more: one lasting session, QoS 1.
"""

import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from ingest.link import (
    CONNECT_S,
    KEEPALIVE_S,
    MAX_UNANSWERED,
    OPEN_S,
    QOS,
    BrokerAddress,
    Delivery,
    LinkError,
    explain_refusal,
    explain_unreachable,
)
from ingest.mqtt_frames import (
    CONNACK,
    DISCONNECT,
    PINGREQ,
    PINGRESP,
    PUBACK,
    SUBACK,
    UNSUBACK,
    Answer,
    FrameError,
    FrameReader,
    acknowledgements,
    again,
    connect,
    publish,
    subscribe,
    unsubscribe,
)
from ingest.subscriptions import Subscriptions

_READ_BYTES = 256 * 1024
_MOST_READ = 2**31
_CLOSE_S = 0.5
_TURN_S = 0.05
_REFUSED = {
    1: "it does not speak MQTT 3.1.1",
    2: "it does not like our client id",
    3: "it is not available",
    4: "bad user name or password. Check user and password",
    5: "not authorized. Check user and password",
}
_WAITS = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class RawLink:
    """A `Link`. Not thread-safe. `steady` gives seconds of any clock that only goes forward."""

    def __init__(self, address: BrokerAddress, steady: Callable[[], float] = time.monotonic) -> None:
        self.address = address
        self.generation = 0
        self.lost: str | None = "not connected yet"
        self._steady = steady
        self._socket: socket.socket | None = None
        self._selector = selectors.DefaultSelector()
        self._watched = 0
        self._frames = FrameReader()
        self._inbox: list[Delivery] = []
        self._out = bytearray()
        self._subscriptions = Subscriptions()
        self._is_taken = False
        self._sent_at = self._heard_at = 0.0
        self._pinged_at: float | None = None
        self._mid = 0
        self._unanswered: dict[int, bytes] = {}

    def open(self, stop: threading.Event) -> bool:
        """See `Link`."""
        self._drop()
        self.generation += 1
        self._inbox, self._frames, self._out = [], FrameReader(), bytearray()
        self._is_taken, self._pinged_at = False, None
        self._subscriptions.begin()
        try:
            self._socket = self._connect()
        except (OSError, ValueError) as error:
            self.lost = f"{error}"
            raise LinkError(explain_unreachable(self.address, error)) from error
        self.lost = None
        self._sent_at = self._heard_at = self._steady()
        self._watch(selectors.EVENT_READ)
        self._send(connect(self.address))
        deadline = self._steady() + OPEN_S
        while self._is_opening() and not stop.is_set() and self._steady() < deadline:
            # A session that has a backlog delivers before it answers the subscription.
            self._inbox += self._turn(_TURN_S, _MOST_READ)
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
            mid = self._next_mid()
            self._subscriptions.asked(mid, filters)
            self._send(subscribe(mid, *filters))
        for filters in self._subscriptions.to_leave():
            mid = self._next_mid()
            self._subscriptions.left(mid, filters)
            self._send(unsubscribe(mid, *filters))

    def _connect(self) -> socket.socket:
        plain = socket.create_connection((self.address.host, self.address.port), CONNECT_S)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.address.ca_file is None:
                whole = plain
            else:
                context = ssl.create_default_context(cafile=self.address.ca_file)
                whole = context.wrap_socket(plain, server_hostname=self.address.host)
            whole.settimeout(0.0)
        except BaseException:  # whatever it was goes on to the caller; the socket must not stay
            plain.close()
            raise
        return whole

    @property
    def is_over(self) -> bool:
        """See `Link`."""
        return self.lost is not None and not self._inbox

    def read(self, limit: int, timeout_s: float) -> list[Delivery]:
        """See `Link`."""
        if self._inbox:
            found, self._inbox = self._inbox[:limit], self._inbox[limit:]
            return found
        found = self._take(limit) if self.lost is None else []
        return found if found or self.lost is not None else self._turn(timeout_s, limit)

    def acknowledge(self, deliveries: Iterable[Delivery]) -> int:
        """See `Link`."""
        if self.lost is not None:
            return 0
        current = self.generation
        mids = [one.mid for one in deliveries if one.qos == QOS and one.generation == current]
        self._send(acknowledgements(mids))
        return len(mids)

    def publish(self, topic: str, payload: bytes) -> None:
        """See `Link`. What the broker has not answered goes to it again on the next connection."""
        if self.lost is not None or len(self._unanswered) >= MAX_UNANSWERED:
            return
        mid = self._next_mid()
        self._unanswered[mid] = publish(mid, topic, payload)
        self._send(self._unanswered[mid])

    def _next_mid(self) -> int:
        while True:
            self._mid = self._mid % 0xFFFF + 1
            if self._mid not in self._unanswered and not self._subscriptions.uses(self._mid):
                return self._mid

    def keep_alive(self) -> None:
        """See `Link`. Nothing is read, so a broker that does not answer cannot be told from one that does."""
        if self.lost is None:
            self._heard_at = self._steady()
            self._pinged_at = None
            self._ping()
            self._send(b"")

    def close(self) -> None:
        """See `Link`."""
        if self.lost is None and self._socket is not None:
            self._out += DISCONNECT
            try:
                self._socket.settimeout(_CLOSE_S)
                self._socket.sendall(self._out)
            except OSError as error:
                self.lost = f"closed by us, not heard by the broker: {error}"
            else:
                self.lost = "closed by us"
        self._drop()

    def _turn(self, timeout_s: float, limit: int) -> list[Delivery]:
        """Wait for the socket at most `timeout_s`; whatever is whole after one read of it, at most `limit` messages."""
        self._watch(selectors.EVENT_READ | (selectors.EVENT_WRITE if self._out else 0))
        found: list[Delivery] = []
        for _key, ready in self._selector.select(timeout_s):
            if ready & selectors.EVENT_WRITE:
                self._send(b"")
            if ready & selectors.EVENT_READ:
                self._receive()
                found = self._take(limit)
        if self.lost is None:
            self._look_after()
        return found

    def _receive(self) -> None:
        sock = self._socket
        if sock is None or self.lost is not None:
            return
        try:
            data = sock.recv(_READ_BYTES)
            while isinstance(sock, ssl.SSLSocket) and (more := sock.pending()):
                data += sock.recv(more)
        except _WAITS:
            return
        except OSError as error:
            self._lose(f"{error}")
            return
        if not data:
            self._lose("the broker closed the connection")
            return
        self._heard_at, self._pinged_at = self._steady(), None
        self._frames.feed(data)

    def _take(self, limit: int) -> list[Delivery]:
        """Messages that are in already; answers among them are dealt with."""
        answers: list[Answer] = []
        try:
            found = self._frames.take(limit, self.generation, answers)
            for answer in answers:
                self._deal_with(answer)
        except FrameError as error:
            self._lose(f"the broker sent {error}; that is not MQTT 3.1.1")
            return []
        return found

    def _deal_with(self, answer: Answer) -> None:
        kind, body = answer
        if len(body) != {CONNACK: 2, PUBACK: 2, SUBACK: max(3, len(body)), UNSUBACK: 2, PINGRESP: 0}[kind]:
            raise FrameError(f"an answer of type 0x{kind:02x} with {len(body)} bytes")
        if kind == PUBACK:
            self._unanswered.pop(int.from_bytes(body, "big"), None)
        elif kind == SUBACK:
            self._subscriptions.answered(int.from_bytes(body[:2], "big"), body[2:])
            self._subscribe()
        elif kind == UNSUBACK:
            self._subscriptions.confirmed(int.from_bytes(body, "big"))
            self._subscribe()
        elif kind == CONNACK and body[1]:
            self._lose(f"refused: {_REFUSED.get(body[1], f'code {body[1]}')}")
        elif kind == CONNACK:
            self._is_taken = True
            self._subscribe()
            self._send(b"".join(again(frame) for frame in self._unanswered.values()))

    def _look_after(self) -> None:
        """Notice a connection that is dead but not closed."""
        if self._pinged_at is not None and self._steady() - self._pinged_at >= KEEPALIVE_S:
            self._lose(f"the broker has not answered for {KEEPALIVE_S} s")
        else:
            self._ping()

    def _ping(self) -> None:
        now = self._steady()
        if self._pinged_at is None and now - min(self._sent_at, self._heard_at) >= KEEPALIVE_S / 2:
            self._pinged_at = now
            self._send(PINGREQ)

    def _send(self, data: bytes) -> None:
        """Write it, and what waited before it; what the socket does not take now, `_turn` writes later."""
        sock = self._socket
        if sock is None or self.lost is not None:
            return
        self._out += data
        try:
            while self._out:
                sent = sock.send(self._out)
                del self._out[:sent]
                self._sent_at = self._steady()
        except _WAITS:
            return
        except OSError as error:
            self._lose(f"{error}")

    def _lose(self, reason: str) -> None:
        """The connection is over. What it had delivered stays: at QoS 0 nobody sends it again."""
        if self.lost is None:
            self.lost = reason
            try:
                self._inbox += self._frames.take(_MOST_READ, self.generation, [])
            except FrameError:
                self._frames = FrameReader()
        self._drop()

    def _watch(self, events: int) -> None:
        if self._socket is None or events == self._watched:
            return
        if self._watched:
            self._selector.modify(self._socket, events)
        else:
            self._selector.register(self._socket, events)
        self._watched = events

    def _drop(self) -> None:
        sock, self._socket = self._socket, None
        if sock is not None:
            if self._watched:
                self._selector.unregister(sock)
            sock.close()
        self._watched = 0
