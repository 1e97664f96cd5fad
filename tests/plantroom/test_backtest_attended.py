"""The orders of a backtest are worked on: closed when the readings recovered, opened anew when the fault comes back."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from facility.instant import SECOND_US, parse_instant, to_us
from facility.reading import PointValue, Scan
from facility.registry import Registry
from facility.site_file import parse_site
from plantroom.backtest import run_backtest
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract

SITE = """\
site: {id: s, zone: UTC}
buildings:
  - id: b
    assets: [{id: tank, class: tank, points: [tank_level]}]
"""
RULES = """\
rules:
  - {id: high, class: tank, name: {en: High}, severity: high, advice: Look, when: tank_level > 95}
"""
CONTRACT = """\
contract: {id: c, sites: [s], zone: UTC}
revisions:
  - revision: 1
    effective_at: "2026-01-01"
    calendars: {always: {hours: always}}
    default_level: {clause: "1", priority: 1, calendar: always, response: 30 min, resolution: 2 h}
"""
MINUTE_US = 60 * SECOND_US
START_US = to_us(parse_instant("2026-03-02T00:00:00Z"))


def scans(high: Iterable[tuple[int, int]], minutes: int) -> Iterator[Scan]:
    """A reading a minute: too high in each `(from, until)`, in minutes."""
    spans = list(high)
    for minute in range(minutes):
        level = 99.0 if any(first <= minute < last for first, last in spans) else 94.0
        yield Scan("tank", START_US + minute * MINUTE_US, complete=True, values=(PointValue("tank_level", level),))


def orders(
    high: Iterable[tuple[int, int]], minutes: int, attended: timedelta | None, contract: str = CONTRACT
) -> list[dict[str, Any]]:
    """The orders that would have been."""
    registry = Registry.merge([parse_site(SITE, "site.yaml")])
    book = ContractBook([parse_contract(contract, "contract.yaml")])
    found = run_backtest(
        scans(high, minutes), registry, {"site.yaml": SITE}, {"rules.yaml": RULES}, book, attended=attended
    )
    return found.work_orders


def minute(text: str) -> float:
    """Minutes from the start."""
    return (to_us(datetime.fromisoformat(text)) - START_US) / MINUTE_US


HOUR = timedelta(hours=1)


def test_an_order_is_closed_an_hour_after_recovery_and_the_next_fault_opens_another() -> None:
    first, second = orders([(10, 20), (200, 300)], 500, HOUR)
    assert [first["status"], second["status"]] == ["closed", "closed"]
    assert [minute(first["opened_at"]), minute(second["opened_at"])] == [10, 200]
    assert [minute(first["closed_at"]), minute(second["closed_at"])] == [80, 360]


def test_a_fault_that_comes_back_within_the_hour_joins_its_order() -> None:
    (only,) = orders([(10, 20), (70, 75), (100, 110)], 400, HOUR)
    assert minute(only["closed_at"]) == 170
    assert len(only["findings"]) == 3


def test_unattended_the_first_order_takes_in_everything() -> None:
    (only,) = orders([(10, 20), (200, 300)], 500, None)
    assert (only["status"], len(only["findings"])) == ("open", 2)


def test_somebody_comes_by_the_response_deadline_and_resolution_is_what_the_readings_say() -> None:
    (order,) = orders([(10, 200)], 400, HOUR)
    assert minute(order["arrived_at"]) == 40
    assert minute(order["completed_at"]) == 260
    assert order["arrived_at"] <= order["response_due_at"]
    assert order["completed_at"] > order["resolution_due_at"]


def test_an_order_whose_fault_has_not_cleared_stays_open() -> None:
    (order,) = orders([(10, 400)], 400, HOUR)
    assert order["status"] == "arrived"


def test_an_order_whose_hour_is_not_over_stays_open_at_the_end() -> None:
    (order,) = orders([(10, 350)], 400, HOUR)
    assert order["status"] == "arrived"


def test_a_repeat_inside_the_contracts_window_reopens_the_order() -> None:
    contract = CONTRACT.replace("resolution: 2 h}", "resolution: 2 h, repeat_window: 7 d}")
    (order,) = orders([(10, 20), (200, 210)], 500, HOUR, contract)
    assert order["status"] == "closed"
    assert minute(order["closed_at"]) == 270


@pytest.mark.parametrize("window", [timedelta(0), timedelta(minutes=7), timedelta(hours=3)])
def test_every_finding_is_in_one_order_whatever_the_window(window: timedelta) -> None:
    high = [(10 * n, 10 * n + 5) for n in range(1, 20)] + [(300, 500)]
    members = [finding for order in orders(high, 600, window) for finding in order["findings"]]
    assert len(members) == len(set(members)) == 20
