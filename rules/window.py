"""A sliding window over one point's good readings: plain data, bounded, exact to 1/512 of its length.

Readings nearer together than 1/512 of the length share a bucket. The window is `(now - length, now]`; the value in
force at its start is kept beside it. Sums are kept as whole numbers, so that what comes and goes again leaves no trace:
a window that slid for a year gives what one filled with the same readings gives.
"""

import math

import msgspec

from facility.reading import Value

BUCKETS = 512
COVERAGE = 0.75
"""Share of a window that readings must cover before its mean, extremes and sums are believed."""

FIXED = float(1 << 64)
"""Sums count in this part of a unit: exact for every reading of 0.001 and more, so equal readings have that mean."""


class Bucket(msgspec.Struct, array_like=True):
    """Readings of one short stretch. `total` is their sum, `m2` that of the squares about their mean; `cover_us` is
    how long the values before each of them were valid; `changes` counts values that differ from the one before."""

    at_us: int
    number: int
    value: Value
    count: int
    total: float
    m2: float
    low: float
    high: float
    changes: int
    cover_us: int


class Window(msgspec.Struct, array_like=True, dict=True):
    """`started_us` is the first reading since the window (re)started, -1 before it. All else follows from the buckets.

    `count`, `sum` (in fixed point), `changed` and `covered_us` add them up. `lows` and `highs` are (bucket's number,
    value) of the readings that no later one undercuts or exceeds: the first is the extreme. None: nobody asks.
    """

    length_us: int
    started_us: int = -1
    buckets: list[Bucket] = []
    before: Bucket | None = None

    def __post_init__(self) -> None:
        self.count = sum(bucket.count for bucket in self.buckets)
        self.sum = sum(int(bucket.total * FIXED) for bucket in self.buckets)
        self.changed = sum(bucket.changes for bucket in self.buckets)
        self.covered_us = sum(bucket.cover_us for bucket in self.buckets)
        self.lows: list[tuple[int, float]] | None = None
        self.highs: list[tuple[int, float]] | None = None

    def add(self, at_us: int, value: Value, changed: int, cover_us: int) -> None:
        """One good finite reading, later than all before it. A text counts as a value without magnitude."""
        number = at_us * BUCKETS // self.length_us
        amount = value if isinstance(value, float) else 0.0
        if self.started_us < 0:
            self.started_us, changed, cover_us = at_us, 0, 0
        buckets = self.buckets
        if buckets and buckets[-1].number == number:
            self._join(buckets[-1], at_us, value, amount)
            buckets[-1].changes += changed
            buckets[-1].cover_us += cover_us
        else:
            if buckets and buckets[0].at_us <= at_us - self.length_us:
                self.trim(at_us)
            buckets.append(Bucket(at_us, number, value, 1, amount, 0.0, amount, amount, changed, cover_us))
            self.sum += int(amount * FIXED)
        self.count += 1
        self.changed += changed
        self.covered_us += cover_us
        if self.lows is not None and self.highs is not None:
            _slide_low(self.lows, number, amount)
            _slide_high(self.highs, number, amount)

    def _join(self, bucket: Bucket, at_us: int, value: Value, amount: float) -> None:
        bucket.at_us, bucket.value = at_us, value
        step = amount - bucket.total / bucket.count
        bucket.count += 1
        self.sum -= int(bucket.total * FIXED)
        bucket.total += amount
        self.sum += int(bucket.total * FIXED)
        bucket.m2 += step * (amount - bucket.total / bucket.count)
        bucket.low, bucket.high = min(bucket.low, amount), max(bucket.high, amount)

    def trim(self, now_us: int) -> None:
        """Forget what lies before the window, but for the value in force at its start."""
        start, buckets = now_us - self.length_us, self.buckets
        if not buckets or buckets[0].at_us > start:
            return
        while buckets and (bucket := buckets[0]).at_us <= start:
            self.count -= bucket.count
            self.sum -= int(bucket.total * FIXED)
            self.changed -= bucket.changes
            self.covered_us -= bucket.cover_us
            self.before = bucket
            del buckets[0]
        if self.lows is not None and self.highs is not None and self.before is not None:
            for slid in (self.lows, self.highs):
                while slid and slid[0][0] <= self.before.number:
                    del slid[0]

    def restart(self) -> None:
        """Forget everything: there was time nobody listened to."""
        self.started_us, self.buckets, self.before = -1, [], None
        self.count = self.sum = self.changed = self.covered_us = 0
        if self.lows is not None:
            self.lows, self.highs = [], []

    def keep_extremes(self) -> None:
        """From here on `lowest` and `highest` are asked for."""
        lows: list[tuple[int, float]] = []
        highs: list[tuple[int, float]] = []
        for bucket in self.buckets:
            _slide_low(lows, bucket.number, bucket.low)
            _slide_high(highs, bucket.number, bucket.high)
        self.lows, self.highs = lows, highs

    def ready(self, now_us: int) -> bool:
        """Whether the window is full: begun a whole length ago and covered by readings for most of it.

        One without length (a parameter set to 0) is the value in force, from the first reading on.
        """
        if self.length_us <= 1:
            return self.started_us >= 0
        if self.started_us < 0 or self.started_us > now_us - self.length_us:
            return False
        return not self.buckets or self.covered_us >= COVERAGE * self.length_us

    def _within(self) -> list[Bucket]:
        return self.buckets or ([self.before] if self.before is not None else [])

    def mean(self) -> float | None:
        """Arithmetic mean of the readings."""
        if self.count:
            return self.sum / self.count / FIXED
        return self.before.total / self.before.count if self.before is not None else None

    def total(self) -> float | None:
        """Sum of the readings."""
        return self.sum / FIXED

    def lowest(self) -> float | None:
        """Smallest reading; wants `keep_extremes`."""
        if self.lows:
            return self.lows[0][1]
        return self.before.low if self.before is not None else None

    def highest(self) -> float | None:
        """Largest reading; wants `keep_extremes`."""
        if self.highs:
            return self.highs[0][1]
        return self.before.high if self.before is not None else None

    def deviation(self) -> float | None:
        """Population standard deviation; needs two readings."""
        within = self._within()
        count = sum(bucket.count for bucket in within)
        mean = self.mean()
        if count < 2 or mean is None:
            return None
        squares = sum(bucket.m2 + bucket.count * (bucket.total / bucket.count - mean) ** 2 for bucket in within)
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
        return None if self.started_us < 0 else float(self.changed)


def _slide_low(lows: list[tuple[int, float]], number: int, value: float) -> None:
    """Add a reading; those before it that are no lower can never be the lowest again."""
    while lows and lows[-1][1] >= value:
        lows.pop()
    lows.append((number, value))


def _slide_high(highs: list[tuple[int, float]], number: int, value: float) -> None:
    """Add a reading; those before it that are no higher can never be the highest again."""
    while highs and highs[-1][1] <= value:
        highs.pop()
    highs.append((number, value))
