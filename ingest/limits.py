"""How much one sender may send: the size of a message, messages a second on a topic, dead letters a second.

What is refused here was delivered and is acknowledged, counted by reason, and a few of each kind are kept as dead
letters: a sender gone wild costs itself its readings, not the building. Real seconds throughout, because it is our own
time that is protected; ten minutes' worth may come at once, so that what a device or the broker kept back is no flood.
Memory is bounded whatever arrives.
"""

import time
from collections.abc import Callable

BURST_S = 600.0
MAX_TOPICS = 100_000
_LETTER_TOPICS = 20_000
_LETTERS_OF_TOPIC = (20.0, 0.1)
_LETTERS_OF_ALL = (20_000.0, 50.0)
"""At once, and a second for long."""


class Bucket:
    """Holds `size` at most, fills by `per_second`; taking one out of an empty one is refused."""

    __slots__ = ("_at", "_left", "_per_second", "_size")

    def __init__(self, size: float, per_second: float, now: float) -> None:
        self._size, self._per_second, self._left, self._at = size, per_second, size, now

    def take(self, now: float) -> bool:
        """Whether one could be taken at this instant (seconds of any steady clock)."""
        self._left = min(self._size, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


class Limits:
    """One per ingest service, used by its one thread. `device_per_s` 0 is no limit on the rate."""

    def __init__(
        self, *, message_bytes: int, device_per_s: float = 0.0, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self.message_bytes, self._device_per_s, self._steady = message_bytes, device_per_s, steady
        self._devices: dict[str, Bucket] = {}
        self._letters: dict[str, Bucket] = {}
        self._all_letters = Bucket(*_LETTERS_OF_ALL, steady())

    def is_flood(self, topic: str) -> bool:
        """Whether this message is one too many of its topic."""
        if not self._device_per_s:
            return False
        bucket = self._devices.get(topic)
        if bucket is None:
            if len(self._devices) >= MAX_TOPICS:
                self._devices.clear()
            size = max(1.0, self._device_per_s * BURST_S)
            bucket = self._devices[topic] = Bucket(size, self._device_per_s, self._steady())
        return not bucket.take(self._steady())

    def explain_flood(self, topic: str) -> str:
        """Why it is refused, for the dead letter."""
        return (
            f"{topic[:300]!r} sends more than {self._device_per_s:g} messages a second for long; those beyond are not "
            "read. Slow the device down, or raise device_messages_per_second"
        )

    def explain_size(self, size: int) -> str:
        """Why it is refused, for the dead letter."""
        return (
            f"the message has {size:,} bytes; at most {self.message_bytes:,} are read. Send fewer readings in one "
            "message, or raise message_max_kib"
        )

    def keeps_letter(self, topic: str) -> bool:
        """Whether one more dead letter of this topic is kept, or only counted."""
        now = self._steady()
        bucket = self._letters.get(topic)
        if bucket is None:
            if len(self._letters) >= _LETTER_TOPICS:
                del self._letters[next(iter(self._letters))]
            bucket = self._letters[topic] = Bucket(*_LETTERS_OF_TOPIC, now)
        return bucket.take(now) and self._all_letters.take(now)
