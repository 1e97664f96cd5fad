"""What the figures of a period are computed from: orders, assets, complaints, surveys, costs and penalties as values.

Named tuples, for a quarter has tens of thousands of them. Every fact knows where it belongs: building, equipment class
and supplier. Instants are aware UTC.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar, cast

from ticketing.kpi_period import Bounds

Known = TypeVar("Known")


class OrderFact(NamedTuple):
    """One order. `arrivals` and `reopenings` count lines of its history. `returned_at`: when it was opened or reopened
    as a repeat; `returned`: a later order says that its fault came back. `filled` of `asked` fields of its record are
    there."""

    id: str
    number: int
    is_fault: bool
    building_id: str
    asset_id: str
    equipment_class: str
    supplier: str
    opened_at: datetime
    response_due_at: datetime | None
    resolution_due_at: datetime | None
    planned_due_at: datetime | None
    arrived_at: datetime | None
    completed_at: datetime | None
    cancelled_at: datetime | None
    returned_at: tuple[datetime, ...] = ()
    returned: bool = False
    arrivals: int = 0
    reopenings: int = 0
    filled: int = 0
    asked: int = 0
    followed_up: bool = False
    title: str = ""
    contract_id: str = ""


class WaitingFact(NamedTuple):
    """An order that has waited since before the period and about which nothing was decided in it: only the backlog and
    the time its asset is down know of it. `due_at` is its resolution deadline, or its visit's day."""

    building_id: str
    asset_id: str
    equipment_class: str
    supplier: str
    is_fault: bool
    opened_at: datetime
    due_at: datetime | None


class AssetFact(NamedTuple):
    """One asset in service since `since_at` (None: before anything we ask about)."""

    asset_id: str
    building_id: str
    equipment_class: str
    supplier: str
    since_at: datetime | None = None


class ComplaintFact(NamedTuple):
    """One complaint; `is_repeat` when the same matter was complained about before."""

    building_id: str
    equipment_class: str
    supplier: str
    received_at: datetime
    resolve_due_at: datetime | None
    resolved_at: datetime | None
    is_repeat: bool


class SurveyFact(NamedTuple):
    """One survey that was sent; `score` 0 to 10, `nps` 0 to 10, None where it was not asked or not answered."""

    building_id: str
    equipment_class: str
    supplier: str
    sent_at: datetime
    answered_at: datetime | None
    score: Decimal | None
    nps: int | None


class MoneyFact(NamedTuple):
    """A cost of an order, or a penalty, on an instant. `what`: the payer of a cost, the clause of a penalty."""

    building_id: str
    equipment_class: str
    supplier: str
    at: datetime
    amount: Decimal
    currency: str
    what: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Everything of one group (or of all) in one period. `now` ends a period that still runs."""

    bounds: Mapping[str, Bounds]
    now: datetime
    orders: tuple[OrderFact, ...] = ()
    assets: tuple[AssetFact, ...] = ()
    complaints: tuple[ComplaintFact, ...] = ()
    surveys: tuple[SurveyFact, ...] = ()
    costs: tuple[MoneyFact, ...] = ()
    penalties: tuple[MoneyFact, ...] = field(default=())
    waiting: tuple[WaitingFact, ...] = ()
    _known: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, work_out: Callable[["Scope"], Known]) -> Known:
        """What several figures are made of, worked out for the first of them."""
        if work_out not in self._known:
            self._known[work_out] = work_out(self)
        return cast("Known", self._known[work_out])

    def holds(self, building_id: str, at: datetime | None) -> bool:
        """Whether an instant lies in the period of a building's zone, and has come."""
        if at is None or at > self.now:
            return False
        bounds = self.bounds[building_id]
        return bounds.from_at <= at < bounds.until_at

    def end(self, building_id: str) -> datetime:
        """The end of the period in a building's zone, or now when it still runs."""
        return min(self.bounds[building_id].until_at, self.now)
