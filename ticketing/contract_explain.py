"""A contract as text for people: what holds from when, the levels as a table, and when the calendars are open."""

from datetime import UTC, datetime, time, timedelta

from ticketing.calendar import Calendar
from ticketing.calendar_days import DayKind
from ticketing.calendar_zone import DAY_MINUTES
from ticketing.contract import Contract, PauseReason, Promise, Revision, ServiceLevel
from ticketing.limit import format_hours
from ticketing.terms_explain import explain_terms
from ticketing.terms_service_explain import explain_service


def explain_contract(contract: Contract, now: datetime | None = None) -> list[str]:
    """Lines without markup. Calendars show the seven days from `now` (aware; None: from when the revision holds)."""
    scope = [f"site {one}" for one in sorted(contract.sites)] + [
        f"building {one}" for one in sorted(contract.buildings)
    ]
    lines = [
        f"Contract {contract.id}: {contract.name}",
        f"Customer: {contract.customer or 'not named'}. Supplier: {contract.supplier or 'not named'}.",
        f"Covers {', '.join(scope) or 'everything'}. Times are in {contract.zone.key}.",
    ]
    current = contract.revision_at(now) if now is not None else None
    for index, revision in enumerate(contract.revisions):
        following = contract.revisions[index + 1].effective_at if index + 1 < len(contract.revisions) else None
        ends = min((at for at in (following, contract.ends_at) if at is not None), default=None)
        until = f" until {_day(ends, contract)}" if ends is not None else ""
        mark = ", in force now" if revision is current else ""
        lines += ["", f"Revision {revision.number}: from {_day(revision.effective_at, contract)}{until}{mark}", ""]
        lines += _levels(revision)
        lines += explain_terms(revision)
        lines += explain_service(revision.service)
        for calendar in revision.calendars.values():
            lines += ["", *_calendar(calendar, max(now or revision.effective_at, revision.effective_at))]
    return lines


def _day(at: datetime, contract: Contract) -> str:
    local = at.astimezone(contract.zone)
    return f"{local:%Y-%m-%d}" if local.time() == time() else f"{local:%Y-%m-%d %H:%M}"


def _levels(revision: Revision) -> list[str]:
    heads = "clause", "level", "for", "priority", "response", "resolution", "calendar"
    rows: list[tuple[str, ...]] = [heads]
    rows += [_row(level) for level in revision.levels]
    if revision.default_level is not None:
        rows.append(_row(revision.default_level))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [table[0], "  ".join("-" * width for width in widths), *table[1:]]


def _row(level: ServiceLevel) -> tuple[str, ...]:
    what = "whatever no level matches" if level.is_default else str(level.match)
    rank = f" (rank {level.rank})" if level.rank else ""
    promised = _promise(level.response), _promise(level.resolution)
    return (
        level.clause or "-",
        f"{level.id} {level.name}".strip(),
        what + rank,
        str(level.priority),
        *promised,
        level.calendar.name,
    )


def _promise(promise: Promise) -> str:
    if not promise.pauses:
        return f"{promise.limit}, never pauses"
    if promise.pauses == frozenset(PauseReason):
        return f"{promise.limit}, may pause"
    return f"{promise.limit}, pauses for {', '.join(sorted(one.replace('_', ' ') for one in promise.pauses))}"


def _calendar(calendar: Calendar, from_at: datetime) -> list[str]:
    first = from_at.astimezone(calendar.zone).date()
    lines = [f"Calendar {calendar.name} ({calendar.zone.key}), seven days from {first}:"]
    for offset in range(7):
        day = calendar.day(first + timedelta(days=offset))
        spans = ", ".join(f"{_clock(start)}-{_clock(end)}" for start, end in day.spans)
        why = ", ".join(part for part in (day.kind.value if day.kind is not DayKind.WEEKDAY else "", day.name) if part)
        provisional = "; provisional" if day.provisional else ""
        lines.append(f"  {day.on:%a %Y-%m-%d}  {spans or 'closed'}{f'  ({why}{provisional})' if why else ''}")
    start = datetime.combine(first, time(), calendar.zone).astimezone(UTC)
    end = datetime.combine(first + timedelta(days=7), time(), calendar.zone).astimezone(UTC)
    lines.append(f"  open {format_hours(calendar.elapsed(start, end))} in these seven days")
    return lines


def _clock(minute: int) -> str:
    if minute > DAY_MINUTES:
        return f"{(minute - DAY_MINUTES) // 60:02}:{minute % 60:02} next day"
    return f"{minute // 60:02}:{minute % 60:02}"
