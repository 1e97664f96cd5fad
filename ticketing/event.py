"""What of an order's life is told to people and other systems, and which lines of history mean it. Pure."""

from enum import StrEnum

from ticketing.placement import JOIN, OPEN, RECOVER
from ticketing.work_order import Status, Verb


class Event(StrEnum):
    """What happened, as notices and webhooks name it."""

    OPENED = "opened"
    JOINED = "joined"
    RECOVERED = "recovered"
    DISPATCHED = "dispatched"
    ACKNOWLEDGED = "acknowledged"
    ARRIVED = "arrived"
    HELD = "held"
    RESUMED = "resumed"
    COMPLETED = "completed"
    ACCEPTED = "accepted"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    REOPENED = "reopened"
    ESCALATED = "escalated"
    CHANGED = "changed"


_OF_VERB = {
    OPEN: Event.OPENED,
    JOIN: Event.JOINED,
    RECOVER: Event.RECOVERED,
    Verb.DISPATCH: Event.DISPATCHED,
    Verb.REASSIGN: Event.DISPATCHED,
    Verb.ACKNOWLEDGE: Event.ACKNOWLEDGED,
    Verb.ARRIVE: Event.ARRIVED,
    Verb.HOLD: Event.HELD,
    Verb.RESUME: Event.RESUMED,
    Verb.COMPLETE: Event.COMPLETED,
    Verb.ACCEPT: Event.ACCEPTED,
    Verb.CLOSE: Event.CLOSED,
    Verb.CANCEL: Event.CANCELLED,
    Verb.MERGE: Event.CANCELLED,
    Verb.REOPEN: Event.REOPENED,
    Verb.ESCALATE: Event.ESCALATED,
}


def event_of(verb: str) -> Event:
    """The event that a line of history with this verb is; what has no name of its own is a change."""
    return _OF_VERB.get(verb, Event.CHANGED)


def names_person(verb: str) -> bool:
    """Whether the line's reason names the person or role it is for."""
    return verb in (Verb.DISPATCH, Verb.REASSIGN, Verb.ESCALATE)


ENDING = frozenset({Status.COMPLETED, Status.ACCEPTED, Status.CLOSED, Status.CANCELLED})
"""The states in which nobody has to hurry any more."""
