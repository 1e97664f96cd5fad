"""Reads a wide CSV through its map: rows in file order as scans. Rows stream, so memory does not grow with the file."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import TextIO, cast

from facility.errors import InputError, refuse
from facility.fields import unknown
from facility.reading import PointValue, Quality, Scan, Value
from ingest.csv_report import ColumnReport, CsvReport
from ingest.local_time import TimeFlaw, TimeReader
from ingest.map_file import Column, WideMap


class WideCsv:
    """One `.csv` or `.csv.gz` file, UTF-8 with or without byte order mark.

    `scans()` may be called again and begins anew; `report` counts for the newest pass, also while it runs (its `rows`
    against `rows` here is the progress).
    """

    def __init__(self, path: Path, wide_map: WideMap) -> None:
        """Reads the header. Raises InputError when the file cannot be opened or lacks a column of the map."""
        self._path, self._map = path, wide_map
        self.report = CsvReport()
        with self._open() as file:
            self._header = [name.strip() for name in next(self._cells(file), (1, []))[1]]
        self._check_header()

    @cached_property
    def rows(self) -> int:
        """Rows below the header; reads through the file once. Raises InputError when it is damaged."""
        with self._open() as file:
            return sum(1 for _ in self._cells(file)) - 1

    def scans(self) -> Iterator[Scan]:
        """One complete scan for each asset and row that has values, in file order; values in the catalogue's units.

        Raises InputError when the file turns out damaged.
        """
        report = self.report = CsvReport(
            unmapped=tuple(
                name
                for name in self._header
                if name not in self._map.columns and name not in self._map.ignored and name != self._map.time_column
            ),
            columns={name: ColumnReport() for name in self._map.columns},
        )
        places = [(self._header.index(name), column) for name, column in self._map.columns.items()]
        time_at, times, gap = self._header.index(self._map.time_column), TimeReader(self._map), self._map.gap
        newest_us: int | None = None
        with self._open() as file:
            rows = self._cells(file)
            next(rows)
            for line, row in rows:
                report.rows += 1
                if len(row) < len(self._header):
                    report.broken_rows.add(line)
                at_us, flaw = times.read(row[time_at].strip()) if time_at < len(row) else (None, TimeFlaw.UNREADABLE)
                _note_time(report, line, flaw)
                if at_us is None:
                    continue
                newest_us = _note_order(report, line, at_us, newest_us, gap)
                yield from self._row(row, line, at_us, places)

    def _row(self, row: list[str], line: int, at_us: int, places: list[tuple[int, Column]]) -> Iterator[Scan]:
        found: dict[str, list[PointValue]] = {}
        for index, column in places:
            if index < len(row):
                value = self._value(row[index].strip(), line, column)
                if value is not None:
                    found.setdefault(column.point.asset_id, []).append(value)
        for asset_id, values in found.items():
            self.report.scans += 1
            yield Scan(asset_id, at_us, complete=True, values=tuple(values))

    def _value(self, cell: str, line: int, column: Column) -> PointValue | None:
        report, point = self.report.columns[column.name], column.point
        if not cell:
            report.empty.add(line)
            return None
        coded = column.codes.get(cell)
        value: Value | None = coded
        if coded is None:
            number = self._number(cell)
            if cell in column.missing or (number is not None and repr(number) in column.missing):
                report.missing.add(line)
                return None
            if point.type.is_text:
                value = cell if not point.type.values or cell in point.type.values else None
            elif number is not None:
                value = column.convert(number)
        if value is None:
            report.unreadable.add(line)
            return None
        report.readings += 1
        quality = Quality.GOOD
        if not isinstance(value, str) and not _in_range(value, point.minimum, point.maximum):
            report.out_of_range.add(line)
            quality = Quality.OUT_OF_RANGE
        return PointValue(point.name, value if isinstance(value, str) else float(value), quality)

    def _number(self, cell: str) -> float | None:
        try:
            number = float(cell if self._map.decimal == "." else cell.replace(".", "").replace(",", "."))
        except ValueError:
            return None
        return number if isfinite(number) else None

    def _open(self) -> TextIO:
        try:
            if self._path.suffix == ".gz":
                return cast(TextIO, gzip.open(self._path, "rt", encoding="utf-8-sig", errors="replace", newline=""))
            return self._path.open(encoding="utf-8-sig", errors="replace", newline="")
        except OSError as error:
            raise refuse(
                str(self._path), f"cannot be opened: {error.strerror}", "Check its name and rights."
            ) from error

    def _cells(self, file: TextIO) -> Iterator[tuple[int, list[str]]]:
        """Line number and cells of every row that is not blank."""
        rows = csv.reader(file, delimiter=self._map.delimiter)
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error:
                row = [""]  # no CSV: a row without a time, counted as such
            except (OSError, EOFError, zlib.error) as error:
                what = f"is damaged after line {rows.line_num:,}: {error}"
                raise refuse(str(self._path), what, "Fetch the file again.") from error
            if row:
                yield rows.line_num, row

    def _check_header(self) -> None:
        wanted = [self._map.time_column, *self._map.columns]
        problems = [
            refuse(self._map.where, f"{self._path.name} has no column {unknown('column', name, self._header)}",
                   "Copy the name from the file's first line.", field=f"columns.{name}").problems[0]
            for name in wanted if name not in self._header
        ] + [
            refuse(str(self._path), f"has the column {name!r} twice", "Give one another name.", line=1).problems[0]
            for name in wanted if self._header.count(name) > 1
        ]  # fmt: skip
        if problems:
            raise InputError(problems)


def _in_range(value: float, minimum: float | None, maximum: float | None) -> bool:
    return (minimum is None or value >= minimum) and (maximum is None or value <= maximum)


def _note_time(report: CsvReport, line: int, flaw: TimeFlaw) -> None:
    flaws = {
        TimeFlaw.UNREADABLE: report.unreadable_times,
        TimeFlaw.NONEXISTENT: report.nonexistent_times,
        TimeFlaw.AMBIGUOUS: report.ambiguous_times,
    }
    if flaw in flaws:
        flaws[flaw].add(line)


def _note_order(report: CsvReport, line: int, at_us: int, newest_us: int | None, gap: timedelta) -> int:
    """Count what the instant is to those before; the newest instant so far."""
    if newest_us is None:
        report.first_us = report.last_us = at_us
        return at_us
    if at_us == newest_us:
        report.repeated.add(line)
    elif at_us < newest_us:
        report.unordered.add(line)
        report.first_us = min(report.first_us or at_us, at_us)
    elif at_us - newest_us > gap / timedelta(microseconds=1):
        report.add_gap(newest_us, at_us)
    report.last_us = max(newest_us, at_us)
    return max(newest_us, at_us)
