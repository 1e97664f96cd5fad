"""What `contract.yaml` may say: the checked model of the file, and its JSON Schema. Pure.

`ticketing.contract_load` turns it into values and checks what one field alone cannot show. What levels share with the
other terms is in `ticketing.contract_fields`, the other terms are in `ticketing.terms_file`.
"""

import re
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from facility.fields import Zone
from facility.site_file import days_of
from ticketing.calendar_days import Closure, YearlyClosure
from ticketing.calendar_holidays import CountryHolidays
from ticketing.calendar_table import Interval
from ticketing.calendar_zone import DAY_MINUTES
from ticketing.contract import OnRepeat
from ticketing.contract_fields import Clause, Identifier, LimitText, MatchEntry, Pauses, SpanText, Strict, TextOrEntry
from ticketing.plan_file import VisitEntry
from ticketing.terms_file import ClockEntry, DeclaredEntry, TermsPart
from ticketing.terms_service_file import ServicePart

_SPAN = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$")
_DATE = r"(?:\d{4}-)?\d{2}-\d{2}"
_CLOSED = re.compile(rf"^({_DATE})(?: to ({_DATE}))?$")


def _span(text: object) -> Interval:
    """`08:00-12:00` as minutes of the day; one that ends at or before it begins runs into the next day."""
    match = _SPAN.match(text) if isinstance(text, str) else None
    if match is None:
        msg = f"{text!r} are no hours; write them like '08:00-12:00', '22:00-06:00' (overnight) or '00:00-24:00'"
        raise ValueError(msg)
    start = int(match[1]) * 60 + int(match[2])
    end = int(match[3]) * 60 + int(match[4]) if match[3] else DAY_MINUTES
    return start, end if end > start else end + DAY_MINUTES


def parse_closure(value: object, name: str = "") -> Closure | YearlyClosure:
    """`2026-12-31`, `2026-12-30 to 2027-01-02`, `12-25` (every year) or `12-24 to 01-02`. Raises ValueError."""
    hint = "write '2026-12-31', '2026-12-30 to 2027-01-02', '12-25' (every year) or '12-24 to 01-02'"
    text = value.isoformat() if isinstance(value, date) else value
    match = _CLOSED.match(" ".join(text.split())) if isinstance(text, str) else None
    if match is None or (match[2] and len(match[1]) != len(match[2])):
        msg = f"{text!r} is no closed date; {hint}"
        raise ValueError(msg)
    first, last = match[1], match[2] or match[1]
    try:
        if len(first) > 5:
            return Closure(date.fromisoformat(first), date.fromisoformat(last), name)
        return YearlyClosure((int(first[:2]), int(first[3:])), (int(last[:2]), int(last[3:])), name)
    except ValueError as error:
        msg = f"{text!r} is no closed date: {error}; {hint}"
        raise ValueError(msg) from None


def _hours(value: object) -> object:
    if value != "always" and not isinstance(value, dict):
        msg = f"{value!r} are no hours; write always, or days with their hours: {{mon-fri: ['08:00-18:00']}}"
        raise ValueError(msg)
    return value


Span = Annotated[
    Interval, BeforeValidator(_span), WithJsonSchema({"type": "string", "examples": ["08:00-12:00", "22:00-06:00"]})
]
ClosedText = Annotated[
    Closure | YearlyClosure,
    BeforeValidator(parse_closure),
    WithJsonSchema({"type": "string", "examples": ["2026-12-31", "12-24 to 01-02"]}),
]


class HolidaysEntry(Strict):
    """Public holidays of a country, with its make-up working days."""

    country: str = Field(description="ISO 3166 code, such as CN")
    subdivision: str | None = None
    make_up_days: bool = Field(default=True, description="work on the weekend days that pay for a day off")
    make_up_hours: list[Span] | None = Field(default=None, description="hours of make-up days, if not those of Monday")

    @model_validator(mode="after")
    def _known(self) -> Self:
        CountryHolidays(self.country, self.subdivision, make_up_days=self.make_up_days)
        return self


class CalendarEntry(Strict):
    """When someone is at work."""

    hours: Annotated[Literal["always"] | dict[str, list[Span]], BeforeValidator(_hours)]
    zone: Zone | None = Field(default=None, description="time zone, when it is not the contract's")
    holidays: HolidaysEntry | None = None
    closed: list[ClosedText] = Field(default=[])
    dates: dict[date, list[Span]] = Field(default={}, description="hours of one date; they beat everything else")
    breaks: dict[date, list[Span]] = Field(default={}, description="hours in which one date is closed all the same")

    @model_validator(mode="after")
    def _days(self) -> Self:
        named: dict[int, str] = {}
        for days in self.hours if isinstance(self.hours, dict) else ():
            for weekday in days_of(days):
                if weekday in named:
                    msg = f"{days!r} and {named[weekday]!r} name the same day; give each day its hours once"
                    raise ValueError(msg)
                named[weekday] = days
        closed = [one for one in self.closed if isinstance(one, Closure)]
        both = [on for on, spans in self.dates.items() if spans and any(one.holds(on) for one in closed)]
        if both:
            msg = f"{both[0]} is closed and has hours in `dates`; keep one of the two"
            raise ValueError(msg)
        return self


class PromiseEntry(Strict):
    """A limit with its own list of pauses."""

    limit: LimitText
    pauses: Pauses | None = None


def _promise(value: object) -> object:
    return {"limit": value} if not isinstance(value, dict | PromiseEntry) else value


PromiseText = Annotated[PromiseEntry, BeforeValidator(_promise), TextOrEntry()]


def _clock_name(name: str) -> str:
    if name in ("response", "resolution"):
        msg = f"{name!r} stands on the level itself, beside `clocks`"
        raise ValueError(msg)
    return name


ClockName = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,30}$"), AfterValidator(_clock_name)]


class RepeatTerms(Strict):
    """When a fault that returns counts as a repeat; on a revision for every level, on a level for itself."""

    repeat_window: SpanText | None = Field(default=None, description="a cause that returns so soon after closing")
    on_repeat: OnRepeat | None = Field(default=None, description="reopen the order, or open another and link the two")


class TermsEntry(RepeatTerms):
    """What a level promises."""

    clause: Clause = ""
    priority: int = Field(ge=1, le=4, description="1 first, 4 last")
    calendar: str
    response: PromiseText
    resolution: PromiseText
    clocks: dict[ClockName, ClockEntry] = Field(default={}, description="any others, by name: answer, contain ...")


class LevelEntry(TermsEntry):
    """A service level for what it matches."""

    id: Identifier
    name: str = Field(default="", description="what people call it, in any language")
    match: MatchEntry
    rank: int = Field(default=0, description="decides between levels that match as closely; the higher wins")


class RevisionEntry(RepeatTerms, TermsPart, ServicePart):
    """The terms from an instant on."""

    revision: int = Field(ge=1)
    effective_at: Annotated[str, BeforeValidator(lambda value: value.isoformat() if isinstance(value, date) else value)]
    calendars: dict[str, CalendarEntry] = Field(min_length=1)
    default_level: TermsEntry | None = None
    levels: list[LevelEntry] = Field(default=[])
    preventive: list[VisitEntry] = Field(default=[], description="visits by calendar")


class ContractEntry(Strict):
    """Who promised what to whom."""

    id: Identifier
    name: str = ""
    customer: str = ""
    supplier: str = ""
    zone: Zone
    sites: list[Identifier] = Field(default=[])
    buildings: list[Identifier] = Field(default=[])
    ends_on: date | None = Field(default=None, description="the last day in force, in the contract's zone")


class ContractFile(Strict):
    """A whole contract file."""

    contract: ContractEntry
    revisions: list[RevisionEntry] = Field(min_length=1)
    declared: list[DeclaredEntry] = Field(default=[], description="warnings, force majeure, assets out of service")


def contract_schema() -> dict[str, Any]:
    """The JSON Schema of the file, for editors."""
    return ContractFile.model_json_schema()
