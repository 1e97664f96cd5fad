"""Which orders of a period broke a promise, recomputed from their histories, and what that costs. Pure.

What is kept on an order (its deadlines as of the last decision) can only be too early, never too late: so it says for
most orders that nothing can have been broken, and only the rest is recomputed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple, Protocol

from facility.finding import OrderKind, Severity
from facility.registry import Registry
from ticketing.contract import ServiceLevel
from ticketing.contract_book import ContractBook
from ticketing.deadline import running_calendar
from ticketing.kpi_period import Period, period_of
from ticketing.level import LevelFacts, facts_about
from ticketing.order_clock import decide_clocks
from ticketing.order_terms import Pinned, order_terms
from ticketing.penalty import Breach, Corrective, Penalty, decide_correctives, decide_penalties, find_breaches
from ticketing.terms import CapPeriod, DeclaredKind
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


class Dues(NamedTuple):
    """The recomputed deadlines of an order."""

    response_at: datetime
    resolution_at: datetime


class Suspects(NamedTuple):
    """Orders that may have broken a promise. Of the `plain` ones, what is kept on them is exact; the history of the
    `others` has to be read."""

    plain: list[Dated]
    others: list[Dated]


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


def clocked_levels(book: ContractBook) -> frozenset[str]:
    """The levels that have clocks besides response and resolution: nothing kept on an order tells of those."""
    every = (level for contract in book.contracts for revision in contract.revisions for level in revision.every)
    return frozenset(level.id for level in every if level.clocks)


def hindered_contracts(book: ContractBook) -> frozenset[str]:
    """The contracts under which force majeure was declared: it moves deadlines whenever it is declared."""
    return frozenset(
        contract.id
        for contract in book.contracts
        if any(one.kind is DeclaredKind.FORCE_MAJEURE for one in contract.declared)
    )


def doubtful(book: ContractBook, orders: Iterable[Dated], now: datetime) -> list[Dated]:
    """The orders that may have broken a promise."""
    many = clocked_levels(book)
    return [one for one in orders if one.service_level in many or _late(one, now)]


def suspects(book: ContractBook, orders: Iterable[Dated], unsteady: frozenset[str]) -> Suspects:
    """Doubtful orders told apart. `unsteady` ones were held, reopened, or given another level."""
    many, majeure = clocked_levels(book), hindered_contracts(book)
    found = Suspects([], [])
    for one in orders:
        moved = one.id in unsteady or one.contract_id in majeure or one.planned_due_at is not None
        (found.others if moved or one.service_level in many else found.plain).append(one)
    return found


def judge(
    book: ContractBook,
    registry: Registry,
    doubtful: Suspects,
    histories: Mapping[str, Sequence[Change]],
    now: datetime,
) -> Broken:
    """What these orders broke as of `now` (aware UTC), and what it costs. `histories` are those of the others."""
    dues: dict[str, Dues] = {}
    found = list(_plain_breaches(book, registry, doubtful.plain, now))
    for order in doubtful.others:
        history = [line for line in histories.get(order.id, ()) if line.at <= now]
        level = order_terms(book, order, history)
        if level is None or not history:
            continue
        clocks = decide_clocks(level, order.opened_at, history, now)
        dues[order.id] = Dues(clocks.response.deadline.due_at, clocks.resolution.deadline.due_at)
        breaches = find_breaches(
            order.id, f"WO-{order.number:06d}", level.id, clocks.every(), facts_about(order, registry)
        )
        if order.contract_id is not None and order.contract_revision is not None:
            found += [_Found(order.contract_id, order.contract_revision, breach) for breach in breaches]
    return _priced(book, found, dues)


class _Found(NamedTuple):
    contract_id: str
    revision: int
    breach: Breach


def _plain_breaches(book: ContractBook, registry: Registry, orders: Iterable[Dated], now: datetime) -> Iterator[_Found]:
    """The breaches of orders that nothing ever paused: their deadlines are the ones that are kept."""
    levels: dict[tuple[str | None, int | None, str], ServiceLevel | None] = {}
    about: dict[tuple[str, str, str], LevelFacts] = {}
    for order in orders:
        pinned = order.contract_id, order.contract_revision, order.service_level
        if pinned not in levels:
            levels[pinned] = book.level(*pinned)
        level = levels[pinned]
        if level is None or order.contract_id is None or order.contract_revision is None:
            continue
        what = order.asset_id, order.rule_id, f"{order.kind}/{order.severity}/{order.building_id}"
        if what not in about:
            about[what] = facts_about(order, registry)
        resolved = order.completed_at or order.cancelled_at
        clocks = (
            ("response", level.response, order.response_due_at, order.arrived_at or resolved),
            ("resolution", level.resolution, order.resolution_due_at, resolved),
        )
        for name, promise, due_at, stopped_at in clocks:
            ended_at = stopped_at or now
            if due_at is not None and ended_at > due_at:
                over = running_calendar(promise.limit, level.calendar).elapsed(due_at, ended_at)
                number = f"WO-{order.number:06d}"
                breach = Breach(
                    order.id,
                    number,
                    level.id,
                    name,
                    level.clause,
                    due_at,
                    ended_at,
                    over,
                    waived=False,
                    facts=about[what],
                )
                yield _Found(order.contract_id, order.contract_revision, breach)


def _priced(book: ContractBook, found: list[_Found], dues: Mapping[str, Dues]) -> Broken:
    penalties: list[Penalty] = []
    correctives: list[Corrective] = []
    grouped: dict[tuple[str, int], list[Breach]] = {}
    for one in found:
        grouped.setdefault((one.contract_id, one.revision), []).append(one.breach)
    zones = {contract.id: contract.zone for contract in book.contracts}
    for (contract_id, number), breaches in sorted(grouped.items(), key=lambda item: item[0]):
        revision = book.revision(contract_id, number)
        terms = revision.terms.penalties if revision is not None else None
        if terms is not None:
            penalties += decide_penalties(breaches, terms, zones[contract_id])
            correctives += decide_correctives(breaches, terms, zones[contract_id])
    return Broken(tuple(penalties), tuple(correctives), tuple(one.breach for one in found), dues)


def _late(order: Dated, now: datetime) -> bool:
    resolved = order.completed_at or order.cancelled_at
    answered = order.arrived_at or resolved
    response, resolution = order.response_due_at, order.resolution_due_at
    return (response is not None and (answered or now) > response) or (
        resolution is not None and (resolved or now) > resolution
    )
