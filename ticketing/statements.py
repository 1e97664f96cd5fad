"""Small parts of SQL statements that the tables of ticketing share."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy import CursorResult
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

CHUNK = 500  # members of one IN list: below SQLite's old limit of 999 variables
Item = TypeVar("Item")


def table_of(row: type[Any]) -> sa.Table:
    """The table of a class of rows. Written by it, values cost half of what they cost by the class."""
    return cast("sa.Table", row.__table__)


def insert_into(dialect: str, row: type[Any]) -> "postgresql.Insert":
    """An insert that knows ON CONFLICT; both databases spell it the same."""
    if dialect == "postgresql":
        return postgresql.insert(table_of(row))
    return cast("postgresql.Insert", sqlite.insert(table_of(row)))


def row_count(result: sa.Result[Any]) -> int:
    """How many rows a statement wrote."""
    return cast("CursorResult[Any]", result).rowcount


def chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Lists short enough for one IN."""
    iterator = iter(items)
    while part := list(islice(iterator, CHUNK)):
        yield part


def read_columns(
    session: Session, table: type[Any], names: Sequence[str], which: "Callable[[sa.Select[Any]], sa.Select[Any]]"
) -> list[Sequence[Any]]:
    """These columns of the rows that `which` chooses, column by column: for tens of thousands of rows, with which
    nothing is done one by one but what a column needs. What ends in `_at`, and `at`, are instants, aware UTC."""
    lite = session.get_bind().dialect.name == "sqlite"
    raw: Any = sa.String() if lite else sa.DateTime(timezone=True)  # as the driver gives them
    instants = [name == "at" or name.endswith("_at") for name in names]
    columns = [col(getattr(table, name)) for name in names]
    chosen = [
        sa.type_coerce(column, raw).label(name) if is_instant else column
        for name, column, is_instant in zip(names, columns, instants, strict=True)
    ]
    rows = session.connection().execute(which(sa.select(*chosen))).all()
    found: list[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(names)
    if lite:
        for index, is_instant in enumerate(instants):
            if is_instant:
                found[index] = [None if at is None else datetime.fromisoformat(f"{at}+00:00") for at in found[index]]
    return found
