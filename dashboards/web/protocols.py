"""What the pages show: the Protocol of this package. The program implements it.

Instants named `_at` are aware UTC datetimes, `_us` microseconds since the epoch; pages turn them into the zone of
the building. Every method may be called from several threads at once and should answer within some 50 ms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

from dashboards.web.order_view import EVERY, OrderCount, OrderFilter, OrderView
from facility.finding import Finding, Severity
from facility.reading import DeadLetter, Reading, Value
from facility.registry import Registry

ClockKind = Literal["real", "scaled", "journal"]


@dataclass(frozen=True, slots=True)
class ClockState:
    """The program's clock. `factor` is simulated seconds per real second; a journal clock stands between events."""

    kind: ClockKind
    now: datetime
    factor: float = 1.0

    def __post_init__(self) -> None:
        if self.now.tzinfo is None:
            msg = f"now is {self.now!r}; expected an aware UTC instant"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class RuleView:
    """What a page says about a rule: `name` by language (`en` at least); `chinese` by the English text."""

    id: str
    name: Mapping[str, str]
    reference: str = ""
    checklist: tuple[str, ...] = ()
    chinese: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FindingMark:
    """So many active findings of a severity on an asset; `is_hidden` ones are explained by another or shelved."""

    building_id: str
    asset_id: str
    severity: Severity
    is_hidden: bool
    count: int


@dataclass(frozen=True, slots=True)
class RuleGap:
    """A rule that cannot judge this asset because it lacks these points."""

    rule_id: str
    asset_id: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StageHealth:
    """One stage of the flow. `behind` is how far it lags the journal: time and commits; None when not known.

    `counts` are totals since its start by name (`received`, `rejected`, `findings` ...).
    """

    name: str
    alive: bool
    detail: str = ""
    behind: timedelta | None = None
    behind_commits: int | None = None
    counts: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class SilentDevice:
    """An asset that spoke once and has said nothing for long; `last_at` in the program's clock."""

    asset_id: str
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Health:
    """The whole program. `heartbeat_at` is the newest heartbeat in the journal, in the program's clock.

    `received` and `rejected` count messages since ingest started; `silent` is who said nothing for long, longest first.
    """

    stages: tuple[StageHealth, ...]
    heartbeat_at: datetime | None
    event_time_at: datetime | None
    dead_letters: int
    version: str = ""
    silent: tuple[SilentDevice, ...] = ()
    received: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class DeviceValue:
    """One value of a device nobody described: the point it likely is (empty when none fits) and its unit there."""

    name: str
    value: Value | bool
    point: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class DeviceView:
    """A device that speaks and is in no site file, with what it likely is.

    `known_asset` is set when the asset is described and only these values of it are not.
    """

    key: str
    dialect: str
    last_at: datetime
    messages: int
    known_asset: str
    asset_id: str
    building_id: str
    equipment_class: str
    values: tuple[DeviceValue, ...]


@dataclass(frozen=True, slots=True)
class UnknownCodeView:
    """A code without a meaning: how often an asset said it, and when last."""

    asset_id: str
    code: str
    times: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class DeviceClockView:
    """How far a device's clock is off, positive when it is ahead; learned from so many scans."""

    asset_id: str
    skew: timedelta
    scans: int


class PlantView(Protocol):
    """Everything the pages read, and the one thing they do: apply a verb to an order."""

    def within(self, buildings: frozenset[str] | None) -> "PlantView":
        """The same plant as somebody sees it who may see these buildings only; None is all of them."""

    def registry(self) -> Registry:
        """Sites, buildings, spaces and assets as the engine knows them now."""

    def clock(self) -> ClockState:
        """The clock and its now."""

    def latest(self, asset_id: str) -> Sequence[Reading]:
        """The newest reading of each of the asset's points, own and borrowed (under the borrower's name).

        A point that was never heard of is left out. Empty for an unknown asset.
        """

    def series(
        self, asset_id: str, point: str, from_at: datetime, until_at: datetime, every: timedelta | None
    ) -> Sequence[Reading]:
        """Readings in [from, until) by time, of any quality.

        With `every`, one per bucket and quality: numbers as their mean, states (bool, enum, code, text) as the last.
        """

    def findings(
        self,
        *,
        active: bool | None = None,
        asset_id: str | None = None,
        limit: int = 200,
        buildings: frozenset[str] | None = None,
    ) -> Sequence[Finding]:
        """Raised findings, newest first; `active` True for active ones, False for cleared ones, None for both."""

    def finding_marks(self, buildings: frozenset[str] | None = None) -> Sequence[FindingMark]:
        """Every active finding of these buildings (None: of all that are seen), counted by asset and severity."""

    def finding(self, finding_id: str) -> Finding | None:
        """One finding; None when there is none of this id."""

    def pending(self) -> Sequence[Finding]:
        """Conditions that are true but whose persistence still runs."""

    def not_applicable(self, asset_id: str | None = None) -> Sequence[RuleGap]:
        """Rules that cannot judge an asset, with the points it lacks; of every asset for None."""

    def rule(self, rule_id: str) -> RuleView | None:
        """A rule of the active set; None when it has gone since."""

    def work_orders(
        self,
        *,
        is_open: bool | None = None,
        asset_id: str | None = None,
        limit: int = 500,
        offset: int = 0,
        only: OrderFilter = EVERY,
    ) -> Sequence[OrderView]:
        """Open ones by time left, then others, newest first; `is_open` True for those before closed or cancelled.

        `offset` leaves out so many of the first.
        """

    def count_orders(
        self, *, is_open: bool | None = None, asset_id: str | None = None, only: OrderFilter = EVERY
    ) -> int:
        """How many there are of those."""

    def order_counts(self) -> Mapping[str, OrderCount]:
        """Building id -> its open orders; a building without any is left out."""

    def work_order(self, order_id: str) -> OrderView | None:
        """One order with all it has; None when there is none of this id."""

    def orders_of_finding(self, finding_id: str) -> Sequence[OrderView]:
        """The orders this finding opened or joined."""

    def explain_deadlines(self, order_id: str, language: str = "en") -> Mapping[str, Sequence[str]]:
        """For each deadline's name (`response`, `resolution`) the lines that explain it in the reader's language. Empty
        when unknown."""

    def apply_verb(self, order_id: str, verb: str, *, by: str, note: str, reason: str = "", proof: str = "") -> None:
        """Apply a verb now; `reason` is why the clock should stand still (hold, with where its `proof` is); for accept,
        `override` when the note says why although the condition is still active; for complete, why items of the check
        list or children are left out; for reassign, who takes over; empty for every other verb.

        Raises PlantroomError with the words to show when it is refused.
        """

    def dead_letters(self, limit: int = 100) -> Sequence[DeadLetter]:
        """The newest messages that could not be read, newest first."""

    def devices(self) -> Sequence[DeviceView]:
        """Devices that speak and are in no site file, the one heard last first."""

    def unknown_codes(self) -> Sequence[UnknownCodeView]:
        """Codes that no code map explains, the one said last first."""

    def device_clocks(self) -> Sequence[DeviceClockView]:
        """How far each device's clock is off, the worst first."""

    def approve_device(self, key: str, *, asset_id: str, equipment_class: str, building_id: str, name: str) -> None:
        """Add a device to the site as proposed. Raises PlantroomError with the words to show when that cannot be."""

    def health(self) -> Health:
        """How each stage is doing."""
