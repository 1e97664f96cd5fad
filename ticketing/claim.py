"""Claims inside the warranty: the installer's own limits on an order, and when it looks at an asset again. Pure.

`plan` runs from the opening to the acknowledgement (which gives the plan), `visit` from the opening to the arrival.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from ticketing.plan import Every
from ticketing.promised import due_at
from ticketing.terms_service import ClaimTerms
from ticketing.work_order import Change, Status


@dataclass(frozen=True, slots=True)
class ClaimClock:
    """One limit of the installer: when it is over, and when it was met (None: not yet, or the order ended without)."""

    due_at: datetime
    met_at: datetime | None
    ended_at: datetime | None = None

    def is_breached(self, now: datetime) -> bool:
        """Whether it was met, or ended, or stands now, after its deadline."""
        return (self.met_at or self.ended_at or now) > self.due_at


@dataclass(frozen=True, slots=True)
class Claim:
    """The two limits of a claim."""

    plan: ClaimClock
    visit: ClaimClock


def decide_claim(opened_at: datetime, history: Iterable[Change], terms: ClaimTerms) -> Claim:
    """The limits of a claim on an order, from its history."""
    lines = list(history)
    answered = _first(lines, {Status.ACKNOWLEDGED, Status.ARRIVED})
    arrived = _first(lines, {Status.ARRIVED})
    over = _first(lines, {Status.COMPLETED, Status.CLOSED, Status.CANCELLED})
    plan_due, visit_due = (due_at(limit, terms.calendar, opened_at) for limit in (terms.plan, terms.visit))
    if plan_due is None or visit_due is None:  # a limit that is there has an end
        msg = "a claim has both its limits"
        raise ValueError(msg)
    return Claim(ClaimClock(plan_due, answered, over), ClaimClock(visit_due, arrived, over))


def follow_up_on(accepted_on: date, until: date, every: Every, today: date) -> date | None:
    """The newest day, not after today, on which the installer looks again; None before the first and after the end."""
    if today > until:
        return None
    count = 0
    while every.after(accepted_on, count + 1) <= today:
        count += 1
    return every.after(accepted_on, count) if count else None


def _first(lines: Iterable[Change], states: set[Status]) -> datetime | None:
    return next((line.at for line in lines if line.to_status in states), None)
