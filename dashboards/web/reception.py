"""What an occupant without a login may see and say: the Protocol of her pages. The program implements it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from facility.errors import PlantroomError


class TooOftenError(PlantroomError):
    """One address sends more than people do."""


@dataclass(frozen=True, slots=True)
class KnownWork:
    """Work that is known about a place: what it is called in words, how far it is, since when. Nobody's name."""

    order_id: str
    rule_id: str
    title: str
    status: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """The asset behind a sticker."""

    code: str
    asset_id: str
    building_id: str
    category: str
    known: Sequence[KnownWork]


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as its sender's browser gave it; it is checked by its content."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of a survey, in both languages, and what may be answered."""

    id: str
    text: Mapping[str, str]
    allowed: Sequence[int]


@dataclass(frozen=True, slots=True)
class Told:
    """A request as whoever sent it may follow it. `verbs` are what she may say of the repair now."""

    code: str
    number: str
    text: str
    status: str
    received_at: datetime
    asset_id: str
    building_id: str
    review_due_at: datetime | None
    order_status: str = ""
    due_at: datetime | None = None
    note: str = ""
    verbs: Sequence[str] = ()
    survey: Sequence[Asked] = ()
    photos: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What an occupant says. `key` makes the same form, sent twice, one request."""

    text: str
    contact: str = ""
    language: str = "en"
    key: str | None = None
    urgent: bool = False
    photo: Photo | None = None


class Reception(Protocol):
    """Codes stand in for a login: nobody can guess one. `address` is where a call comes from, to hold back floods.

    What is refused raises PlantroomError with the words to show; TooOftenError when an address sends too much.
    """

    def place(self, code: str) -> Place | None:
        """The asset of a sticker's code; None for a wrong one."""

    def code_of(self, asset_id: str) -> str:
        """The code for an asset's sticker."""

    def report(self, code: str, report: Report, address: str) -> str:
        """Send a request; the code by which its sender follows it."""

    def told(self, code: str) -> Told | None:
        """A request; None when there is none of this code."""

    def judge(self, code: str, verb: str, note: str, address: str) -> None:
        """Accept the repair, or reopen its order with a note that says why."""

    def answer(self, code: str, answers: Mapping[str, int], reason: str, address: str) -> None:
        """Answer the survey about the repair."""

    def complain(self, code: str, text: str, address: str) -> str:
        """Complain about how the request was dealt with; the complaint's number."""
