"""A month for the manager's page: figures by contract and building, breaches and penalties, over the last months.

A month is read out of everything that was alive in it, which takes a while: what was read is kept for a minute (a month
that is over: ten), by the wall clock of the program. For ten minutes more a page shows what is kept and has it read
again behind its back, so that only who comes after a long time waits.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import structlog

from dashboards.web.manage_view import Buildings, FigureRow, FigureView, MonthView, PenaltyView
from facility.clock import Clock, RealClock
from facility.errors import PermanentError, RetryableError
from facility.registry import Registry
from ticketing.api import Sessions
from ticketing.contract_book import ContractBook
from ticketing.kpi import DEFINITIONS, By, Definition, split
from ticketing.kpi_facts import Scope
from ticketing.kpi_period import Period, parse_period, period_of
from ticketing.kpi_read import Reading, read_period
from ticketing.penalty import Breach, Penalty
from ticketing.report_words import Words, is_missed, name_of, number, shown, unit_of, words_of

log = structlog.get_logger(__name__)
MONTHS = 6
KEPT, KEPT_OVER, STALE = timedelta(minutes=1), timedelta(minutes=10), timedelta(minutes=10)
_MOST_KEPT = 60
_BY_ID = {one.id: one for one in DEFINITIONS}
_TOP = ("faults", "response_compliance", "resolution_compliance", "preventive_compliance", "mean_response", "mttr",
        "first_time_fix", "repeat_share", "backlog", "backlog_overdue", "satisfaction", "complaints")  # fmt: skip
_OF_CONTRACT = ("response_compliance", "resolution_compliance", "preventive_compliance")
_BESIDE = ("response_compliance", "resolution_compliance", "satisfaction", "nps", "answer_rate", "complaints",
           "repeat_share")  # fmt: skip


class MonthBoard:
    """Months as the manager's page shows them. May be called from several threads."""

    def __init__(
        self, sessions: Sessions, book: ContractBook, registry: Callable[[], Registry], now: Callable[[], datetime],
        wall: Clock | None = None, later: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:  # fmt: skip
        self._sessions, self._book, self._registry, self._now = sessions, book, registry, now
        self._wall, self._later = wall or RealClock(), later or _behind
        self._renewed: set[str] = set()
        self._kept: dict[str, tuple[datetime, Reading]] = {}
        self._views: dict[tuple[str, Buildings, str], tuple[list[Reading], MonthView]] = {}
        self._lock = threading.Lock()

    def view(self, month: str, buildings: Buildings, language: str) -> MonthView:
        """A month; empty for this one. Raises PermanentError for one that is none."""
        period, words = self._period(month), words_of(language)
        months = [period]
        while len(months) < MONTHS:
            months.append(months[-1].before)
        readings = {one: self._read(one) for one in months}
        key, read = (str(period), buildings, words.lang), list(readings.values())
        shown = self._views.get(key)
        if shown is not None and all(one is other for one, other in zip(shown[0], read, strict=True)):
            return shown[1]
        view = self._view(period, months, readings, buildings, words)
        if len(self._views) >= _MOST_KEPT:
            self._views.clear()
        self._views[key] = (read, view)
        return view

    def _view(
        self, period: Period, months: list[Period], readings: Mapping[Period, Reading], buildings: Buildings,
        words: Words,
    ) -> MonthView:  # fmt: skip
        scopes = {one: _within(reading.scope, buildings) for one, reading in readings.items()}
        reading, scope = readings[period], scopes[period]
        penalties = [one for one in reading.penalties if buildings is None or one.breach.facts.building_id in buildings]
        breaches = [one for one in reading.breaches if buildings is None or one.facts.building_id in buildings]
        names = {building.id: building.name for building in self._registry().buildings.values()}
        groups = split(scope, By.BUILDING)
        return MonthView(
            month=str(period),
            months=[str(one) for one in months],
            figures=_figures(scope, _TOP, words),
            contracts=[
                (contract.id, contract.name, rows)
                for contract in self._book.contracts
                if any(rows := [
                    FigureRow(str(one), str(one), _figures(_of_contract(scopes[one], contract.id), _OF_CONTRACT, words))
                    for one in months
                ]) and any(figure.base for row in rows for figure in row.figures)
            ],
            buildings=[
                FigureRow(name, names[name], _figures(groups[name], _BESIDE, words)) for name in names if name in groups
            ],
            penalties=_broken(breaches, penalties, scope),
            total=_total(penalties),
            correctives=[(one.month, one.breaches) for one in reading.correctives] if buildings is None else [],
            is_running=reading.until_at > self._now(),
        )  # fmt: skip

    def _period(self, month: str) -> Period:
        zone = next((contract.zone for contract in self._book.contracts), None)
        today = self._now().astimezone(zone).date()
        try:
            period = parse_period(month) if month else period_of(today, 1)
        except ValueError as error:
            raise PermanentError(str(error)) from error
        if period.months != 1 or period.first_on > today or period.first_on.year < 2000:
            msg = f"{month!r} is no month up to this one; write it as {today:%Y-%m}"
            raise PermanentError(msg)
        return period

    def _read(self, period: Period) -> Reading:
        """What is kept while it is fresh; a little longer while it is read again; else read now."""
        name, wall = str(period), self._wall.now()
        kept = self._kept.get(name)
        if kept is not None and kept[1].scope.now <= self._now():
            if wall >= kept[0] and wall < kept[0] + STALE and name not in self._renewed:
                self._renewed.add(name)
                self._later(lambda: self._renew(period))
            if wall < kept[0] + STALE:
                return kept[1]
        return self._read_now(period, wall)

    def _renew(self, period: Period) -> None:
        try:
            self._read_now(period, self._wall.now())
        except RetryableError as error:  # what is kept stays; the next page asks again
            log.warning("a month could not be read again", month=str(period), reason=str(error))
        finally:
            self._renewed.discard(str(period))

    def _read_now(self, period: Period, asked: datetime) -> Reading:
        """Read, one at a time; what another has read since it was asked for is taken."""
        name = str(period)
        with self._lock:
            kept, now = self._kept.get(name), self._now()
            if kept is not None and asked < kept[0] and kept[1].scope.now <= now:
                return kept[1]
            with self._sessions.reading() as session:
                reading = read_period(session, self._book, self._registry(), period, now)
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[name] = (self._wall.now() + (KEPT_OVER if reading.until_at < now else KEPT), reading)
            return reading


def _behind(act: Callable[[], None]) -> None:
    threading.Thread(target=act, name="months", daemon=True).start()


def _within(scope: Scope, buildings: Buildings) -> Scope:
    if buildings is None:
        return scope
    return replace(
        scope,
        orders=tuple(one for one in scope.orders if one.building_id in buildings),
        waiting=tuple(one for one in scope.waiting if one.building_id in buildings),
        assets=tuple(one for one in scope.assets if one.building_id in buildings),
        complaints=tuple(one for one in scope.complaints if one.building_id in buildings),
        surveys=tuple(one for one in scope.surveys if one.building_id in buildings),
        costs=tuple(one for one in scope.costs if one.building_id in buildings),
        penalties=tuple(one for one in scope.penalties if one.building_id in buildings),
    )


def _of_contract(scope: Scope, contract_id: str) -> Scope:
    return replace(scope, orders=tuple(one for one in scope.orders if one.contract_id == contract_id))


def _figures(scope: Scope, names: Iterable[str], words: Words) -> list[FigureView]:
    return [_figure(_BY_ID[name], scope, words) for name in names]


def _figure(one: Definition, scope: Scope, words: Words) -> FigureView:
    figure = one.compute(scope)
    target = f"{number(one.target)} {unit_of(one, words)}".strip() if one.target is not None else ""
    return FigureView(
        one.id, name_of(one, words), shown(one, figure, words), target, is_missed(one, figure), figure.base
    )


def _broken(breaches: Iterable[Breach], penalties: Iterable[Penalty], scope: Scope) -> list[PenaltyView]:
    """What costs most first, then the breaches that cost nothing, the longest first."""
    assets = {order.id: order.asset_id for order in scope.orders}
    priced = sorted(penalties, key=lambda one: (-one.amount, -one.breach.over))
    found = [_view(one.breach, assets, one) for one in priced]
    known = {(one.breach.order_id, one.breach.clock) for one in priced}
    free = sorted((one for one in breaches if (one.order_id, one.clock) not in known), key=lambda one: -one.over)
    return [*found, *(_view(one, assets, None) for one in free)]


def _view(breach: Breach, assets: Mapping[str, str], cost: Penalty | None) -> PenaltyView:
    capped = cost is not None and cost.uncapped != cost.amount and not breach.waived
    return PenaltyView(
        order_id=breach.order_id,
        number=breach.number,
        asset_id=assets.get(breach.order_id, ""),
        clock=breach.clock,
        clause=cost.clause if cost is not None else breach.clause,
        due_at=breach.due_at,
        over=breach.over,
        amount=_money(cost.amount, cost.currency) if cost is not None else "",
        was=_money(cost.uncapped, cost.currency) if cost is not None and capped else "",
        waived=breach.waived,
    )


def _total(penalties: Iterable[Penalty]) -> str:
    money: dict[str, Decimal] = {}
    for one in penalties:
        money[one.currency] = money.get(one.currency, Decimal(0)) + one.amount
    return ", ".join(_money(amount, currency) for currency, amount in sorted(money.items()))


def _money(amount: Decimal, currency: str) -> str:
    return f"{amount:,.2f} {currency}"
