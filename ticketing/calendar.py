"""Open time: a calendar in its own zone, and the arithmetic on it, forward and backward. Pure.

Open time is absolute seconds inside open intervals. Instants are aware UTC datetimes; the `_us` forms take and give
microseconds since the epoch. A table of each local year is built when it is first needed (a few ms) and kept.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from facility.errors import PermanentError
from facility.instant import from_us, to_us
from ticketing.calendar_days import Day, DayRules
from ticketing.calendar_table import Interval, YearTable, make_table
from ticketing.calendar_zone import DAY_MINUTES, last_closing_us, local_of, midnight_us, pieces_us, same_clock_us

_MICROSECOND = timedelta(microseconds=1)
_MEAN_YEAR_US = 31_556_952 * 10**6
HORIZON_YEARS = 60


class CalendarError(PermanentError):
    """Open time that never comes: the calendar does not open enough within 60 years."""


@dataclass(frozen=True)
class Calendar:
    """When someone is at work. Equal when name, zone and rules are; the tables are a cache."""

    name: str
    zone: ZoneInfo
    rules: DayRules
    _tables: dict[int, YearTable] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __hash__(self) -> int:
        return hash((self.name, self.zone.key))

    @classmethod
    def always(cls, zone: ZoneInfo, name: str = "always") -> "Calendar":
        """Open around the clock: open time is calendar time."""
        return cls(name, zone, DayRules(dict.fromkeys(range(7), ((0, DAY_MINUTES),))))

    def day(self, on: date) -> Day:
        """Hours of one local date, and why."""
        return self.rules.day(on)

    def advance(self, start_at: datetime, duration: timedelta) -> datetime:
        """The instant at which `duration` of open time has passed; a tie is the closing, zero the next opening."""
        return from_us(self.advance_us(to_us(start_at), duration // _MICROSECOND))

    def retreat(self, end_at: datetime, duration: timedelta) -> datetime:
        """The latest instant from which `duration` of open time lies before `end_at`; a tie is the opening."""
        return from_us(self.retreat_us(to_us(end_at), duration // _MICROSECOND))

    def elapsed(self, from_at: datetime, to_at: datetime) -> timedelta:
        """Open time between two instants; zero when the second is not later."""
        return timedelta(microseconds=self.elapsed_us(to_us(from_at), to_us(to_at)))

    def next_open(self, at: datetime) -> datetime:
        """`at` itself when open, else the next opening."""
        return from_us(self.next_open_us(to_us(at)))

    def is_open(self, at: datetime) -> bool:
        """Whether the instant lies inside an open interval (the opening does, the closing does not)."""
        at_us = to_us(at)
        return self._year_of(at_us)[1].next_open(at_us) == at_us

    def intervals(self, from_at: datetime, to_at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Open intervals between two instants, clipped to them, ascending; touching ones are one."""
        for start, end in self.intervals_us(to_us(from_at), to_us(to_at)):
            yield from_us(start), from_us(end)

    def advance_us(self, start_us: int, duration_us: int) -> int:
        """See `advance`; a negative duration goes backward."""
        if duration_us < 0:
            return self.retreat_us(start_us, -duration_us)
        if duration_us == 0:
            return self.next_open_us(start_us)
        year, table = self._year_of(start_us)
        limit = year + HORIZON_YEARS
        amount = table.open_before(start_us) + duration_us
        while amount > table.total:
            amount -= table.total
            year += 1
            table = self._table(self._within(year, limit))
        return table.reached(amount)

    def retreat_us(self, end_us: int, duration_us: int) -> int:
        """See `retreat`."""
        year, table = self._year_of(end_us)
        limit = year - HORIZON_YEARS
        if duration_us == 0:
            while (found := table.last_open(end_us)) is None:
                year -= 1
                table = self._table(self._within(year, limit))
            return found
        amount = table.open_before(end_us) - duration_us
        while amount < 0:
            year -= 1
            table = self._table(self._within(year, limit))
            amount += table.total
        return table.left_at(amount)

    def elapsed_us(self, from_us_: int, to_us_: int) -> int:
        """See `elapsed`."""
        if to_us_ <= from_us_:
            return 0
        (first, low), (last, high) = self._year_of(from_us_), self._year_of(to_us_)
        whole = sum(self._table(year).total for year in range(first, last))
        return whole + high.open_before(to_us_) - low.open_before(from_us_)

    def next_open_us(self, at_us: int) -> int:
        """See `next_open`."""
        year, table = self._year_of(at_us)
        limit = year + HORIZON_YEARS
        while (found := table.next_open(at_us)) is None:
            year += 1
            table = self._table(self._within(year, limit))
        return found

    def intervals_us(self, from_us_: int, to_us_: int) -> Iterator[Interval]:
        """See `intervals`."""
        held: Interval | None = None
        for year in range(self._year_of(from_us_)[0], self._year_of(to_us_)[0] + 1):
            table = self._table(year)
            for index in range(bisect_right(table.ends, from_us_), bisect_left(table.starts, to_us_)):
                piece = max(from_us_, table.starts[index]), min(to_us_, table.ends[index])
                if held is not None and held[1] == piece[0]:
                    held = held[0], piece[1]
                else:
                    if held is not None:
                        yield held
                    held = piece
        if held is not None:
            yield held

    def add_open_days_us(self, start_us: int, days: int) -> int:
        """The same wall-clock time `days` open days later (negative: earlier); the start's own day is not counted."""
        local = local_of(start_us, self.zone)
        return same_clock_us(self._open_day(local.date(), days), local)

    def end_of_day_us(self, at_us: int) -> int:
        """The closing of the last interval that begins on the local date of `at_us`; `at_us` when none does."""
        on = local_of(at_us, self.zone).date()
        spans = self.day(on).spans
        return last_closing_us(on, spans[-1][1], self.zone) if spans else at_us

    def _open_day(self, on: date, days: int) -> date:
        if days == 0:
            return on
        step, year, limit = (1 if days > 0 else -1), on.year, on.year + (HORIZON_YEARS if days > 0 else -HORIZON_YEARS)
        table, left = self._table(year), abs(days)
        while True:
            if step > 0:
                ahead = table.days[bisect_right(table.days, on.toordinal()) :]
            else:
                ahead = table.days[: bisect_left(table.days, on.toordinal())][::-1]
            if left <= len(ahead):
                return date.fromordinal(ahead[left - 1])
            left -= len(ahead)
            year += step
            table = self._table(self._within(year, limit))

    def _year_of(self, at_us: int) -> tuple[int, YearTable]:
        """The local year an instant lies in; its UTC year is never more than one away."""
        year = 1970 + at_us // _MEAN_YEAR_US
        while at_us < (table := self._table(year)).low:
            year -= 1
        while at_us >= table.high:
            year += 1
            table = self._table(year)
        return year, table

    def _within(self, year: int, limit: int) -> int:
        if abs(year - limit) > HORIZON_YEARS or year == limit or not 1 < year < 9999:
            msg = f"calendar {self.name!r} does not open enough within {HORIZON_YEARS} years; check its hours"
            raise CalendarError(msg)
        return year

    def _table(self, year: int) -> YearTable:
        table = self._tables.get(year)
        if table is None:
            table = self._tables[year] = self._build(year)
        return table

    def _build(self, year: int) -> YearTable:
        first, following = date(year, 1, 1), date(year + 1, 1, 1)
        low, high = midnight_us(first, self.zone), midnight_us(following, self.zone)
        intervals: list[Interval] = []
        days: list[int] = []
        for ordinal in range(first.toordinal() - 1, following.toordinal()):
            on = date.fromordinal(ordinal)
            spans = self.day(on).spans
            if spans and ordinal >= first.toordinal():
                days.append(ordinal)
            for start, end in spans:
                intervals += pieces_us(on, start, end, self.zone)
        return make_table(low, high, intervals, days)
