"""The open intervals of one local year as a table that is searched by bisection. Built once, never changed."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class YearTable:
    """Open intervals [starts, ends) in microseconds since the epoch, ascending, apart; `before` is the open time
    before each, `after` through its end. The year lasts from `low` to before `high`; `days` are the ordinals of its
    local dates that have open hours."""

    low: int
    high: int
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    days: tuple[int, ...]

    @property
    def total(self) -> int:
        """Open time of the whole year, microseconds."""
        return self.after[-1] if self.after else 0

    def open_before(self, at_us: int) -> int:
        """Open time of this year that has passed at an instant."""
        index = bisect_right(self.starts, at_us) - 1
        return self.before[index] + min(at_us, self.ends[index]) - self.starts[index] if index >= 0 else 0

    def reached(self, amount: int) -> int:
        """The first instant at which `amount` (0 < amount <= total) of open time has passed: a tie is the closing."""
        index = bisect_left(self.after, amount)
        return self.starts[index] + amount - self.before[index]

    def left_at(self, amount: int) -> int:
        """The last instant at which only `amount` (0 <= amount < total) has passed: a tie is the opening."""
        index = bisect_right(self.before, amount) - 1
        return self.starts[index] + amount - self.before[index]

    def next_open(self, at_us: int) -> int | None:
        """`at_us` itself when open, else the next opening of this year, None when there is none."""
        index = bisect_right(self.ends, at_us)
        return max(at_us, self.starts[index]) if index < len(self.starts) else None

    def last_open(self, at_us: int) -> int | None:
        """`at_us` itself when open or just closed, else the latest closing before it in this year."""
        index = bisect_left(self.starts, at_us) - 1
        return min(at_us, self.ends[index]) if index >= 0 else None


def make_table(low: int, high: int, intervals: Iterable[Interval], days: Iterable[int]) -> YearTable:
    """The table of one year from intervals in any order, empty, touching or overlapping ones included."""
    united = unite((max(low, start), min(high, end)) for start, end in intervals)
    after = tuple(accumulate(end - start for start, end in united))
    return YearTable(
        low=low,
        high=high,
        starts=tuple(start for start, _ in united),
        ends=tuple(end for _, end in united),
        before=(0, *after[:-1]) if after else (),
        after=after,
        days=tuple(days),
    )


def unite(intervals: Iterable[Interval]) -> list[Interval]:
    """The union of intervals, ascending and apart; empty and reversed ones are dropped."""
    united: list[Interval] = []
    for start, end in sorted(intervals):
        if end <= start:
            continue
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(end, united[-1][1]))
        else:
            united.append((start, end))
    return united


def subtract(intervals: Iterable[Interval], holes: Iterable[Interval]) -> list[Interval]:
    """What is left of the (united) intervals without the holes."""
    left = unite(intervals)
    for low, high in unite(holes):
        left = [
            part
            for start, end in left
            for part in ((start, min(end, low)), (max(start, high), end))
            if part[0] < part[1]
        ]
    return left
