"""A backtest over a store finds what the same readings found as a CSV; over a running program's folder too."""

import math
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from facility.errors import InputError
from facility.instant import to_us
from facility.reading import PointValue, Reading, Scan
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.journal import JournalWriter
from ingest.stores.base import SeriesStore
from ingest.stores.cursor import CursorFile
from ingest.stores.parquet import ParquetStore
from plantroom.backtest import Backtest
from plantroom.backtest_history import History, StoreHistory, StoreSource
from plantroom.backtest_trial import Trial, csv_history, store_history
from plantroom.plant_files import load_rule_files
from ticketing.contract_book import ContractBook

SITE = """\
site: {id: s, zone: UTC}
buildings:
  - id: b
    assets:
      - {id: tank, class: tank, points: {tank_level: {cadence: 60 s}}}
      - id: unit
        class: ahu
        points: {supply_air_temperature: {cadence: 60 s}, cooling_valve_command: {cadence: 60 s},
                 heating_valve_command: {cadence: 60 s}, supply_fan_status: {cadence: 60 s},
                 mixed_air_temperature: {cadence: 60 s}}
"""
MAP = """\
time: {column: time}
columns:
  level: {asset: tank, point: tank_level}
  sat: {asset: unit, point: supply_air_temperature}
  mat: {asset: unit, point: mixed_air_temperature}
  cool: {asset: unit, point: cooling_valve_command}
  heat: {asset: unit, point: heating_valve_command}
  fan: {asset: unit, point: supply_fan_status}
"""
START = datetime(2026, 3, 1, 22, tzinfo=UTC)
MINUTE_US = 60_000_000
"""So that midnight, where a Parquet store begins another part, lies inside."""


@pytest.fixture
def registry() -> Registry:
    return Registry.merge([parse_site(SITE, "site.yaml")])


def rows() -> list[str]:
    """Seven hours: a tank runs over, and air warms with its valve shut; a silence, a gap and readings out of range."""
    found = []
    for minute in range(420):
        if 200 <= minute < 240:
            continue
        level = "" if 100 <= minute < 115 else f"{min(99.5, 80 + minute / 10):.2f}" if minute % 50 else "180"
        warm = 22 + 6 * (minute > 120) + math.sin(minute / 7) / 4
        at = (START + timedelta(minutes=minute)).isoformat()
        found.append(f"{at},{level},{warm:.3f},{18 + math.sin(minute / 9):.3f},0,0,1")
    return found


def write(folder: Path) -> Path:
    path = folder / "readings.csv"
    path.write_text("\n".join(["time,level,sat,mat,cool,heat,fan", *rows()]) + "\n", encoding="utf-8")
    (folder / "map.yaml").write_text(MAP, encoding="utf-8")
    return path


def run(history: History, registry: Registry) -> Backtest:
    return Trial(
        registry, {"site.yaml": SITE}, history, ContractBook(), Console(quiet=True), timedelta(hours=1)
    ).run(load_rule_files(None))  # fmt: skip


def readings(scans: list[Scan]) -> list[Reading]:
    """As ingest would have kept them."""
    return [Reading(scan.asset_id, item.point, scan.at_us, item.value, item.quality) for scan in scans
            for item in scan.values]  # fmt: skip


def check(store: SeriesStore, again: Callable[[Registry], History], registry: Registry, folder: Path) -> None:
    """The readings of the file, put into the store in three pieces, give the file's findings and orders."""
    csv = csv_history(write(folder), folder / "map.yaml", registry)
    expected = run(csv, registry)
    assert {"tank-overflowing", "ahu-heating-valve-leak"} <= {one["rule_id"] for one in expected.findings}
    kept = readings(list(csv.scans()))
    for index, start in enumerate(range(0, len(kept), 900)):
        store.write(index + 1, index + 1, kept[start : start + 900])
    store.flush()
    history = again(registry)
    found = run(history, registry)
    assert found.findings == expected.findings
    assert [one["cause_key"] for one in found.work_orders] == [one["cause_key"] for one in expected.work_orders]
    assert history.span == csv.span
    assert list(history.gaps) == list(csv.gaps)


def test_a_parquet_store_gives_the_findings_of_the_file(registry: Registry, tmp_path: Path) -> None:
    store = ParquetStore(tmp_path / "var" / "readings")
    check(store, lambda registry: store_history(str(tmp_path / "var"), registry, None, None), registry, tmp_path)
    until_us = to_us(START + timedelta(hours=1))
    part = store_history(str(tmp_path / "var"), registry, None, until_us)
    assert max(scan.at_us for scan in part.scans()) == until_us - 60_000_000


def test_what_the_program_has_not_written_yet_is_read_from_its_journal(registry: Registry, tmp_path: Path) -> None:
    """The store's memory is another process's; it flushes every five minutes."""
    var, start_us = tmp_path / "var", to_us(START)
    store = ParquetStore(var / "readings")
    with closing(JournalWriter(var / "journal")) as writer:

        def arrive(minute: int, level: float) -> None:
            scan = Scan("tank", start_us + minute * MINUTE_US, complete=True, values=(PointValue("tank_level", level),))
            seq = writer.append(scan.at_us, [scan, Scan("unknown", scan.at_us, complete=True, values=scan.values)])
            store.write(seq, seq, readings([scan]))

        def levels() -> list[float | str]:
            history = store_history(str(var), registry, None, start_us + 4 * MINUTE_US)
            found = [item.value for scan in history.scans() for item in scan.values]
            assert not any("missing" in line for line in history.lines())
            return found

        arrive(0, 10.0)
        assert levels() == [10.0], "nothing is on disk yet"
        arrive(1, 11.0)
        store.flush()
        arrive(2, 12.0)
        arrive(1, 11.5)  # corrects what is on disk
        arrive(4, 14.0)  # after the span asked for
        assert levels() == [10.0, 11.5, 12.0]
        store.flush()
        assert levels() == [10.0, 11.5, 12.0]
    CursorFile(var / "readings" / "cursor").move(99)
    ahead = store_history(str(var), registry, None, None)
    assert any("the newest readings" in line and "ahead of the journal" in line for line in ahead.lines())
    alone = store_history(str(var / "readings"), registry, None, None)
    assert not any("missing" in line for line in alone.lines())


@pytest.mark.service
def test_influx_gives_the_findings_of_the_file(
    open_influx: Callable[..., SeriesStore], registry: Registry, tmp_path: Path
) -> None:
    store = open_influx(None, lambda: registry)
    span = to_us(START) - 1, to_us(START + timedelta(days=1))
    check(
        store, lambda registry: StoreHistory("InfluxDB", StoreSource(store), registry, *span), registry, tmp_path
    )  # fmt: skip


def test_a_folder_without_readings_and_a_span_without_time_are_refused(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no readings"):
        store_history(str(tmp_path), registry, None, None)
    with pytest.raises(InputError, match="covers no time"):
        StoreHistory("x", StoreSource(ParquetStore(tmp_path / "s")), registry, 5, 5)
    with pytest.raises(InputError, match="over a span"):
        store_history("influx", registry, None, None)
