"""What a calendar says about one local date: its open minutes and why. Beats in this order: dated hours, a closed
date, a public holiday, a make-up working day, the weekday."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from ticketing.calendar_holidays import CountryHolidays, holiday_year
from ticketing.calendar_table import Interval, subtract, unite
from ticketing.calendar_zone import DAY_MINUTES


class DayKind(StrEnum):
    """Why a date has the hours it has."""

    WEEKDAY = "weekday"
    DATED = "dated hours"
    CLOSED = "closed"
    HOLIDAY = "holiday"
    MAKE_UP = "make-up working day"


@dataclass(frozen=True, slots=True)
class Day:
    """One local date. `spans` are minutes after its midnight; one that begins in the evening may pass 1440."""

    on: date
    kind: DayKind
    spans: tuple[Interval, ...]
    name: str = ""
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Closure:
    """Dates from `first` to `last`, both included, closed from midnight to midnight."""

    first: date
    last: date
    name: str = ""

    def __post_init__(self) -> None:
        if self.last < self.first:
            msg = f"closed from {self.first} to {self.last} holds no day; write the earlier date first"
            raise ValueError(msg)

    def holds(self, on: date) -> bool:
        """Whether the date is one of them."""
        return self.first <= on <= self.last


@dataclass(frozen=True, slots=True)
class YearlyClosure:
    """Every year from (month, day) to (month, day), both included; may run over New Year."""

    first: tuple[int, int]
    last: tuple[int, int]
    name: str = ""

    def __post_init__(self) -> None:
        for month, day in (self.first, self.last):
            date(2024, month, day)  # a leap year: 02-29 is a date; anything else unreal raises ValueError

    def holds(self, on: date) -> bool:
        """Whether the date is one of them."""
        today = (on.month, on.day)
        if self.first <= self.last:
            return self.first <= today <= self.last
        return today >= self.first or today <= self.last


@dataclass(frozen=True, slots=True)
class DayRules:
    """All that decides the hours of a date. `hours` maps weekday (0 is Monday) to spans of minutes.

    `dates` replaces the hours that begin on a date (empty: closed); `breaks` cuts minutes out of a date.
    `make_up_hours` are those of make-up days (None: the weekday's own, or else those of the first open weekday).
    """

    hours: Mapping[int, tuple[Interval, ...]]
    country: CountryHolidays | None = None
    closures: tuple[Closure | YearlyClosure, ...] = ()
    dates: Mapping[date, tuple[Interval, ...]] = field(default_factory=dict)
    breaks: Mapping[date, tuple[Interval, ...]] = field(default_factory=dict)
    make_up_hours: tuple[Interval, ...] | None = None

    def __post_init__(self) -> None:
        for spans in (*self.hours.values(), *self.dates.values(), *self.breaks.values(), self.make_up_hours or ()):
            for start, end in spans:
                if not (0 <= start < DAY_MINUTES and start < end <= start + DAY_MINUTES):
                    msg = f"minutes {start} to {end} are no hours of a day; expected a start in 0..1439 and a later end"
                    raise ValueError(msg)

    def day(self, on: date) -> Day:
        """The date with its hours after closures and breaks."""
        plain = self._plain(on)
        following = on + timedelta(days=1)
        if not any(end > DAY_MINUTES for _, end in plain.spans):
            holes = list(self.breaks.get(on, ()))
        else:
            late = self.breaks.get(following, ())
            holes = [*self.breaks.get(on, ()), *((start + DAY_MINUTES, end + DAY_MINUTES) for start, end in late)]
            if self._shut(following):
                holes.append((DAY_MINUTES, 2 * DAY_MINUTES))
        spans = tuple(subtract(plain.spans, holes)) if holes else tuple(unite(plain.spans))
        return Day(on, plain.kind, spans, plain.name, plain.provisional)

    def _shut(self, on: date) -> bool:
        plain = self._plain(on)
        return plain.kind in (DayKind.CLOSED, DayKind.HOLIDAY)

    def _plain(self, on: date) -> Day:
        if on in self.dates:
            return Day(on, DayKind.DATED if self.dates[on] else DayKind.CLOSED, self.dates[on])
        for closure in self.closures:
            if closure.holds(on):
                return Day(on, DayKind.CLOSED, (), closure.name)
        usual = self.hours.get(on.weekday(), ())
        if self.country is None:
            return Day(on, DayKind.WEEKDAY, usual)
        year = holiday_year(self.country, on.year)
        if on in year.days:
            return Day(on, DayKind.HOLIDAY, (), year.days[on], year.provisional)
        if on in year.make_up:
            return Day(on, DayKind.MAKE_UP, self._make_up(usual))
        return Day(on, DayKind.WEEKDAY, usual, "", year.provisional)

    def _make_up(self, usual: tuple[Interval, ...]) -> tuple[Interval, ...]:
        if self.make_up_hours is not None:
            return self.make_up_hours
        return usual or next((self.hours[day] for day in range(7) if self.hours.get(day)), ())
