"""The clocks of one order, recomputed from its terms and its history: nothing is accumulated. Pure.

Response runs from the opening to the first arrival, resolution to the completion; a reopening sets resolution going
again with the time it had left. A hold pauses the clocks whose promise names its reason; cancelling stops both.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ticketing.calendar import Calendar
from ticketing.contract import OPENING, PauseReason, Promise, ServiceLevel
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
    """Response and resolution of one order, and the other clocks of its level that have started, by name."""

    response: OrderClock
    resolution: OrderClock
    named: Mapping[str, OrderClock] = field(default_factory=dict, hash=False)

    def every(self) -> dict[str, OrderClock]:
        """All of them by name, response and resolution first."""
        return {"response": self.response, "resolution": self.resolution, **self.named}

    @property
    def next_due_at(self) -> datetime | None:
        """The deadline that runs out next; None when the work is done: what runs on then is no longer urgent."""
        if self.resolution.stopped_at is not None:
            return None
        return min(clock.deadline.due_at for clock in self.every().values() if clock.stopped_at is None)

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


def cap_ends_at(pauses: Sequence[Pause], level: ServiceLevel) -> datetime | None:
    """When the resolution clock goes on although the last pause is still open; None when no cap lets it."""
    if not pauses or pauses[-1].until_at is not None:
        return None
    held = pauses[-1]
    cap = dict(level.resolution.caps).get(held.reason)
    if cap is None or held.reason not in level.resolution.pauses:
        return None
    used = sum(
        ((one.until_at or one.from_at) - one.from_at for one in pauses[:-1] if one.reason is held.reason), timedelta(0)
    )
    return held.from_at + max(timedelta(0), cap - used)


def decide_clocks(level: ServiceLevel, opened_at: datetime, history: Iterable[Change], now: datetime) -> OrderClocks:
    """Every clock of an order opened at `opened_at` (event time), as they stand at `now`.

    `level` is the one of this order: modified by the contract's terms (`ContractBook.terms`).
    """
    lines = tuple(history)
    declared = (Pause(low, high, PauseReason.FORCE_MAJEURE) for low, high in level.force_majeure if low <= now)
    pauses = (*pauses_of(lines), *declared)

    def clock(name: str, started_at: datetime, stopped: Stop) -> OrderClock:
        stopped_at, gaps = stopped
        promise, calendar, clause, from_at = _in_force(level, name, started_at, stopped_at)
        as_of = max(stopped_at if stopped_at is not None else now, from_at)
        deadline = decide_deadline(promise, calendar, from_at, now=as_of, pauses=pauses, gaps=gaps, clause=clause)
        return OrderClock(deadline, stopped_at)

    named = {}
    for one in level.clocks:
        started_at = opened_at if one.starts == OPENING else _first(lines, one.starts)
        if started_at is not None:
            named[one.name] = clock(one.name, started_at, (_ended(lines, one.stops, started_at), []))
    return OrderClocks(
        clock("response", opened_at, _stopped(lines, RESPONSE_STOPS, resumes=False)),
        clock("resolution", opened_at, _stopped(lines, RESOLUTION_STOPS, resumes=True)),
        named,
    )


Stop = tuple[datetime | None, list[tuple[datetime, datetime]]]


def _in_force(
    level: ServiceLevel, name: str, started_at: datetime, stopped_at: datetime | None
) -> tuple[Promise, Calendar, str, datetime]:
    """Promise, calendar, clause and start of a clock: of the level before a change when it had stopped by then."""
    change = level.change
    if change is not None and stopped_at is not None and stopped_at <= change.at:
        return _in_force(change.before, name, started_at, stopped_at)
    from_at = max(started_at, change.at) if change is not None and change.from_change else started_at
    if name in ("response", "resolution"):
        return (level.response if name == "response" else level.resolution), level.calendar, level.clause, from_at
    found = next((one for one in level.clocks if one.name == name), None)
    if found is None:  # the level before had no such clock
        return level.resolution, level.calendar, level.clause, from_at
    return found.promise, level.calendar, found.clause or level.clause, from_at


def _first(lines: Iterable[Change], verb: str) -> datetime | None:
    return next((line.at for line in lines if line.verb == verb), None)


def _ended(lines: Iterable[Change], stops: str, started_at: datetime) -> datetime | None:
    """When a named clock stopped: at its verb, or when the order ended without it."""
    status = _REACHED.get(stops)
    for line in lines:
        if line.at >= started_at and (line.verb == stops or line.to_status in _OVER or line.to_status is status):
            return line.at
        if line.to_status is Status.COMPLETED and stops in _ON_SITE and line.at >= started_at:
            return line.at
    return None


_OVER = frozenset({Status.CLOSED, Status.CANCELLED})
_ON_SITE = frozenset({Verb.CONTAIN, Verb.DIAGNOSE, Verb.REPAIR, Verb.TEST})
"""Work that is over, done or not, once the order is completed."""
_REACHED: dict[str, Status] = {Verb.ACKNOWLEDGE: Status.ARRIVED}


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
