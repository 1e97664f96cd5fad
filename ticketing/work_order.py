"""The life of an order as pure decisions: a verb is either a transition with everything it changes, or refused.

open -> acknowledged -> arrived -> completed -> accepted -> closed, with held beside and cancelled at the side. Before
somebody takes an order on it is triaged and dispatched; on site one contains, diagnoses, repairs and tests: steps that
add a line and leave the state as it is. Reopening leads back to open; merging ends an order in favour of another. A
fault order is verified by data: it is not accepted while one of its findings is active, unless a person says why.
Nothing here knows of a database or a page.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from ticketing.contract import PauseReason
from ticketing.said import Said, together, typed

CLOCK_BACK = Said(
    "(the clock was behind the order's history, so the line carries the history's last instant)",
    "（时钟落后于工单历史，本行沿用历史的最后时刻）",
)


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
    CONTAIN = "contain"
    DIAGNOSE = "diagnose"
    REPAIR = "repair"
    TEST = "test"
    COMPLETE = "complete"
    HOLD = "hold"
    RESUME = "resume"
    ACCEPT = "accept"
    FOLLOW_UP = "follow_up"
    CLOSE = "close"
    CANCEL = "cancel"
    REASSIGN = "reassign"
    REOPEN = "reopen"
    RELEVEL = "relevel"
    TRIAGE = "triage"
    DISPATCH = "dispatch"
    ESCALATE = "escalate"
    MERGE = "merge"
    LINK = "link"
    PARENT = "parent"


RELATING = frozenset({Verb.MERGE, Verb.LINK, Verb.PARENT})
"""Verbs whose `to` is another order."""


class Refusal(StrEnum):
    """Why a verb was refused."""

    WRONG_STATUS = "wrong_status"
    STALE = "stale"
    NO_REASON = "no_reason"
    NO_LEVEL = "no_level"
    STILL_ACTIVE = "still_active"
    CAUSE_TAKEN = "cause_taken"
    NOT_RELATED = "not_related"
    OPEN_CHILDREN = "open_children"
    LEFT_OUT = "left_out"


OVERRIDE = "override"
"""The reason on the line of an acceptance that a person insisted on."""

_AT_WORK = frozenset({Status.ACKNOWLEDGED, Status.ARRIVED})
_ON_SITE = frozenset({Status.ARRIVED})
_DONE = frozenset({Status.COMPLETED, Status.ACCEPTED})
_FROM: dict[Verb, frozenset[Status]] = {
    Verb.ACKNOWLEDGE: frozenset({Status.OPEN}),
    Verb.ARRIVE: frozenset({Status.ACKNOWLEDGED}),
    Verb.HOLD: _AT_WORK,
    Verb.RESUME: frozenset({Status.HELD}),
    Verb.COMPLETE: frozenset({Status.ARRIVED}),
    Verb.ACCEPT: frozenset({Status.COMPLETED}),
    Verb.CLOSE: frozenset({Status.ACCEPTED}),
    Verb.CANCEL: RUNNING_STATUSES,
    Verb.CONTAIN: _ON_SITE,
    Verb.DIAGNOSE: _ON_SITE,
    Verb.REPAIR: _ON_SITE,
    Verb.TEST: _ON_SITE,
    Verb.FOLLOW_UP: _DONE,
    Verb.REASSIGN: RUNNING_STATUSES,
    Verb.RELEVEL: RUNNING_STATUSES,
    Verb.REOPEN: _DONE | {Status.CLOSED},
    Verb.TRIAGE: frozenset({Status.OPEN}),
    Verb.DISPATCH: frozenset({Status.OPEN}),
    Verb.ESCALATE: RUNNING_STATUSES,
    Verb.MERGE: RUNNING_STATUSES,
    Verb.LINK: OPEN_STATUSES,
    Verb.PARENT: OPEN_STATUSES,
}
_TO: dict[Verb, Status] = {
    Verb.ACKNOWLEDGE: Status.ACKNOWLEDGED,
    Verb.ARRIVE: Status.ARRIVED,
    Verb.HOLD: Status.HELD,
    Verb.COMPLETE: Status.COMPLETED,
    Verb.ACCEPT: Status.ACCEPTED,
    Verb.CLOSE: Status.CLOSED,
    Verb.CANCEL: Status.CANCELLED,
    Verb.REOPEN: Status.OPEN,
    Verb.MERGE: Status.CANCELLED,
}
_SAYS: dict[Verb, tuple[str, str]] = {
    Verb.DIAGNOSE: ("a diagnosis needs its words", "Say in `note` what the cause is."),
    Verb.REPAIR: ("a repair needs its words", "Say in `note` what was done."),
    Verb.TEST: ("a test needs its result", "Say in `note` what was measured before and after."),
    Verb.FOLLOW_UP: ("a follow-up needs its result", "Say in `note` what the customer said."),
    Verb.RELEVEL: ("a change of level needs a reason", "Say in `note` why, and name the level as `to`."),
    Verb.REOPEN: ("reopening an order needs a reason", "Say in `note` why the work is not done."),
    Verb.TRIAGE: ("a triage needs its result", "Say in `note` what it is and what it needs."),
    Verb.ESCALATE: ("an escalation needs a reason", "Say in `note` why, and name as `to` who is to know."),
}
"""The steps that say nothing without a note: what is missing, and what to write."""

_NEEDS_TO: dict[Verb, tuple[str, str]] = {
    Verb.REASSIGN: ("reassigning an order needs a person", "Name who takes it over as `to`."),
    Verb.RELEVEL: ("a change of level needs the level", "Name it as `to`; it gives priority and limits."),
    Verb.DISPATCH: ("dispatching an order needs a person", "Name who is to go as `to`."),
    Verb.ESCALATE: ("an escalation needs somebody to tell", "Name as `to` who is to know, and say why in `note`."),
    Verb.MERGE: ("merging needs the other order", "Name as `to` the order that this one is merged into."),
    Verb.LINK: ("a link needs the other order", "Name it as `to`."),
}
"""The verbs that name somebody or something as `to`."""

_TO_PERSON = frozenset({Verb.REASSIGN, Verb.DISPATCH, Verb.ESCALATE})

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
    proof: str = ""
    note_zh: str = ""

    @property
    def said(self) -> Said:
        """The note in both languages."""
        return Said(self.note, self.note_zh or self.note)

    def saying(self, note: Said) -> "Change":
        """The same with another note."""
        return replace(self, note=note.en, note_zh=note.zh if note.zh != note.en else "")


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
        if self.verb is Verb.REOPEN:
            return "reopened_at"
        stays = self.change.to_status is self.change.from_status
        return None if stays or self.verb in (Verb.HOLD, Verb.RESUME) else f"{self.change.to_status}_at"


@dataclass(frozen=True, slots=True)
class Refused:
    """A verb that is not possible now: why, in words, and which verbs are."""

    why: Refusal
    what: str
    hint: str
    allowed: tuple[Verb, ...]


def allowed_verbs(status: Status) -> tuple[Verb, ...]:
    """The verbs that are possible in a state: those of an order's life first, then those beside it."""
    return _ALLOWED[status]


@dataclass(frozen=True, slots=True)
class Words:
    """What a person says to a verb. `reason` is a hold's, and `proof` where that can be seen; `to` is the person, level
    or order that the verb names; `override` why it is done although something stands against it. `said` is a note of
    the program's own, in place of `note`."""

    note: str = ""
    reason: PauseReason | None = None
    to: str = ""
    override: str = ""
    proof: str = ""
    said: Said | None = None


SILENT = Words()


def decide_transition(
    order: Order,
    verb: Verb,
    by: str,
    at: datetime,
    words: Words = SILENT,
    *,
    version: int | None = None,
    active: Sequence[str] = (),
    children: Sequence[str] = (),
) -> Transition | Refused:
    """What `verb` by a person at `at` (aware UTC) does to the order, or why it cannot.

    `version` is the one the person saw; None means that she takes the order as it is. `active` are the titles of the
    order's findings whose condition still holds: they stand against accepting it, as `children` whose work is not done
    stand against completing it. An instant before the last line of
    the history becomes that line's instant: history never runs backward.
    """
    allowed = allowed_verbs(order.status)
    if version is not None and version != order.version:
        return Refused(Refusal.STALE, *_changed_since(order, version), allowed)
    if order.status not in _FROM[verb]:
        return Refused(Refusal.WRONG_STATUS, *_not_possible(order, verb, allowed), allowed)
    if missing := _missing(verb, words):
        return Refused(Refusal.NO_REASON, *missing, allowed)
    insisted = verb is Verb.ACCEPT and bool(active)
    if insisted and not words.override:
        what = f"cannot accept the order: still active by the data: {', '.join(active)}"
        hint = "Repair it and wait until the data recovers, reopen the order, or give as `override` why it is accepted."
        return Refused(Refusal.STILL_ACTIVE, what, hint, allowed)
    unfinished = verb is Verb.COMPLETE and bool(children)
    if unfinished and not words.override:
        what = f"cannot complete the order: the work on {', '.join(children)} is not done"
        hint = "Complete or cancel those first, or give as `override` why this one is done without them."
        return Refused(Refusal.OPEN_CHILDREN, what, hint, allowed)
    note, last = words.said or typed(words.note), order.history[-1].at
    if unfinished:
        names, why = ", ".join(children), words.override
        note = together(note, Said(f"Completed before {names}: {why}", f"在 {names} 之前完工：{why}"))
    if insisted:
        names, why = ", ".join(active), words.override
        note = together(
            note, Said(f"Accepted while still active ({names}): {why}", f"仍未恢复时验收（{names}）：{why}")
        )
    if verb in _TO_PERSON:
        note = together(Said(f"To {words.to}.", f"交给 {words.to}。"), note)
    if at < last:
        at, note = last, together(note, CLOCK_BACK)
    target = _before_hold(order.history) if verb is Verb.RESUME else _TO.get(verb, order.status)
    argument = _argument(verb, words, insisted=insisted or unfinished)
    change = Change(order.version + 1, at, verb.value, by, target, order.status, "", argument, words.proof)
    return Transition(verb, change.saying(note))


def _missing(verb: Verb, words: Words) -> tuple[str, str] | None:
    """What a verb cannot do without, and what to write."""
    if verb is Verb.HOLD and words.reason is None:
        return "holding an order needs a reason", f"Give one as `reason`: {', '.join(PauseReason)}."
    if verb in _NEEDS_TO and not words.to:
        return _NEEDS_TO[verb]
    return _SAYS[verb] if verb in _SAYS and not words.note else None


def _argument(verb: Verb, words: Words, *, insisted: bool) -> str | None:
    """The one word of a line besides its note: a hold's reason, who takes over, or that a person insisted."""
    if verb is Verb.HOLD and words.reason is not None:
        return words.reason.value
    if verb in _NEEDS_TO or verb is Verb.PARENT:
        return words.to or None
    return OVERRIDE if insisted else None


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
