"""The life of a complaint as pure decisions, and its clocks.

received -> accepted -> answered -> resolved -> told, with withdrawn at the side. A complainant who is not content has
it reopened, with a reason; its limits stay those of the receipt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ticketing.promised import due_at
from ticketing.request import Declined, DeclinedWhy, possible
from ticketing.terms_service import ComplaintTerms


class ComplaintStatus(StrEnum):
    """What has happened to a complaint last."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    ANSWERED = "answered"
    RESOLVED = "resolved"
    TOLD = "told"
    WITHDRAWN = "withdrawn"


class ComplaintVerb(StrEnum):
    """What a person does to a complaint."""

    ACCEPT = "accept"
    ANSWER = "answer"
    RESOLVE = "resolve"
    TELL = "tell"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"


_FROM: Mapping[ComplaintVerb, frozenset[ComplaintStatus]] = {
    ComplaintVerb.ACCEPT: frozenset({ComplaintStatus.RECEIVED}),
    ComplaintVerb.ANSWER: frozenset({ComplaintStatus.ACCEPTED}),
    ComplaintVerb.RESOLVE: frozenset({ComplaintStatus.ACCEPTED, ComplaintStatus.ANSWERED}),
    ComplaintVerb.TELL: frozenset({ComplaintStatus.RESOLVED}),
    ComplaintVerb.REOPEN: frozenset({ComplaintStatus.RESOLVED, ComplaintStatus.TOLD}),
    ComplaintVerb.WITHDRAW: frozenset({ComplaintStatus.RECEIVED, ComplaintStatus.ACCEPTED, ComplaintStatus.ANSWERED}),
}
_TO = {
    ComplaintVerb.ACCEPT: ComplaintStatus.ACCEPTED,
    ComplaintVerb.ANSWER: ComplaintStatus.ANSWERED,
    ComplaintVerb.RESOLVE: ComplaintStatus.RESOLVED,
    ComplaintVerb.TELL: ComplaintStatus.TOLD,
    ComplaintVerb.REOPEN: ComplaintStatus.ACCEPTED,
    ComplaintVerb.WITHDRAW: ComplaintStatus.WITHDRAWN,
}
_NEEDS_NOTE = {
    ComplaintVerb.ANSWER: "Say in `note` what was answered.",
    ComplaintVerb.RESOLVE: "Say in `note` what was done.",
    ComplaintVerb.TELL: "Say in `note` what the complainant said to the result.",
    ComplaintVerb.REOPEN: "Say in `note` why the complainant is not content.",
}
CLOCKS = {"accept": "accepted_at", "answer": "answered_at", "resolve": "resolved_at", "tell": "told_at"}
"""Each clock and the stamp that stops it."""


@dataclass(frozen=True, slots=True)
class Step:
    """A verb that is possible: the state after it, the stamps it sets, and the deadline it starts (None: none)."""

    to_status: ComplaintStatus
    stamps: Mapping[str, datetime | None]


def allowed_on_complaint(status: ComplaintStatus) -> tuple[ComplaintVerb, ...]:
    """What can be done to a complaint in a state."""
    return tuple(verb for verb in ComplaintVerb if status in _FROM[verb])


def decide_complaint(
    status: ComplaintStatus,
    version: int,
    verb: ComplaintVerb,
    note: str,
    at: datetime,
    terms: ComplaintTerms | None,
    *,
    urgent: bool = False,
    seen: int | None = None,
) -> Step | Declined:
    """What a verb at `at` (aware UTC) does to a complaint, or why it cannot be."""
    allowed = allowed_on_complaint(status)
    if seen is not None and seen != version:
        what = f"the complaint is at version {version}, not {seen}"
        return Declined(what, "Read it again and decide anew.", DeclinedWhy.STALE, allowed)
    if verb not in allowed:
        hint = possible(allowed, "Its life is over; send a new complaint.")
        return Declined(f"cannot {verb} a complaint that is {status}", hint, DeclinedWhy.NOT_NOW, allowed)
    if verb in _NEEDS_NOTE and not note:
        what = f"to {verb} a complaint needs words"
        return Declined(what, _NEEDS_NOTE[verb], DeclinedWhy.NEEDS_WORDS, allowed)
    stamps: dict[str, datetime | None] = {}
    if verb is ComplaintVerb.RESOLVE:
        stamps = {"resolved_at": at, "tell_due_at": limits(terms, at, urgent=urgent)["tell"]}
    elif verb is ComplaintVerb.REOPEN:
        stamps = dict.fromkeys(("resolved_at", "told_at", "tell_due_at"))
    elif verb is not ComplaintVerb.WITHDRAW:
        stamps = {CLOCKS[verb.value]: at}
    return Step(_TO[verb], stamps)


def limits(terms: ComplaintTerms | None, from_at: datetime, *, urgent: bool) -> dict[str, datetime | None]:
    """The deadline of each clock counted from an instant; None where the contract has no limit."""
    if terms is None:
        return dict.fromkeys(CLOCKS)
    usual = {"accept": terms.accept, "answer": terms.answer, "resolve": terms.resolve, "tell": terms.tell}
    chosen = {**usual, **terms.urgent} if urgent else usual
    return {name: due_at(limit, terms.calendar, from_at) for name, limit in chosen.items()}


def format_complaint(number: int) -> str:
    """12 as `CP-000012`."""
    return f"CP-{number:06d}"


def why_escalate(
    stamps: Mapping[str, datetime | None], now: datetime, *, urgent: bool, repeat: bool
) -> tuple[str, str] | None:
    """Why somebody higher has to hear of an open complaint (English, Chinese); None while nobody has to.

    `stamps` holds `<clock>_due_at` and the stamp that stops each clock.
    """
    if urgent:
        return "it is urgent", "属紧急投诉"
    if repeat:
        return "the same matter was complained about before", "同一事项重复投诉"
    for name, stamp in CLOCKS.items():
        due = stamps.get(f"{name}_due_at")
        if due is not None and stamps.get(stamp) is None and now > due:
            return f"its limit to {name} has passed", f"已超过“{_ZH[name]}”时限"
    return None


_ZH = {"accept": "受理", "answer": "首次答复", "resolve": "办结", "tell": "告知结果"}
