"""The manager's desk over orders, contracts and figures (the Protocol is the pages' own)."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlmodel import Session

from dashboards.web.manage_view import (
    Buildings,
    Compared,
    ContractBrief,
    ContractText,
    CrewPlace,
    MonthView,
    RiskBoard,
    RiskGroup,
    RiskView,
    VisitView,
    WorkerView,
)
from facility.finding import OrderKind, Severity
from facility.registry import Registry
from plantroom.contract_texts import brief_of, compare_contracts, covered, text_of
from plantroom.crew_board import crew_places
from plantroom.month_board import MonthBoard
from plantroom.order_views import OrderReader
from plantroom.plan_board import planned_visits
from ticketing import repository, risk_rows
from ticketing.api import Sessions
from ticketing.at_stake import Subject, at_stake
from ticketing.contract_book import ContractBook
from ticketing.level import facts_about
from ticketing.order_clock import decide_clocks
from ticketing.order_terms import order_terms
from ticketing.penalty import Penalty
from ticketing.risk_rows import DueSpan
from ticketing.roster import Roll
from ticketing.tables import WorkOrderRow
from ticketing.terms import PenaltyPer
from ticketing.views import format_number
from ticketing.work_order import Change

HOUR = timedelta(hours=1)


class Judged(NamedTuple):
    """An order as its terms ask about it."""

    building_id: str
    asset_id: str
    rule_id: str
    kind: OrderKind
    severity: Severity


class Plant:
    """What the desk works with: the reader of orders knows clock, contracts and rules."""

    def __init__(self, sessions: Sessions, reader: OrderReader, roster: Roll) -> None:
        self.sessions, self.reader, self.roster = sessions, reader, roster

    @property
    def book(self) -> ContractBook:
        """The contracts."""
        return self.reader.book

    def registry(self) -> Registry:
        """The directory in force."""
        return self.reader.registry()

    def now(self) -> datetime:
        """Now, aware UTC."""
        return self.reader.clock.now()


class ContractDesk:
    """Implements the pages' `ManageDesk`."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._months = MonthBoard(plant.sessions, plant.reader.book, plant.registry, plant.now)

    def risks(self, buildings: Buildings, limit: int) -> RiskBoard:
        """By the deadlines that are kept; what each order shows is recomputed."""
        now = self._plant.now()
        tonight = _tonight(self._plant.registry(), buildings, now)
        edges = (now, now + HOUR, max(tonight, now + HOUR))
        names: tuple[RiskGroup, ...] = ("breached", "hour", "today", "later")
        first: dict[RiskGroup, Sequence[RiskView]] = {}
        with self._plant.sessions.reading() as session:
            counts = dict(zip(names, risk_rows.count_due(session, edges, buildings), strict=True))
            for name, from_at, until_at in zip(names, (None, *edges), (*edges, None), strict=True):
                span = DueSpan(from_at, until_at, buildings)
                first[name] = self._risks(session, risk_rows.first_due(session, span, limit) if counts[name] else ())
            counts["held"], rows = risk_rows.held_orders(session, buildings, limit)
            first["held"] = self._risks(session, rows)
        return RiskBoard(counts, first)

    def month(self, month: str, buildings: Buildings, language: str) -> MonthView:
        """Kept for a little while: a month is read out of everything that was alive in it."""
        return self._months.view(month, buildings, language)

    def workers(self, buildings: Buildings) -> Sequence[WorkerView]:
        """Everybody with an open order, and every technician of the roster."""
        now, roster = self._plant.now(), self._plant.roster()
        with self._plant.sessions.reading() as session:
            loads = {one.assignee: one for one in risk_rows.loads(session, now, buildings)}
            places = risk_rows.places(session, buildings)
        names = {person.name: person for person in roster.people.values()} | dict(roster.people)
        idle = [
            one.id for one in roster.people.values()
            if (one.skills or "technician" in one.roles) and one.id not in loads and one.name not in loads
        ]  # fmt: skip
        found = []
        for name in (*loads, *idle):
            load, place, person = loads.get(name), places.get(name), names.get(name)
            found.append(
                WorkerView(
                    name=name,
                    full_name=person.name if person is not None else "",
                    orders=load.orders if load else 0,
                    breached=load.breached if load else 0,
                    held=load.held if load else 0,
                    next_due_at=load.next_due_at if load else None,
                    place=place.building_id if place else "",
                    there=place.is_there if place else False,
                    since_at=place.arrived_at if place else None,
                    on_call=person is not None and roster.is_on_call(person.id, now),
                    on_shift=person.shift.is_open(now) if person is not None and person.shift is not None else None,
                    skills=sorted(person.skills) if person is not None else (),
                )
            )
        return sorted(found, key=lambda one: (one.name == "", -one.breached, -one.orders, one.name))

    def places(self, buildings: Buildings) -> Sequence[CrewPlace]:
        """By the orders of the tables."""
        people = self._plant.roster().people
        names = {one.name: one.name for one in people.values()} | {key: one.name for key, one in people.items()}
        with self._plant.sessions.reading() as session:
            return crew_places(session, self._seen(buildings), buildings, names, self._plant.now())

    def visits(self, first_on: date, until_on: date, buildings: Buildings) -> Sequence[VisitView]:
        """From the orders of the plan, and from the plan itself for what is to come."""
        with self._plant.sessions.reading() as session:
            return planned_visits(
                session, self._plant.book, self._seen(buildings), first_on, until_on, self._plant.now()
            )

    def contracts(self, buildings: Buildings) -> Sequence[ContractBrief]:
        """As loaded."""
        registry, now = self._seen(buildings), self._plant.now()
        return [brief_of(one, now) for one in self._plant.book.contracts if covered(one, registry, buildings)]

    def contract(self, contract_id: str, buildings: Buildings, language: str = "en") -> ContractText | None:
        """As loaded, in words."""
        registry = self._seen(buildings)
        found = next((one for one in self._plant.book.contracts if one.id == contract_id), None)
        if found is None or not covered(found, registry, buildings):
            return None
        return text_of(found, registry, self._plant.now(), language)

    def compare(self, one: str, other: str, since: date, buildings: Buildings) -> Compared | None:
        """Over what is in the tables."""
        known = {each.id: each for each in self._plant.book.contracts}
        registry = self._seen(buildings)
        if any(name not in known or not covered(known[name], registry, buildings) for name in (one, other)):
            return None
        with self._plant.sessions.reading() as session:
            return compare_contracts(session, known[one], known[other], since, registry, self._plant.now())

    def _seen(self, buildings: Buildings) -> Registry:
        registry = self._plant.registry()
        return registry if buildings is None else registry.within(buildings)

    def _risks(self, session: Session, rows: Sequence[WorkOrderRow]) -> list[RiskView]:
        views = self._plant.reader.views(session, rows)
        histories = repository.histories(session, [row.id for row in rows])
        found = []
        for row, view in zip(rows, views, strict=True):
            history = [repository.as_change(line) for line in histories.get(row.id, ())]
            costs = self._costs(row, history)
            money: dict[str, float] = {}
            for one in costs:
                money[one.currency] = money.get(one.currency, 0.0) + float(one.amount)
            terms = self._plant.book.revision(row.contract_id, row.contract_revision)
            per = {one.id: one.per for one in terms.terms.penalties.terms} if terms and terms.terms.penalties else {}
            found.append(
                RiskView(
                    view,
                    " + ".join(f"{amount:,.2f} {currency}" for currency, amount in sorted(money.items())),
                    ", ".join(dict.fromkeys(one.clause for one in costs if one.clause)),
                    any(per.get(one.term_id) is PenaltyPer.STARTED_HOUR for one in costs),
                )
            )
        return found

    def _costs(self, row: WorkOrderRow, history: Sequence[Change]) -> list[Penalty]:
        level = order_terms(self._plant.book, row, history)
        revision = self._plant.book.revision(row.contract_id, row.contract_revision)
        contract = next((one for one in self._plant.book.contracts if one.id == row.contract_id), None)
        if level is None or contract is None or revision is None or revision.terms.penalties is None:
            return []
        clocks = decide_clocks(level, row.opened_at, history, self._plant.now()).every()
        subject = Subject(row.id, format_number(row.number), level.id)
        facts = facts_about(
            Judged(row.building_id, row.asset_id, row.rule_id, OrderKind(row.kind), Severity(row.severity)),
            self._plant.registry(),
        )
        return at_stake(subject, clocks, facts, revision.terms.penalties, contract.zone)


def _tonight(registry: Registry, buildings: Buildings, now: datetime) -> datetime:
    """The end of today where the first of the buildings stands."""
    zone = next((one.zone for name, one in registry.buildings.items() if buildings is None or name in buildings), None)
    local = now.astimezone(zone)
    return (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
