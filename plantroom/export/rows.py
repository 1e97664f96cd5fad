"""Rows of the database, the directory and the store, as the files of an export have them."""

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import polars as pl
import sqlalchemy as sa
from sqlmodel import Session

from facility.instant import DAY_US, from_us
from facility.reading import Quality, Reading
from facility.registry import Registry
from plantroom.export.files import Row
from plantroom.export.tables import Table
from plantroom.plan_board import planned_visits
from ticketing.contract_book import ContractBook
from ticketing.tables import UtcInstant

_AT_ONCE = 5_000
VISITS: Mapping[str, str] = {
    "on": "day it is due", "asset_id": "id of the asset", "name": "what is to be done",
    "state": "planned, due, done, late, missed or cancelled", "statutory": "the law asks for it",
    "order_id": "id of its order, once there is one", "done_on": "day it was done", "clause": "clause of the contract",
}  # fmt: skip
ASSETS: Mapping[str, str] = {
    "id": "id of the asset", "name": "name", "equipment_class": "class", "system": "system",
    "site_id": "id of the site", "building_id": "id of the building",
    "space_id": "id of the space", "parent_id": "asset that contains it",
    "criticality": "key, high, normal or low", "feeds": "assets downstream (JSON list)",
    "controls": "assets it controls (JSON list)", "design": "nameplate figures (JSON)", "accepted_on": "accepted",
    "warranty_until": "end of the warranty", "dialect": "dialect its device speaks", "topic": "its topic",
}  # fmt: skip
POINTS: Mapping[str, str] = {
    "asset_id": "id of the asset", "name": "name of the point", "kind": "sensor, command, setpoint, status or counter",
    "unit": "unit of its readings", "minimum": "least that is valid", "maximum": "most that is valid",
    "values": "texts it may have (JSON list)", "cadence_s": "expected seconds between readings",
}  # fmt: skip
READINGS: Mapping[str, str] = {
    "asset_id": "id of the asset", "point": "name of the point", "at": "instant of the device", "value": "number",
    "text": "text, where the point has no numbers", "unit": "unit of the number",
    "quality": "good, or what is wrong with it",
}  # fmt: skip
DERIVED: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "visits": ("the preventive plan: visits that have an order, and those the contract promises", VISITS),
    "assets": ("every asset of the site files", ASSETS),
    "points": ("every point of every asset", POINTS),
    "readings": ("readings, one file for each day in the folder `readings`", READINGS),
}
_DATES, _FLOATS, _BOOLEANS = (
    {"on", "done_on", "accepted_on", "warranty_until"},
    {"minimum", "maximum", "cadence_s", "value"},
    {"statutory"},
)


def schema_of(table: Table) -> pl.Schema:
    """Polars' types of a table's columns."""
    columns = table.row.__table__.columns  # type: ignore[attr-defined]  # sqlmodel does not declare it
    types = {name: _type(columns[name].type) for name in table.columns}
    return pl.Schema(types | ({"number": pl.String()} if table.number is not None else {}))


def schema_named(columns: Mapping[str, str]) -> pl.Schema:
    """Polars' types of columns that are no table's."""
    return pl.Schema({name: _named(name) for name in columns})


def table_rows(session: Session, table: Table) -> Iterator[Row]:
    """Every row in its order, a few thousand in memory."""
    columns = table.row.__table__.columns  # type: ignore[attr-defined]  # sqlmodel does not declare it
    query = sa.select(*(columns[name] for name in table.columns)).order_by(*(columns[name] for name in table.order_by))
    place = list(table.columns).index("number") if table.number is not None else -1
    is_json = [
        isinstance(columns[name].type, sa.JSON) or columns[name].type.__class__.__name__ == "EvidenceList"
        for name in table.columns
    ]
    for found in session.execute(query.execution_options(yield_per=_AT_ONCE)):
        row: list[Any] = [_json(value) if packed else value for value, packed in zip(found, is_json, strict=True)]
        if table.number is not None:
            row[place] = table.number(row[place])
        yield row


def visit_rows(
    session: Session,
    book: ContractBook,
    registry: Registry,
    first_on: date,
    until_on: date,
    now: datetime,
) -> Iterator[Row]:
    """The visits of the plan in [first, until), by day; a month at a time."""
    while first_on < until_on:
        next_on = min(until_on, first_on + timedelta(days=30))
        for one in planned_visits(session, book, registry, first_on, next_on, now):
            yield one.on, one.asset_id, one.name, one.state, one.statutory, one.order_id, one.done_on, one.clause
        first_on = next_on


def asset_rows(registry: Registry) -> Iterator[Row]:
    """Every asset of the site files."""
    for one in registry.assets.values():
        yield (
            one.id, one.name, one.equipment_class.name, one.equipment_class.system.value, registry.site_of(one.id).id,
            one.building_id, one.space_id, one.parent_id, one.criticality.value, _json(list(one.feeds)),
            _json(list(one.controls)), _json(dict(one.design)), one.accepted_on, one.warranty_until,
            one.source.dialect if one.source else None, one.source.topic if one.source else None,
        )  # fmt: skip


def point_rows(registry: Registry) -> Iterator[Row]:
    """Every point of every asset; borrowed ones stand with the asset that measures them."""
    for asset in registry.assets.values():
        for one in asset.points.values():
            yield (
                asset.id, one.name, one.type.kind.value, one.unit, one.minimum, one.maximum,
                _json(list(one.type.values)), one.cadence.total_seconds(),
            )  # fmt: skip


def reading_rows(readings: Iterator[Reading], registry: Registry) -> Iterator[Row]:
    """Readings as rows."""
    for one in readings:
        point = registry.point(one.asset_id, one.point)
        is_text = isinstance(one.value, str)
        yield (
            one.asset_id, one.point, from_us(one.at_us), None if is_text else float(one.value),
            one.value if is_text else None, point.unit if point is not None else "", Quality(one.quality).name.lower(),
        )  # fmt: skip


def days_between(from_us_: int, until_us: int) -> Iterator[tuple[date, int, int]]:
    """(day, first, end) of each UTC day of a span, microseconds; the first and the last may be cut."""
    start = from_us_
    while start < until_us:
        end = min(until_us, (start // DAY_US + 1) * DAY_US)
        yield from_us(start).date(), start, end
        start = end


def _json(value: Any) -> str:  # noqa: ANN401 - anything JSON can hold
    return json.dumps(msgspec.to_builtins(value), ensure_ascii=False)


def _type(kind: Any) -> pl.DataType:  # noqa: ANN401 - SQLAlchemy's type of a column
    if isinstance(kind, UtcInstant):
        return pl.Datetime("us", "UTC")
    for known, found in ((sa.Boolean, pl.Boolean()), (sa.Integer, pl.Int64()), (sa.Float, pl.Float64())):
        if isinstance(kind, known):
            return found
    return pl.String()


def _named(name: str) -> pl.DataType:
    if name in _DATES:
        return pl.Date()
    if name in _FLOATS:
        return pl.Float64()
    if name == "at":
        return pl.Datetime("us", "UTC")
    return pl.Boolean() if name in _BOOLEANS else pl.String()
