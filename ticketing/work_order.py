"""The life of an order as pure decisions: a verb is either a transition with everything it changes, or refused.

open -> acknowledged -> arrived -> completed -> accepted -> closed, with held beside and cancelled at the side.
The response clock stops at arrive, the resolution clock at complete. Nothing here knows of a database or a page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ticketing.contract import PauseReason

CLOCK_BACK = "the clock was behind the order's history, so the line carries the history's last instant"


class Status(StrEnum):
    """What has happened to an order last."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    ARRIVED = "arrived"
    HELD = "held"
    COMPLETED = "completed"
    ACCEPTED = "accepted"
    CLOSED = "closed"
    CANCELLED = "cancelled"


OPEN_STATUSES = frozenset(Status) - {Status.CLOSED, Status.CANCELLED}
"""Everything before closed or cancelled: while an order is in one of these, its cause has no other order."""


RUNNING_STATUSES = OPEN_STATUSES - {Status.COMPLETED, Status.ACCEPTED}
"""Those in which a deadline runs (or pauses): exactly the orders that have a next deadline."""


class Verb(StrEnum):
    """What a person does to an order."""

    ACKNOWLEDGE = "acknowledge"
    ARRIVE = "arrive"
    HOLD = "hold"
    RESUME = "resume"
    COMPLETE = "complete"
    ACCEPT = "accept"
    CLOSE = "close"
    CANCEL = "cancel"


class Refusal(StrEnum):
    """Why a verb was refused."""

    WRONG_STATUS = "wrong_status"
    STALE = "stale"
    NO_REASON = "no_reason"


_AT_WORK = frozenset({Status.ACKNOWLEDGED, Status.ARRIVED})
_FROM: dict[Verb, frozenset[Status]] = {
    Verb.ACKNOWLEDGE: frozenset({Status.OPEN}),
    Verb.ARRIVE: frozenset({Status.ACKNOWLEDGED}),
    Verb.HOLD: _AT_WORK,
    Verb.RESUME: frozenset({Status.HELD}),
    Verb.COMPLETE: frozenset({Status.ARRIVED}),
    Verb.ACCEPT: frozenset({Status.COMPLETED}),
    Verb.CLOSE: frozenset({Status.ACCEPTED}),
    Verb.CANCEL: frozenset({Status.OPEN, Status.ACKNOWLEDGED, Status.ARRIVED, Status.HELD}),
}
_TO: dict[Verb, Status] = {
    Verb.ACKNOWLEDGE: Status.ACKNOWLEDGED,
    Verb.ARRIVE: Status.ARRIVED,
    Verb.HOLD: Status.HELD,
    Verb.COMPLETE: Status.COMPLETED,
    Verb.ACCEPT: Status.ACCEPTED,
    Verb.CLOSE: Status.CLOSED,
    Verb.CANCEL: Status.CANCELLED,
}

_ALLOWED = {status: tuple(verb for verb in Verb if status in _FROM[verb]) for status in Status}


@dataclass(frozen=True, slots=True)
class Change:
    """One line of history: what a person (or the desk) did, when, and between which states."""

    version: int
    at: datetime
    verb: str
    by: str
    to_status: Status
    from_status: Status | None = None
    note: str = ""
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What a decision needs to know of an order. `history` is complete and in order of writing."""

    id: str
    status: Status
    version: int
    history: tuple[Change, ...]

    def __post_init__(self) -> None:
        if self.version < 1:
            msg = f"order {self.id}: version is {self.version}; expected 1 or more"
            raise ValueError(msg)
        if not self.history:
            msg = f"order {self.id}: history is empty; it begins with the opening"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Transition:
    """A verb that is possible: the line to append, and the new version."""

    verb: Verb
    change: Change

    @property
    def stamp(self) -> str | None:
        """The field of the order that this transition sets to its instant (`arrived_at`), if any."""
        return None if self.verb in (Verb.HOLD, Verb.RESUME) else f"{self.change.to_status}_at"


@dataclass(frozen=True, slots=True)
class Refused:
    """A verb that is not possible now: why, in words, and which verbs are."""

    why: Refusal
    what: str
    hint: str
    allowed: tuple[Verb, ...]


def allowed_verbs(status: Status) -> tuple[Verb, ...]:
    """The verbs that are possible in a state, in the order of an order's life."""
    return _ALLOWED[status]


def decide_transition(
    order: Order,
    verb: Verb,
    by: str,
    at: datetime,
    *,
    note: str = "",
    reason: PauseReason | None = None,
    version: int | None = None,
) -> Transition | Refused:
    """What `verb` by a person at `at` (aware UTC) does to the order, or why it cannot.

    `version` is the one the person saw; None means that she takes the order as it is. Holding needs a reason.
    An instant before the last line of the history becomes that line's instant: history never runs backward.
    """
    allowed = allowed_verbs(order.status)
    if version is not None and version != order.version:
        return Refused(Refusal.STALE, *_changed_since(order, version), allowed)
    if order.status not in _FROM[verb]:
        return Refused(Refusal.WRONG_STATUS, *_not_possible(order, verb, allowed), allowed)
    if verb is Verb.HOLD and reason is None:
        hint = f"Give one as `reason`: {', '.join(PauseReason)}."
        return Refused(Refusal.NO_REASON, "holding an order needs a reason", hint, allowed)
    last = order.history[-1].at
    if at < last:
        at, note = last, f"{note} ({CLOCK_BACK})".strip()
    target = _before_hold(order.history) if verb is Verb.RESUME else _TO[verb]
    held = reason.value if verb is Verb.HOLD and reason is not None else None
    return Transition(verb, Change(order.version + 1, at, verb.value, by, target, order.status, note, held))


def _before_hold(history: Sequence[Change]) -> Status:
    """The state a held order was in when it was held."""
    for change in reversed(history):
        if change.verb == Verb.HOLD and change.from_status is not None:
            return change.from_status
    msg = "the order is held, but its history has no hold"
    raise ValueError(msg)


def _not_possible(order: Order, verb: Verb, allowed: Sequence[Verb]) -> tuple[str, str]:
    last = next(change for change in reversed(order.history) if change.to_status is order.status)
    what = f"cannot {verb.value} an order that is {order.status.value} (by {last.by})"
    return what, f"Possible now: {', '.join(allowed)}." if allowed else "Its life is over; nothing more is possible."


def _changed_since(order: Order, version: int) -> tuple[str, str]:
    if version > order.version:
        what = f"version {version} of the order does not exist; it is at version {order.version}"
        return what, "Read the order again and send the version it shows."
    lines = [f"{change.verb} by {change.by}" for change in order.history if change.version > version]
    what = f"the order has changed since version {version}: {', then '.join(lines)}"
    return what, f"Read it again (version {order.version}, {order.status.value}) and decide anew."
