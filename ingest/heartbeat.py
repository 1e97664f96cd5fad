"""The heartbeat message: published once a second to our own topic, committed when it comes back.

It travels behind every message the broker took before it, so event time never runs ahead of what the broker holds.
"""

import time
import uuid

import msgspec


class Beat(msgspec.Struct, frozen=True):
    """`at_us` is the clock's now at sending. `run` and `sent_us` (monotonic) let the sender measure the way."""

    at_us: int
    run: str
    sent_us: int


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Beat)


def steady_us() -> int:
    """Microseconds of a clock that only goes forward: what `Beat.sent_us` is measured by."""
    return time.monotonic_ns() // 1000


class Pulse:
    """Makes heartbeats and reads them back. One per run of the service."""

    def __init__(self) -> None:
        self._run = uuid.uuid4().hex

    def make(self, at_us: int) -> bytes:
        """The payload of a heartbeat stamped `at_us`; 0 for one that only tells what came before it."""
        return _encode(Beat(at_us, self._run, steady_us()))

    def read(self, payload: bytes) -> Beat | None:
        """The heartbeat that came back; None when the payload is none."""
        try:
            return _decoder.decode(payload)
        except msgspec.DecodeError:
            return None

    def sent_us(self, beat: Beat) -> int | None:
        """When this run sent it (monotonic, microseconds); None when another run did."""
        return beat.sent_us if beat.run == self._run else None

    def travelled_s(self, beat: Beat) -> float | None:
        """Seconds since it was sent; None when another run sent it."""
        return (steady_us() - beat.sent_us) / 1e6 if beat.run == self._run else None
