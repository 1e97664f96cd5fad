"""Which orders of a period broke a promise, recomputed from their histories, and what that costs. Pure.

What is kept on an order (its deadlines as of the last decision) can only be too early, never too late: so it says for
most orders that nothing can have been broken, and only the rest is recomputed.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple, Protocol, TypeVar

from facility.finding import OrderKind, Severity
from facility.registry import Registry
from ticketing.contract_book import ContractBook
from ticketing.kpi_period import Period, period_of
from ticketing.level import BUILT_IN_LEVEL, facts_about
from ticketing.order_clock import decide_clocks
from ticketing.order_terms import Pinned, order_terms
from ticketing.penalty import Breach, Corrective, Penalty, decide_correctives, decide_penalties, find_breaches
from ticketing.terms import CapPeriod
from ticketing.work_order import Change

_MONTHS = {CapPeriod.MONTH: 1, CapPeriod.QUARTER: 3, CapPeriod.YEAR: 12}


class Dated(Pinned, Protocol):
    """An order with its dates."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def number(self) -> int:
        """Its number."""

    @property
    def rule_id(self) -> str:
        """What found it."""

    @property
    def kind(self) -> OrderKind:
        """Fault or preventive."""

    @property
    def severity(self) -> Severity:
        """How bad."""

    @property
    def response_due_at(self) -> datetime | None:
        """As kept."""

    @property
    def resolution_due_at(self) -> datetime | None:
        """As kept."""

    @property
    def arrived_at(self) -> datetime | None:
        """First arrival."""

    @property
    def completed_at(self) -> datetime | None:
        """Last completion."""

    @property
    def cancelled_at(self) -> datetime | None:
        """When it was cancelled."""


Order = TypeVar("Order", bound=Dated)


class Dues(NamedTuple):
    """The recomputed deadlines of an order."""

    response_at: datetime
    resolution_at: datetime


class Broken(NamedTuple):
    """The penalties and corrective actions, the breaches, and the deadlines of every order that was recomputed."""

    penalties: tuple[Penalty, ...]
    correctives: tuple[Corrective, ...]
    breaches: tuple[Breach, ...]
    dues: Mapping[str, Dues]


def since(book: ContractBook, period: Period) -> date:
    """The local day from which breaches have to be known: a cap of a year is filled from January on."""
    terms = (revision.terms.penalties for contract in book.contracts for revision in contract.revisions)
    months = max((_MONTHS[one.cap_period] for one in terms if one is not None and one.cap is not None), default=1)
    return min(period_of(period.first_on, months).first_on, period.first_on)


def suspects(book: ContractBook, orders: Iterable[Order], now: datetime) -> list[Order]:
    """The orders that may have broken a promise."""
    many = {
        (contract.id, revision.number, level.id)
        for contract in book.contracts
        for revision in contract.revisions
        for level in revision.every
        if level.clocks
    }
    return [
        one for one in orders if (one.contract_id, one.contract_revision, one.service_level) in many or _late(one, now)
    ]


def judge(
    book: ContractBook,
    registry: Registry,
    orders: Iterable[Dated],
    histories: Mapping[str, Sequence[Change]],
    now: datetime,
) -> Broken:
    """What these orders broke as of `now` (aware UTC), and what it costs."""
    dues: dict[str, Dues] = {}
    found: list[tuple[str, int, Breach]] = []
    for order in orders:
        history = [line for line in histories.get(order.id, ()) if line.at <= now]
        level = order_terms(book, order, history)
        if level is None or not history:
            continue
        clocks = decide_clocks(level, order.opened_at, history, now)
        dues[order.id] = Dues(clocks.response.deadline.due_at, clocks.resolution.deadline.due_at)
        breaches = find_breaches(
            order.id, f"WO-{order.number:06d}", level.id, clocks.every(), facts_about(order, registry)
        )
        if level.id != BUILT_IN_LEVEL and order.contract_id is not None and order.contract_revision is not None:
            found += [(order.contract_id, order.contract_revision, breach) for breach in breaches]
    return _priced(book, found, dues)


def _priced(book: ContractBook, found: list[tuple[str, int, Breach]], dues: Mapping[str, Dues]) -> Broken:
    penalties: list[Penalty] = []
    correctives: list[Corrective] = []
    in_order = sorted(found, key=lambda one: (one[0], one[1]))
    zones = {contract.id: contract.zone for contract in book.contracts}
    for (contract_id, number), group in groupby(in_order, key=lambda one: (one[0], one[1])):
        revision = book.revision(contract_id, number)
        terms = revision.terms.penalties if revision is not None else None
        if terms is not None:
            breaches = [breach for _, _, breach in group]
            penalties += decide_penalties(breaches, terms, zones[contract_id])
            correctives += decide_correctives(breaches, terms, zones[contract_id])
    return Broken(tuple(penalties), tuple(correctives), tuple(breach for _, _, breach in found), dues)


def _late(order: Dated, now: datetime) -> bool:
    resolved = order.completed_at or order.cancelled_at
    answered = order.arrived_at or resolved
    response, resolution = order.response_due_at, order.resolution_due_at
    return (response is not None and (answered or now) > response) or (
        resolution is not None and (resolved or now) > resolution
    )
