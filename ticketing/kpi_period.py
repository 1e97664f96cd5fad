"""The month, quarter or year a report is about, and where it begins and ends in a site's own zone. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from ticketing.plan import add_months

_MONTH = re.compile(r"^(\d{4})-(0[1-9]|1[0-2])$")
_QUARTER = re.compile(r"^(\d{4})-Q([1-4])$")
_YEAR = re.compile(r"^(\d{4})$")


@dataclass(frozen=True, slots=True)
class Bounds:
    """From the first instant to the first one after it, aware UTC."""

    from_at: datetime
    until_at: datetime

    def holds(self, at: datetime | None) -> bool:
        """Whether an instant lies inside."""
        return at is not None and self.from_at <= at < self.until_at


@dataclass(frozen=True, slots=True)
class Period:
    """So many whole months from the first day of one."""

    first_on: date
    months: int

    def __post_init__(self) -> None:
        if self.months not in (1, 3, 12) or self.first_on.day != 1 or (self.first_on.month - 1) % self.months:
            msg = f"a period of {self.months} months from {self.first_on} is no month, quarter or year"
            raise ValueError(msg)

    @property
    def end_on(self) -> date:
        """The first day after it."""
        return add_months(self.first_on, self.months)

    @property
    def before(self) -> "Period":
        """The period of the same length that ends where this one begins."""
        return Period(add_months(self.first_on, -self.months), self.months)

    def bounds(self, zone: ZoneInfo) -> Bounds:
        """Local midnights of a zone; a day has 23 or 25 hours where the clocks change."""
        return Bounds(_midnight(self.first_on, zone), _midnight(self.end_on, zone))

    def __str__(self) -> str:
        if self.months == 1:
            return f"{self.first_on:%Y-%m}"
        year = self.first_on.year
        return f"{year}-Q{(self.first_on.month + 2) // 3}" if self.months == 3 else str(year)


def parse_period(text: str) -> Period:
    """`2026-03`, `2026-Q1` or `2026`. Raises ValueError that shows the forms there are."""
    try:
        if match := _MONTH.match(text):
            return Period(date(int(match[1]), int(match[2]), 1), 1)
        if match := _QUARTER.match(text):
            return Period(date(int(match[1]), 3 * int(match[2]) - 2, 1), 3)
        if match := _YEAR.match(text):
            return Period(date(int(match[1]), 1, 1), 12)
    except ValueError:
        match = None
    msg = f"{text!r} is no period; write a month (2026-03), a quarter (2026-Q1) or a year (2026)"
    raise ValueError(msg)


def period_of(on: date, months: int) -> Period:
    """The month (1), quarter (3) or year (12) a local date is in."""
    return Period(date(on.year, on.month - (on.month - 1) % months, 1), months)


def _midnight(on: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(on, time(), zone).astimezone(UTC)
