"""What a contract promises to people beside repairs: requests, complaints, surveys, claims under warranty. Values only.

Limits without a pause: they count from one instant to another in a calendar of the revision.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from ticketing.calendar import Calendar
from ticketing.contract_match import Match
from ticketing.limit import Limit
from ticketing.plan import Every


@dataclass(frozen=True, slots=True)
class RequestTerms:
    """A request is reviewed within `review` of its entry and looked at on site within `visit` of it.

    Another one about the same thing within `duplicate_window` joins it.
    """

    calendar: Calendar
    review: Limit
    visit: Limit | None = None
    duplicate_window: timedelta = timedelta(days=7)
    clause: str = ""


@dataclass(frozen=True, slots=True)
class ComplaintTerms:
    """A complaint is accepted, answered first and resolved within its limits of receipt, and its result told within
    `tell` of that. `urgent` are the limits of urgent ones by name; `escalate_to` is told of those, and of breaches."""

    calendar: Calendar
    accept: Limit
    answer: Limit
    resolve: Limit
    tell: Limit | None = None
    urgent: Mapping[str, Limit] = field(default_factory=dict, hash=False)
    repeat_window: timedelta = timedelta(days=90)
    escalate_to: tuple[str, ...] = ()
    clause: str = ""


class Scale(StrEnum):
    """What a question is answered with."""

    FIVE = "1-5"
    HUNDRED = "100/80/60/40/0"
    NPS = "0-10"

    @property
    def allowed(self) -> tuple[int, ...]:
        """The answers there are."""
        return _ALLOWED[self]

    def tenth(self, answer: int) -> Decimal | None:
        """The answer on a scale of 0 to 10; None for the NPS, which is no score."""
        if self is Scale.NPS:
            return None
        return Decimal(answer * 2) if self is Scale.FIVE else Decimal(answer) / 10


_ALLOWED = {Scale.FIVE: (1, 2, 3, 4, 5), Scale.HUNDRED: (0, 40, 60, 80, 100), Scale.NPS: tuple(range(11))}


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a form; `weight` is its share in the score."""

    id: str
    text: str
    text_zh: str
    scale: Scale = Scale.FIVE
    weight: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        if not 0 < self.weight <= 1000:
            msg = f"question {self.id!r} has the weight {self.weight}; expected above 0 up to 1000"
            raise ValueError(msg)


class FormKind(StrEnum):
    """Which questions a form has when it names none."""

    REPAIR = "repair"
    NPS = "nps"
    SERVQUAL = "servqual"


class SendOn(StrEnum):
    """When a form is sent."""

    COMPLETE = "complete"
    HALF_YEAR = "half_year"


@dataclass(frozen=True, slots=True)
class Form:
    """A survey: what it asks, when it is sent, how long it stays open, and when it reminds (after sending)."""

    id: str
    kind: FormKind
    questions: tuple[Question, ...]
    send_on: SendOn = SendOn.COMPLETE
    closes: timedelta = timedelta(days=14)
    reminders: tuple[timedelta, ...] = ()
    match: Match = field(default_factory=Match)

    def __post_init__(self) -> None:
        ids = [one.id for one in self.questions]
        if not ids or len(set(ids)) < len(ids):
            msg = f"form {self.id!r} needs questions, each with an id of its own"
            raise ValueError(msg)
        if list(self.reminders) != sorted(set(self.reminders)) or any(one >= self.closes for one in self.reminders):
            msg = f"the reminders of form {self.id!r} ascend and come before it closes"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class SurveyTerms:
    """Every form. An answer of `low` of 5 or less (its like on another scale) opens a complaint; `target` of 10."""

    forms: tuple[Form, ...]
    low: int = 2
    target: Decimal = Decimal("8.5")
    clause: str = ""


@dataclass(frozen=True, slots=True)
class ClaimTerms:
    """A defect inside the warranty: the installer plans within `plan`, is on site within `visit`, and looks again
    every `follow_up` until the warranty ends."""

    calendar: Calendar
    plan: Limit
    visit: Limit
    follow_up: Every | None = None
    clause: str = ""


@dataclass(frozen=True, slots=True)
class OtherClause:
    """What else was agreed, in words: nothing is computed from it."""

    clause: str
    about: str
    text: str


@dataclass(frozen=True, slots=True)
class ServiceTerms:
    """All of them, as one revision has them."""

    requests: RequestTerms | None = None
    complaints: ComplaintTerms | None = None
    surveys: SurveyTerms | None = None
    claims: ClaimTerms | None = None
    clauses: tuple[OtherClause, ...] = ()


NO_SERVICE = ServiceTerms()


@dataclass(frozen=True, slots=True)
class Promised:
    """A limit that counts from an instant, and when it is over."""

    name: str
    limit: Limit
    due_at: datetime
