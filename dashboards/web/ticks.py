"""Where an axis has its marks: round numbers, and round local times. Pure."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dashboards.web.language import Words
from facility.instant import from_us, to_us

_HOUR, _DAY = 3600, 86_400
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
          _DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY, 28 * _DAY, 91 * _DAY, 365 * _DAY)  # fmt: skip
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class ValueAxis:
    """A range that holds every value and starts and ends at a mark; `ticks` lowest first."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def share(self, value: float) -> float:
        """Where a value stands, 0 at the bottom and 1 at the top, kept inside."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


@dataclass(frozen=True, slots=True)
class TimeTick:
    """One mark of the time axis; `is_day` when it is a local midnight and its label is the date."""

    at_us: int
    label: str
    is_day: bool


def value_axis(low: float, high: float, count: int = 4) -> ValueAxis:
    """About `count` round intervals around [low, high]; a flat line gets room on both sides."""
    if high - low < 1e-9 * max(1.0, abs(low), abs(high)):
        room = max(abs(low) * 0.02, 0.5)
        low, high = (max(low - room, 0.0) if low >= 0 else low - room), high + room
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(round(index * step, 12) for index in range(first, last + 1))
    return ValueAxis(ticks[0], ticks[-1], ticks)


def time_ticks(from_us_: int, until_us: int, zone: ZoneInfo, words: Words, most: int = 7) -> tuple[TimeTick, ...]:
    """At most some `most` marks at round local times in [from, until]. A local time that does not exist is left out."""
    seconds = (until_us - from_us_) / 1e6
    step = next((each for each in _STEPS if seconds / each <= most), _STEPS[-1])
    start = from_us(from_us_).astimezone(zone)
    midnight = datetime.combine(start.date(), time())
    if step >= _DAY:
        midnight -= timedelta(days=midnight.toordinal() % (step // _DAY))
    ticks: list[TimeTick] = []
    before = max(0, int((start.replace(tzinfo=None) - midnight).total_seconds() // step))
    for index in range(int((seconds + 2 * _HOUR) // step) + 3):
        naive = midnight + timedelta(seconds=step * (before + index))
        at = naive.replace(tzinfo=zone).astimezone(UTC)
        at_us = to_us(at)
        if at_us > until_us:
            break
        if at_us >= from_us_ and at.astimezone(zone).replace(tzinfo=None) == naive:
            ticks.append(_tick(at_us, naive, step, words))
    if ticks and not any(tick.is_day for tick in ticks):
        first = ticks[0]
        ticks[0] = TimeTick(
            first.at_us, f"{_day(from_us(first.at_us).astimezone(zone), words)} {first.label}", is_day=True
        )
    return tuple(ticks)


def _tick(at_us: int, local: datetime, step: int, words: Words) -> TimeTick:
    if local.time() == time():
        return TimeTick(at_us, _day(local, words), is_day=True)
    return TimeTick(at_us, f"{local:%H:%M:%S}" if step < 60 else f"{local:%H:%M}", is_day=False)


def _day(local: datetime, words: Words) -> str:
    return f"{local.month}月{local.day}日" if words.language == "zh" else f"{local.day} {_MONTHS[local.month - 1]}"
