"""The order database of PostgreSQL: every table by COPY, in one look and in one transaction.

COPY through the driver and not pg_dump: no tool of the server's own version has to be installed, and the schema is
made by the very migrations that a start runs, so an older backup moves up as an older database does.
"""

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from facility.errors import refuse
from plantroom.backup.copying import Teller
from plantroom.backup.manifest import BackupError, DatabaseFacts, TableFacts
from plantroom.database import DatabaseAwayError, create_engine, upgrade_on

_VERSION = "alembic_version"
_LEVEL = 1
_FOREIGN_KEYS = """
SELECT relname, conname, pg_get_constraintdef(pg_constraint.oid) FROM pg_constraint
JOIN pg_class ON pg_class.oid = conrelid
WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
ORDER BY conrelid, conname
"""
_INDEXES = """
SELECT relname, pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE relnamespace = current_schema()::regnamespace AND indpred IS NULL
AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
ORDER BY indexrelid
"""


def table_file(name: str) -> str:
    """The file of a table in a backup's folder of the database."""
    return f"{name}.copy.gz"


def dump_postgres(url: URL, folder: Path, teller: Teller) -> tuple[DatabaseFacts, tuple[TableFacts, ...]]:
    """Copy every table as they are at one instant. Raises DatabaseAwayError, BackupError, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with _engine(url) as engine:
        looking = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with _failures(url), looking.begin() as connection:
            tables = _tables(connection)
            if not any(table.name == _VERSION for table in tables):
                hint = "Name the database of an instance in PLANTROOM_DATABASE_URL."
                raise refuse(url.render_as_string(), "has no schema of Plantroom", hint)
            rows = {table.name: _out(connection, table, folder, teller) for table in tables}
            schema = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
            found = connection.execute(sa.text("SELECT name, cursor_seq, snapshot_seq FROM engine_state")).all()
    engines = {name: (cursor, snapshot) for name, cursor, snapshot in found}
    return DatabaseFacts("postgresql", schema, rows, engines), tables


@contextmanager
def empty_postgres(url: URL, schema: str) -> Iterator[sa.Connection]:
    """One transaction in an empty database that has the tables of `schema` now. Raises InputError when it is not empty,
    DatabaseAwayError, BackupError; then nothing was changed there."""
    with _engine(url) as engine, _failures(url), engine.begin() as connection:
        # The body moves the files of an instance meanwhile, which takes as long as it takes.
        connection.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        there = _tables_there(connection)
        if there:
            name = url.database
            hint = f"Nothing was changed. For an empty one: `dropdb {name} && createdb {name}`."
            raise refuse(url.render_as_string(), f"is not empty: it has {len(there)} tables ({there[0]} ...)", hint)
        upgrade_on(connection, schema)
        yield connection


@contextmanager
def load_postgres(
    url: URL, folder: Path, facts: DatabaseFacts, tables: Sequence[TableFacts], teller: Teller
) -> Iterator[None]:
    """Fill an empty database; it is committed when the body has ended well, and stays empty otherwise.

    Raises InputError when it is not empty, DatabaseAwayError, BackupError when a file is damaged.
    """
    with empty_postgres(url, facts.schema) as connection:
        columns = {table.name: table.columns for table in tables}
        order = _load_order(connection, columns)
        with bare_tables(connection):
            for name in order:
                _in(connection, TableFacts(name, columns[name]), folder, facts.rows[name], teller)
                set_sequences(connection, name)
        yield


def analyze_postgres(url: URL) -> None:
    """Let the planner know what the tables hold now. A failure is no harm: the server does it by itself, later."""
    with _engine(url) as engine, suppress(SQLAlchemyError), engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")


def is_empty(url: URL) -> bool:
    """Whether it has no table of ours or of others. Raises DatabaseAwayError."""
    with _engine(url) as engine, _failures(url), engine.connect() as connection:
        return not _tables_there(connection)


def _tables_there(connection: sa.Connection) -> list[str]:
    return [name for name in sa.inspect(connection).get_table_names() if name != _VERSION]


@contextmanager
def _engine(url: URL) -> Iterator[sa.Engine]:
    engine = create_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _failures(url: URL) -> Iterator[None]:
    import psycopg  # noqa: PLC0415 - an extra: who lives on SQLite has not installed it

    try:
        yield
    except sa.exc.OperationalError as error:
        msg = f"database {url.render_as_string()} cannot be reached: {str(error.orig).splitlines()[0]}"
        raise DatabaseAwayError(msg) from error
    except (SQLAlchemyError, psycopg.Error) as error:
        what = str(getattr(error, "orig", None) or error).splitlines()[0]
        msg = f"database {url.render_as_string()}: {what}. Nothing was changed there"
        raise BackupError(msg) from error


def _tables(connection: sa.Connection) -> tuple[TableFacts, ...]:
    inspector = sa.inspect(connection)
    return tuple(
        TableFacts(name, tuple(column["name"] for column in inspector.get_columns(name)))
        for name in sorted(inspector.get_table_names())
    )


def _load_order(connection: sa.Connection, columns: Mapping[str, object]) -> list[str]:
    """Tables after those their rows point to."""
    pairs = sa.inspect(connection).get_sorted_table_and_fkc_names()
    return [name for name, _ in pairs if name is not None and name != _VERSION and name in columns]


def _cursor(connection: sa.Connection) -> Any:  # noqa: ANN401 - psycopg's own, which may not be installed
    driver = connection.connection.driver_connection
    return driver.cursor() if driver is not None else None


def _copy(table: TableFacts, way: str) -> str:
    columns = ", ".join(f'"{name}"' for name in table.columns)
    return f'COPY "{table.name}" ({columns}) {way}'


def _out(connection: sa.Connection, table: TableFacts, folder: Path, teller: Teller) -> int:
    with gzip.open(folder / table_file(table.name), "wb", compresslevel=_LEVEL) as file, _cursor(connection) as cursor:
        with cursor.copy(_copy(table, "TO STDOUT")) as rows:
            for block in _blocks(rows):
                file.write(block)
                teller.advance(len(block))
        return int(cursor.rowcount)


def _blocks(rows: Any, size: int = 2**18) -> Iterator[bytes]:  # noqa: ANN401 - psycopg's own
    """psycopg gives a row at a time; gzip likes more at once."""
    block = bytearray()
    for row in rows:
        block += row
        if len(block) >= size:
            yield bytes(block)
            block.clear()
    yield bytes(block)


def _in(connection: sa.Connection, table: TableFacts, folder: Path, expected: int, teller: Teller) -> None:
    path = folder / table_file(table.name)
    with _cursor(connection) as cursor:
        try:
            with gzip.open(path, "rb") as file, cursor.copy(_copy(table, "FROM STDIN")) as into:
                while block := file.read(2**20):
                    into.write(block)
                    teller.advance(len(block))
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            msg = f"{path} is damaged: {error}. Use another backup; the database stays empty"
            raise BackupError(msg) from error
        if cursor.rowcount != expected:
            msg = f"{path} holds {cursor.rowcount:,} rows, the manifest says {expected:,}. Use another backup"
            raise BackupError(msg)


@contextmanager
def bare_tables(connection: sa.Connection) -> Iterator[None]:
    """In the body without foreign keys and indexes (but those of primary and unique keys), after it with the very same
    ones: made at once they cost a fraction of what they cost row by row, and the keys are checked all the same. Partial
    indexes stay: PostgreSQL writes their condition in other words than it was given."""
    connection.execute(sa.text("SET LOCAL maintenance_work_mem = '256MB'"))
    keys = connection.execute(sa.text(_FOREIGN_KEYS)).all()
    indexes = connection.execute(sa.text(_INDEXES)).all()
    for table, name, _ in keys:
        connection.exec_driver_sql(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
    for name, _ in indexes:
        connection.exec_driver_sql(f'DROP INDEX "{name}"')
    yield
    for _, made in indexes:
        connection.exec_driver_sql(made.replace("%", "%%"))
    for table, name, made in keys:
        connection.exec_driver_sql(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {made}')


def set_sequences(connection: sa.Connection, table: str) -> None:
    """Let numbers that the database gives go on after those that are there."""
    for column in sa.inspect(connection).get_columns(table):
        sequence = connection.execute(
            sa.text("SELECT pg_get_serial_sequence(:table, :column)"),
            {"table": f'"{table}"', "column": column["name"]},
        ).scalar()
        if sequence is not None:
            text = f'SELECT setval(:sequence, coalesce(max("{column["name"]}"), 1), count(*) > 0) FROM "{table}"'  # noqa: S608 - names of the schema
            connection.execute(sa.text(text), {"sequence": sequence})
