"""What a revision of `contract.yaml` may say beside its levels: the checked model of those parts. Pure.

`ticketing.terms_load` turns it into values.
"""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from ticketing.contract_fields import (
    Clause,
    Identifier,
    LimitText,
    MatchEntry,
    Names,
    Pauses,
    SpanText,
    Strict,
    parse_span,
)
from ticketing.terms import CapPeriod, DeclaredKind, EscalationUnit, ModifierKind, PenaltyPer, PriorityChange

_DAY = re.compile(r"^(\d{2})-(\d{2})$")
_AT = re.compile(r"^(?:(\d+(?:\.\d+)?)\s*%|(.+?)\s+(before|after))$")
Placed = tuple[EscalationUnit, Decimal, timedelta]


def _money(value: object) -> Decimal:
    text = str(value) if isinstance(value, int | str | float) and not isinstance(value, bool) else ""
    if not re.fullmatch(r"\d{1,12}(\.\d{1,4})?", text):
        msg = f"{value!r} is no amount; write a number such as 500 or 1200.50, without its currency"
        raise ValueError(msg)
    return Decimal(text)


def _share(value: object) -> Decimal:
    text = str(value).removesuffix("%").strip()
    if not re.fullmatch(r"\d{1,5}(\.\d{1,4})?", text) or isinstance(value, bool):
        msg = f"{value!r} is no percentage; write it like '2 %' or 2.5"
        raise ValueError(msg)
    return Decimal(text)


def _placed(value: object) -> Placed:
    match = _AT.match(value.strip()) if isinstance(value, str) else None
    if match is None:
        msg = f"{value!r} places no escalation; write '75 %', '1 h before' or '30 min after'"
        raise ValueError(msg)
    if match[1]:
        return EscalationUnit.PERCENT, Decimal(match[1]), timedelta(0)
    return EscalationUnit(match[3]), Decimal(0), parse_span(match[2])


def _day(value: object) -> tuple[int, int]:
    match = _DAY.match(value) if isinstance(value, str) else None
    try:
        if match is not None:
            on = date(2000, int(match[1]), int(match[2]))
            return on.month, on.day
    except ValueError:
        match = None
    msg = f"{value!r} is no day of the year; write month and day, such as 11-15"
    raise ValueError(msg)


Money = Annotated[Decimal, BeforeValidator(_money), WithJsonSchema({"type": ["number", "string"]})]
Percent = Annotated[
    Decimal, BeforeValidator(_share), WithJsonSchema({"type": ["number", "string"], "examples": ["2 %"]})
]
PlacedText = Annotated[
    Placed, BeforeValidator(_placed), WithJsonSchema({"type": "string", "examples": ["75 %", "1 h before"]})
]
DayText = Annotated[
    tuple[int, int], BeforeValidator(_day), WithJsonSchema({"type": "string", "examples": ["11-15"]})
]  # fmt: skip
ClockVerb = Literal[
    "acknowledge", "arrive", "contain", "diagnose", "repair", "test", "complete", "accept", "follow_up", "close"
]


class ClockEntry(Strict):
    """A named clock of a level, beside response and resolution."""

    limit: LimitText
    starts: Literal["open"] | ClockVerb = Field(default="open", description="the event or verb it runs from")
    stops: ClockVerb = Field(description="the verb it stops at")
    pauses: Pauses = Field(default={}, description="reasons that stop it; none unless named")
    clause: Clause = ""

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.starts == self.stops:
            msg = f"the clock starts and stops at {self.starts!r}; it would never run"
            raise ValueError(msg)
        return self


class ModifierEntry(Strict):
    """A change of limits; entries apply in their order."""

    id: Identifier
    kind: ModifierKind
    clause: Clause = ""
    factor: Annotated[Decimal, Field(ge=Decimal("0.01"), le=100)] = Decimal(1)
    add: SpanText | None = None
    clocks: Names | None = Field(default=None, description="names of clocks; all when left out")
    levels: Names | None = Field(default=None, description="ids of levels; all when left out")
    outside: str | None = Field(default=None, description="off_peak: the calendar outside of which it applies")
    warning: Names | None = Field(default=None, description="weather: the warnings it is for, such as red")
    priority_up: Annotated[int, Field(ge=0, le=3)] = 0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.kind is ModifierKind.OFF_PEAK) != (self.outside is not None):
            msg = "an off_peak modifier names in `outside` the calendar of peak hours, and no other modifier does"
            raise ValueError(msg)
        if (self.kind is ModifierKind.WEATHER) != (self.warning is not None):
            msg = "a weather modifier names in `warning` what was warned of, and no other modifier does"
            raise ValueError(msg)
        if self.factor == 1 and not self.add and not self.priority_up:
            msg = "it changes nothing; give a factor, a time to add, or priority_up"
            raise ValueError(msg)
        return self


class EscalationEntry(Strict):
    """Whom to tell when a clock has run so far."""

    id: Identifier
    clock: str
    at: PlacedText
    to: Names
    levels: Names | None = None


class PenaltyEntry(Strict):
    """What a breach costs the supplier."""

    id: Identifier
    clause: Clause
    amount: Money | None = None
    percent: Percent | None = Field(default=None, description="of the monthly fee")
    per: PenaltyPer = PenaltyPer.BREACH
    clocks: Names | None = None
    match: MatchEntry = MatchEntry()

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [one for one in (self.amount, self.percent) if one is not None]
        if len(given) != 1 or given[0] <= 0:
            msg = "a penalty is an amount or a percentage of the monthly fee, above zero; give one of the two"
            raise ValueError(msg)
        return self


class CapEntry(Strict):
    """The most that all penalties of a period come to."""

    amount: Money | None = None
    percent: Percent | None = None
    per: CapPeriod = CapPeriod.MONTH

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.amount is None) == (self.percent is None):
            msg = "a cap is an amount or a percentage of the monthly fee; give one of the two"
            raise ValueError(msg)
        return self


class PenaltiesEntry(Strict):
    """Penalties, their cap, and when a corrective action is due."""

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    monthly_fee: Money | None = None
    terms: list[PenaltyEntry] = Field(default=[])
    cap: CapEntry | None = None
    corrective_after: Annotated[int, Field(ge=1)] | None = Field(default=None, description="breaches in a month")

    @model_validator(mode="after")
    def _fee(self) -> Self:
        shares = [one.percent for one in self.terms] + [self.cap.percent if self.cap is not None else None]
        if any(one is not None for one in shares) and self.monthly_fee is None:
            msg = "a percentage needs `monthly_fee`"
            raise ValueError(msg)
        return self


class SeasonEntry(Strict):
    """The heating or cooling season."""

    name: str = "season"
    first: DayText
    last: DayText


class WarrantyEntry(Strict):
    """How long the installer answers, from acceptance on."""

    clause: Clause = ""
    match: MatchEntry
    years: Annotated[int, Field(ge=1, le=100)] | None = None
    months: Annotated[int, Field(ge=1, le=1200)] | None = None
    seasons: Annotated[int, Field(ge=1, le=50)] | None = None
    season: SeasonEntry | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len([one for one in (self.years, self.months, self.seasons) if one]) != 1:
            msg = "a warranty lasts years, months or seasons; give one of the three"
            raise ValueError(msg)
        if (self.seasons is None) != (self.season is None):
            msg = "`seasons` and the dates of the `season` go together"
            raise ValueError(msg)
        return self


class CostsEntry(Strict):
    """The cost standard shown to the customer before the work."""

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    clause: Clause = ""
    chargeable: bool = True
    labour_per_hour: Money = Decimal(0)
    call_out: Money = Decimal(0)
    free_parts_up_to: Money = Decimal(0)
    quote_above: Money | None = None
    installer: str = "the installer"
    warranty: list[WarrantyEntry] = Field(default=[])


class DeclaredEntry(Strict):
    """A weather warning, force majeure, or an asset out of service, for a time."""

    kind: DeclaredKind
    from_at: Annotated[str, Field(alias="from", description="a date or an instant with its zone")]
    until: str | None = None
    warning: str = ""
    buildings: Names | None = None
    assets: Names | None = None
    proof: str = ""

    @model_validator(mode="before")
    @classmethod
    def _texts(cls, data: Any) -> Any:  # noqa: ANN401 - raw YAML
        if isinstance(data, dict):
            return {
                key: value.isoformat() if key in ("from", "until") and isinstance(value, date) else value
                for key, value in data.items()
            }
        return data

    @model_validator(mode="after")
    def _warned(self) -> Self:
        if (self.kind is DeclaredKind.WEATHER) != bool(self.warning):
            msg = "declared weather names its `warning`, and nothing else does"
            raise ValueError(msg)
        return self


class TermsPart(Strict):
    """The parts of a revision that are not its levels."""

    modifiers: list[ModifierEntry] = Field(default=[])
    priority_change: PriorityChange = PriorityChange.FROM_START
    escalations: list[EscalationEntry] = Field(default=[])
    penalties: PenaltiesEntry | None = None
    costs: CostsEntry | None = None
