"""Judging by several processes, an asset each, and explaining over the building afterwards: as one engine would."""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from facility.instant import SECOND_US, parse_instant, to_us
from facility.reading import ParameterOverridden, PointValue, Quality, Scan
from facility.registry import Registry
from facility.site_file import parse_site
from plantroom.backtest import Backtest, run_backtest
from ticketing.contract_book import ContractBook

SITE = """\
site: {id: s, zone: UTC}
buildings:
  - id: b
    assets:
      - {id: chiller, class: chiller, feeds: [unit-1, unit-2], points: [run_status, chilled_water_supply_temperature]}
      - id: unit-1
        class: ahu
        points: [supply_air_temperature, supply_fan_status]
        borrows: {chilled_water_supply_temperature: {asset: chiller}}
      - {id: unit-2, class: ahu, points: [supply_air_temperature, supply_fan_status]}
      - {id: room, class: vav, parent: unit-1, points: [zone_air_temperature]}
  - {id: other, assets: [{id: tank, class: tank, points: [tank_level]}]}
"""
RULES = """\
rules:
  - {id: chiller-off, class: chiller, name: {en: Off}, severity: high, advice: Look,
     when: run_status == 0, for: 2 min, forgive: 1 min,
     suppresses: [warm, room-warm], downstream: true, release: 20 min}
  - {id: warm, class: ahu, name: {en: Warm}, severity: low, advice: Look, parameters: {limit: {value: 24, unit: degC}},
     when: 'supply_fan_status == 1 and mean(supply_air_temperature, "5 min") > limit', for: 3 min, clear_for: 2 min}
  - {id: cold-water, class: ahu, name: {en: Water}, severity: low, advice: Look,
     when: chilled_water_supply_temperature < 6 and supply_fan_status == 1}
  - {id: room-warm, class: vav, name: {en: Room}, severity: low, advice: Look, when: zone_air_temperature > 26,
     for: 4 min, suppresses: [silent-one]}
  - {id: silent-one, class: any, name: {en: Silent}, severity: low, advice: Look, when: 'silent("10 min")'}
  - {id: full, class: tank, name: {en: Full}, severity: low, advice: Look, when: tank_level > 95}
  - {id: stays, class: ahu, name: {en: Stays}, severity: low, advice: Look, when: supply_air_temperature > 27,
     for: 2 min, latch: true}
  - {id: flutters, class: vav, name: {en: Flutters}, severity: low, advice: Look, when: zone_air_temperature > 28,
     flapping: {times: 2, within: 3 h}}
"""
POINTS = {
    "chiller": {"run_status": (0, 1), "chilled_water_supply_temperature": (5, 7)},
    "unit-1": {"supply_air_temperature": (20, 28), "supply_fan_status": (0, 1)},
    "unit-2": {"supply_air_temperature": (20, 28), "supply_fan_status": (0, 1)},
    "room": {"zone_air_temperature": (22, 29)},
    "tank": {"tank_level": (80, 99)},
}
START_US = to_us(parse_instant("2026-03-02T00:00:00Z"))


def scans(seed: int) -> Iterator[Scan]:
    """Seven hours of states that hold for a while, with silences, a gap for all, late and bad readings."""
    rng = random.Random(seed)
    held: dict[tuple[str, str], float] = {}
    away: dict[str, int] = {}
    for minute in range(420):
        if 200 <= minute < 230:
            continue
        for asset_id, points in POINTS.items():
            if rng.random() < 0.004:
                away[asset_id] = minute + rng.randrange(30)
            if away.get(asset_id, -1) >= minute:
                continue
            values = []
            for name, (low, high) in points.items():
                if (asset_id, name) not in held or rng.random() < 0.04:
                    held[asset_id, name] = float(rng.choice((low, high)))
                quality = Quality.OUT_OF_RANGE if rng.random() < 0.005 else Quality.GOOD
                values.append(PointValue(name, held[asset_id, name], quality))
            late_us = 300 * SECOND_US if rng.random() < 0.003 else 0
            at_us = START_US + minute * 60 * SECOND_US + rng.randrange(2) * SECOND_US - late_us
            yield Scan(asset_id, at_us, complete=True, values=tuple(values))


def backtest(seed: int, workers: int, attended: timedelta | None) -> Backtest:
    """What would have been."""
    registry = Registry.merge([parse_site(SITE, "site.yaml")])
    return run_backtest(
        scans(seed), registry, {"site.yaml": SITE}, {"rules.yaml": RULES}, ContractBook(), attended=attended,
        workers=workers, overrides=[ParameterOverridden("o", 0, "warm", "limit", "unit-2", 27.0)],
    )  # fmt: skip


@pytest.mark.parametrize(("seed", "workers", "attended"), [(1, 1, None), (2, 3, timedelta(hours=1))])
def test_parts_find_and_order_what_one_engine_does(seed: int, workers: int, attended: timedelta | None) -> None:
    alone = backtest(seed, 0, attended)
    rules = {finding["rule_id"] for finding in alone.findings}
    assert rules == {"chiller-off", "warm", "cold-water", "room-warm", "silent-one", "full", "stays", "flutters"}
    for fate in ("suppressed_by", "latched", "flapping"):
        assert any(finding[fate] for finding in alone.findings), fate
    together = backtest(seed, workers, attended)
    assert together.findings == alone.findings
    assert [_without_ids(order) for order in together.work_orders] == [
        _without_ids(order) for order in alone.work_orders
    ]


def _without_ids(order: dict[str, Any]) -> dict[str, Any]:
    """An order's id is drawn anew in every run."""
    return {name: value for name, value in order.items() if name != "id"}
