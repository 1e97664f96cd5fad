"""What `contract.yaml` may say: the checked model of the file, and its JSON Schema. Pure.

`ticketing.contract_load` turns it into values and checks what one field alone cannot show.
"""

import re
from datetime import date, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from facility.asset import Criticality
from facility.catalogue import System, equipment_classes
from facility.fields import Zone, unknown
from facility.finding import OrderKind, Severity
from facility.instant import parse_duration
from facility.site_file import days_of
from ticketing.calendar_days import Closure, YearlyClosure
from ticketing.calendar_holidays import CountryHolidays
from ticketing.calendar_table import Interval
from ticketing.calendar_zone import DAY_MINUTES
from ticketing.contract import OnRepeat, PauseReason
from ticketing.limit import Limit, parse_limit

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


def _class(name: str) -> str:
    if name not in equipment_classes():
        raise ValueError(unknown("equipment class", name, equipment_classes()))
    return name


def _word(noun: str, known: type[Criticality | Severity | System | OrderKind | PauseReason]) -> Any:  # noqa: ANN401 - pydantic's annotation
    def check(value: object) -> object:
        if isinstance(value, str) and value not in [one.value for one in known]:
            raise ValueError(unknown(noun, value, [one.value for one in known]))
        return value

    return BeforeValidator(check)


def _many(value: object) -> object:
    """One value stands for a list of one."""
    return value if isinstance(value, list) else [value]


class _OneOrMany:
    """Says in the JSON Schema that one value may stand for a list of one."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        many = handler(core)
        return {"anyOf": [many["items"], many]}


class _TextOrEntry:
    """Says in the JSON Schema that a text may stand for an entry."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string"}, handler(core)]}


def _clause(value: object) -> object:
    if isinstance(value, float):
        msg = f"clause {value} is read as a number, in which 1.10 is 1.1; put it in quotes"
        raise ValueError(msg)
    return str(value) if isinstance(value, int) else value


def _hours(value: object) -> object:
    if value != "always" and not isinstance(value, dict):
        msg = f"{value!r} are no hours; write always, or days with their hours: {{mon-fri: ['08:00-18:00']}}"
        raise ValueError(msg)
    return value


def _limit(value: object) -> Limit:
    return value if isinstance(value, Limit) else parse_limit(value)


LIMITS = ["30 min", "4 open hours", "2 open days", "2 open days, next open", "2 open days, end of day"]
LimitText = Annotated[Limit, BeforeValidator(_limit), WithJsonSchema({"type": "string", "examples": LIMITS})]
Span = Annotated[
    Interval, BeforeValidator(_span), WithJsonSchema({"type": "string", "examples": ["08:00-12:00", "22:00-06:00"]})
]
ClosedText = Annotated[
    Closure | YearlyClosure,
    BeforeValidator(parse_closure),
    WithJsonSchema({"type": "string", "examples": ["2026-12-31", "12-24 to 01-02"]}),
]
ClassName = Annotated[str, AfterValidator(_class)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
SeverityWord = Annotated[Severity, _word("severity", Severity)]
Classes = Annotated[list[ClassName], BeforeValidator(_many), Field(min_length=1), _OneOrMany()]
Severities = Annotated[list[SeverityWord], BeforeValidator(_many), Field(min_length=1), _OneOrMany()]
Systems = Annotated[
    list[Annotated[System, _word("system", System)]], BeforeValidator(_many), Field(min_length=1), _OneOrMany()
]
Criticalities = Annotated[
    list[Annotated[Criticality, _word("criticality", Criticality)]],
    BeforeValidator(_many),
    Field(min_length=1),
    _OneOrMany(),
]
Kinds = Annotated[
    list[Annotated[OrderKind, _word("kind", OrderKind)]], BeforeValidator(_many), Field(min_length=1), _OneOrMany()
]
Names = Annotated[list[Identifier], BeforeValidator(_many), Field(min_length=1), _OneOrMany()]
Pauses = list[Annotated[PauseReason, _word("pause reason", PauseReason)]]


def _window(value: object) -> timedelta:
    window = value if isinstance(value, timedelta) else parse_duration(value if isinstance(value, str) else "")
    if not window:
        msg = f"{value!r} holds nothing; write a time such as '7 days'"
        raise ValueError(msg)
    return window


RepeatText = Annotated[
    timedelta, BeforeValidator(_window), WithJsonSchema({"type": "string", "examples": ["7 days", "48 h"]})
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class HolidaysEntry(_Strict):
    """Public holidays of a country, with its make-up working days."""

    country: str = Field(description="ISO 3166 code, such as CN")
    subdivision: str | None = None
    make_up_days: bool = Field(default=True, description="work on the weekend days that pay for a day off")
    make_up_hours: list[Span] | None = Field(default=None, description="hours of make-up days, if not those of Monday")

    @model_validator(mode="after")
    def _known(self) -> Self:
        CountryHolidays(self.country, self.subdivision, make_up_days=self.make_up_days)
        return self


class CalendarEntry(_Strict):
    """When someone is at work."""

    hours: Annotated[Literal["always"] | dict[str, list[Span]], BeforeValidator(_hours)]
    zone: Zone | None = Field(default=None, description="time zone, when it is not the contract's")
    holidays: HolidaysEntry | None = None
    closed: list[ClosedText] = []
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


class PromiseEntry(_Strict):
    """A limit with its own list of pauses."""

    limit: LimitText
    pauses: Pauses | None = None


def _promise(value: object) -> object:
    return {"limit": value} if not isinstance(value, dict | PromiseEntry) else value


PromiseText = Annotated[PromiseEntry, BeforeValidator(_promise), _TextOrEntry()]


class MatchEntry(_Strict):
    """What a level is for; every key is optional, and a list means any of them."""

    equipment_class: Classes | None = Field(default=None, alias="class")
    system: Systems | None = None
    severity: Severities | None = None
    rule: Names | None = None
    criticality: Criticalities | None = None
    building: Names | None = None
    space: Names | None = None
    kind: Kinds | None = None


class RepeatTerms(_Strict):
    """When a fault that returns counts as a repeat; on a revision for every level, on a level for itself."""

    repeat_window: RepeatText | None = Field(default=None, description="a cause that returns so soon after closing")
    on_repeat: OnRepeat | None = Field(default=None, description="reopen the order, or open another and link the two")


class TermsEntry(RepeatTerms):
    """What a level promises."""

    clause: Annotated[str, BeforeValidator(_clause)] = ""
    priority: int = Field(ge=1, le=4, description="1 first, 4 last")
    calendar: str
    response: PromiseText
    resolution: PromiseText


class LevelEntry(TermsEntry):
    """A service level for what it matches."""

    id: Identifier
    match: MatchEntry
    rank: int = Field(default=0, description="decides between levels that match as closely; the higher wins")


class RevisionEntry(RepeatTerms):
    """The terms from an instant on."""

    revision: int = Field(ge=1)
    effective_at: Annotated[str, BeforeValidator(lambda value: value.isoformat() if isinstance(value, date) else value)]
    calendars: dict[str, CalendarEntry] = Field(min_length=1)
    default_level: TermsEntry | None = None
    levels: list[LevelEntry] = []


class ContractEntry(_Strict):
    """Who promised what to whom."""

    id: Identifier
    name: str = ""
    customer: str = ""
    supplier: str = ""
    zone: Zone
    sites: list[Identifier] = []
    buildings: list[Identifier] = []
    ends_on: date | None = Field(default=None, description="the last day in force, in the contract's zone")


class ContractFile(_Strict):
    """A whole contract file."""

    contract: ContractEntry
    revisions: list[RevisionEntry] = Field(min_length=1)


def contract_schema() -> dict[str, Any]:
    """The JSON Schema of the file, for editors."""
    return ContractFile.model_json_schema()
