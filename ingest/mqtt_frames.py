"""MQTT 3.1.1 on the wire: the packets a subscriber sends, and those it takes out of what the socket gave it. No I/O."""

from collections.abc import Iterable
from typing import NamedTuple

from ingest.link import KEEPALIVE_S, NOT_UTF8, QOS, BrokerAddress, Delivery

MOST_PAYLOAD = 2**20 + 1
"""What is kept of a payload; the rest of a larger one is read and forgotten, its length included."""

PINGREQ, DISCONNECT = b"\xc0\x00", b"\xe0\x00"
CONNACK, PUBACK, SUBACK, UNSUBACK, PINGRESP = 0x20, 0x40, 0x90, 0xB0, 0xD0
_ANSWERS = frozenset((CONNACK, PUBACK, SUBACK, UNSUBACK, PINGRESP))
_PUBLISH, _DUPLICATE, _RETAIN = 0x30, 0x08, 0x01
_MOST_TOPICS = 1 << 16
_MOST_KEPT = MOST_PAYLOAD + 0x10003
"""A payload with its topic and packet id."""
_MOST_ANSWER = 1 << 10
"""Bytes of any packet to us that is no message."""


class FrameError(ValueError):
    """What the broker sent is not MQTT 3.1.1."""


class Answer(NamedTuple):
    """A packet that is no message: its type (CONNACK, PUBACK, SUBACK, UNSUBACK, PINGRESP) and what is in it."""

    kind: int
    body: bytes


def connect(address: BrokerAddress) -> bytes:
    """CONNECT with a session that lasts."""
    flags, secrets = 0, b""
    if address.user is not None:
        flags, secrets = 0x80, _text(address.user)
        if address.password is not None:
            flags, secrets = 0xC0, secrets + _text(address.password)
    head = b"\x00\x04MQTT\x04" + bytes([flags]) + KEEPALIVE_S.to_bytes(2, "big")
    return _packet(0x10, head + _text(address.client_id) + secrets)


def subscribe(mid: int, *topics: str) -> bytes:
    """SUBSCRIBE to these filters at QoS 1."""
    return _packet(0x82, mid.to_bytes(2, "big") + b"".join(_text(topic) + bytes([QOS]) for topic in topics))


def unsubscribe(mid: int, *topics: str) -> bytes:
    """UNSUBSCRIBE from these filters."""
    return _packet(0xA2, mid.to_bytes(2, "big") + b"".join(map(_text, topics)))


def publish(mid: int, topic: str, payload: bytes) -> bytes:
    """PUBLISH at QoS 1."""
    return _packet(_PUBLISH | QOS << 1, _text(topic) + mid.to_bytes(2, "big") + payload)


def again(frame: bytes) -> bytes:
    """The same PUBLISH, marked as one that may have been sent before."""
    return bytes([frame[0] | _DUPLICATE]) + frame[1:]


def acknowledgements(mids: Iterable[int]) -> bytes:
    """PUBACKs of these packet ids, one behind the other."""
    return b"".join([b"\x40\x02" + mid.to_bytes(2, "big") for mid in mids])


def _text(value: str) -> bytes:
    encoded = value.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def _packet(first: int, body: bytes) -> bytes:
    length, size = bytearray(), len(body)
    while True:
        size, digit = size >> 7, size & 0x7F
        length.append(digit | 0x80 if size else digit)
        if not size:
            return bytes([first]) + bytes(length) + body


class FrameReader:
    """Takes packets out of the bytes of one connection. Holds what is not a whole packet yet: at most `MOST_PAYLOAD`
    and what was fed last."""

    def __init__(self) -> None:
        self._data, self._at = b"", 0
        self._skip = 0
        self._topics: dict[bytes, str] = {}

    def feed(self, data: bytes) -> None:
        """More bytes from the socket."""
        if self._skip:
            left = len(data) - self._skip
            self._skip = max(0, -left)
            data = data[-left:] if left > 0 else b""
        self._data = self._data[self._at :] + data if self._at < len(self._data) else data
        self._at = 0

    @property
    def waiting(self) -> bytes:
        """What is not taken yet."""
        return self._data[self._at :]

    def take(self, limit: int, generation: int, answers: list[Answer]) -> list[Delivery]:
        """The messages of the next whole packets, at most `limit`; other packets are added to `answers`.

        Raises FrameError when the next packet is none: nothing more can be read from this connection.
        """
        found: list[Delivery] = []
        try:
            self._take(limit, generation, answers, found)
        except FrameError:
            if not found:
                raise
        return found

    def _take(  # noqa: PLR0912 - one flat loop: every packet of every device goes through it
        self, limit: int, generation: int, answers: list[Answer], found: list[Delivery]
    ) -> None:
        data, at, end, topics = self._data, self._at, len(self._data), self._topics
        while len(found) < limit and at + 2 <= end:
            first, size, body = data[at], data[at + 1], at + 2
            if size & 0x80:
                size, body = _long_size(data, at + 1)
                if not body:
                    return
            stop = body + size
            if first & 0xF0 != _PUBLISH:
                if size > _MOST_ANSWER or first not in _ANSWERS:
                    raise FrameError(f"a packet that no broker sends (first byte 0x{first:02x}, {size:,} bytes)")
                if stop > end:
                    return
                answers.append(Answer(first, data[body:stop]))
                self._at = at = stop
                continue
            kept = stop
            if stop > end:
                if end - body <= _MOST_KEPT:
                    return
                kept = end
            topic_at = body + 2
            topic_end = topic_at + (data[body] << 8 | data[body + 1] if size >= 2 else 0)
            qos, mid, payload_at = first >> 1 & 0x03, 0, topic_end
            if qos:
                payload_at += 2
            if payload_at > stop or qos > QOS:
                raise FrameError(f"a message that is none (first byte 0x{first:02x}, {size:,} bytes)")
            if qos:
                mid = data[topic_end] << 8 | data[topic_end + 1]
            name = data[topic_at:topic_end]
            topic = topics.get(name)
            if topic is None:
                topic = self._name(name)
            if kept - payload_at > MOST_PAYLOAD:
                kept = payload_at + MOST_PAYLOAD
            retained, again = first & _RETAIN != 0, first & _DUPLICATE != 0
            found.append(Delivery(topic, data[payload_at:kept], qos, mid, retained, again, generation))
            if stop > end:
                self._skip, stop = stop - end, end
            self._at = at = stop

    def _name(self, name: bytes) -> str:
        """A topic as text, the same object each time: its hash is known."""
        try:
            topic = name.decode()
        except UnicodeDecodeError:
            return NOT_UTF8
        if len(self._topics) >= _MOST_TOPICS:
            self._topics.clear()
        self._topics[name] = topic
        return topic


def _long_size(data: bytes, at: int) -> tuple[int, int]:
    """The length that begins at `at`, and where the body does; (0, 0) while it is not all there."""
    size = 0
    for place, digit in enumerate(data[at : at + 4]):
        size |= (digit & 0x7F) << 7 * place
        if not digit & 0x80:
            return size, at + place + 1
        if place == 3:
            raise FrameError("a length of more than four bytes")
    return 0, 0
