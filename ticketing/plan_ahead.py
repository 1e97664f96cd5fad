"""The days a plan falls due in a time to come, as it stands now. Pure; days are local dates.

Floating visits are counted on from the last completion (or the day one is due) as if each were done on its day.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from ticketing.plan import Anchor, LastVisit, Visit, fixed_dates, makes_up_for


def dates_ahead(
    visits: Sequence[Visit], last: Mapping[str, LastVisit], starts_on: date, first_on: date, until_on: date
) -> list[tuple[Visit, date]]:
    """(visit, day) of one asset in [first, until), by day. A visit that a longer one makes up for is left out.

    Days up to that of the newest order are left out: it stands for them.
    """
    days = {visit.id: _days(visit, last.get(visit.id), starts_on, until_on) for visit in visits}
    found = []
    for visit in visits:
        longer = [other for other in visits if makes_up_for(other, visit, visits)]
        for on in days[visit.id]:
            near = [timedelta(days=max(other.early_days, visit.early_days)) for other in longer]
            covered = any(
                abs(day - on) <= span for other, span in zip(longer, near, strict=True) for day in days[other.id]
            )
            if first_on <= on < until_on and not covered:
                found.append((visit, on))
    return sorted(found, key=lambda one: (one[1], one[0].id))


def _days(visit: Visit, last: LastVisit | None, starts_on: date, until_on: date) -> list[date]:
    if visit.every is None:
        return []  # by its meter alone
    after = last.due_on if last is not None else None
    if visit.follows is Anchor.FIXED:
        return [
            on for on in fixed_dates(visit, starts_on, until_on) if on >= starts_on and (after is None or on > after)
        ]
    if last is None:
        start = visit.first_on or visit.every.after(starts_on, 1)
    else:
        start = visit.every.after(last.completed_on or last.due_on, 1)
    days, count = [start], 0
    while days[-1] < until_on and count < 2_000:
        count += 1
        days.append(visit.every.after(start, count))
    return days
