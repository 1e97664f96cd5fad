"""Local wall-clock minutes to absolute microseconds and back: what a DST change does to an opening or a closing.

An opening inside the hour that spring skips moves forward by the skipped hour; a closing inside it moves back to the
instant of the change: the hour is never open. In the hour that autumn repeats, an opening is the first of the two
instants and a closing the second: the hour counts twice.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from facility.instant import from_us, to_us

DAY_MINUTES = 1440


def opening_us(on: date, minute: int, zone: ZoneInfo) -> int:
    """The instant at which `minute` of local day `on` (may pass 1440) opens."""
    return to_us(_local(on, minute).replace(tzinfo=zone, fold=0))


def closing_us(on: date, minute: int, zone: ZoneInfo) -> int:
    """The instant at which `minute` of local day `on` (may pass 1440) closes."""
    local = _local(on, minute)
    first = to_us(local.replace(tzinfo=zone, fold=0))
    second = to_us(local.replace(tzinfo=zone, fold=1))
    return second if second >= first else _change_us(second, first, zone)


def local_of(at_us: int, zone: ZoneInfo) -> datetime:
    """The aware local time of an instant."""
    return from_us(at_us).astimezone(zone)


def same_clock_us(on: date, clock: datetime) -> int:
    """The instant of local day `on` at the wall-clock time of `clock` (aware); a skipped time moves forward."""
    return to_us(datetime.combine(on, clock.time(), tzinfo=clock.tzinfo).replace(fold=clock.fold and _twice(on, clock)))


def _twice(on: date, clock: datetime) -> int:
    local = datetime.combine(on, clock.time(), tzinfo=clock.tzinfo)
    return int(local.replace(fold=1).astimezone(UTC) > local.replace(fold=0).astimezone(UTC))


def _local(on: date, minute: int) -> datetime:
    return datetime(on.year, on.month, on.day) + timedelta(minutes=minute)  # noqa: DTZ001 - local, zone comes next


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
