"""The life of an occupant's request as pure decisions: received, then accepted (an order), joined, or rejected."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class RequestStatus(StrEnum):
    """What became of a request."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    JOINED = "joined"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class RequestVerb(StrEnum):
    """What a person does to a request: review it (accept, reject), or take it back."""

    ACCEPT = "accept"
    REJECT = "reject"
    WITHDRAW = "withdraw"


_TO = {
    RequestVerb.ACCEPT: RequestStatus.ACCEPTED,
    RequestVerb.REJECT: RequestStatus.REJECTED,
    RequestVerb.WITHDRAW: RequestStatus.WITHDRAWN,
}
_FROM = {
    RequestVerb.ACCEPT: frozenset({RequestStatus.RECEIVED}),
    RequestVerb.REJECT: frozenset({RequestStatus.RECEIVED}),
    RequestVerb.WITHDRAW: frozenset({RequestStatus.RECEIVED, RequestStatus.ACCEPTED, RequestStatus.JOINED}),
}
CATEGORIES = ("air_conditioning", "lighting", "elevator", "water", "power", "access", "cleaning", "other")
"""What an occupant may choose; the pages show them in her language."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody reports. It names an asset, a space or the building, and says in words what is wrong."""

    building_id: str
    text: str
    category: str = "other"
    space_id: str = ""
    asset_id: str = ""
    contact: str = ""
    language: str = "en"
    urgent: bool = False
    key: str | None = None

    def __post_init__(self) -> None:
        if not self.text.strip() or len(self.text) > 4_000:
            msg = "a request says in `text` what is wrong, in at most 4,000 characters"
            raise ValueError(msg)
        if self.category not in CATEGORIES:
            msg = f"{self.category!r} is no category; choose of {', '.join(CATEGORIES)}"
            raise ValueError(msg)

    @property
    def matter(self) -> str:
        """What it is about: the asset, else the place and category."""
        return matter_of(self.building_id, self.space_id, self.asset_id, self.category)


def matter_of(building_id: str, space_id: str, asset_id: str, category: str) -> str:
    """What a request or complaint is about: the same for two about the same thing."""
    return f"asset {asset_id}" if asset_id else f"place {building_id}/{space_id}/{category}"


@dataclass(frozen=True, slots=True)
class Earlier:
    """A request that is still being dealt with."""

    id: str
    number: int
    matter: str
    received_at: datetime
    order_id: str | None


@dataclass(frozen=True, slots=True)
class Joined:
    """The earlier request that a new one repeats, and why."""

    earlier: Earlier
    reason: str


def find_duplicate(entry: Entry, at: datetime, earlier: Iterable[Earlier], window: timedelta) -> Joined | None:
    """The oldest request about the same thing that came within the window and is still being dealt with."""
    same = [one for one in earlier if one.matter == entry.matter and timedelta(0) <= at - one.received_at <= window]
    if not same:
        return None
    first = min(same, key=lambda one: (one.received_at, one.number))
    return Joined(first, f"About the same thing ({first.matter}) as {format_request(first.number)}, still open.")


def format_request(number: int) -> str:
    """12 as `RQ-000012`."""
    return f"RQ-{number:06d}"


class DeclinedWhy(StrEnum):
    """Why a step is not possible."""

    STALE = "stale"
    NOT_NOW = "not now"
    NEEDS_WORDS = "needs words"
    NOT_POSSIBLE = "not possible"


@dataclass(frozen=True, slots=True)
class Declined:
    """A step that is not possible: what stands against it, what to do, why, and what is possible instead."""

    what: str
    hint: str
    why: DeclinedWhy = DeclinedWhy.NOT_POSSIBLE
    allowed: tuple[str, ...] = ()


def possible(allowed: Iterable[str], over: str) -> str:
    """What to do instead, in words; `over` when nothing is left to do."""
    names = ", ".join(allowed)
    return f"Possible now: {names}." if names else over


def allowed_on_request(status: RequestStatus) -> tuple[RequestVerb, ...]:
    """What can be done to a request in a state: it is reviewed once, and taken back while somebody deals with it."""
    return tuple(verb for verb in RequestVerb if status in _FROM[verb])


def decide_review(
    status: RequestStatus, version: int, verb: RequestVerb, note: str, seen: int | None = None
) -> RequestStatus | Declined:
    """The state after a verb, or why it cannot be. `seen` is the version the person saw; None takes it as it is."""
    allowed = allowed_on_request(status)
    if seen is not None and seen != version:
        what = f"the request is at version {version}, not {seen}"
        return Declined(what, "Read it again and decide anew.", DeclinedWhy.STALE, allowed)
    if verb not in allowed:
        hint = possible(allowed, "Its life is over; send a new request.")
        return Declined(f"cannot {verb} a request that is {status}", hint, DeclinedWhy.NOT_NOW, allowed)
    if verb is RequestVerb.REJECT and not note:
        what, hint = "rejecting a request needs a reason", "Say in `note` why; the sender reads it."
        return Declined(what, hint, DeclinedWhy.NEEDS_WORDS, allowed)
    return _TO[verb]
