"""The life of a quote as a pure decision: sent, then approved or rejected by the customer, or withdrawn."""

from collections.abc import Mapping
from enum import StrEnum

from ticketing.request import Declined, DeclinedWhy


class QuoteStatus(StrEnum):
    """What became of a quote."""

    SENT = "sent"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class QuoteVerb(StrEnum):
    """What is done to a quote: the customer approves or rejects it, its sender takes it back."""

    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"


_TO: Mapping[QuoteVerb, QuoteStatus] = {
    QuoteVerb.APPROVE: QuoteStatus.APPROVED,
    QuoteVerb.REJECT: QuoteStatus.REJECTED,
    QuoteVerb.WITHDRAW: QuoteStatus.WITHDRAWN,
}
_NEEDS_REASON = frozenset({QuoteVerb.REJECT, QuoteVerb.WITHDRAW})


def allowed_on_quote(status: QuoteStatus) -> tuple[QuoteVerb, ...]:
    """What can be done to a quote in a state: something only while nobody has decided."""
    return tuple(QuoteVerb) if status is QuoteStatus.SENT else ()


def decide_quote(
    status: QuoteStatus, version: int, verb: QuoteVerb, reason: str, by: str, seen: int | None = None
) -> QuoteStatus | Declined:
    """The state after a verb, or why it cannot be. `by` decided before, `seen` is the version the person saw."""
    allowed = allowed_on_quote(status)
    if seen is not None and seen != version:
        what = f"the quote is at version {version}, not {seen}"
        return Declined(what, "Read it again and decide anew.", DeclinedWhy.STALE, allowed)
    if verb not in allowed:
        what = f"cannot {verb} a quote that was {status} by {by or 'somebody'}"
        return Declined(what, "It is decided once; send another quote.", DeclinedWhy.NOT_NOW, allowed)
    if verb in _NEEDS_REASON and not reason:
        return Declined(f"to {verb} a quote needs a reason", "Say in `reason` why.", DeclinedWhy.NEEDS_WORDS, allowed)
    return _TO[verb]
