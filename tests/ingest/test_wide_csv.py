"""Wide CSV files through their map: what becomes a reading, and what is counted and told instead."""

import gzip
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facility.errors import InputError
from facility.instant import from_us, parse_instant, to_us
from facility.reading import Quality, Reading, Scan
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.csv_report import Flaw
from ingest.map_file import parse_map
from ingest.wide_csv import WideCsv

SITE = """
site: {id: demo, zone: Asia/Shanghai}
buildings:
  - id: tower
    assets:
      - {id: ahu-1, class: ahu, points: [supply_air_temperature, air_flow, supply_fan_status]}
      - {id: lift-1, class: elevator, points: [door_status, fault_code]}
"""
MAP = """
time: {column: at, format: "%Y-%m-%d %H:%M", zone: Asia/Shanghai}
asset: ahu-1
columns:
  SAT: {point: supply_air_temperature, unit: degF, missing: [-9999, "n/a"]}
"""


def registry() -> Registry:
    return parse_site(SITE, "site.yaml")


def wide(folder: Path, rows: str, map_text: str = MAP, header: str = "at,SAT") -> WideCsv:
    path = folder / "data.csv"
    path.write_text(f"{header}\n{rows}", encoding="utf-8")
    return WideCsv(path, parse_map(map_text, "map.yaml", registry()))


def readings(source: WideCsv) -> list[Reading]:
    return [Reading(s.asset_id, v.point, s.at_us, v.value, v.quality) for s in source.scans() for v in s.values]


def lines(flaw: Flaw) -> tuple[int, list[int]]:
    return flaw.count, flaw.lines


def test_a_row_becomes_one_complete_scan_per_asset_in_the_catalogues_units(tmp_path: Path) -> None:
    map_text = """
time: {column: at}
columns:
  " SAT ": {asset: ahu-1, point: supply_air_temperature, unit: degF}
  Flow: {asset: ahu-1, point: air_flow, unit: l/s, scale: 10, offset: 5}
  Fan: {asset: ahu-1, point: supply_fan_status, codes: {"ON": 1, "OFF": 0}}
  Door: {asset: lift-1, point: door_status, codes: {"1": open}}
  Code: {asset: lift-1, point: fault_code}
"""
    rows = "2026-11-21T08:00:00+08:00,86,9.5,ON,1,007\n2026-11-21T00:01:00Z,50,,OFF,closed,\n"
    source = wide(tmp_path, rows, map_text, "at, SAT  ,Flow,Fan,Door,Code")
    found = list(source.scans())
    assert [(scan.asset_id, scan.complete, len(scan.values)) for scan in found] == [
        ("ahu-1", True, 3), ("lift-1", True, 2), ("ahu-1", True, 2), ("lift-1", True, 1),
    ]  # fmt: skip
    assert [item.value for scan in found for item in scan.values] == [
        30.0,
        360.0,
        1.0,
        "open",
        "007",
        10.0,
        0.0,
        "closed",
    ]
    assert [scan.at_us for scan in found[::2]] == [to_us(parse_instant(f"2026-11-21T00:0{n}:00Z")) for n in (0, 1)]
    assert source.rows == source.report.rows == 2
    assert source.report.readings == 8


def test_what_is_no_value_is_counted_with_its_lines_and_skipped(tmp_path: Path) -> None:
    rows = "".join(f"2026-11-21 08:0{n},{cell}\n" for n, cell in enumerate(
        ["50", "#VALUE!", "", "nan", "inf", "-9999.0", "n/a", "1e99", " 51.8 "]))  # fmt: skip
    source = wide(tmp_path, rows)
    assert [(reading.value, reading.quality) for reading in readings(source)] == [
        (10.0, 0), (pytest.approx(5.55e98, rel=0.01), Quality.OUT_OF_RANGE), (11.0, 0),
    ]  # fmt: skip
    column = source.report.columns["SAT"]
    assert lines(column.unreadable) == (3, [3, 5, 6])
    assert lines(column.empty) == (1, [4])
    assert lines(column.missing) == (2, [7, 8])
    assert lines(column.out_of_range) == (1, [9])
    assert source.report.scans == 3
    assert "SAT: cells that are not a value: 3 (line 3, 5, 6)" in source.report.lines()


def test_times_that_repeat_go_back_or_jump_are_kept_and_counted(tmp_path: Path) -> None:
    minutes = ["08:00", "08:00", "08:05", "08:03", "08:20", "08:36", "later", "08:37"]
    source = wide(tmp_path, "".join(f"2026-11-21 {text},50\n" for text in minutes))
    assert len(readings(source)) == 7
    report = source.report
    assert lines(report.repeated) == (1, [3])
    assert lines(report.unordered) == (1, [5])
    assert lines(report.unreadable_times) == (1, [8])
    assert [(from_us(a).minute, from_us(b).minute) for a, b in report.gaps] == [(20, 36)]
    assert report.gap_count == 1
    assert from_us(report.first_us or 0).hour == 0
    assert from_us(report.last_us or 0).minute == 37


def test_local_times_that_do_not_exist_or_come_twice(tmp_path: Path) -> None:
    map_text = MAP.replace("Asia/Shanghai", "America/Los_Angeles")
    rows = ["2026-03-08 01:59", "2026-03-08 02:30", "2026-03-08 03:00"]
    rows += ["2026-11-01 00:59", "2026-11-01 01:30", "2026-11-01 01:59", "2026-11-01 01:30", "2026-11-01 02:00"]
    source = wide(tmp_path, "".join(f"{text},50\n" for text in rows), map_text)
    hours = [from_us(reading.at_us).strftime("%H:%M") for reading in readings(source)]
    assert hours == ["09:59", "10:00", "07:59", "08:30", "08:59", "09:30", "10:00"]
    assert lines(source.report.nonexistent_times) == (1, [3])
    assert source.report.ambiguous_times.count == 3
    assert source.report.unordered.count == 0
    assert any("is the offset fixed?" in line for line in source.report.lines())


@pytest.mark.parametrize(
    ("form", "text"),
    [("unix s", "1795219200"), ("unix s", "1795219200.0"), ("unix ms", "1795219200000"),
     ("iso", "2026-11-21T00:00:00Z"), ("'%d.%m.%Y %H:%M:%S %z'", "21.11.2026 08:00:00 +0800")],
)  # fmt: skip
def test_other_ways_to_write_an_instant(tmp_path: Path, form: str, text: str) -> None:
    map_text = MAP.replace('"%Y-%m-%d %H:%M", zone: Asia/Shanghai', form)
    (reading,) = readings(wide(tmp_path, f"{text},50\n", map_text))
    assert reading.at_us == to_us(parse_instant("2026-11-21T00:00:00Z"))


def test_semicolons_decimal_commas_byte_order_marks_and_quotes(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(
        b'\xef\xbb\xbf"at";"SAT";"Note"\r\n"2026-11-21 08:00";"1.050,8";"a\nb"\r\n\r\n2026-11-21 08:01;50\r\n'
    )
    source = WideCsv(path, parse_map(MAP + 'delimiter: ";"\ndecimal: ","\n', "map.yaml", registry()))
    assert [round(float(reading.value), 3) for reading in readings(source)] == [566.0, 10.0]
    assert source.rows == source.report.rows == 2
    assert lines(source.report.broken_rows) == (1, [5])
    assert source.report.unmapped == ("Note",)


def test_a_second_pass_begins_anew(tmp_path: Path) -> None:
    source = wide(tmp_path, "2026-11-21 08:00,50\n2026-11-21 08:00,x\n")
    assert readings(source) == readings(source)
    assert source.report.rows == 2
    assert source.report.columns["SAT"].unreadable.count == 1


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "big.csv.gz"
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.write("at,SAT\n")
        file.writelines(f"2026-11-21 {n // 60 % 24:02}:{n % 60:02},{n % 90}\n" for n in range(8_000))
    source = WideCsv(path, parse_map(MAP, "map.yaml", registry()))
    tracemalloc.start()
    count = sum(1 for _ in source.scans())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 8_000
    assert peak < 600_000


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("degF", "Pa"), r"map.yaml:5:\d+: columns.SAT.unit: 'Pa' cannot become 'degC'.*kept in degC"),
        (("degF", "degQ"), r"map.yaml:5:\d+: columns.SAT.unit: 'degQ' is not a unit we know"),
        (("point: supply_air_temperature", "point: supply_temperature"), r"columns.SAT.point:.*did you mean 'supply"),
        (("asset: ahu-1", "asset: ahu-7"), r"'ahu-7' is not a known asset; did you mean 'ahu-1'"),
        (("asset: ahu-1", "gap: 5 min"), r"map.yaml:5:\d+: columns.SAT: names no asset. Add asset:"),
        (("gap", "gap"), ""),
        (("Asia/Shanghai", "Asia/Shangri-La"), r"map.yaml:2:\d+: time.zone: 'Asia/Shangri-La' is not a time zone"),
        ((", zone: Asia/Shanghai", ""), r"carry no offset, so zone is needed"),
        (("%Y-%m-%d %H:%M", "%H:%M"), r"time: format '%H:%M' holds no whole date"),
        (("column: at", "colum: at"), r"'colum' is not a field here. Did you mean 'column'"),
        (("SAT:", "at:"), r"columns.at: is the time column"),
        (("missing:", "codes: {A: open}, missing:"), r"columns.SAT.codes: 'A' becomes 'open'; .* takes a number"),
        (("columns:", "columns:\n  Other: {point: supply_air_temperature}"), r"already read from 'Other'"),
        (("columns:", "columns: ["), r"map.yaml:\d+:\d+: is not valid YAML"),
    ],
)  # fmt: skip
def test_a_map_that_cannot_be_meant_is_refused_with_line_field_and_advice(change: tuple[str, str], says: str) -> None:
    text = MAP.replace(*change)
    if not says:
        assert len(parse_map(text, "map.yaml", registry()).columns) == 1
        return
    with pytest.raises(InputError, match=says):
        parse_map(text, "map.yaml", registry())


def test_all_problems_of_a_map_are_told_at_once() -> None:
    text = MAP + "  B: {point: nothing}\n  C: {asset: none, point: co2}\n"
    with pytest.raises(InputError) as caught:
        parse_map(text.replace("degF", "Pa"), "map.yaml", registry())
    assert [problem.field for problem in caught.value.problems] == [
        "columns.SAT.unit", "columns.B.point", "columns.C.asset",
    ]  # fmt: skip


def test_a_file_that_does_not_fit_its_map_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"columns.SAT: data.csv has no column 'SAT'.*did you mean 'SAT1'"):
        wide(tmp_path, "", header="at,SAT1")
    with pytest.raises(InputError, match="has the column 'SAT' twice"):
        wide(tmp_path, "", header="at,SAT, SAT")
    with pytest.raises(InputError, match="has no column 'at'"):
        wide(tmp_path, "", header="")
    with pytest.raises(InputError, match=r"missing.csv: cannot be opened: No such file"):
        WideCsv(tmp_path / "missing.csv", parse_map(MAP, "map.yaml", registry()))


def test_a_damaged_archive_is_told_with_the_line_it_ends_at(tmp_path: Path) -> None:
    whole = gzip.compress(b"at,SAT\n" + b"2026-11-21 08:00,50\n" * 50_000, mtime=0)
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(whole[: len(whole) // 2])
    source = WideCsv(path, parse_map(MAP, "map.yaml", registry()))
    with pytest.raises(InputError, match=r"cut.csv.gz: is damaged after line [\d,]+"):
        list(source.scans())
    path.write_bytes(b"at,SAT\nno archive")
    with pytest.raises(InputError, match=r"cut.csv.gz: is damaged"):
        WideCsv(path, parse_map(MAP, "map.yaml", registry()))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.one_of(st.text(max_size=20), st.sampled_from(["2026-11-21 08:00,50", "2026-11-21 08:01,1_0"]))))
def test_whatever_stands_in_the_rows_is_never_fatal(tmp_path: Path, rows: list[str]) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b"at,SAT\n" + "\n".join(rows).encode("utf-8", "surrogatepass"))
    source = WideCsv(path, parse_map(MAP, "map.yaml", registry()))
    found = readings(source)
    report = source.report
    assert report.rows == source.rows
    assert len(found) == report.readings <= report.rows
    assert report.lines()


def test_scans_are_lazy(tmp_path: Path) -> None:
    source = wide(tmp_path, "2026-11-21 08:00,50\n2026-11-21 08:01,51\n")
    scans = source.scans()
    assert isinstance(next(scans), Scan)
    assert source.report.rows == 1
    scans.close()  # type: ignore[attr-defined]  # a generator, promised only as an iterator
