"""Where one number of an asset is going: a robust line through its daily means, and when it will reach a limit.

The line is Theil and Sen's (median of all slopes between two days), so that single wild days do not move it. How sure
its direction is says the test of Mann and Kendall, with its variance widened by what one day tells of the next
(lag-one correlation of the residuals): daily means of a plant are not independent.
"""

import math
from itertools import pairwise
from statistics import median

import msgspec

from facility.instant import DAY_US

MIN_DAYS = 7
MAX_DAYS = 180
NEVER_DAYS = 3_650.0
"""Days left of what does not come nearer within ten years, or is not surely coming nearer at all."""


class Line(msgspec.Struct, array_like=True, frozen=True):
    """`level` on the day numbered `day`, `slope` a day, `rising` and `falling` as probabilities of 0..1."""

    day: int
    level: float
    slope: float
    rising: float
    falling: float


class Trend(msgspec.Struct, array_like=True, tag="trend"):
    """Daily means of one number: (day, mean), oldest first, and the open day. `line` is that of the closed days."""

    started_us: int = -1
    at_us: int = -1
    day: int = -1
    count: int = 0
    mean: float = 0.0
    days: list[tuple[int, float]] = []
    line: Line | None = None

    def add(self, at_us: int, day: int, value: float, train_us: int) -> None:
        """One value on the building's local `day`; a second one at the same instant is the same one."""
        if at_us <= self.at_us:
            return
        self.at_us = at_us
        if self.started_us < 0:
            self.started_us = at_us
        if day != self.day:
            if self.count:
                self._close(train_us // DAY_US)
            self.day, self.count, self.mean = day, 0, 0.0
        self.count += 1
        self.mean += (value - self.mean) / self.count

    def remaining_us(self, now_us: int, train_us: int) -> int:
        """How long until there is a line, at `now_us`; 0 when there is one."""
        del now_us
        return 0 if self.line is not None else max(needed(train_us // DAY_US) - len(self.days), 1) * DAY_US

    def forget(self) -> None:
        """Begin anew: something was exchanged or repaired."""
        self.started_us, self.count, self.days, self.line = -1, 0, [], None

    def days_until(self, limit: float, sure: float, *, rising: bool) -> float | None:
        """Days until the line reaches `limit` from below (`rising`) or above; 0 beyond it, None without a line.

        NEVER_DAYS when the direction is less sure than `sure` (0..1) or the limit further away than ten years.
        """
        line = self.line
        if line is None:
            return None
        gap = limit - line.level if rising else line.level - limit
        if gap <= 0:
            return 0.0
        speed = line.slope if rising else -line.slope
        if speed <= 0 or (line.rising if rising else line.falling) < sure:
            return NEVER_DAYS
        return min(max(gap / speed - (self.day - line.day), 0.0), NEVER_DAYS)

    def _close(self, keep: int) -> None:
        self.days.append((self.day, self.mean))
        while self.days[0][0] <= self.day - keep:
            del self.days[0]
        del self.days[:-MAX_DAYS]
        self._restart_after_jump()
        self.line = fit(self.days) if len(self.days) >= needed(keep) else None

    def _restart_after_jump(self) -> None:
        """Two days that undid most of the climb (a new filter, a new lining) begin a new line."""
        if self.line is None or len(self.days) < MIN_DAYS:
            return
        line, first = self.line, self.days[0]
        start = line.level + line.slope * (first[0] - line.day)
        climbed = line.level - start
        scatter = median(abs(y - line.level - line.slope * (day - line.day)) for day, y in self.days)
        if abs(climbed) > 4 * scatter and all((line.level - y) / climbed > 0.5 for _, y in self.days[-2:]):
            self.days, self.line = self.days[-2:], None


def needed(window_days: int) -> int:
    """How many days a line needs: a third of its window, at least a week."""
    return max(min(window_days, MAX_DAYS) // 3, MIN_DAYS)


def fit(days: list[tuple[int, float]]) -> Line:
    """The line through (day, value) pairs, at least two, with how sure its direction is."""
    slopes, score = [], 0
    for index, (day, value) in enumerate(days):
        for later, other in days[index + 1 :]:
            slopes.append((other - value) / (later - day))
            score += (other > value) - (other < value)
    slope, last = median(slopes), days[-1][0]
    level = median(value - slope * (day - last) for day, value in days)
    n = len(days)
    variance = n * (n - 1) * (2 * n + 5) / 18 * _widening([y - level - slope * (d - last) for d, y in days])
    score -= (score > 0) - (score < 0)
    rising = 0.5 * (1 + math.erf(score / math.sqrt(2 * variance)))
    return Line(last, level, slope, rising, 1 - rising)


def _widening(residuals: list[float]) -> float:
    """By how much lag-one correlation widens the variance, 1..19."""
    squares = sum(value * value for value in residuals)
    if squares <= 0:
        return 1.0
    lag = min(max(sum(a * b for a, b in pairwise(residuals)) / squares, 0.0), 0.9)
    return (1 + lag) / (1 - lag)
