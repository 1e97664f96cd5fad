"""`map.yaml`: how a wide CSV (one column a point, one row an instant) becomes readings. Checked with file, line, field.

    time:
      column: Datetime            # the column with the instants
      format: "%m/%d/%Y %H:%M"    # as strptime has it; or iso; or unix s; or unix ms
      zone: Etc/GMT+8             # the zone those texts are in; not needed when they carry their own offset
    gap: 15 min                   # rows farther apart are reported as a gap
    delimiter: ","
    decimal: "."
    asset: ahu-1                  # the asset of every column that names none
    columns:                      # name (blanks at its ends do not count) -> point
      Supply Air Temperature: {point: supply_air_temperature, unit: degF}
      Fan 2 status: {asset: fan-2, point: run_status, codes: {"ON": 1, "OFF": 0}}
      Flow: {point: air_flow, unit: l/s, scale: 0.1, offset: 0, missing: [-9999]}
    ignore: [Remarks]             # columns left out on purpose; any other is reported

A number in a cell is first multiplied by `scale`, then `offset` is added, then it is converted from `unit` (by default
the point's own) to the unit of the point catalogue. `codes` turns cell texts into values, `missing` names cells that
mean "nothing was measured".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from facility.asset import Point
from facility.catalogue import PointType
from facility.document import Places, check_data, format_path, load_yaml
from facility.errors import InputError, Problem
from facility.fields import Duration, UnitName, Zone, unknown
from facility.instant import format_duration
from facility.reading import Value
from facility.registry import Registry
from facility.units import UnitError, converter

ISO, UNIX_S, UNIX_MS = "iso", "unix s", "unix ms"
Character = Annotated[str, Field(min_length=1, max_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TimeEntry(_Strict):
    """Where a row's instant stands and how it is written."""

    column: str
    format: str = Field(default=ISO, description="strptime pattern, iso, unix s or unix ms")
    zone: Zone | None = Field(default=None, description="zone of the texts, such as Etc/GMT+8 or Asia/Shanghai")

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if self.format in (ISO, UNIX_S, UNIX_MS):
            return self
        sample = datetime(2024, 11, 21, 13, 14, 15, tzinfo=UTC)
        try:
            back = datetime.strptime(sample.strftime(self.format), self.format)  # noqa: DTZ007 - a sample
        except ValueError as error:
            msg = f"format {self.format!r} cannot be read: {error}; write it like '%Y-%m-%d %H:%M:%S' or iso"
            raise ValueError(msg) from error
        if (back.date(), back.hour) != (sample.date(), sample.hour):
            msg = f"format {self.format!r} holds no whole date and hour; write it like '%Y-%m-%d %H:%M:%S'"
            raise ValueError(msg)
        if "%z" not in self.format and self.zone is None:
            msg = "these texts carry no offset, so zone is needed, such as Etc/GMT+8 or Asia/Shanghai"
            raise ValueError(msg)
        return self


class ColumnEntry(_Strict):
    """One column: the point it measures and how it writes it."""

    asset: str | None = None
    point: str
    unit: UnitName | None = None
    scale: float = 1.0
    offset: float = 0.0
    codes: dict[str, float | str] = {}
    missing: list[str | float] = []


class MapFile(_Strict):
    """A whole map file."""

    time: TimeEntry
    gap: Duration = timedelta(minutes=15)
    delimiter: Character = ","
    decimal: Literal[".", ","] = "."
    asset: str | None = None
    columns: dict[str, ColumnEntry] = Field(min_length=1)
    ignore: list[str] = []


@dataclass(frozen=True, slots=True)
class Column:
    """One mapped column: `convert` takes the number in the cell to the point's unit."""

    name: str
    point: Point
    convert: Callable[[float], float]
    codes: Mapping[str, Value]
    missing: frozenset[str]


@dataclass(frozen=True, slots=True)
class WideMap:
    """A checked map. Columns are by name without blanks at its ends, and each point has one column."""

    where: str
    time_column: str
    time_format: str
    zone: ZoneInfo | None
    gap: timedelta
    delimiter: str
    decimal: str
    columns: Mapping[str, Column]
    ignored: frozenset[str]

    def __str__(self) -> str:
        return f"{self.where}: {len(self.columns)} columns, gap after {format_duration(self.gap)}"


def parse_map(text: str, where: str, registry: Registry) -> WideMap:
    """The map for the assets of `registry`. Raises InputError with every problem found, each with its line."""
    data, places = load_yaml(text, where)
    file = check_data(MapFile, data, places, where)
    problems: list[Problem] = []
    columns: dict[str, Column] = {}
    taken: dict[tuple[str, str], str] = {}
    for name, entry in file.columns.items():
        refusal = _refusal(file, name, entry, registry, taken)
        if refusal is not None:
            problems.append(_problem(places, where, name, *refusal))
            continue
        asset_id = entry.asset or file.asset or ""
        point = registry.assets[asset_id].points[entry.point]
        taken[asset_id, entry.point] = name
        columns[name.strip()] = _column(name.strip(), entry, point)
    if problems:
        raise InputError(problems)
    return WideMap(
        where=where,
        time_column=file.time.column.strip(),
        time_format=file.time.format,
        zone=ZoneInfo(file.time.zone) if file.time.zone else None,
        gap=file.gap,
        delimiter=file.delimiter,
        decimal=file.decimal,
        columns=columns,
        ignored=frozenset(name.strip() for name in file.ignore),
    )


Refusal = tuple[str, str, str] | None
"""Why a column cannot be used: (field, what, hint); None when it can."""


def _refusal(
    file: MapFile, name: str, entry: ColumnEntry, registry: Registry, taken: Mapping[tuple[str, str], str]
) -> Refusal:
    asset_id = entry.asset or file.asset
    if asset_id is None:
        return "", "names no asset", "Add asset: to the column, or one asset: for all at the top."
    if asset_id not in registry.assets:
        return "asset" if entry.asset else "", unknown("asset", asset_id, registry.assets), "Add it to the site file."
    points = registry.assets[asset_id].points
    if entry.point not in points:
        return "point", unknown(f"point of asset {asset_id}", entry.point, points), "Add it to the site file."
    if name.strip() == file.time.column.strip():
        return "", "is the time column", "Map another column, or correct time.column."
    if (asset_id, entry.point) in taken:
        other = taken[asset_id, entry.point]
        return "point", f"{entry.point} of {asset_id} is already read from {other!r}", "Keep one of the two."
    return _value_refusal(entry, points[entry.point].type)


def _value_refusal(entry: ColumnEntry, kind: PointType) -> Refusal:
    try:
        converter(entry.unit if entry.unit is not None else kind.unit, kind.unit)
    except UnitError as error:
        return "unit", str(error), f"{entry.point} is kept in {kind.unit or 'plain numbers'}."
    for cell, value in entry.codes.items():
        if isinstance(value, str) != kind.is_text or (kind.values and value not in kind.values):
            expected = f"one of {', '.join(kind.values)}" if kind.values else "a text" if kind.is_text else "a number"
            return "codes", f"{cell!r} becomes {value!r}; {entry.point} takes {expected}", "Correct the code."
    return None


def _problem(places: Places, where: str, column: str, field: str, what: str, hint: str) -> Problem:
    known, line, at = places.find(("columns", column, *([field] if field else [])))
    return Problem(where, what, hint, format_path(known), line, at)


def _column(name: str, entry: ColumnEntry, point: Point) -> Column:
    to_point = converter(entry.unit if entry.unit is not None else point.unit, point.unit)
    scale, offset = entry.scale, entry.offset
    plain = scale == 1.0 and offset == 0.0
    return Column(
        name=name,
        point=point,
        convert=to_point if plain else lambda value: to_point(value * scale + offset),
        codes=dict(entry.codes),
        missing=frozenset(_cell(value) for value in entry.missing),
    )


def _cell(value: str | float) -> str:
    """A missing value as a key: numbers by what they are, so that -9999 is also -9999.0."""
    try:
        return repr(float(value))
    except ValueError:
        return str(value).strip()
