"""A sliding window over one point's good readings: plain data, bounded, exact to 1/512 of its length.

Readings nearer together than 1/512 of the length share a bucket. The window is `(now - length, now]`; the value in
force at its start is kept beside it. Sums are kept as whole numbers, so that what comes and goes again leaves no trace:
a window that slid for a year gives what one filled with the same readings gives. Readings are taken in when somebody
asks: call `trim` before any other question.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from facility.reading import Value

if TYPE_CHECKING:
    from rules.row import Span

BUCKETS = 512
COVERAGE = 0.75
"""Share of a window that readings must cover before its mean, extremes and sums are believed."""

FIXED = float(1 << 64)
"""Sums count in this part of a unit: exact for every reading of 0.001 and more, so equal readings have that mean."""


MAX_WAITING = 64
"""How many readings may wait until somebody asks."""


class Bucket(msgspec.Struct, array_like=True, gc=False):
    """Readings of one short stretch. `total` is their sum, `m2` that of the squares about their mean; `cover_us` is
    how long the values before each of them were valid; `changes` counts values that differ from the one before."""

    at_us: int
    value: Value
    count: int
    total: float
    m2: float
    low: float
    high: float
    changes: int
    cover_us: int


Taken = tuple[int, Value, float, int, int, int]
"""One good finite reading: its instant, its value, that as a number and in fixed point (a text is 0), 1 when it differs
from the one before, and how long that was valid until then. What the windows of a point share of it."""


@dataclass(eq=False)
class Window:
    """`started_us` is the first reading since the window (re)started, -1 before it; `before` the last bucket that left.

    All else follows from the buckets: `count`, `sum` (in fixed point), `changed` and `covered_us` add them up. `lows`
    and `highs` are (instant, value) of the readings that no later one undercuts or exceeds: the first is the extreme.
    None: nobody asks. `waiting` are readings that are in no bucket yet, because nobody asked since they came.

    With a `span` it has no buckets: the span is asked in its place, and gives it buckets for a snapshot (see `row`).
    """

    length_us: int
    started_us: int = -1
    buckets: list[Bucket] = field(default_factory=list)
    before: Bucket | None = None

    def __post_init__(self) -> None:
        self.lows: list[tuple[int, float]] | None = None
        self.highs: list[tuple[int, float]] | None = None
        self.waiting: list[Taken] = []
        self.span: Span | None = None
        self.add_up()

    def add_up(self) -> None:
        """What follows from the buckets."""
        self.count = sum(bucket.count for bucket in self.buckets)
        self.sum = sum(int(bucket.total * FIXED) for bucket in self.buckets)
        self.changed = sum(bucket.changes for bucket in self.buckets)
        self.covered_us = sum(bucket.cover_us for bucket in self.buckets)
        if self.lows is not None:
            self.keep_extremes()

    @property
    def kept(self) -> Sequence[Bucket]:
        """Every bucket there is, the one before the window first."""
        return self.buckets if self.before is None else [self.before, *self.buckets]

    def add(self, at_us: int, value: Value, changed: int, cover_us: int) -> None:
        """One reading, later than all before it."""
        self.wait(taken(at_us, value, changed, cover_us))

    def wait(self, reading: Taken) -> None:
        """The same, for a reading that several windows share."""
        self.waiting.append(reading)
        if len(self.waiting) >= MAX_WAITING:
            self.settle()

    def settle(self) -> None:
        """Take in the readings that wait."""
        buckets, length_us, lows, highs = self.buckets, self.length_us, self.lows, self.highs
        apart_us = length_us // BUCKETS + 1  # readings so far apart never share a bucket
        for at_us, value, amount, fixed, changed, cover_us in self.waiting:
            if self.started_us < 0:
                self.started_us, changed, cover_us = at_us, 0, 0  # noqa: PLW2901 - nothing was before it
            last = buckets[-1] if buckets else None
            if (
                last is not None
                and at_us - last.at_us < apart_us
                and last.at_us * BUCKETS // length_us == at_us * BUCKETS // length_us
            ):
                self._join(last, at_us, value, amount)
                last.changes += changed
                last.cover_us += cover_us
            else:
                if last is not None and buckets[0].at_us <= at_us - length_us:
                    self._drop(at_us - length_us)
                buckets.append(Bucket(at_us, value, 1, amount, 0.0, amount, amount, changed, cover_us))
                self.sum += fixed
            self.count += 1
            self.changed += changed
            self.covered_us += cover_us
            if lows is not None and highs is not None:
                slide(lows, highs, at_us, amount, amount)
        self.waiting.clear()

    def come_back(self) -> None:
        """Keep its buckets itself from here on."""
        if self.span is not None:
            self.span.leave()

    def write_out(self) -> None:
        """Have all buckets, as a snapshot wants them."""
        self.settle()
        if self.span is not None:
            self.span.write_out()

    def written(self) -> None:
        """The snapshot is written: what the span gave for it is not needed."""
        if self.span is not None:
            self.buckets, self.before = [], None

    def trim(self, now_us: int) -> None:
        """Forget what lies before the window, but for the value in force at its start."""
        if self.waiting:
            self.settle()
        if self.buckets and self.buckets[0].at_us <= now_us - self.length_us:
            self._drop(now_us - self.length_us)

    def _drop(self, start_us: int) -> None:
        """Forget what lies before the window's start: there is something."""
        buckets, lows, highs = self.buckets, self.lows, self.highs
        while buckets and (bucket := buckets[0]).at_us <= start_us:
            self.count -= bucket.count
            self.sum -= int(bucket.total * FIXED)
            self.changed -= bucket.changes
            self.covered_us -= bucket.cover_us
            self.before = bucket
            del buckets[0]
        if lows is not None and highs is not None and self.before is not None:
            last_us = self.before.at_us
            while lows and lows[0][0] <= last_us:
                del lows[0]
            while highs and highs[0][0] <= last_us:
                del highs[0]

    def _join(self, bucket: Bucket, at_us: int, value: Value, amount: float) -> None:
        bucket.at_us, bucket.value = at_us, value
        step = amount - bucket.total / bucket.count
        bucket.count += 1
        self.sum -= int(bucket.total * FIXED)
        bucket.total += amount
        self.sum += int(bucket.total * FIXED)
        bucket.m2 += step * (amount - bucket.total / bucket.count)
        bucket.low, bucket.high = min(bucket.low, amount), max(bucket.high, amount)

    def restart(self) -> None:
        """Forget everything: there was time nobody listened to."""
        self.started_us, self.buckets, self.before = -1, [], None
        self.waiting.clear()
        self.count = self.sum = self.changed = self.covered_us = 0
        if self.lows is not None:
            self.lows, self.highs = [], []

    def keep_extremes(self) -> None:
        """From here on `lowest` and `highest` are asked for."""
        self.settle()
        lows: list[tuple[int, float]] = []
        highs: list[tuple[int, float]] = []
        for bucket in self.buckets:
            slide(lows, highs, bucket.at_us, bucket.low, bucket.high)
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


def taken(at_us: int, value: Value, changed: int, cover_us: int) -> Taken:
    """A reading as windows take it."""
    amount = value if isinstance(value, float) else 0.0
    return at_us, value, amount, int(amount * FIXED), changed, cover_us


def slide(lows: list[tuple[int, float]], highs: list[tuple[int, float]], at_us: int, low: float, high: float) -> None:
    """Add readings; those before them that are no lower can never be the lowest again, nor the highest likewise."""
    while lows and lows[-1][1] >= low:
        lows.pop()
    lows.append((at_us, low))
    while highs and highs[-1][1] <= high:
        highs.pop()
    highs.append((at_us, high))
