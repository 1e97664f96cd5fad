"""A limit: the duration a contract promises, with its unit. `parse_limit` and `format_limit` are inverses.

`30 min` runs around the clock; `4 open hours` counts open time of the calendar; `2 open days` is the same wall-clock
time two days with open hours later, `2 open days, next open` moves that on to the next opening, and
`2 open days, end of day` to the closing of that day.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from facility.instant import format_duration, parse_duration

_DAYS = re.compile(r"^(\d{1,4})\s+open\s+days?(?:\s*,\s*(next open|end of day))?$")
_HINT = "write it like '30 min', '4 open hours', '2 open days', '2 open days, next open' or '2 open days, end of day'"
_OPEN_UNITS = ((3600, "hour"), (60, "minute"), (1, "second"))
LONGEST = timedelta(days=3660)


class LimitUnit(StrEnum):
    """What the amount of a limit is counted in."""

    CALENDAR = "calendar time"
    OPEN = "open time"
    DAYS = "open days"
    DAYS_NEXT_OPEN = "open days, next open"
    DAYS_END = "open days, end of day"


@dataclass(frozen=True, slots=True)
class Limit:
    """`duration` for calendar and open time, `days` (at least 1) for the three kinds of open days."""

    unit: LimitUnit
    duration: timedelta = timedelta(0)
    days: int = 0

    def __post_init__(self) -> None:
        timed = self.unit in (LimitUnit.CALENDAR, LimitUnit.OPEN)
        if timed and (self.days or not timedelta(0) <= self.duration <= LONGEST):
            msg = f"a limit in {self.unit} is {self.duration} and {self.days} days; expected a time of 0 to ten years"
            raise ValueError(msg)
        if not timed and (self.duration or not 1 <= self.days <= 3660):
            msg = f"a limit in {self.unit} is {self.days} days and {self.duration}; expected 1 to 3660 whole days"
            raise ValueError(msg)

    @property
    def needs_calendar(self) -> bool:
        """Whether opening hours matter to it."""
        return self.unit is not LimitUnit.CALENDAR

    def __str__(self) -> str:
        return format_limit(self)


def parse_limit(text: object) -> Limit:
    """The limit a contract writes. Raises ValueError that says what is wrong and shows the forms there are."""
    if not isinstance(text, str):
        msg = f"{text!r} is not a limit: it needs an amount and a unit; {_HINT}"
        raise ValueError(msg)
    plain = " ".join(text.lower().split())
    if match := _DAYS.match(plain):
        unit = {None: LimitUnit.DAYS, "next open": LimitUnit.DAYS_NEXT_OPEN, "end of day": LimitUnit.DAYS_END}[match[2]]
        return _checked(text, unit, timedelta(0), int(match[1]))
    words = plain.split(" ")
    timed = " ".join(word for word in words if word != "open")
    if "open" in words and re.search(r"\b(d|days?|weeks?)\b", timed):
        msg = f"{text!r} is not a limit: open days are whole and stand alone; {_HINT}"
        raise ValueError(msg)
    if words.count("open") > 1 or "," in plain:
        msg = f"{text!r} is not a limit; {_HINT}"
        raise ValueError(msg)
    try:
        duration = parse_duration(timed)
    except ValueError:
        msg = f"{text!r} is not a limit; {_HINT}"
        raise ValueError(msg) from None
    if not duration:
        msg = f"{text!r} promises no time at all; {_HINT}"
        raise ValueError(msg)
    unit = LimitUnit.OPEN if "open" in words else LimitUnit.CALENDAR
    return _checked(text, unit, duration, 0)


def format_limit(limit: Limit) -> str:
    """The limit as `parse_limit` reads it."""
    if limit.unit is LimitUnit.CALENDAR:
        return format_hours(limit.duration)
    if limit.unit is LimitUnit.OPEN:
        return _open_time(limit.duration)
    mode = {LimitUnit.DAYS: "", LimitUnit.DAYS_NEXT_OPEN: ", next open", LimitUnit.DAYS_END: ", end of day"}[limit.unit]
    return f"{limit.days} open day{'' if limit.days == 1 else 's'}{mode}"


def format_hours(duration: timedelta) -> str:
    """`33 h 5 min 2 s`: a duration in which a day is no unit, because an open day has no fixed length."""
    hours, rest = divmod(duration, timedelta(hours=1))
    parts = [f"{hours} h"] if hours else []
    return " ".join([*parts, *([format_duration(rest)] if rest >= timedelta(seconds=1) or not parts else [])])


def _open_time(duration: timedelta) -> str:
    seconds = duration // timedelta(seconds=1)
    size, name = next(unit for unit in _OPEN_UNITS if seconds % unit[0] == 0)
    amount = seconds // size
    return f"{amount} open {name}{'' if amount == 1 else 's'}"


def _checked(text: str, unit: LimitUnit, duration: timedelta, days: int) -> Limit:
    try:
        return Limit(unit, duration, days)
    except ValueError as error:
        msg = f"{text!r} is not a limit: {error}; {_HINT}"
        raise ValueError(msg) from None
