"""Local wall-clock minutes to absolute microseconds and back: what a DST change does to hours of a day.

In the hour that autumn repeats, every clock time inside the hours is open both times: the hour counts twice, and no
clock time outside the hours is ever open. In the hour that spring skips nothing is open: a closing inside it moves
back to the instant of the change, an opening inside it moves forward by the skipped time.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from facility.instant import from_us, to_us
from ticketing.calendar_table import Interval

DAY_MINUTES = 1440


def pieces_us(on: date, start: int, end: int, zone: ZoneInfo) -> list[Interval]:
    """The instants at which minutes `start` to `end` (may pass 1440) of local day `on` are open: one piece or two.

    A piece that a skipped hour leaves empty ends no later than it begins.
    """
    opens, opens_again = _both(on, start, zone)
    closes, closes_again = _both(on, end, zone)
    if closes_again < closes:
        closes = closes_again = _change_us(closes_again, closes, zone)
    if opens_again <= opens and closes_again == closes:
        return [(opens, closes)]
    change = _change_us(opens, opens_again, zone) if opens_again > opens else _change_us(closes, closes_again, zone)
    return [(opens, min(closes, change)), (max(opens, opens_again, change), closes_again)]


def midnight_us(on: date, zone: ZoneInfo) -> int:
    """The instant at which a local day begins."""
    return _both(on, 0, zone)[0]


def last_closing_us(on: date, minute: int, zone: ZoneInfo) -> int:
    """The last instant of hours that end at `minute` (may pass 1440) of local day `on`."""
    return pieces_us(on, minute - 1, minute, zone)[-1][1]


def local_of(at_us: int, zone: ZoneInfo) -> datetime:
    """The aware local time of an instant."""
    return from_us(at_us).astimezone(zone)


def same_clock_us(on: date, clock: datetime) -> int:
    """The instant of local day `on` at the wall-clock time of `clock` (aware); a skipped time moves forward."""
    return to_us(datetime.combine(on, clock.time(), tzinfo=clock.tzinfo).replace(fold=clock.fold and _twice(on, clock)))


def _twice(on: date, clock: datetime) -> int:
    local = datetime.combine(on, clock.time(), tzinfo=clock.tzinfo)
    return int(local.replace(fold=1).astimezone(UTC) > local.replace(fold=0).astimezone(UTC))


def _both(on: date, minute: int, zone: ZoneInfo) -> Interval:
    """The first and the second instant of a repeated clock time, the same twice for a usual one; for a skipped one
    the time read with the offset from before the change, then the (earlier) one read with the offset from after."""
    local = datetime(on.year, on.month, on.day) + timedelta(minutes=minute)  # noqa: DTZ001 - local, zone comes next
    return to_us(local.replace(tzinfo=zone, fold=0)), to_us(local.replace(tzinfo=zone, fold=1))


def _change_us(low: int, high: int, zone: ZoneInfo) -> int:
    """The instant in (low, high] at which the zone's offset from UTC changes."""
    offset = local_of(low, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if local_of(middle, zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high
