"""A sliding window over one point's good readings: plain data, bounded, exact to 1/512 of its length.

Readings nearer together than 1/512 of the length share a bucket. The window is `(now - length, now]`; the value in
force at its start is kept beside it.
"""

import math

import msgspec

from facility.reading import Value

BUCKETS = 512
COVERAGE = 0.75
"""Share of a window that readings must cover before its mean, extremes and sums are believed."""


class Bucket(msgspec.Struct, array_like=True):
    """Readings of one short stretch. `m2` is the sum of squares about their mean; `cover_us` is how long the
    values before each of them were valid; `changes` counts values that differ from the one before."""

    at_us: int
    number: int
    value: Value
    count: int
    mean: float
    m2: float
    low: float
    high: float
    changes: int
    cover_us: int


class Window(msgspec.Struct, array_like=True):
    """`started_us` is the first reading since the window (re)started, -1 before it."""

    length_us: int
    started_us: int = -1
    buckets: list[Bucket] = []
    before: Bucket | None = None

    def add(self, at_us: int, value: Value, changed: int, cover_us: int) -> None:
        """One good reading, later than all before it. A text counts as a value without magnitude."""
        number = at_us * BUCKETS // self.length_us
        amount = value if isinstance(value, float) else 0.0
        if self.started_us < 0:
            self.started_us, changed, cover_us = at_us, 0, 0
        last = self.buckets[-1] if self.buckets else None
        if last is None or last.number != number:
            self.trim(at_us)
            self.buckets.append(Bucket(at_us, number, value, 1, amount, 0.0, amount, amount, changed, cover_us))
            return
        last.at_us, last.value = at_us, value
        last.count += 1
        step = amount - last.mean
        last.mean += step / last.count
        last.m2 += step * (amount - last.mean)
        last.low, last.high = min(last.low, amount), max(last.high, amount)
        last.changes += changed
        last.cover_us += cover_us

    def trim(self, now_us: int) -> None:
        """Forget what lies before the window, but for the value in force at its start."""
        start, buckets = now_us - self.length_us, self.buckets
        if not buckets or buckets[0].at_us > start:
            return
        gone = 0
        while gone < len(buckets) and buckets[gone].at_us <= start:
            gone += 1
        self.before = buckets[gone - 1]
        del buckets[:gone]

    def restart(self) -> None:
        """Forget everything: there was time nobody listened to."""
        self.started_us, self.buckets, self.before = -1, [], None

    def ready(self, now_us: int) -> bool:
        """Whether the window is full: begun a whole length ago and covered by readings for most of it."""
        if self.started_us < 0 or self.started_us > now_us - self.length_us:
            return False
        covered = 0
        for bucket in self.buckets:
            covered += bucket.cover_us
        return not self.buckets or covered >= COVERAGE * self.length_us

    def _within(self) -> list[Bucket]:
        return self.buckets or ([self.before] if self.before is not None else [])

    def mean(self) -> float | None:
        """Arithmetic mean of the readings."""
        count, total = 0, 0.0
        for bucket in self._within():
            count += bucket.count
            total += bucket.mean * bucket.count
        return total / count if count else None

    def total(self) -> float | None:
        """Sum of the readings."""
        return sum(bucket.mean * bucket.count for bucket in self.buckets)

    def lowest(self) -> float | None:
        """Smallest reading."""
        return min((bucket.low for bucket in self._within()), default=None)

    def highest(self) -> float | None:
        """Largest reading."""
        return max((bucket.high for bucket in self._within()), default=None)

    def deviation(self) -> float | None:
        """Population standard deviation; needs two readings."""
        within = self._within()
        count = sum(bucket.count for bucket in within)
        mean = self.mean()
        if count < 2 or mean is None:
            return None
        squares = sum(bucket.m2 + bucket.count * (bucket.mean - mean) ** 2 for bucket in within)
        return math.sqrt(max(squares, 0.0) / count)

    def earlier(self) -> Value | None:
        """The value in force at the window's start."""
        return self.before.value if self.before is not None else None

    def delta(self) -> float | None:
        """Newest value minus the one in force at the start."""
        first = self.earlier()
        last = self.buckets[-1].value if self.buckets else first
        return last - first if isinstance(first, float) and isinstance(last, float) else None

    def rate(self) -> float | None:
        """Delta per hour."""
        delta = self.delta()
        return None if delta is None else delta * 3.6e9 / self.length_us

    def changes(self) -> float | None:
        """How often the value changed."""
        return None if self.started_us < 0 else float(sum(bucket.changes for bucket in self.buckets))
