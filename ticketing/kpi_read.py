"""Reads a period out of the tables and makes the values that its figures are computed from."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

from sqlmodel import Session

from facility.asset import Asset
from facility.finding import OrderKind, Severity
from facility.heap import many_values
from facility.registry import Registry
from ticketing import kpi_rows
from ticketing.contract_book import ContractBook
from ticketing.kpi_facts import AssetFact, ComplaintFact, MoneyFact, OrderFact, Scope, SurveyFact, WaitingFact
from ticketing.kpi_penalty import Broken, clocked_levels, doubtful, hindered_contracts, judge, since, suspects
from ticketing.kpi_period import Bounds, Period
from ticketing.kpi_rows import OrderLine, Steps, WaitingLine, Window
from ticketing.level import LevelFacts
from ticketing.penalty import Breach, Corrective, Penalty
from ticketing.plan import add_months
from ticketing.work_order import Verb

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Reading:
    """A period as read: the scope of everything, its breaches, and their penalties and corrective actions.

    `until_at`: the end of the period in the last of the zones.
    """

    period: Period
    scope: Scope
    until_at: datetime
    penalties: tuple[Penalty, ...]
    correctives: tuple[Corrective, ...]
    breaches: tuple[Breach, ...] = ()


class _Bounds(dict[str, Bounds]):
    """The bounds of the period by building; of a building that is no longer in the site files, in the book's zone."""

    def __init__(self, period: Period, registry: Registry, usual: ZoneInfo) -> None:
        super().__init__({name: period.bounds(one.zone) for name, one in registry.buildings.items()})
        self._usual = period.bounds(usual)

    def __missing__(self, key: str) -> Bounds:
        self[key] = self._usual
        return self._usual


@many_values()
def read_period(session: Session, book: ContractBook, registry: Registry, period: Period, now: datetime) -> Reading:
    """Everything that was alive in a period, as of `now` (aware UTC)."""
    usual = next((contract.zone for contract in book.contracts), ZoneInfo("UTC"))
    bounds = _Bounds(period, registry, usual)
    known = [*bounds.values(), period.bounds(usual)]
    from_at, until_at = min(one.from_at for one in known), max(one.until_at for one in known)
    zones = [usual, *(building.zone for building in registry.buildings.values())]
    first_on = since(book, period)
    early = min(datetime.combine(first_on, time(), zone).astimezone(UTC) for zone in zones)
    window = Window(min(early, from_at), until_at, clocked_levels(book), hindered_contracts(book))
    lines = kpi_rows.orders_alive(session, window)
    late = doubtful(book, lines, now)
    told = suspects(book, late, kpi_rows.unsteady_orders(session, [one.id for one in late]))
    broken = judge(book, registry, told, kpi_rows.histories_of(session, [one.id for one in told.others]), now)
    alive = [line for line in lines if _is_alive(line, from_at)]
    places = _Places(book, registry)
    broke = {one.breach.order_id for one in broken.penalties}
    by_id = {line.id: line for line in lines if line.id in broke}
    scope = Scope(
        bounds=bounds,
        now=now,
        orders=tuple(_orders(session, alive, broken, places, (from_at, until_at))),
        waiting=tuple(_waits(kpi_rows.orders_waiting(session, window), min(until_at, now), places)),
        assets=tuple(places.asset(asset, min(until_at, now)) for asset in registry.assets.values()),
        complaints=tuple(_complaints(session, from_at, until_at)),
        surveys=tuple(_surveys(session, from_at, until_at)),
        costs=tuple(
            MoneyFact(building, places.equipment(asset), places.supplier_at(building, at), at, cents * CENT, money, who)
            for building, asset, at, cents, money, who in kpi_rows.costs_of(session, from_at, until_at)
        ),
        penalties=tuple(_penalty(one, by_id, places) for one in broken.penalties),
    )
    inside = tuple(one for one in broken.penalties if scope.holds(one.breach.facts.building_id, one.breach.due_at))
    months = {f"{add_months(period.first_on, index):%Y-%m}" for index in range(period.months)}
    due = tuple(one for one in broken.correctives if one.month in months)
    breaches = tuple(one for one in broken.breaches if scope.holds(one.facts.building_id, one.due_at))
    return Reading(period, scope, until_at, inside, due, breaches)


class _Places:
    """What a building, an asset and a contract say about who and what, each asked once."""

    def __init__(self, book: ContractBook, registry: Registry) -> None:
        self._book, self._registry = book, registry
        self._suppliers = {contract.id: contract.supplier for contract in book.contracts}
        self._at, self.equipment = cache(self._supplier_at), cache(self._equipment)

    def _equipment(self, asset_id: str) -> str:
        asset = self._registry.assets.get(asset_id)
        return asset.equipment_class.name if asset is not None else ""

    def supplier(self, contract_id: str | None) -> str:
        return self._suppliers.get(contract_id or "", "")

    def supplier_at(self, building_id: str, at: datetime) -> str:
        return self._at(building_id, at.replace(hour=0, minute=0, second=0, microsecond=0))

    def asset(self, asset: Asset, at: datetime) -> AssetFact:
        zone = self._registry.buildings[asset.building_id].zone
        began_on = asset.accepted_on
        since_at = datetime.combine(began_on, time(), zone).astimezone(UTC) if began_on is not None else None
        supplier = self.supplier_at(asset.building_id, at)
        return AssetFact(asset.id, asset.building_id, asset.equipment_class.name, supplier, since_at)

    def _supplier_at(self, building_id: str, at: datetime) -> str:
        building = self._registry.buildings.get(building_id)
        site = building.site_id if building is not None else ""
        choice = self._book.choose(LevelFacts(Severity.LOW, site_id=site, building_id=building_id), at)
        return self.supplier(choice.contract_id)


def _is_alive(line: OrderLine, from_at: datetime) -> bool:
    over = line.completed_at or line.cancelled_at
    return line.opened_at >= from_at or over is None or over >= from_at


def _waits(lines: Iterable[WaitingLine], until_at: datetime, places: _Places) -> Iterator[WaitingFact]:
    equipment, supplier = places.equipment, places.supplier
    for building, asset, kind, contract, opened_at, resolution_at, planned_at in lines:
        if opened_at < until_at:
            is_fault = kind == OrderKind.FAULT
            due_at = planned_at or resolution_at
            yield WaitingFact(building, asset, equipment(asset), supplier(contract), is_fault, opened_at, due_at)


def _orders(
    session: Session, lines: list[OrderLine], broken: Broken, places: _Places, bounds: tuple[datetime, datetime]
) -> Iterator[OrderFact]:
    steps = kpi_rows.steps_of_completed(session, *bounds)
    priced = kpi_rows.priced_orders(session, *bounds)
    returned = kpi_rows.returned_orders(session, bounds[0])
    histories = kpi_rows.histories_of(session, [line.id for line in lines if line.repeats > 0])
    for line in lines:
        counted, dues = steps.get(line.id, _NO_STEPS), broken.dues.get(line.id)
        back = [one.at for one in histories.get(line.id, ()) if one.verb == Verb.REOPEN and one.by == "desk"]
        if line.repeat_of is not None:
            back.append(line.opened_at)
        fields = _fields(line, counted, priced) if line.id in steps or line.completed_at is not None else ()
        yield OrderFact(  # in the order of its fields: named ones cost twice as much, forty thousand times
            line.id,
            line.number,
            line.kind is OrderKind.FAULT,
            line.building_id,
            line.asset_id,
            places.equipment(line.asset_id),
            places.supplier(line.contract_id),
            line.opened_at,
            dues.response_at if dues is not None else line.response_due_at,
            dues.resolution_at if dues is not None else line.resolution_due_at,
            line.planned_due_at,
            line.arrived_at,
            line.completed_at,
            line.cancelled_at,
            tuple(back),
            line.id in returned,
            counted.arrivals,
            counted.reopenings,
            sum(fields),
            len(fields),
            counted.follow_ups > 0,
            line.title,
            line.contract_id or "",
        )


_NO_STEPS = Steps(0, 0, 0, 0, 0, 0)


def _fields(line: OrderLine, steps: Steps, priced: frozenset[str]) -> tuple[bool, ...]:
    """Which fields of the record are there: people, cause, work done, test, acceptance, cost."""
    done = steps.diagnoses > 0, steps.repairs > 0, steps.tests > 0
    return (line.assignee is not None, *done, line.accepted_at is not None, line.id in priced)


def _complaints(session: Session, from_at: datetime, until_at: datetime) -> Iterable[ComplaintFact]:
    for row in kpi_rows.complaints_of(session, from_at, until_at):
        yield ComplaintFact(
            row.building_id, row.equipment_class, row.supplier, row.received_at, row.resolve_due_at, row.resolved_at,
            row.repeat_of is not None,
        )  # fmt: skip


def _surveys(session: Session, from_at: datetime, until_at: datetime) -> Iterable[SurveyFact]:
    for row in kpi_rows.surveys_of(session, from_at, until_at):
        score = row.score_hundredths * CENT if row.score_hundredths is not None else None
        yield SurveyFact(
            row.building_id, row.equipment_class, row.supplier, row.sent_at, row.answered_at, score, row.nps
        )


def _penalty(one: Penalty, lines: Mapping[str, OrderLine], places: _Places) -> MoneyFact:
    line = lines[one.breach.order_id]
    supplier = places.supplier(line.contract_id)
    about = places.equipment(line.asset_id)
    return MoneyFact(line.building_id, about, supplier, one.breach.due_at, one.amount, one.currency, one.clause)
