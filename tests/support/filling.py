"""Rows for a database of any version of the schema, made from what the database says of itself."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
VERSION = "alembic_version"
Rows = dict[str, list[dict[str, Any]]]
MEANINGS: Mapping[tuple[str, str], Any] = {
    ("finding", "rule_id"): "motor-hot",
    ("finding", "state"): "active",
    ("finding", "severity"): "high",
    ("finding", "kind"): "fault",
    ("finding", "asset_id"): "lift-1",
    ("finding", "building_id"): "tower",
    ("work_order", "status"): "acknowledged",
    ("work_order", "severity"): "high",
    ("work_order", "kind"): "fault",
    ("work_order", "asset_id"): "lift-1",
    ("work_order", "building_id"): "tower",
    ("work_order", "priority"): 2,
    ("work_order", "contract_id"): "demo-2026",
    ("work_order", "contract_revision"): 1,
    ("work_order", "service_level"): "lift",
    ("work_order", "completed_at"): None,
    ("work_order", "closed_at"): None,
    ("work_order", "cancelled_at"): None,
    ("work_order", "accepted_at"): None,
    ("work_order", "arrived_at"): None,
    ("work_order", "parent_id"): None,
    ("work_order", "merged_into"): None,
    ("work_order", "repeat_of"): None,
    ("work_order_event", "verb"): "acknowledge",
    ("work_order_event", "reason"): None,
    ("work_order_event", "from_status"): "open",
    ("work_order_event", "to_status"): "acknowledged",
    ("outbox", "state"): "delivered",
    ("request", "status"): "received",
    ("request", "category"): "air_conditioning",
    ("request", "building_id"): "tower",
    ("complaint", "status"): "received",
    ("complaint", "building_id"): "tower",
    ("survey", "status"): "sent",
    ("survey", "form_kind"): "repair",
    ("survey", "answers"): {},
    ("survey", "language"): "en",
    ("cost_line", "kind"): "labour",
    ("quote", "status"): "open",
    ("account_user", "role"): "technician",
    ("account_user", "language"): "zh",
    ("account_user", "units"): "us",
    ("account_user", "theme"): "dark",
    ("attachment", "kind"): "photo",
    ("attachment", "owner_kind"): "request",
}
"""What the program gives a meaning to; anything else of the column's type will do."""


def rows_of(connection: sa.Connection, tables: sa.MetaData) -> Rows:
    """Everything in the database but its version, each table in the order of all its columns."""
    found: Rows = {}
    for table in tables.sorted_tables:
        if table.name != VERSION:
            rows = [dict(row._mapping) for row in connection.execute(sa.select(table))]
            found[table.name] = sorted(rows, key=lambda row: repr(sorted(row.items())))
    return found


def kept(before: Rows, after: Rows) -> Rows:
    """The rows of `after` with the tables and columns of `before` alone."""
    cut: Rows = {}
    for name, rows in before.items():
        columns = list(rows[0]) if rows else []
        there = [{column: row[column] for column in columns} for row in after[name]]
        cut[name] = sorted(there, key=lambda row: repr(sorted(row.items())))
    return cut


def reflect(connection: sa.Connection) -> sa.MetaData:
    """The tables as they are now."""
    metadata = sa.MetaData()
    metadata.reflect(connection)
    return metadata


def fill(connection: sa.Connection, tables: sa.MetaData, tag: int) -> None:
    """Two rows into every table: one with everything, one with what must be there only. `tag` tells apart what is
    filled at several times."""
    made: dict[str, list[dict[str, Any]]] = {}
    for table in tables.sorted_tables:
        if table.name == VERSION:
            continue
        made[table.name] = []
        for number in (tag * 2, tag * 2 + 1):
            row = {
                column.name: value
                for column in table.columns
                if (value := _value(column, number, made, is_full=number % 2 == 0)) is not _LEFT_OUT
            }
            result = connection.execute(table.insert().values(**row).returning(*table.primary_key.columns))
            made[table.name].append(row | dict(result.one()._mapping))


_LEFT_OUT = object()


def _value(
    column: "sa.Column[Any]", number: int, made: Mapping[str, Sequence[Mapping[str, Any]]], *, is_full: bool
) -> Any:  # noqa: ANN401 - of the column's type
    name = column.table.name
    is_number = column.primary_key and isinstance(column.type, sa.Integer) and column.name == "id"
    if is_number or any(key.column.table.name == name for key in column.foreign_keys):
        return _LEFT_OUT
    for key in column.foreign_keys:
        return made[key.column.table.name][number % 2][key.column.name]
    if (name, column.name) in MEANINGS:
        return MEANINGS[name, column.name]
    if not is_full and (column.nullable or column.server_default is not None):
        return _LEFT_OUT
    return _of_type(column, number)


def _of_type(column: "sa.Column[Any]", number: int) -> Any:  # noqa: ANN401 - of the column's type
    at = AT + timedelta(minutes=number)
    by_type: dict[type[Any], Any] = {
        sa.JSON: [],
        sa.DateTime: at if getattr(column.type, "timezone", False) else at.replace(tzinfo=None),
        sa.Boolean: number % 2 == 0,
        sa.Integer: number + 1,
        sa.Float: number + 0.5,
        sa.LargeBinary: str(number).encode(),
    }
    for kind, value in by_type.items():
        if isinstance(column.type, kind):
            return value
    text = f"{column.name}-{number}"
    return text[-(getattr(column.type, "length", None) or len(text)) :]
