"""The good readings of one point, added up once for all windows that look at it.

A window whose readings lie so far apart that each has a bucket of its own (see `window`) needs no buckets: it is a
`Span` of the row, and what it is asked for is the difference of two sums. Once two readings would share a bucket of a
window, it keeps its buckets itself, until it has none left that are shared. Both ways give the same, to the last bit.
"""

import math
from collections.abc import Iterable

from facility.reading import Value
from rules.window import BUCKETS, COVERAGE, FIXED, Bucket, Window, slide, taken

Entry = tuple[int, Value, int, int, int]
"""One reading: its instant and value, and up to and with it the sum (in fixed point) of the row's readings, how often
the value changed, and how long the values before were valid."""

_NOTHING: Entry = (-(1 << 62), 0.0, 0, 0, 0)
_SPARE = 64
"""How many readings may lie before all spans until they are forgotten."""


class Row:
    """All windows of one point. `entries` are the readings that any span still needs, oldest first."""

    __slots__ = ("_apart_us", "_full", "_own", "_spans", "_unbegun", "entries", "last", "windows")
    entries: list[Entry]
    last: Entry
    _spans: "list[Span]"
    _unbegun: "list[Span]"
    _own: list[Window]

    def __init__(self, windows: Iterable[Window]) -> None:
        """Windows that keep their buckets themselves so far."""
        self.windows = tuple(windows)
        self._gather()

    def add(self, at_us: int, value: Value, changed: int, cover_us: int) -> None:
        """One reading, later than all before it. `changed` is 1 when it differs from the one before, `cover_us` how
        long that was valid until now."""
        last = self.last
        if at_us - last[0] < self._apart_us:
            self._part(at_us)
        fixed = int(value * FIXED) if isinstance(value, float) else 0
        self.last = entry = (at_us, value, last[2] + fixed, last[3] + changed, last[4] + cover_us)
        entries = self.entries
        entries.append(entry)
        if self._unbegun:
            for span in self._unbegun:
                span.begin(len(entries) - 1, fixed)
            self._unbegun = []
        if self._own:
            reading = taken(at_us, value, changed, cover_us)
            for window in self._own:
                window.wait(reading)
        if len(entries) >= self._full:
            self._trim(at_us)

    def restart(self) -> None:
        """Forget everything: there was time nobody listened to."""
        for window in self.windows:
            window.span = None
            window.restart()
        self._gather()

    def _part(self, at_us: int) -> None:
        """Of what comes at `at_us` and the reading before it some windows want one bucket: they go their own way."""
        before_us = self.last[0]
        for span in list(self._spans):
            length_us = span.length_us
            if span.head < len(self.entries) and before_us * BUCKETS // length_us == at_us * BUCKETS // length_us:
                span.leave()
                self._own.append(span.window)
                self._spans.remove(span)
        self._measure()

    def _trim(self, now_us: int) -> None:
        """Forget what lies before all spans, and take windows in that no longer have a shared bucket."""
        for window in self._own:
            window.settle()
            window.trim(now_us)
        if any(map(_is_plain, self._own)):
            for span in self._spans:
                span.leave()
            self._gather()
        for span in self._spans:
            span.trim(now_us)
        gone = min((span.head for span in self._spans), default=len(self.entries))
        del self.entries[:gone]
        for span in self._spans:
            span.head -= gone
            span.slid -= gone
        self._full = len(self.entries) + _SPARE

    def _gather(self) -> None:
        """Make spans of all windows that have no shared bucket."""
        plain = [window for window in self.windows if _is_plain(window)]
        self._own = [window for window in self.windows if window not in plain]
        readings: dict[int, tuple[Value, int, int]] = {}
        for window in plain:
            for bucket in window.kept:
                begins = bucket is window.before or bucket.at_us == window.started_us
                if not begins or bucket.at_us not in readings:  # what was before it is told by other windows only
                    readings[bucket.at_us] = bucket.value, bucket.changes, bucket.cover_us
        self.last, self.entries, places = _NOTHING, [], dict[int, int]()
        for at_us, (value, changed, cover_us) in sorted(readings.items()):
            _, _, amount, changes, covered_us = self.last
            fixed = _fixed(value)
            self.last = (at_us, value, amount + fixed, changes + changed, covered_us + cover_us)
            places[at_us] = len(self.entries)
            self.entries.append(self.last)
        self._spans = [Span(self, window, places) for window in plain]
        self._unbegun = [span for span in self._spans if span.started_us < 0]
        self._full = len(self.entries) + _SPARE
        self._measure()

    def _measure(self) -> None:
        """Readings so far apart never share a bucket."""
        self._apart_us = max((span.length_us // BUCKETS + 1 for span in self._spans), default=0)


def _is_plain(window: Window) -> bool:
    window.settle()
    return all(bucket.count == 1 for bucket in window.kept)


class Span:
    """A window over a row: it begins with the entry at `head`. What its sums are counted from is `base`; `before` is
    the reading that left it last, and the rest is as in `Window`, which it is asked in place of."""

    __slots__ = ("_extremes", "_highs", "_lows", "_needed_us", "base", "before", "head", "length_us", "row", "slid",
                 "started_us", "window")  # fmt: skip
    base: Entry
    before: Entry | None
    _lows: list[tuple[int, float]]
    _highs: list[tuple[int, float]]

    def __init__(self, row: Row, window: Window, places: dict[int, int]) -> None:
        """A window without shared buckets; its readings are in the row, at these places by their instants."""
        self.row, self.window, window.span = row, window, self
        self.length_us, self.started_us = window.length_us, window.started_us
        self._needed_us = COVERAGE * window.length_us
        self.head = places[window.buckets[0].at_us] if window.buckets else len(row.entries)
        self.base, self.before = _NOTHING, None
        if window.before is not None:
            self.base = self.before = row.entries[places[window.before.at_us]]
        elif window.buckets:
            first = row.entries[self.head]
            self._count_from(first, _fixed(first[1]))
        self._extremes = window.lows is not None
        self._lows, self._highs, self.slid = [], [], self.head
        window.buckets, window.before = [], None
        window.restart()

    def begin(self, place: int, fixed: int) -> None:
        """The entry there is its first reading."""
        first = self.row.entries[place]
        self.head = self.slid = place
        self.started_us = first[0]
        self._count_from(first, fixed)

    def _count_from(self, first: Entry, fixed: int) -> None:
        """Nothing was before the first reading: it is no change, and no value was valid until then."""
        self.base = (first[0], first[1], first[2] - fixed, first[3], first[4])

    def leave(self) -> None:
        """From here on the window keeps its buckets itself."""
        self.write_out()
        self.window.span = None
        self.window.add_up()

    def write_out(self) -> None:
        """Give the window its buckets."""
        self.trim(self.row.last[0])
        window, before, buckets = self.window, self.base, list[Bucket]()
        for entry in self.row.entries[self.head :]:
            buckets.append(_bucket(entry, entry[3] - before[3], entry[4] - before[4]))
            before = entry
        window.started_us, window.buckets = self.started_us, buckets
        window.before = None if self.before is None else _bucket(self.before, 0, 0)

    def trim(self, now_us: int) -> None:
        """Forget what lies before the window, but for the value in force at its start."""
        entries, head, start_us = self.row.entries, self.head, now_us - self.length_us
        if self.started_us < 0:
            return
        end = len(entries)
        if head < end and entries[head][0] <= start_us:
            head += 1
            while head < end and entries[head][0] <= start_us:
                head += 1
            self.base = self.before = entries[head - 1]
            self.head = head
        if self._extremes:
            self._slide()

    def _slide(self) -> None:
        entries, lows, highs, head = self.row.entries, self._lows, self._highs, self.head
        for place in range(self.slid if self.slid > head else head, len(entries)):
            at_us, value = entries[place][:2]
            amount = value if isinstance(value, float) else 0.0
            slide(lows, highs, at_us, amount, amount)
        self.slid = len(entries)
        if self.before is not None:
            last_us = self.before[0]
            while lows and lows[0][0] <= last_us:
                del lows[0]
            while highs and highs[0][0] <= last_us:
                del highs[0]

    def ready(self, now_us: int) -> bool:
        """Whether the window is full, as `Window.ready` has it."""
        if self.length_us <= 1:
            return self.started_us >= 0
        if self.started_us < 0 or self.started_us > now_us - self.length_us:
            return False
        row = self.row
        return self.head == len(row.entries) or row.last[4] - self.base[4] >= self._needed_us

    def mean(self) -> float | None:
        """Arithmetic mean of the readings."""
        row = self.row
        count = len(row.entries) - self.head
        if count:
            return (row.last[2] - self.base[2]) / count / FIXED
        return _amount(self.before)

    def mean_at(self, now_us: int) -> float | None:
        """The mean at an instant; None while the window fills. What `trim`, `ready` and `mean` give one by one."""
        entries, head, start_us = self.row.entries, self.head, now_us - self.length_us
        if self._extremes or self.length_us <= 1:
            self.trim(now_us)
            return self.mean() if self.ready(now_us) else None
        if not 0 <= self.started_us <= start_us:
            return None
        end = len(entries)
        if head < end and entries[head][0] <= start_us:
            head += 1
            while head < end and entries[head][0] <= start_us:
                head += 1
            self.base = self.before = entries[head - 1]
            self.head = head
        if head == end:
            return _amount(self.before)
        _, _, amount, _, covered_us = self.row.last
        base = self.base
        return (amount - base[2]) / (end - head) / FIXED if covered_us - base[4] >= self._needed_us else None

    def total(self) -> float | None:
        """Sum of the readings."""
        return (self.row.last[2] - self.base[2]) / FIXED

    def lowest(self) -> float | None:
        """Smallest reading; wants a window that keeps extremes."""
        lows = self._lows
        return lows[0][1] if lows else _amount(self.before)

    def highest(self) -> float | None:
        """Largest reading; wants a window that keeps extremes."""
        highs = self._highs
        return highs[0][1] if highs else _amount(self.before)

    def deviation(self) -> float | None:
        """Population standard deviation; needs two readings."""
        within = self.row.entries[self.head :]
        mean = self.mean()
        if len(within) < 2 or mean is None:
            return None
        squares = sum(((entry[1] if isinstance(entry[1], float) else 0.0) - mean) ** 2 for entry in within)
        return math.sqrt(max(squares, 0.0) / len(within))

    def earlier(self) -> Value | None:
        """The value in force at the window's start."""
        return self.before[1] if self.before is not None else None

    def delta(self) -> float | None:
        """Newest value minus the one in force at the start."""
        first, row = self.earlier(), self.row
        last = row.last[1] if self.head < len(row.entries) else first
        return last - first if isinstance(first, float) and isinstance(last, float) else None

    def rate(self) -> float | None:
        """Delta per hour."""
        delta = self.delta()
        return None if delta is None else delta * 3.6e9 / self.length_us

    def changes(self) -> float | None:
        """How often the value changed."""
        return None if self.started_us < 0 else float(self.row.last[3] - self.base[3])


def _amount(entry: Entry | None) -> float | None:
    """The reading as a number, as windows take it."""
    if entry is None:
        return None
    return entry[1] if isinstance(entry[1], float) else 0.0


def _fixed(value: Value) -> int:
    return int(value * FIXED) if isinstance(value, float) else 0


def _bucket(entry: Entry, changes: int, cover_us: int) -> Bucket:
    amount = entry[1] if isinstance(entry[1], float) else 0.0
    return Bucket(entry[0], entry[1], 1, amount, 0.0, amount, amount, changes, cover_us)
