"""Deadlines: a pure function of limit, calendar, start and pauses. Nothing is accumulated; recomputing agrees.

A pause removes exactly its open time; pauses unite. A breach is `now > due_at`. While a pause is open the deadline is
the one that holds if work resumes now, and `left` says how much time is left: it is never blank.
`ticketing.deadline_explain` puts it into words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from facility.instant import from_us, to_us
from ticketing.calendar import Calendar
from ticketing.calendar_table import Interval, unite
from ticketing.contract import PauseReason, Promise, ServiceLevel
from ticketing.limit import Limit, LimitUnit

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Pause:
    """Why and when (aware UTC) a clock stood still; `until_at` None while it still does."""

    from_at: datetime
    until_at: datetime | None
    reason: PauseReason

    def __post_init__(self) -> None:
        if self.until_at is not None and self.until_at < self.from_at:
            msg = f"a pause from {self.from_at} until {self.until_at} ends before it begins"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Deadline:
    """One clock of an order as of `now`, with all it was computed from.

    `gaps` are the times between a stop and a reopening.
    `paused_by` is the open pause that stops this clock, else None. `left` is the time still to run, in the unit the
    limit runs in (open time, or calendar time); zero once `due_at` has passed.
    """

    due_at: datetime
    left: timedelta
    paused_by: Pause | None
    promise: Promise
    calendar: Calendar
    started_at: datetime
    pauses: tuple[Pause, ...]
    clause: str
    now: datetime
    gaps: tuple[tuple[datetime, datetime], ...] = ()

    @property
    def is_paused(self) -> bool:
        """Whether the clock stands still now."""
        return self.paused_by is not None

    def is_breached(self, stopped_at: datetime | None = None) -> bool:
        """Whether the clock was stopped (or, not stopped yet, stands now) after the deadline."""
        return (stopped_at if stopped_at is not None else self.now) > self.due_at


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The two deadlines a contract names as such."""

    response: Deadline
    resolution: Deadline


def decide_deadlines(
    level: ServiceLevel, started_at: datetime, *, now: datetime, pauses: Sequence[Pause] = ()
) -> Deadlines:
    """Both deadlines of a level, counted from `started_at` (event time)."""
    response, resolution = (
        decide_deadline(promise, level.calendar, started_at, now=now, pauses=pauses, clause=level.clause)
        for promise in (level.response, level.resolution)
    )
    return Deadlines(response, resolution)


def decide_deadline(
    promise: Promise,
    calendar: Calendar,
    started_at: datetime,
    *,
    now: datetime,
    pauses: Sequence[Pause] = (),
    gaps: Sequence[tuple[datetime, datetime]] = (),
    clause: str = "",
) -> Deadline:
    """One deadline. Pauses for a reason that does not stop this clock are kept but change nothing.

    `gaps` (from, until) are not counted whatever the promise says: the work was done, until it was reopened.
    """
    runs_in = running_calendar(promise.limit, calendar)
    start_us, now_us = to_us(started_at), to_us(now)
    counted = capped([pause for pause in pauses if pause.reason in promise.pauses], dict(promise.caps), now)
    stopped = [(to_us(low), to_us(high)) for low, high in gaps]
    closed = [*stopped, *(_interval(pause, now_us) for pause in counted)]
    due_us = due_at_us(promise.limit, calendar, start_us, closed)
    open_pause = next((pause for pause in counted if pause.until_at is None), None)
    if open_pause is not None:
        others = [*stopped, *(_interval(pause, now_us) for pause in counted if pause is not open_pause)]
        begun_us = to_us(open_pause.from_at)
        if begun_us > now_us or due_at_us(promise.limit, calendar, start_us, others) <= begun_us:
            open_pause = None
    left_us = runs_in.elapsed_us(max(now_us, start_us), due_us)
    return Deadline(
        due_at=from_us(due_us),
        left=timedelta(microseconds=left_us),
        paused_by=open_pause,
        promise=promise,
        calendar=runs_in,
        started_at=started_at,
        pauses=tuple(pauses),
        clause=clause,
        now=now,
        gaps=tuple(gaps),
    )


def capped(pauses: Sequence[Pause], caps: Mapping[PauseReason, timedelta], now: datetime) -> list[Pause]:
    """The pauses as far as their reason's cap (around the clock, over the order's whole life) lets them count."""
    left, counted = dict(caps), []
    for pause in sorted(pauses, key=lambda one: one.from_at):
        if pause.reason not in left:
            counted.append(pause)
            continue
        until = pause.until_at if pause.until_at is not None else max(now, pause.from_at)
        end = pause.from_at + left[pause.reason]
        if pause.until_at is None and until < end:
            counted.append(pause)
        elif left[pause.reason]:
            counted.append(Pause(pause.from_at, min(until, end), pause.reason))
        left[pause.reason] = max(timedelta(0), end - until)
    return counted


def running_calendar(limit: Limit, calendar: Calendar) -> Calendar:
    """The calendar a limit runs in: the level's own, or around the clock for calendar time."""
    return calendar if limit.needs_calendar else _always(calendar.zone)


def due_at_us(limit: Limit, calendar: Calendar, start_us: int, pauses: Iterable[Interval] = ()) -> int:
    """The deadline in microseconds since the epoch. `pauses` in any order, overlapping or not."""
    united = [(max(low, start_us), high) for low, high in unite(pauses) if high > start_us]
    if limit.unit is LimitUnit.CALENDAR:
        return _due_calendar(limit.duration // _MICROSECOND, start_us, united)
    if limit.unit is LimitUnit.OPEN:
        return due_open_us(limit.duration // _MICROSECOND, calendar, start_us, united)
    due_us = open_days_us(limit.unit, calendar, start_us, limit.days)
    for low, high in united:
        if low >= due_us:
            break
        removed = calendar.elapsed_us(low, high)
        due_us = max(high, calendar.advance_us(due_us, removed) if removed else due_us)  # no breach while paused
    return due_us


def open_days_us(unit: LimitUnit, calendar: Calendar, start_us: int, days: int) -> int:
    """The instant `days` open days after the start (negative: before; zero: counted from the next opening)."""
    at_us = calendar.add_open_days_us(start_us, days) if days else calendar.next_open_us(start_us)
    if unit is LimitUnit.DAYS_NEXT_OPEN:
        return calendar.next_open_us(at_us)
    return calendar.end_of_day_us(at_us) if unit is LimitUnit.DAYS_END else at_us


def due_open_us(duration_us: int, calendar: Calendar, start_us: int, pauses: Sequence[Interval] = ()) -> int:
    """`due_at_us` of a duration of open time; `pauses` united, from `start_us` on."""
    at_us, left_us = start_us, duration_us
    for low, high in pauses:
        if low > at_us:
            due_us = calendar.advance_us(at_us, left_us)
            if due_us <= low:
                return due_us
            left_us -= calendar.elapsed_us(at_us, low)
        at_us = high
    return calendar.advance_us(at_us, left_us)


def elapsed_us(calendar: Calendar, from_us_: int, to_us_: int, pauses: Iterable[Interval] = ()) -> int:
    """Open time between two instants without the open time of the pauses; never negative."""
    removed = sum(
        calendar.elapsed_us(max(low, from_us_), min(high, to_us_)) for low, high in unite(pauses) if low < to_us_
    )
    return calendar.elapsed_us(from_us_, to_us_) - removed


def _due_calendar(duration_us: int, start_us: int, pauses: Sequence[Interval]) -> int:
    due_us = start_us + duration_us
    for low, high in pauses:
        if low >= due_us:
            break
        due_us += high - low
    return due_us


@cache
def _always(zone: ZoneInfo) -> Calendar:
    return Calendar.always(zone)


def _interval(pause: Pause, now_us: int) -> Interval:
    low = to_us(pause.from_at)
    return low, max(low, to_us(pause.until_at) if pause.until_at is not None else now_us)
