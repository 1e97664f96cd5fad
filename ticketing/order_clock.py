"""The two clocks of one order, recomputed from its terms and its history: nothing is accumulated. Pure.

Response runs from the opening to the first arrival, resolution to the completion; a reopening sets resolution going
again with the time it had left. A hold pauses the clocks whose promise names its reason; cancelling stops both.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ticketing.contract import PauseReason, ServiceLevel
from ticketing.deadline import Deadline, Pause, decide_deadline
from ticketing.work_order import Change, Status, Verb

RESPONSE_STOPS = frozenset({Status.ARRIVED, Status.COMPLETED, Status.ACCEPTED, Status.CLOSED, Status.CANCELLED})
RESOLUTION_STOPS = RESPONSE_STOPS - {Status.ARRIVED}


@dataclass(frozen=True, slots=True)
class OrderClock:
    """One clock: its deadline as of now, or as of `stopped_at` when it no longer runs."""

    deadline: Deadline
    stopped_at: datetime | None

    @property
    def is_breached(self) -> bool:
        """Whether it was stopped, or stands now, after the deadline."""
        return self.deadline.is_breached(self.stopped_at)


@dataclass(frozen=True, slots=True)
class OrderClocks:
    """Response and resolution of one order."""

    response: OrderClock
    resolution: OrderClock

    @property
    def next_due_at(self) -> datetime | None:
        """The deadline that runs now: response first, then resolution; None when both have stopped."""
        running = [clock for clock in (self.response, self.resolution) if clock.stopped_at is None]
        return running[0].deadline.due_at if running else None

    def values(self) -> dict[str, datetime | None]:
        """The deadlines as the fields of an order."""
        return {
            "response_due_at": self.response.deadline.due_at,
            "resolution_due_at": self.resolution.deadline.due_at,
            "next_due_at": self.next_due_at,
        }


def pauses_of(history: Iterable[Change]) -> tuple[Pause, ...]:
    """The holds of a history as pauses; the last one is open while nothing has ended it."""
    pauses: list[Pause] = []
    held: Change | None = None
    for change in history:
        if change.verb == Verb.HOLD and change.reason is not None:
            held = change
        elif held is not None and change.from_status is Status.HELD and change.to_status is not Status.HELD:
            pauses.append(Pause(held.at, change.at, PauseReason(held.reason or "")))
            held = None
    if held is not None:
        pauses.append(Pause(held.at, None, PauseReason(held.reason or "")))
    return tuple(pauses)


def decide_clocks(level: ServiceLevel, opened_at: datetime, history: Iterable[Change], now: datetime) -> OrderClocks:
    """Both clocks of an order opened at `opened_at` (event time), as they stand at `now`."""
    lines = tuple(history)
    pauses = pauses_of(lines)
    clocks = []
    for promise, stops, resumes in (
        (level.response, RESPONSE_STOPS, False),
        (level.resolution, RESOLUTION_STOPS, True),
    ):
        stopped_at, gaps = _stopped(lines, stops, resumes=resumes)
        as_of = max(stopped_at if stopped_at is not None else now, opened_at)
        deadline = decide_deadline(
            promise, level.calendar, opened_at, now=as_of, pauses=pauses, gaps=gaps, clause=level.clause
        )
        clocks.append(OrderClock(deadline, stopped_at))
    return OrderClocks(*clocks)


def _stopped(
    lines: Iterable[Change], stops: frozenset[Status], *, resumes: bool
) -> tuple[datetime | None, list[tuple[datetime, datetime]]]:
    """When a clock stopped (None: it runs), and the times it had stopped before a reopening set it going again."""
    stopped_at: datetime | None = None
    gaps: list[tuple[datetime, datetime]] = []
    for line in lines:
        if stopped_at is None and line.to_status in stops:
            stopped_at = line.at
        elif stopped_at is not None and resumes and line.verb == Verb.REOPEN:
            gaps.append((stopped_at, line.at))
            stopped_at = None
    return stopped_at, gaps
