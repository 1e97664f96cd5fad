"""Gathers what a backtest's page shows from its results, its history and its contract."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from dashboards.web.backtest_report import (
    AssetName,
    Assumption,
    BacktestReport,
    Compared,
    Covered,
    DayRow,
    FindingRow,
    Held,
    OrderRow,
    Ran,
    RuleRow,
    Tuned,
)
from facility.instant import from_us, to_us
from facility.registry import Registry
from plantroom import __version__
from plantroom.backtest import Backtest
from plantroom.backtest_contract import assume
from plantroom.backtest_history import History
from plantroom.backtest_plots import choose_plots, finish_plots
from plantroom.backtest_recorder import Coverage, record
from plantroom.order_cases import cases_of
from rules.rule_set import RuleSet
from ticketing.contract_book import ContractBook
from ticketing.views import FindingView, WorkOrderView

MOST_GAPS = 100
_FINDINGS = TypeAdapter(list[FindingView])
_ORDERS = TypeAdapter(list[WorkOrderView])


@dataclass(frozen=True, slots=True)
class Setting:
    """What a backtest ran with."""

    registry: Registry
    rule_set: RuleSet
    book: ContractBook
    attended: timedelta | None = None
    overrides: tuple[str, ...] = ()


def gather(
    setting: Setting,
    history: History,
    result: Backtest,
    *,
    tuned: Tuned | None = None,
    compared: Compared | None = None,
) -> BacktestReport:
    """The whole report. Reads the history once more for coverage and plots. Raises what reading it raises."""
    registry, rules = setting.registry, setting.rule_set.rules
    findings, orders = _FINDINGS.validate_python(result.findings), _ORDERS.validate_python(result.work_orders)
    from_us_, until_us = history.span or (0, 0)
    rows = [_finding_row(one, orders) for one in findings]
    order_rows = tuple(_order_row(one, setting.book) for one in orders)
    chosen = choose_plots(registry, rows, order_rows, from_us_, until_us)
    coverage = record(history.scans(), registry, [window for plot in chosen for window in plot.windows])
    named = {one.rule_id for one in rows} | {one.rule_id for one in order_rows} | _named(tuned, compared)
    shown = {one.asset_id for one in rows} | {plot.asset_id for plot in chosen} | {key[0] for key in coverage}
    return BacktestReport(
        ran=Ran(
            version=__version__,
            source=history.name,
            from_us=from_us_,
            until_us=until_us,
            digest=setting.rule_set.digest,
            rules=len(rules),
            own=tuple(name for name in setting.rule_set.files if not name.startswith("catalogue/")),
            contract="; ".join(f"{one.name or one.id} ({one.id})" for one in setting.book.contracts),
            attended_s=setting.attended.total_seconds() if setting.attended is not None else None,
            overrides=setting.overrides,
        ),
        held=_held(history, coverage, until_us - from_us_),
        assets=tuple(
            AssetName(asset.id, asset.name, registry.buildings[asset.building_id].zone.key)
            for asset in registry.assets.values()
            if asset.id in shown
        ),
        names={rule_id: dict(rules[rule_id].name) for rule_id in sorted(named) if rule_id in rules},
        findings=tuple(rows),
        rules=tuple(_rule_rows(setting, rows, order_rows, until_us)),
        days=tuple(_day_rows(registry, findings, orders)),
        orders=order_rows,
        assumptions=tuple(_assumptions(setting, orders, from_us(until_us))),
        plots=tuple(finish_plots(chosen)),
        tuned=tuned,
        compared=compared,
    )  # fmt: skip


def _named(tuned: Tuned | None, compared: Compared | None) -> set[str]:
    found = {tuned.rule_id} if tuned is not None else set()
    if compared is not None:
        found |= {one.rule_id for side in (*compared.findings_only, *compared.orders_only) for one in side}
    return found


def _held(history: History, coverage: Mapping[tuple[str, str], Coverage], span_us: int) -> Held:
    gone_us = sum(end - start for start, end in history.gaps)
    listened_us = max(span_us - gone_us, 1)
    gaps = sorted(history.gaps, key=lambda gap: gap[0] - gap[1])[:MOST_GAPS]
    points = tuple(
        Covered(asset_id, point, one.readings, one.bad, round(min(1.0, one.covered_us / listened_us), 4))
        for (asset_id, point), one in coverage.items()
    )
    readings = sum(one.readings for one in points)
    return Held(readings, history.scans_read, history.gap_count, tuple(gaps), tuple(history.lines()), points)


def _finding_row(one: FindingView, orders: Sequence[WorkOrderView]) -> FindingRow:
    about = dict.fromkeys(f"{each.asset_id}/{each.point}" for each in one.evidence if each.kind.value == "reading")
    number = next((order.number for order in orders if order.id == one.work_order_id), "")
    cleared_us = to_us(one.cleared_at) if one.cleared_at is not None else None
    return FindingRow(
        one.id, one.rule_id, one.asset_id, one.severity, to_us(one.onset_at), to_us(one.raised_at), cleared_us,
        one.suppressed_by is not None, number, tuple(about),
    )  # fmt: skip


def _order_row(one: WorkOrderView, book: ContractBook) -> OrderRow:
    level = book.level(one.contract_id, one.contract_revision, one.service_level)
    return OrderRow(
        number=one.number,
        rule_id=one.rule_id,
        asset_id=one.asset_id,
        severity=one.severity,
        priority=one.priority,
        level=one.service_level,
        clause=level.clause if level is not None and one.contract_id is not None else "",
        opened_us=to_us(one.opened_at),
        response_due_us=_us(one.response_due_at),
        resolution_due_us=_us(one.resolution_due_at),
        closed_us=_us(one.closed_at),
        findings=len(one.findings),
    )


def _rule_rows(
    setting: Setting, findings: Sequence[FindingRow], orders: Iterable[OrderRow], until_us: int
) -> Iterable[RuleRow]:
    """The rule with the most orders first."""
    opened = Counter(order.rule_id for order in orders)
    by_rule: dict[str, list[FindingRow]] = defaultdict(list)
    for one in findings:
        by_rule[one.rule_id].append(one)
    for rule_id, found in sorted(by_rule.items(), key=lambda item: (-opened[item[0]], -len(item[1]), item[0])):
        rule = setting.rule_set.rules[rule_id]
        active_us = sum((one.cleared_us or until_us) - one.raised_us for one in found)
        suppressed = sum(one.suppressed for one in found)
        yield RuleRow(rule_id, dict(rule.name), rule.kind, rule.severity, len(found), suppressed, opened[rule_id],
                      active_us)  # fmt: skip


def _day_rows(registry: Registry, findings: Iterable[FindingView], orders: Iterable[WorkOrderView]) -> Iterable[DayRow]:
    """Local days of the buildings, oldest first."""

    def day(at: datetime, building_id: str) -> str:
        building = registry.buildings.get(building_id)
        return f"{at.astimezone(building.zone if building is not None else ZoneInfo('UTC')).date()}"

    found = Counter(day(one.raised_at, one.building_id) for one in findings)
    opened = Counter(day(one.opened_at, one.building_id) for one in orders)
    return [DayRow(each, found[each], opened[each]) for each in sorted(found.keys() | opened.keys())]


def _assumptions(setting: Setting, orders: Sequence[WorkOrderView], now: datetime) -> Iterable[Assumption]:
    cases = cases_of(orders)
    for contract in setting.book.contracts:
        yield from assume(contract, cases, setting.registry, now, attended=setting.attended is not None)


def _us(at: datetime | None) -> int | None:
    return to_us(at) if at is not None else None
