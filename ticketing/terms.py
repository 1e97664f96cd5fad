"""The terms of a contract beside its limits: modifiers, escalations, penalties, warranty, costs, and what was declared.

Values only; each is applied by a pure function of its own: `ticketing.modify`, `ticketing.escalation`,
`ticketing.penalty`, `ticketing.payer`. Money is a Decimal in the revision's currency.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from ticketing.calendar import Calendar
from ticketing.contract_match import Match


class ModifierKind(StrEnum):
    """What makes a limit another one."""

    OFF_PEAK = "off_peak"
    WEATHER = "weather"
    KEY_EQUIPMENT = "key_equipment"


@dataclass(frozen=True, slots=True)
class Modifier:
    """Multiplies limits by `factor`, then adds `add`, where it applies.

    Off peak: the order was opened outside the hours of `calendar`. Weather: one of `warnings` was declared then. Key
    equipment: the asset was key equipment; `priority_up` moves the order up by so many priorities. `clocks` and
    `levels` narrow it; empty means all.
    """

    id: str
    kind: ModifierKind
    clause: str
    factor: Decimal = Decimal(1)
    add: timedelta = timedelta(0)
    clocks: frozenset[str] = frozenset()
    levels: frozenset[str] = frozenset()
    calendar: Calendar | None = None
    warnings: frozenset[str] = frozenset()
    priority_up: int = 0

    def __post_init__(self) -> None:
        if not Decimal("0.01") <= self.factor <= 100:
            msg = f"modifier {self.id!r} has the factor {self.factor}; expected 0.01 to 100"
            raise ValueError(msg)
        if self.kind is ModifierKind.OFF_PEAK and self.calendar is None:
            msg = f"modifier {self.id!r} is for off-peak hours; say outside of which calendar"
            raise ValueError(msg)


class DeclaredKind(StrEnum):
    """What a party may declare for a time."""

    WEATHER = "weather"
    FORCE_MAJEURE = "force_majeure"
    OUT_OF_SERVICE = "out_of_service"


@dataclass(frozen=True, slots=True)
class Declared:
    """A fact that the terms ask about, from `from_at` to `until_at` (aware UTC; None: still).

    `warning` of weather; `buildings` and `assets` narrow it, empty means all. `proof` says where it can be seen.
    """

    kind: DeclaredKind
    from_at: datetime
    until_at: datetime | None
    warning: str = ""
    buildings: frozenset[str] = frozenset()
    assets: frozenset[str] = frozenset()
    proof: str = ""

    def __post_init__(self) -> None:
        if self.until_at is not None and self.until_at <= self.from_at:
            msg = f"declared {self.kind} from {self.from_at} until {self.until_at} lasts no time"
            raise ValueError(msg)

    def holds(self, at: datetime) -> bool:
        """Whether it holds at an instant."""
        return self.from_at <= at and (self.until_at is None or at < self.until_at)

    def concerns(self, building_id: str, asset_id: str) -> bool:
        """Whether it is about this place."""
        return (not self.buildings or building_id in self.buildings) and (not self.assets or asset_id in self.assets)


class PriorityChange(StrEnum):
    """From when the limits of an order's new level count."""

    FROM_START = "from_start"
    FROM_CHANGE = "from_change"


class EscalationUnit(StrEnum):
    """How an escalation is placed on its clock."""

    PERCENT = "%"
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Escalation:
    """Tell `to` at `percent` of a clock's time, or `offset` before or after its deadline, in the time it runs in."""

    id: str
    clock: str
    unit: EscalationUnit
    to: tuple[str, ...]
    percent: Decimal = Decimal(0)
    offset: timedelta = timedelta(0)
    levels: frozenset[str] = frozenset()

    def __str__(self) -> str:
        what = f"{self.percent} %" if self.unit is EscalationUnit.PERCENT else f"{self.offset} {self.unit}"
        return f"{self.id} at {what} of {self.clock}"


class PenaltyPer(StrEnum):
    """What a penalty is counted by."""

    BREACH = "breach"
    STARTED_HOUR = "started_hour"


class CapPeriod(StrEnum):
    """The time a cap is for."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class PenaltyTerm:
    """`amount`, or `percent` of the monthly fee, for each breach (or each started hour of it) of `clocks`.

    `match` says which orders it is for. With a `cap`, all penalties of the term in one period come to no more.
    """

    id: str
    clause: str
    amount: Decimal | None = None
    percent: Decimal | None = None
    per: PenaltyPer = PenaltyPer.BREACH
    clocks: frozenset[str] = frozenset()
    match: Match = field(default_factory=Match)

    def __post_init__(self) -> None:
        given = [one for one in (self.amount, self.percent) if one is not None]
        if len(given) != 1 or given[0] <= 0:
            msg = f"penalty {self.id!r} needs an amount or a percentage above zero, and one of the two only"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class PenaltyTerms:
    """Every penalty of a revision. The cap (an amount, or a percentage of the monthly fee) is for all together.

    `corrective_after` breaches in a month a corrective action is due; None: never.
    """

    currency: str
    monthly_fee: Decimal | None = None
    terms: tuple[PenaltyTerm, ...] = ()
    cap_amount: Decimal | None = None
    cap_percent: Decimal | None = None
    cap_period: CapPeriod = CapPeriod.MONTH
    corrective_after: int | None = None

    @property
    def cap(self) -> Decimal | None:
        """The cap as an amount of money; None when there is none."""
        if self.cap_amount is not None or self.cap_percent is None:
            return self.cap_amount
        return self.share(self.cap_percent)

    def share(self, percent: Decimal) -> Decimal:
        """So many percent of the monthly fee. Raises ValueError when the contract names no fee."""
        if self.monthly_fee is None:
            msg = "a percentage of the monthly fee needs the fee"
            raise ValueError(msg)
        return (self.monthly_fee * percent / 100).quantize(Decimal("0.01"))


@dataclass(frozen=True, slots=True)
class Season:
    """Heating or cooling: first and last day of the year as (month, day); it may run over New Year."""

    name: str
    first: tuple[int, int]
    last: tuple[int, int]


@dataclass(frozen=True, slots=True)
class WarrantyTerm:
    """How long after acceptance the installer answers for what `match` covers: months, or whole seasons."""

    clause: str
    match: Match
    months: int = 0
    seasons: int = 0
    season: Season | None = None

    def __post_init__(self) -> None:
        if bool(self.months) == bool(self.seasons) or (self.seasons and self.season is None):
            msg = f"the warranty of clause {self.clause!r} lasts either months, or seasons with their dates"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class CostTerms:
    """The cost standard: prices in `currency`, and what is free. `chargeable` False: the fee covers all work."""

    currency: str
    chargeable: bool = True
    labour_per_hour: Decimal = Decimal(0)
    call_out: Decimal = Decimal(0)
    free_parts_up_to: Decimal = Decimal(0)
    quote_above: Decimal | None = None
    clause: str = ""
    warranty: tuple[WarrantyTerm, ...] = ()
    installer: str = "the installer"


@dataclass(frozen=True, slots=True)
class Terms:
    """All of them, as one revision has them. Modifiers apply in their order."""

    modifiers: tuple[Modifier, ...] = ()
    priority_change: PriorityChange = PriorityChange.FROM_START
    escalations: tuple[Escalation, ...] = ()
    penalties: PenaltyTerms | None = None
    costs: CostTerms | None = None


NO_TERMS = Terms()


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the terms ask about one order: when it was opened, where, for what, and the day its visit is planned for."""

    opened_at: datetime
    building_id: str = ""
    asset_id: str = ""
    key_equipment: bool = False
    planned_due_at: datetime | None = None


def month_of(on: date, period: CapPeriod) -> str:
    """The period a local date is in: `2026-03`, `2026-Q1` or `2026`."""
    if period is CapPeriod.MONTH:
        return f"{on:%Y-%m}"
    return f"{on.year}-Q{(on.month + 2) // 3}" if period is CapPeriod.QUARTER else str(on.year)
