"""What a backtest's page shows, as plain values: the same that its JSON holds. Instants are microseconds, UTC.

The program fills it; `backtest_page` draws it. It can be kept as JSON and drawn later, in either language.
"""

import msgspec

from facility.finding import OrderKind, Severity
from facility.reading import Value


class Ran(msgspec.Struct, frozen=True):
    """What was run: over which readings, by which rules (their hash), under which contract.

    `contract` is empty where the built-in default level held; `attended_s` is None where nobody worked on the orders.
    `overrides` are parameters that were set for the run, as `RULE.PARAM = VALUE (SCOPE)`.
    """

    version: str
    source: str
    from_us: int
    until_us: int
    digest: str
    rules: int
    own: tuple[str, ...]
    contract: str
    attended_s: float | None
    overrides: tuple[str, ...] = ()


class Covered(msgspec.Struct, frozen=True):
    """One point: its readings, how many of them are not believed, and the share of the time they cover, 0 to 1."""

    asset_id: str
    point: str
    readings: int
    bad: int
    share: float


class Held(msgspec.Struct, frozen=True):
    """What the history held. `gaps`: (last instant before, first after), the longest first, at most a hundred of them.

    `lines` say in English what was wrong with a file.
    """

    readings: int
    scans: int
    gap_count: int
    gaps: tuple[tuple[int, int], ...]
    lines: tuple[str, ...]
    points: tuple[Covered, ...]


class AssetName(msgspec.Struct, frozen=True):
    """An asset's name and the zone of its building."""

    id: str
    name: str
    zone: str


class RuleRow(msgspec.Struct, frozen=True):
    """One rule that found something: findings, those another explained, orders, and how long it was active in all."""

    id: str
    name: dict[str, str]
    kind: OrderKind
    severity: Severity
    findings: int
    suppressed: int
    orders: int
    active_us: int


class DayRow(msgspec.Struct, frozen=True):
    """One local day (`2026-03-01`): findings raised and orders opened."""

    day: str
    findings: int
    orders: int


class OrderRow(msgspec.Struct, frozen=True):
    """An order that would have been opened. `closed_us` is set where somebody worked on it (`--attended`)."""

    number: str
    rule_id: str
    asset_id: str
    severity: Severity
    priority: int
    level: str
    clause: str
    opened_us: int
    response_due_us: int | None
    resolution_due_us: int | None
    closed_us: int | None
    findings: int


class BreachRow(msgspec.Struct, frozen=True):
    """A deadline that would have been missed, and what that would have cost (`amount` empty: no penalty)."""

    number: str
    clock: str
    clause: str
    due_us: int
    over_us: int
    amount: str


class Assumption(msgspec.Struct, frozen=True):
    """The contract's arithmetic under one assumption: `recovered`, `median` or `nobody`; the first one is the default.

    `response` and `resolution` are the limits of the median pace; empty for the others.
    """

    key: str
    contract_id: str
    response: str
    resolution: str
    penalty: str
    currency: str
    correctives: tuple[str, ...]
    breaches: tuple[BreachRow, ...]


class Line(msgspec.Struct, frozen=True):
    """One point's readings in a plot, thinned; (instant, value, quality)."""

    point: str
    cadence_us: int
    readings: tuple[tuple[int, Value, int], ...]
    is_reference: bool = False


class PlotData(msgspec.Struct, frozen=True):
    """The readings of one plot; `order` is the number of the order it zooms in on, empty for the whole span."""

    asset_id: str
    from_us: int
    until_us: int
    lines: tuple[Line, ...]
    order: str = ""


class FindingRow(msgspec.Struct, frozen=True):
    """A finding as far as a page of many needs it. `about` are the points it looked at, as `ASSET/POINT`."""

    id: str
    rule_id: str
    asset_id: str
    severity: Severity
    onset_us: int
    raised_us: int
    cleared_us: int | None
    suppressed: bool
    order: str
    about: tuple[str, ...]


class TuneRow(msgspec.Struct, frozen=True):
    """Orders a month at one value of the parameter: of the rule, and of all rules."""

    value: float
    orders: int
    orders_per_month: float
    all_orders: int
    all_orders_per_month: float


class Tuned(msgspec.Struct, frozen=True):
    """How orders a month change along a parameter; `current` is its value in the rule set that ran."""

    rule_id: str
    parameter: str
    unit: str
    current: float
    rows: tuple[TuneRow, ...]


class OnlyRow(msgspec.Struct, frozen=True):
    """A finding or an order that only one of two rule sets has."""

    rule_id: str
    asset_id: str
    at_us: int


class Compared(msgspec.Struct, frozen=True):
    """Two rule sets over the same history. Counts are (here, there)."""

    here: str
    there: str
    findings: tuple[int, int]
    orders: tuple[int, int]
    findings_only: tuple[tuple[OnlyRow, ...], tuple[OnlyRow, ...]]
    orders_only: tuple[tuple[OnlyRow, ...], tuple[OnlyRow, ...]]


class BacktestReport(msgspec.Struct, frozen=True):
    """Everything the page shows. `names` has every rule that is spoken of, by language."""

    ran: Ran
    held: Held
    assets: tuple[AssetName, ...]
    names: dict[str, dict[str, str]]
    findings: tuple[FindingRow, ...]
    rules: tuple[RuleRow, ...]
    days: tuple[DayRow, ...]
    orders: tuple[OrderRow, ...]
    assumptions: tuple[Assumption, ...]
    plots: tuple[PlotData, ...]
    tuned: Tuned | None = None
    compared: Compared | None = None
