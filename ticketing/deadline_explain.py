"""A deadline in words a dispatcher can follow: the clause, the hours consumed, the days skipped, the pauses removed."""

from datetime import date, datetime, timedelta

from facility.instant import from_us, to_us
from ticketing.calendar import Calendar
from ticketing.calendar_days import Day, DayKind
from ticketing.calendar_table import Interval, subtract, unite
from ticketing.calendar_zone import local_of, pieces_us
from ticketing.deadline import Deadline, Pause, capped
from ticketing.limit import LimitUnit, format_hours

FULL_DAYS = 45
"""A deadline of more days than this is explained by its first and last days and a sum between them."""


def explain_deadline(deadline: Deadline) -> list[str]:
    """One line a fact, in the calendar's zone (named in the first line), ending with the deadline itself."""
    calendar, zone = deadline.calendar, deadline.calendar.zone
    limit = deadline.promise.limit
    clause = f" (clause {deadline.clause})" if deadline.clause else ""
    hours = f"on calendar {calendar.name}" if limit.needs_calendar else "around the clock"
    lines = [
        f"Limit: {limit}{clause}, counted {hours}; times are in {zone.key}.",
        *deadline.promise.steps,
        f"The clock starts {_when(deadline.started_at, calendar)}.",
    ]
    lines += _pause_lines(deadline)
    for low, high in deadline.gaps:
        lines.append(f"Done from {_when(low, calendar)} until it was reopened {_when(high, calendar)}: not counted.")
    lines += _day_lines(deadline) if limit.needs_calendar else []
    lines.append(f"Deadline: {_when(deadline.due_at, calendar)}.")
    if deadline.paused_by is not None:
        lines[-1] = (
            f"Paused ({_reason(deadline.paused_by)}), {format_hours(deadline.left)} left: "
            f"resumed now, {_when(deadline.now, calendar)}, the deadline is {_when(deadline.due_at, calendar)}."
        )
    return lines


def _when(at: datetime, calendar: Calendar) -> str:
    local = at.astimezone(calendar.zone)
    seconds = ":%S" if local.second or local.microsecond else ""
    offset = local.strftime("%z")
    return local.strftime(f"%a %Y-%m-%d %H:%M{seconds} ") + f"{offset[:3]}:{offset[3:5]}"


def _reason(pause: Pause) -> str:
    return pause.reason.replace("_", " ")


def _pause_lines(deadline: Deadline) -> list[str]:
    calendar, taken = deadline.calendar, to_us(deadline.started_at)
    lines = []
    counted = {one.from_at: one for one in _counted(deadline)}
    for pause in sorted(deadline.pauses, key=lambda one: one.from_at):
        until = pause.until_at if pause.until_at is not None else max(deadline.now, pause.from_at)
        ends = _when(until, calendar) if pause.until_at is not None else f"now, {_when(until, calendar)}"
        span = f"Pause for {_reason(pause)}, {_when(pause.from_at, calendar)} to {ends}"
        if pause.from_at >= deadline.due_at:
            lines.append(f"{span}: begins after the deadline, changes nothing.")
        elif pause.reason not in deadline.promise.pauses:
            lines.append(f"{span}: does not stop this clock.")
        else:
            kept = counted.get(pause.from_at, Pause(pause.from_at, pause.from_at, pause.reason)).until_at or until
            low, high = to_us(pause.from_at), to_us(kept)
            cap = " (its cap is used up, the clock runs on)" if kept < until else ""
            removed = format_hours(timedelta(microseconds=calendar.elapsed_us(max(low, taken), high)))
            kind = " of open time" if deadline.promise.limit.needs_calendar else ""
            shared = " (the rest is in the pause before)" if lines and low < taken else ""
            lines.append(f"{span}: {removed}{kind} removed{shared}{cap}.")
            taken = max(taken, high)
    return lines


def _day_lines(deadline: Deadline) -> list[str]:
    calendar, limit = deadline.calendar, deadline.promise.limit
    holes = _holes(deadline)
    low, high = to_us(deadline.started_at), to_us(deadline.due_at)
    first, last = local_of(low, calendar.zone).date(), local_of(high, calendar.zone).date()
    lines: list[str] = []
    consumed = 0
    count = 0
    ordinals = range(first.toordinal(), last.toordinal() + 1)
    for ordinal in ordinals:
        day = calendar.day(date.fromordinal(ordinal))
        pieces = _pieces(day, calendar, holes, (low, high))
        open_us = sum(end - start for start, end in pieces)
        consumed += open_us
        counts = limit.unit not in (LimitUnit.OPEN, LimitUnit.CALENDAR) and bool(day.spans) and day.on != first
        count += counts and count < limit.days
        if len(ordinals) > FULL_DAYS and FULL_DAYS // 2 < ordinal - ordinals.start < len(ordinals) - FULL_DAYS // 2:
            if lines[-1] != "...":
                lines.append("...")
            continue
        lines += _day_line(day, pieces, calendar, consumed, count if counts else None)
    return lines


def _day_line(day: Day, pieces: list[Interval], calendar: Calendar, consumed: int, count: int | None) -> list[str]:
    name = day.on.strftime("%a %Y-%m-%d")
    note = " (provisional: the year's official notice is not known)" if day.provisional else ""
    if not day.spans:
        why = f"{day.kind}{f' ({day.name})' if day.name else ''}" if day.kind is not DayKind.WEEKDAY else ""
        return [f"{name}: skipped, {why or 'no hours on this weekday'}{note}."]
    if count is None and not pieces:
        return []
    made = f" ({day.kind})" if day.kind in (DayKind.MAKE_UP, DayKind.DATED) else ""
    if count is not None:
        return [f"{name}{made}: open day {count}{note}."]
    times = ", ".join(f"{_clock(start, calendar)}-{_clock(end, calendar)}" for start, end in pieces)
    spent = format_hours(timedelta(microseconds=sum(end - start for start, end in pieces)))
    return [f"{name}{made}: {times} is {spent}, together {format_hours(timedelta(microseconds=consumed))}{note}."]


def _pieces(day: Day, calendar: Calendar, holes: list[Interval], within: Interval) -> list[Interval]:
    spans = (piece for start, end in day.spans for piece in pieces_us(day.on, start, end, calendar.zone))
    clipped = ((max(start, within[0]), min(end, within[1])) for start, end in spans)
    return subtract(clipped, holes)


def _counted(deadline: Deadline) -> list[Pause]:
    stopping = [pause for pause in deadline.pauses if pause.reason in deadline.promise.pauses]
    return capped(stopping, dict(deadline.promise.caps), deadline.now)


def _holes(deadline: Deadline) -> list[Interval]:
    now_us = to_us(deadline.now)
    paused = (
        (to_us(pause.from_at), to_us(pause.until_at) if pause.until_at is not None else now_us)
        for pause in _counted(deadline)
    )
    return unite([*paused, *((to_us(low), to_us(high)) for low, high in deadline.gaps)])


def _clock(at_us: int, calendar: Calendar) -> str:
    local = from_us(at_us).astimezone(calendar.zone)
    return local.strftime("%H:%M:%S" if local.second or local.microsecond else "%H:%M")
