"""What the manager's pages show: today's risk, a month by contract, the plan's visits, contracts, who does what.

The program implements the Protocol. `buildings` are those the manager may see; None is all of them. Texts of
contracts and figures come in the language asked for. Instants are aware UTC, money is written with its currency.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, Protocol

from dashboards.web.order_view import OrderView

Buildings = frozenset[str] | None
MatchParts = Sequence[tuple[str, Sequence[str]]]
"""What something is for: (part, values) as a contract writes them; none means anything."""
RiskGroup = Literal["breached", "hour", "today", "later", "held"]
RISK_GROUPS: tuple[RiskGroup, ...] = ("breached", "hour", "today", "later", "held")
VisitState = Literal["done", "late", "missed", "due", "planned", "cancelled"]


@dataclass(frozen=True, slots=True)
class RiskView:
    """An open order and what its next breach costs (when it is past: has cost); empty for nothing."""

    order: OrderView
    cost: str = ""
    clause: str = ""
    by_hour: bool = False


@dataclass(frozen=True, slots=True)
class RiskBoard:
    """How many open orders run out when, and the first of each group by time left."""

    counts: Mapping[RiskGroup, int]
    first: Mapping[RiskGroup, Sequence[RiskView]]


@dataclass(frozen=True, slots=True)
class FigureView:
    """A figure as text; `missed` when it misses its target. `text` is a dash when there was nothing to count."""

    id: str
    name: str
    text: str
    target: str = ""
    missed: bool = False
    base: int = 0


@dataclass(frozen=True, slots=True)
class FigureRow:
    """Figures of one contract, building or month."""

    id: str
    name: str
    figures: Sequence[FigureView]


@dataclass(frozen=True, slots=True)
class PenaltyView:
    """A breach and what it costs, empty when nothing is agreed. `was` is before the cap, if that took something."""

    order_id: str
    number: str
    asset_id: str
    clock: str
    clause: str
    due_at: datetime
    over: timedelta
    amount: str = ""
    was: str = ""
    waived: bool = False


@dataclass(frozen=True, slots=True)
class MonthView:
    """A month: figures of everything, of each contract over the months up to it, of each building; its penalties."""

    month: str
    months: Sequence[str]
    figures: Sequence[FigureView]
    contracts: Sequence[tuple[str, str, Sequence[FigureRow]]]
    buildings: Sequence[FigureRow]
    penalties: Sequence[PenaltyView]
    total: str
    correctives: Sequence[tuple[str, int]]
    is_running: bool


@dataclass(frozen=True, slots=True)
class WorkerView:
    """What one person has to do; `place` is the building of the newest arrival, `there` while she is still at it."""

    name: str
    full_name: str
    orders: int
    breached: int
    held: int
    next_due_at: datetime | None
    place: str = ""
    there: bool = False
    since_at: datetime | None = None
    on_call: bool = False
    on_shift: bool | None = None
    skills: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class OnPlace:
    """Somebody with orders at a place; `is_there` while she is at one of them."""

    name: str
    orders: int
    is_there: bool


@dataclass(frozen=True, slots=True)
class CrewPlace:
    """A place of a building with open orders, of which some late; `space_id` is empty for those of no place."""

    building_id: str
    space_id: str
    orders: int
    late: int
    people: Sequence[OnPlace]


@dataclass(frozen=True, slots=True)
class VisitView:
    """A visit of the plan on its day; without an order it is only planned. `until_on` is when it was done."""

    on: date
    asset_id: str
    name: str
    state: VisitState
    statutory: bool = False
    order_id: str = ""
    done_on: date | None = None
    clause: str = ""


@dataclass(frozen=True, slots=True)
class ContractBrief:
    """A contract in a list. `revision` is the one in force now; None before the first and after the end."""

    id: str
    name: str
    customer: str
    supplier: str
    revision: int | None
    revisions: int


@dataclass(frozen=True, slots=True)
class PromiseText:
    """A clock of a level: its limit as the contract writes it, and the pauses that stop it (all: every reason)."""

    name: str
    limit: str
    pauses: Sequence[str]
    clause: str = ""
    starts: str = ""
    stops: str = ""


@dataclass(frozen=True, slots=True)
class LevelText:
    """A service level; the default one takes what no other matches."""

    id: str
    name: str
    clause: str
    match: MatchParts
    priority: int
    calendar: str
    clocks: Sequence[PromiseText]
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class PenaltyText:
    """What a breach costs: `amount` for each breach, or each started hour of it; empty `clocks` are all."""

    clause: str
    amount: str
    by_hour: bool
    clocks: Sequence[str]
    match: MatchParts


@dataclass(frozen=True, slots=True)
class PlannedText:
    """A visit of the plan in a contract."""

    name: str
    clause: str
    match: MatchParts
    every: str
    statutory: bool
    early_days: int
    items: int


@dataclass(frozen=True, slots=True)
class OpenDay:
    """A day of a calendar: when it is open, and the holiday's name if it is one."""

    on: date
    spans: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class CalendarText:
    """Seven days of a calendar, and how long it is open in them."""

    name: str
    days: Sequence[OpenDay]
    open_for: timedelta


@dataclass(frozen=True, slots=True)
class RevisionText:
    """A revision in words. `cap` with its period (`month` ...); `more` are the other terms in words;
    `changes` how its words differ from those of the revision before: (`+` or `-`, line)."""

    number: int
    from_at: datetime
    until_at: datetime | None
    in_force: bool
    levels: Sequence[LevelText]
    penalties: Sequence[PenaltyText]
    cap: str
    cap_period: str
    corrective_after: int | None
    visits: Sequence[PlannedText]
    calendars: Sequence[CalendarText]
    more: Sequence[tuple[str, Sequence[str]]]
    changes: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ContractText:
    """A contract with every revision, the newest first."""

    brief: ContractBrief
    buildings: Sequence[str]
    zone: str
    revisions: Sequence[RevisionText]


@dataclass(frozen=True, slots=True)
class Compared:
    """Two contracts over the same orders: rows of name, the one, the other; and the orders that differ."""

    one: str
    other: str
    orders: int
    rows: Sequence[tuple[str, str, str]]
    differ: Sequence[tuple[str, str, str, str, str]]


class ManageDesk(Protocol):
    """Every method may be called from several threads at once."""

    def risks(self, buildings: Buildings, limit: int) -> RiskBoard:
        """Open orders by time left; at most `limit` of each group."""

    def month(self, month: str, buildings: Buildings, language: str) -> MonthView:
        """A month such as `2026-03`; empty for this one. Raises PermanentError for one that is none."""

    def workers(self, buildings: Buildings) -> Sequence[WorkerView]:
        """Who has what to do; the empty name is nobody's."""

    def places(self, buildings: Buildings) -> Sequence[CrewPlace]:
        """Where work waits and who is there, building by building, in the order of the site."""

    def visits(self, first_on: date, until_on: date, buildings: Buildings) -> Sequence[VisitView]:
        """The visits of the plan in [first, until): those with an order, and those still to come."""

    def contracts(self, buildings: Buildings) -> Sequence[ContractBrief]:
        """Every contract that covers one of the buildings."""

    def contract(self, contract_id: str, buildings: Buildings, language: str) -> ContractText | None:
        """One of those in words of the language; None when there is none of this id."""

    def compare(self, one: str, other: str, since: date, buildings: Buildings) -> Compared | None:
        """Two of those over the orders opened since a day (local to the first); None when one is not there."""
