"""Rows into CSV or Parquet files. Instants are UTC: ISO 8601 with `Z` in CSV, microseconds in Parquet."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from enum import StrEnum
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import polars as pl

from facility.instant import format_instant

PARQUET_ROWS = 1_000_000
Row = Sequence[Any]


class FileFormat(StrEnum):
    """How tables are written."""

    CSV = "csv"
    PARQUET = "parquet"


class Sink(Protocol):
    """Takes the rows of one table."""

    rows: int

    def take(self, rows: Iterable[Row]) -> None:
        """Write them. Raises OSError."""

    def __enter__(self) -> Self:
        """Open."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close; what is left is written."""


def open_sink(folder: Path, name: str, schema: pl.Schema, kind: FileFormat) -> Sink:
    """`name.csv`, or `name.parquet` and, beyond a million rows, `name-2.parquet` and so on. An empty table has a file
    with its columns alone."""
    return CsvSink(folder / f"{name}.csv", schema) if kind is FileFormat.CSV else ParquetSink(folder, name, schema)


class CsvSink:
    """UTF-8, a header, one line a row, quoted where needed; nothing is an empty field."""

    def __init__(self, path: Path, schema: pl.Schema) -> None:
        self._path, self._schema = path, schema
        self._file: TextIOWrapper | None = None
        self.rows = 0

    def take(self, rows: Iterable[Row]) -> None:
        """Write them. Raises OSError."""
        for row in rows:
            self._writer.writerow([_plain(value) for value in row])
            self.rows += 1

    def __enter__(self) -> Self:
        self._file = self._path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow(self._schema.names())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()


class ParquetSink:
    """At most about `most_rows` in memory and in a file."""

    def __init__(self, folder: Path, name: str, schema: pl.Schema, most_rows: int = PARQUET_ROWS) -> None:
        self._folder, self._name, self._schema, self._most_rows = folder, name, schema, most_rows
        self._frames: list[pl.DataFrame] = []
        self._held = self._files = self.rows = 0

    def take(self, rows: Iterable[Row]) -> None:
        """Write them. Raises OSError."""
        for part in _parts(rows, 50_000):
            frame = pl.DataFrame(part, schema=self._schema, orient="row")
            self._frames.append(frame)
            self._held += frame.height
            self.rows += frame.height
            if self._held >= self._most_rows:
                self._write()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and (self._held or not self._files):
            self._write()

    def _write(self) -> None:
        self._files += 1
        number = f"-{self._files}" if self._files > 1 else ""
        whole = pl.concat([pl.DataFrame(schema=self._schema), *self._frames])
        whole.write_parquet(self._folder / f"{self._name}{number}.parquet", compression="zstd")
        self._frames, self._held = [], 0


def _parts(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    left = iter(rows)
    while part := list(islice(left, size)):
        yield part


def _plain(value: Any) -> Any:  # noqa: ANN401 - a value of any column
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value
