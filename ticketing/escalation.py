"""When whom has to be told about a clock: instants as a pure function of the clock. Nothing is sent here.

An escalation lies at a percentage of the clock's time, or an offset before or after its deadline, in the time the
clock runs in (open time, or calendar time), pauses left out. It is dropped when the clock stops first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from facility.instant import from_us, to_us
from ticketing.calendar_table import Interval, unite
from ticketing.deadline import Deadline, capped, due_open_us, elapsed_us
from ticketing.order_clock import OrderClock
from ticketing.terms import Escalation, EscalationUnit

_MICROSECOND = timedelta(microseconds=1)


class EscalationState(StrEnum):
    """Where an escalation stands now."""

    UPCOMING = "upcoming"
    DUE = "due"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class EscalationDue:
    """One escalation of one order: tell `escalation.to` at `at` (aware UTC). `at` of a dropped one never came."""

    escalation: Escalation
    at: datetime
    state: EscalationState


def decide_escalations(
    level_id: str, clocks: Mapping[str, OrderClock], escalations: Iterable[Escalation], now: datetime
) -> list[EscalationDue]:
    """Every escalation of an order's clocks, the earliest first.

    The same clocks give the same instants; one that fell due while nobody looked is simply due.
    """
    found = []
    for escalation in escalations:
        clock = clocks.get(escalation.clock)
        if clock is None or (escalation.levels and level_id not in escalation.levels):
            continue
        at = escalation_at(clock.deadline, escalation)
        ends = clock.stopped_at
        dropped = ends is not None and at > ends
        state = EscalationState.DROPPED if dropped else EscalationState.DUE if at <= now else EscalationState.UPCOMING
        found.append(EscalationDue(escalation, at, state))
    return sorted(found, key=lambda one: (one.at, one.escalation.id))


def escalation_at(deadline: Deadline, escalation: Escalation) -> datetime:
    """The instant of an escalation. One that lies before the start of its clock is due at the start."""
    calendar, start_us, due_us = deadline.calendar, to_us(deadline.started_at), to_us(deadline.due_at)
    holes = [(max(low, start_us), high) for low, high in _holes(deadline) if high > start_us]
    whole_us = elapsed_us(calendar, start_us, due_us, holes)
    offset_us = escalation.offset // _MICROSECOND
    if escalation.unit is EscalationUnit.PERCENT:
        wanted_us = int(Decimal(whole_us) * escalation.percent / 100)
    else:
        wanted_us = whole_us + (offset_us if escalation.unit is EscalationUnit.AFTER else -offset_us)
    if wanted_us <= 0:
        return deadline.started_at
    if wanted_us == whole_us:
        return deadline.due_at
    if wanted_us > whole_us:
        later = [(max(low, due_us), high) for low, high in holes if high > due_us]
        return from_us(due_open_us(wanted_us - whole_us, calendar, due_us, later))
    return from_us(due_open_us(wanted_us, calendar, start_us, holes))


def _holes(deadline: Deadline) -> list[Interval]:
    """The times that do not count: pauses of this clock as far as their caps let them, and what was done meanwhile."""
    stopping = [pause for pause in deadline.pauses if pause.reason in deadline.promise.pauses]
    counted = capped(stopping, dict(deadline.promise.caps), deadline.now)
    now_us = to_us(deadline.now)
    spans = [(to_us(one.from_at), to_us(one.until_at) if one.until_at is not None else now_us) for one in counted]
    return unite([(low, max(low, high)) for low, high in spans] + [(to_us(a), to_us(b)) for a, b in deadline.gaps])
