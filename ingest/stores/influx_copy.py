"""Everything in a bucket of InfluxDB, taken out into Parquet files and written in again, to the same points.

Measurement by measurement, in slices of time whose length goes by how many rows come, so that memory holds some hundred
thousand rows. A file's columns are `time` (microseconds), `t:NAME` for tags and `f:NAME` for fields; the type of a
field's column is that of the field.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import polars as pl

from facility.errors import PlantroomError
from facility.instant import DAY_US, HOUR_US, SECOND_US
from ingest.stores.influx_tiers import as_name
from ingest.stores.influx_wire import Answered, InfluxWire

ROWS = 100_000
"""About so many come in one answer; half as many, where there are as many, make a file."""
MOST_US = 64 * DAY_US
_TYPES: Mapping[str, type[pl.DataType]] = {
    "float": pl.Float64, "integer": pl.Int64, "string": pl.String, "boolean": pl.Boolean,
}  # fmt: skip


def take_out(wire: InfluxWire, bucket: str, folder: Path, at_once: int = ROWS) -> Iterator[tuple[Path, int]]:
    """Write what is in the bucket into files in `folder`; each with its rows, as soon as it is there. What is written
    into the bucket meanwhile may be among it. Raises RetryableError, PermanentError, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for measurement in _names(wire, "SHOW MEASUREMENTS", bucket):
        number, waiting = 0, _Rows(_fields(wire, measurement, bucket))
        for answer in _slices(wire, measurement, bucket, at_once):
            waiting.add(answer)
            if waiting.count >= at_once // 2:
                yield waiting.write(_file(folder, measurement, number))
                number, waiting = number + 1, _Rows(waiting.fields)
        if waiting.count:
            yield waiting.write(_file(folder, measurement, number))


def is_there(wire: InfluxWire, bucket: str) -> bool:
    """Whether the server has the bucket. Raises what `take_out` raises for any other trouble."""
    try:
        wire.query(["SHOW MEASUREMENTS LIMIT 1"], bucket)
    except PlantroomError as error:
        if "database not found" in str(error) or "has no bucket" in str(error):
            return False
        raise
    return True


def put_in(wire: InfluxWire, bucket: str, path: Path) -> int:
    """Write a file's rows into the bucket; how many. The same again changes nothing. Raises RetryableError,
    PermanentError, OSError, PolarsError."""
    frame = pl.read_parquet(path)
    measurement = _measurement_of(path)
    for some in frame.iter_slices(ROWS // 2):
        wire.write([line.encode() for line in _lines(some, measurement).to_list()], bucket)
    return len(frame)


@dataclass(slots=True)
class _Rows:
    """Rows that wait to become a file. `fields` is name -> type, in InfluxDB's words."""

    fields: Mapping[str, str]
    count: int = 0
    _columns: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, answer: Sequence[Answered]) -> None:
        for series in answer:
            size = len(series.values)
            given = dict(zip(series.columns, zip(*series.values, strict=True), strict=True))
            given |= {f"t:{name}": (text,) * size for name, text in series.tags.items()}
            for name, values in given.items():
                key = name if name == "time" or name.startswith("t:") else f"f:{name}"
                self._column(key).extend(values)
            self.count += size
            for column in self._columns.values():
                column.extend([None] * (self.count - len(column)))

    def _column(self, key: str) -> list[Any]:
        if key not in self._columns:
            self._columns[key] = [None] * self.count
        return self._columns[key]

    def write(self, path: Path) -> tuple[Path, int]:
        columns = [pl.Series(key, values, dtype=self._type(key), strict=False) for key, values in self._columns.items()]
        frame = pl.DataFrame(columns)
        frame.write_parquet(path)
        return path, self.count

    def _type(self, key: str) -> type[pl.DataType] | None:
        """None for a field that came up meanwhile: it says itself what it is."""
        if key == "time":
            return pl.Int64
        return pl.String if key.startswith("t:") else _TYPES.get(self.fields.get(key[2:], ""))


def _slices(wire: InfluxWire, measurement: str, bucket: str, at_once: int) -> Iterator[Sequence[Answered]]:
    last = _edge(wire, measurement, bucket, "DESC")
    at_us, span_us = _edge(wire, measurement, bucket, "ASC"), HOUR_US
    while at_us is not None and last is not None and at_us <= last:
        end_us = min(at_us + span_us, last + 1)
        count = _count(wire, measurement, bucket, at_us, end_us)
        if count > 2 * at_once and end_us - at_us > SECOND_US:  # it has become dense
            span_us = max((end_us - at_us) * at_once // count, SECOND_US)
            continue
        if count:
            source = f"FROM {as_name(measurement)} WHERE time >= {at_us}u AND time < {end_us}u"
            yield wire.ask([f"SELECT * {source} GROUP BY *"], bucket)[0]
        at_us = end_us if count else _edge(wire, measurement, bucket, "ASC", end_us)
        if count < at_once // 2:
            span_us = min(span_us * 2, MOST_US)


def _count(wire: InfluxWire, measurement: str, bucket: str, start_us: int, end_us: int) -> int:
    """How many values there are: no fewer than rows."""
    source = f"FROM {as_name(measurement)} WHERE time >= {start_us}u AND time < {end_us}u"
    (answer,) = wire.ask([f"SELECT COUNT(*) {source}"], bucket)
    return sum(int(count or 0) for count in answer[0].values[0][1:]) if answer else 0


def _edge(wire: InfluxWire, measurement: str, bucket: str, way: str, from_us: int | None = None) -> int | None:
    """The oldest or newest instant of a measurement; None where there is none."""
    where = f" WHERE time >= {from_us}u" if from_us is not None else ""
    (answer,) = wire.ask([f"SELECT * FROM {as_name(measurement)}{where} ORDER BY time {way} LIMIT 1"], bucket)  # noqa: S608 - quoted
    return int(answer[0].values[0][0]) if answer else None


def _names(wire: InfluxWire, statement: str, bucket: str) -> list[str]:
    (answer,) = wire.ask([statement], bucket)
    return [str(row[0]) for series in answer for row in series.values]


def _fields(wire: InfluxWire, measurement: str, bucket: str) -> dict[str, str]:
    (answer,) = wire.ask([f"SHOW FIELD KEYS FROM {as_name(measurement)}"], bucket)
    return {str(row[0]): str(row[1]) for series in answer for row in series.values}


def _file(folder: Path, measurement: str, number: int) -> Path:
    return folder / f"{quote(measurement, safe='')}-{number:06d}.parquet"


def _measurement_of(path: Path) -> str:
    return unquote(path.stem.rpartition("-")[0])


def _lines(frame: pl.DataFrame, measurement: str) -> pl.Series:
    """Line protocol, a line a row."""
    tags = sorted(name for name in frame.columns if name.startswith("t:"))
    fields = [name for name in frame.columns if name.startswith("f:")]
    head = pl.lit(_escaped(measurement))
    for name in tags:
        text = pl.col(name)
        for sign in (",", "=", " "):
            text = text.str.replace_all(sign, "\\" + sign, literal=True)
        given = pl.concat_str(pl.lit(f",{_escaped(name[2:])}="), text)
        head = pl.concat_str(head, pl.when(pl.col(name).fill_null("") == "").then(pl.lit("")).otherwise(given))
    written = [pl.concat_str(pl.lit(f"{_escaped(name[2:])}="), _value(name, frame.schema[name])) for name in fields]
    rest = pl.concat_str(written, separator=",", ignore_nulls=True)
    return frame.select(pl.concat_str(head, pl.lit(" "), rest, pl.lit(" "), pl.col("time").cast(pl.String))).to_series()


def _value(name: str, kind: pl.DataType) -> pl.Expr:
    """As a field's value is written; null where there is none."""
    value = pl.col(name)
    if kind == pl.Float64:
        return value.cast(pl.String)
    if kind == pl.Int64:
        return pl.concat_str(value.cast(pl.String), pl.lit("i"))
    if kind == pl.Boolean:
        return pl.when(value).then(pl.lit("true")).when(value.not_()).then(pl.lit("false"))
    text = value.str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    return pl.concat_str(pl.lit('"'), text, pl.lit('"'))


def _escaped(text: str) -> str:
    return text.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")
