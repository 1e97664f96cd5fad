"""Small parts of SQL statements that the tables of ticketing share."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy import CursorResult
from sqlalchemy.dialects import postgresql, sqlite

CHUNK = 500  # members of one IN list: below SQLite's old limit of 999 variables
Item = TypeVar("Item")


def insert_into(dialect: str, table: type[Any]) -> "postgresql.Insert":
    """An insert that knows ON CONFLICT; both databases spell it the same."""
    if dialect == "postgresql":
        return postgresql.insert(table)
    return cast("postgresql.Insert", sqlite.insert(table))


def row_count(result: sa.Result[Any]) -> int:
    """How many rows a statement wrote."""
    return cast("CursorResult[Any]", result).rowcount


def chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Lists short enough for one IN."""
    iterator = iter(items)
    while part := list(islice(iterator, CHUNK)):
        yield part
