"""An order database of SQLite put into an empty one of PostgreSQL: the way from a small start to a large plant.

The copy out of the backup is first brought to this program's schema, in its own place. Then its rows go through the
very types that the program writes with, table by table, those that others point to first.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlmodel import SQLModel

from plantroom.backup.copying import Teller
from plantroom.backup.manifest import BackupError
from plantroom.backup.postgres import bare_tables, empty_postgres, set_sequences
from plantroom.database import Database, DatabaseError

_ROWS = 2_000
"""Rows at once: some megabytes of the largest (pictures are files)."""


@contextmanager
def load_from_sqlite(url: URL, copy: Path, teller: Teller) -> Iterator[None]:
    """Fill an empty PostgreSQL with the rows of the SQLite file `copy`, which moves to this program's schema; committed
    when the body has ended well, and as empty as before otherwise.

    Raises InputError when it is not empty, DatabaseAwayError, BackupError when a row does not fit.
    """
    with closing(Database(f"sqlite:///{copy}")) as small:
        try:
            _, schema = small.upgrade()
        except DatabaseError as error:
            msg = f"{copy} cannot be brought to this program's schema: {error}. Use another backup"
            raise BackupError(msg) from error
        with empty_postgres(url, schema) as connection:
            tables = list(_known_tables(connection))
            with bare_tables(connection), small.engine.connect() as source:
                for table in tables:
                    _check_fits(source, table)
                    _copy(source, connection, table, teller)
                    set_sequences(connection, table.name)
            yield


def _known_tables(connection: sa.Connection) -> Sequence[sa.Table]:
    """All of them, those that others point to first. The migrations have loaded what describes them."""
    there = set(sa.inspect(connection).get_table_names())
    return [table for table in SQLModel.metadata.sorted_tables if table.name in there]


def _check_fits(source: sa.Connection, table: sa.Table) -> None:
    """SQLite takes a text of any length and with zero bytes in it; PostgreSQL does not. Say which row it is."""
    for column in table.columns:
        if not isinstance(column.type, sa.String):
            continue
        text = sa.cast(column, sa.Text)
        wrong = sa.func.instr(text, sa.func.char(0)) > 0
        if column.type.length is not None:
            wrong = sa.or_(wrong, sa.func.length(text) > column.type.length)
        found = source.execute(sa.select(*table.primary_key.columns).where(wrong).limit(1)).first()
        if found is not None:
            key = ", ".join(repr(part) for part in found)
            msg = (
                f"{table.name} {key}: its {column.name} has a zero byte in it or more than the {column.type.length} "
                "signs that PostgreSQL takes. Correct it in the instance on SQLite and take another backup"
            )
            raise BackupError(msg)


def _copy(source: sa.Connection, target: sa.Connection, table: sa.Table, teller: Teller) -> None:
    insert = sa.insert(table)
    streamed = source.execution_options(yield_per=_ROWS).execute(sa.select(table))
    for some in streamed.mappings().partitions():
        target.execute(insert, [dict(row) for row in some])
        teller.advance(len(some))
