"""The two real air handlers under examples/lbnl: everything odd in them is counted, nothing is lost."""

from pathlib import Path

import pytest

from facility.instant import format_instant, from_us, parse_instant, to_us
from facility.reading import Quality
from facility.site_file import parse_site
from ingest.map_file import parse_map
from ingest.wide_csv import WideCsv

FOLDER = Path(__file__).parents[2] / "examples" / "lbnl"


def open_file(map_name: str, file: str, zone: str = "") -> WideCsv:
    registry = parse_site((FOLDER / "site.yaml").read_text(encoding="utf-8"), "site.yaml")
    text = (FOLDER / map_name).read_text(encoding="utf-8")
    if zone:
        text = text.replace("Etc/GMT+8", zone)
    return WideCsv(FOLDER / file, parse_map(text, map_name, registry))


def test_szcav_has_90_cells_that_are_no_numbers_and_three_gaps() -> None:
    source = open_file("map-szcav.yaml", "SZCAV.csv.gz")
    assert source.rows == 21_600
    first = next(iter(source.scans()))
    assert first.asset_id == "ahu-szcav"
    assert format_instant(from_us(first.at_us)) == "2017-03-11T08:00:00Z"
    values = {item.point: item.value for item in first.values}
    assert values["supply_air_temperature"] == pytest.approx((72.99 - 32) / 1.8)
    assert values["supply_air_temperature_cooling_setpoint"] == 30.0
    assert values["supply_fan_speed_command"] == 50.0
    assert values["return_air_damper_command"] == 100.0
    assert sum(1 for _ in source.scans()) == 21_600
    report = source.report
    assert (report.rows, report.readings) == (21_600, 14 * 21_600 - 90)
    mixed = report.columns["AHU: Mixed Air Temperature"]
    assert (mixed.unreadable.count, mixed.unreadable.lines[0]) == (90, 4_132)
    assert sum(column.unreadable.count for column in report.columns.values()) == 90
    assert sum(column.out_of_range.count + column.empty.count for column in report.columns.values()) == 0
    assert [format_instant(from_us(start)) for start, _ in report.gaps] == [
        "2017-03-13T07:59:00Z", "2017-03-17T07:59:00Z", "2017-03-27T07:59:00Z",
    ]  # fmt: skip
    flaws = (report.repeated, report.unordered, report.nonexistent_times, report.unreadable_times, report.broken_rows)
    assert [flaw.count for flaw in flaws] == [0, 0, 0, 0, 0]
    assert report.unmapped == ()


def test_read_with_daylight_saving_szcav_has_an_hour_that_does_not_exist() -> None:
    source = open_file("map-szcav.yaml", "SZCAV.csv.gz", "America/Los_Angeles")
    assert sum(1 for _ in source.scans()) == 21_600 - 60
    assert source.report.nonexistent_times.count == 60
    assert source.report.rows == 21_600


def test_mzvav_has_one_row_of_zeros_and_seven_gaps() -> None:
    source = open_file("map-mzvav.yaml", "MZVAV-2-1.csv.gz")
    odd = to_us(parse_instant("2007-08-28T21:57:00-06:00"))
    zeros = {item.point: item for scan in source.scans() if scan.at_us == odd for item in scan.values}
    out = {name for name, item in zeros.items() if item.quality == Quality.OUT_OF_RANGE}
    assert out == {"supply_air_temperature", "mixed_air_temperature", "return_air_temperature"}
    assert zeros["supply_air_temperature"].value == pytest.approx(-17.778, abs=0.001)
    assert zeros["supply_air_static_pressure_setpoint"].value == pytest.approx(1.4 * 249.08891)
    report = source.report
    assert (report.rows, report.scans, report.readings) == (21_600, 21_600, 17 * 21_600)
    assert sum(column.out_of_range.count for column in report.columns.values()) == 3
    assert sum(column.unreadable.count for column in report.columns.values()) == 0
    assert report.gap_count == len(report.gaps) == 7
    assert "7 gaps in all" in report.lines()


def test_the_files_stay_small_and_say_where_they_come_from() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*.gz")) < 2_000_000
    attribution = (FOLDER / "ATTRIBUTION.md").read_text(encoding="utf-8")
    for part in ("10.1038/s41597-020-0398-6", "CC BY 4.0", "SZCAV.csv.gz", "MZVAV-2-1.csv.gz", "day_labels.csv"):
        assert part in attribution
    labels = (FOLDER / "day_labels.csv").read_text(encoding="utf-8").splitlines()
    assert len(labels) == 31
