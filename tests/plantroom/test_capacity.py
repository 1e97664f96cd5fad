"""The forecast of sizes against what the journal and the store really take, and what the command says."""

import json
import random
from pathlib import Path

import pytest
from commanding import Commands

from facility.reading import Heartbeat, PointValue, Scan
from ingest.journal import JournalReader, JournalWriter
from ingest.stores.base import readings_of
from ingest.stores.keeping import Keep
from ingest.stores.parquet import ParquetStore
from plantroom.capacity import MONTH_DAYS, Plan, forecast

ASSETS, POINTS, MINUTES, SECOND_US = 24, 5, 60, 1_000_000
T0 = 20_000 * 86_400 * SECOND_US
NAMES = ("supply_air_temperature", "return_air_temperature", "mixed_air_temperature", "water_flow", "water_pressure")


def plan(**changes: object) -> Plan:
    values: dict[str, object] = {
        "points": 1_000, "cadence_s": 60.0, "months": 12.0, "per_message": 5.0, "orders_a_month": 20.0,
        "keep": Keep(400, 1_200, 0), "journal_keep_hours": 336.0, "journal_max_bytes": 20e9,
    }  # fmt: skip
    return Plan(**(values | changes))  # type: ignore[arg-type]  # the fields' own types


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour of 120 points at one minute, as ingest and the store's follower write it: each scan a commit of its own,
    a heartbeat a minute instead of every second (that part is added up below)."""
    folder, rng = tmp_path_factory.mktemp("hour"), random.Random(3)
    store = ParquetStore(folder / "readings", part_readings=1_000)
    with JournalWriter(folder / "journal") as journal:
        for minute in range(MINUTES):
            journal.append(T0 + minute * 60 * SECOND_US, [Heartbeat(T0 + minute * 60 * SECOND_US)])
            for asset in range(ASSETS):
                at_us = T0 + (minute * 60 + asset) * SECOND_US
                values = tuple(PointValue(name, round(rng.gauss(20, 2), 1)) for name in NAMES)
                journal.append(at_us, [Scan(f"ahu-{asset}", at_us, complete=True, values=values)])
    with JournalReader(folder / "journal") as reader:
        commits = reader.read(0, 10_000)
        store.write(1, commits[-1].seq, readings_of(commits))
    store.close()
    return folder


def test_the_forecast_is_what_an_hour_really_takes_within_a_factor_of_two(hour: Path) -> None:
    found = forecast(plan(points=ASSETS * POINTS, months=1 / 24 / MONTH_DAYS, orders_a_month=0))
    journal = sum(path.stat().st_size for path in (hour / "journal").glob("*.sqlite"))
    beats = 3_600 * 45.0 - MINUTES * 45.0  # the heartbeats that the fixture left out
    assert found.journal_bytes / 2 < journal + beats < found.journal_bytes * 2
    readings = sum(path.stat().st_size for path in (hour / "readings").rglob("*.parquet"))
    overhead = 15_000  # what a part costs whatever is in it: an hour is little, a month is not
    assert abs(readings - found.store_bytes) < found.store_bytes + overhead
    assert found.store_rows == pytest.approx(ASSETS * POINTS * MINUTES)


def test_older_readings_cost_less_as_the_settings_say() -> None:
    short = forecast(plan(months=60, keep=Keep(30, 365, 0)))
    long = forecast(plan(months=60, keep=Keep(0, 0, 0)))
    days = 60 * MONTH_DAYS
    assert long.store_rows == pytest.approx(1_000 / 60 * days * 86_400)
    a_day = 1_000 * 1_440
    expected = a_day * 30 + a_day / 5 * 335 + a_day / 60 * (days - 365)
    assert short.store_rows == pytest.approx(expected)
    assert short.store_bytes < long.store_bytes
    gone = forecast(plan(months=60, keep=Keep(30, 365, 400)))
    assert gone.store_rows == pytest.approx(a_day * 30 + a_day / 5 * 335 + a_day / 60 * 35)


def test_a_slow_point_is_not_thinned_to_more_than_it_said() -> None:
    found = forecast(plan(cadence_s=3_600.0, months=24, keep=Keep(30, 365, 0)))
    assert found.store_rows == pytest.approx(1_000 / 3_600 * 24 * MONTH_DAYS * 86_400)


def test_a_cap_that_is_too_small_is_said() -> None:
    found = forecast(plan(points=60_000, journal_max_bytes=5e9))
    assert found.journal_bytes == 5e9
    assert found.journal_hours < 336
    assert any("PLANTROOM_JOURNAL_MAX_GB" in warning for warning in found.warnings)
    assert forecast(plan()).warnings == ()


def test_the_disk_to_buy_holds_it_with_half_as_much_again() -> None:
    for points in (100, 1_000, 20_000):
        found = forecast(plan(points=points, months=120))
        assert found.disk_bytes >= found.total_bytes * 1.5 + 10e9
    assert forecast(plan(points=100)).disk_bytes == 16e9


def test_the_command_prints_a_table_or_json(plantroom: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = plantroom("capacity", "--points", "1000", "--cadence", "60 s", "--months", "12")
    assert answer.code == 0, answer.err
    for word in ("16.7 /s", "journal", "database", "disk to buy", "memory"):
        assert word in answer.out
    found = json.loads(plantroom("capacity", "--points", "1000", "--json").out)
    assert found["readings_a_second"] == pytest.approx(1_000 / 60)
    monkeypatch.setenv("PLANTROOM_READINGS_RAW_DAYS", "30")
    shorter = json.loads(plantroom("capacity", "--points", "1000", "--json").out)
    assert shorter["store_rows"] < found["store_rows"]


@pytest.mark.parametrize("words", [("--cadence", "often"), ("--points", "0"), ("--months", "-1")])
def test_what_cannot_be_is_refused_with_an_example(words: tuple[str, str], plantroom: Commands) -> None:
    given = {"--points": "1000"} | {words[0]: words[1]}
    answer = plantroom("capacity", *(part for pair in given.items() for part in pair))
    assert answer.code == 2
    assert "Such as --points 1000" in answer.err
