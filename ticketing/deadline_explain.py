"""A deadline in words a dispatcher can follow: the clause, the hours consumed, the days skipped, the pauses removed."""

from datetime import date, datetime, timedelta

from facility.instant import from_us, to_us
from ticketing.calendar import Calendar
from ticketing.calendar_days import Day, DayKind
from ticketing.calendar_holidays import holiday_names_zh
from ticketing.calendar_table import Interval, subtract, unite
from ticketing.calendar_zone import local_of, pieces_us
from ticketing.deadline import Deadline, Pause, capped
from ticketing.explain_words import ZH, ExplainWords, explain_words
from ticketing.limit import LimitUnit

FULL_DAYS = 45
"""A deadline of more days than this is explained by its first and last days and a sum between them."""


def explain_deadline(deadline: Deadline, language: str = "en") -> list[str]:
    """One line a fact, in the calendar's zone (named in the first line), ending with the deadline itself."""
    words, calendar = explain_words(language), deadline.calendar
    limit = deadline.promise.limit

    def when(at: datetime) -> str:
        return words.when(at.astimezone(calendar.zone))

    lines = [
        words.limit_line.format(
            limit=words.limit(limit),
            clause=words.clause.format(clause=deadline.clause) if deadline.clause else "",
            how=words.on_calendar.format(name=calendar.name) if limit.needs_calendar else words.around,
            zone=calendar.zone.key,
        ),
        *(step.to(language) for step in deadline.promise.steps),
        words.starts.format(at=when(deadline.started_at)),
    ]
    lines += _pause_lines(deadline, words)
    lines += [words.gap.format(low=when(low), high=when(high)) for low, high in deadline.gaps]
    lines += _day_lines(deadline, words) if limit.needs_calendar else []
    lines.append(words.due.format(at=when(deadline.due_at)))
    if deadline.paused_by is not None:
        reason, left = words.reasons[deadline.paused_by.reason], words.hours(deadline.left)
        lines[-1] = words.paused.format(reason=reason, left=left, now=when(deadline.now), at=when(deadline.due_at))
    return lines


def _pause_lines(deadline: Deadline, words: ExplainWords) -> list[str]:
    calendar, taken = deadline.calendar, to_us(deadline.started_at)
    lines = []
    counted = {one.from_at: one for one in _counted(deadline)}
    for pause in sorted(deadline.pauses, key=lambda one: one.from_at):
        until = pause.until_at if pause.until_at is not None else max(deadline.now, pause.from_at)
        ends = words.when(until.astimezone(calendar.zone))
        span = words.pause.format(
            reason=words.reasons[pause.reason],
            low=words.when(pause.from_at.astimezone(calendar.zone)),
            high=ends if pause.until_at is not None else words.until_now.format(at=ends),
        )
        if pause.from_at >= deadline.due_at:
            lines.append(words.pause_after.format(span=span))
        elif pause.reason not in deadline.promise.pauses:
            lines.append(words.pause_idle.format(span=span))
        else:
            kept = counted.get(pause.from_at, Pause(pause.from_at, pause.from_at, pause.reason)).until_at or until
            low, high = to_us(pause.from_at), to_us(kept)
            removed = words.hours(timedelta(microseconds=calendar.elapsed_us(max(low, taken), high)))
            lines.append(
                words.pause_removed.format(
                    span=span,
                    removed=removed,
                    kind=words.open_time if deadline.promise.limit.needs_calendar else "",
                    shared=words.shared if lines and low < taken else "",
                    cap=words.cap if kept < until else "",
                )
            )
            taken = max(taken, high)
    return lines


def _day_lines(deadline: Deadline, words: ExplainWords) -> list[str]:
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
        lines += _day_line(day, pieces, calendar, consumed, count if counts else None, words)
    return lines


def _day_line(
    day: Day, pieces: list[Interval], calendar: Calendar, consumed: int, count: int | None, words: ExplainWords
) -> list[str]:
    name = words.day(day.on)
    note = words.provisional if day.provisional else ""
    if not day.spans:
        return [words.skipped.format(day=name, why=_why_shut(day, calendar, words), note=note)]
    if count is None and not pieces:
        return []
    made = f" ({words.kinds[day.kind]})" if day.kind in (DayKind.MAKE_UP, DayKind.DATED) else ""
    if count is not None:
        return [words.open_day.format(day=name, made=made, count=count, note=note)]
    times = ", ".join(f"{_clock(start, calendar)}-{_clock(end, calendar)}" for start, end in pieces)
    spent = words.hours(timedelta(microseconds=sum(end - start for start, end in pieces)))
    total = words.hours(timedelta(microseconds=consumed))
    return [words.spent.format(day=name, made=made, times=times, spent=spent, total=total, note=note)]


def _why_shut(day: Day, calendar: Calendar, words: ExplainWords) -> str:
    if day.kind is DayKind.WEEKDAY:
        return words.no_hours
    name = day.name
    if words is ZH and day.kind is DayKind.HOLIDAY and calendar.rules.country is not None:
        name = holiday_names_zh(calendar.rules.country, day.on.year).get(day.on, "")
    return words.named.format(kind=words.kinds[day.kind], name=name) if name else words.kinds[day.kind]


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
