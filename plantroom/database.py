"""The one database of orders, contracts and users: SQLite (WAL) embedded, PostgreSQL in production.

`Database` gives out sessions: `reading()` for questions, `writing()` for one transaction that commits on leaving.
A writing transaction takes SQLite's write lock at its first statement, so that it can never fail for what it read.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlmodel import Session

from facility.errors import PermanentError, RetryableError, refuse
from plantroom.process_name import process_name

BUSY_MS = 10_000
STOPPED_MS = 60_000
"""PostgreSQL ends the transaction of a process that says nothing for so long: one that stands still keeps no rows."""
VANISHED = {
    "connect_timeout": 5, "keepalives_idle": 5, "keepalives_interval": 5, "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}  # fmt: skip
"""A server that is gone without a word (power, a dropped flow) is noticed within some 20 s, not after two hours."""
UPGRADE_LOCK = 0x706C616E74  # PostgreSQL advisory lock: only one process upgrades
_WRITES = "plantroom_writes"
_WAL_TRIES, _WAL_PAUSE_S = 100, 0.05


class Joins(Protocol):
    """Something that is written with whatever a call writes, or not at all."""

    def begun(self, session: Session) -> None:
        """A transaction begins."""

    def committed(self) -> None:
        """It was committed."""


WITHIN_WRITING: ContextVar[Joins | None] = ContextVar("within_writing", default=None)
"""What joins every writing transaction of the call or thread it is set in."""


class DatabaseAwayError(RetryableError):
    """The database cannot be reached now, or its lock is held too long."""


class DatabaseError(PermanentError):
    """The database is not one this program can use: wrong schema version, wrong file."""


class Database:
    """One database by its address, such as `sqlite:///var/plantroom.db` or `postgresql://user@host/name`."""

    def __init__(self, url: str, *, busy_ms: int = BUSY_MS) -> None:
        self.url = parse_url(url)
        self.engine = create_engine(self.url, busy_ms=busy_ms)
        self._writer = self.engine.execution_options(**{_WRITES: True})

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for questions; what it changes is rolled back. Raises DatabaseAwayError."""
        with Session(self.engine, expire_on_commit=False) as session:
            try:
                yield session
            except DBAPIError as error:
                raise self._away(error) from error
            except sa.exc.TimeoutError as error:  # every connection is in use
                raise DatabaseAwayError(_away(self.url, error)) from error

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction: committed on leaving, rolled back on an exception. Raises DatabaseAwayError."""
        joins = WITHIN_WRITING.get()
        with Session(self._writer, expire_on_commit=False) as session:
            try:
                if joins is not None:
                    joins.begun(session)
                yield session
                session.commit()
                if joins is not None:
                    joins.committed()
            except DBAPIError as error:
                raise self._away(error) from error
            except sa.exc.TimeoutError as error:  # every connection is in use
                raise DatabaseAwayError(_away(self.url, error)) from error

    def _away(self, error: DBAPIError) -> Exception:
        """What to raise: that it is away also when it has ended the connection under us; else the error itself."""
        is_away = isinstance(error, OperationalError) or error.connection_invalidated
        return DatabaseAwayError(_away(self.url, error)) if is_away else error

    def upgrade(self) -> tuple[str | None, str]:
        """Bring the schema to this program's version; what it was and what it is. Two at once are safe."""
        with self._connect() as connection:
            self._lock(connection)
            before = _schema_of(connection)
            _check_known(before, self.url)
            if before != (head := known_schemas()[-1]):
                upgrade_on(connection, "head")
        return before, head

    def check(self) -> None:
        """Raise DatabaseAwayError when it cannot be reached, DatabaseError when its schema is not this program's."""
        with self._connect() as connection:
            found = _schema_of(connection)
        _check_known(found, self.url)
        if found != (head := known_schemas()[-1]):
            shown = self.url.render_as_string()
            msg = f"{shown} has schema {found or 'none'}, expected {head}; run `plantroom db upgrade`"
            raise DatabaseError(msg)

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()

    @contextmanager
    def _connect(self) -> Iterator[sa.Connection]:
        try:
            with self._writer.begin() as connection:
                yield connection
        except (OperationalError, sa.exc.TimeoutError) as error:
            raise DatabaseAwayError(_away(self.url, error)) from error
        except sa.exc.DatabaseError as error:  # the file is no database, or the schema is damaged
            msg = f"{self.url.render_as_string()} cannot be used: {_first_line(error)}"
            raise DatabaseError(msg) from error

    def _lock(self, connection: sa.Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})


def upgrade_on(connection: sa.Connection, revision: str) -> None:
    """Run the migrations up to `revision` in the connection's own transaction."""
    from alembic import command  # noqa: PLC0415 - costs a fifth of a second, and most starts find nothing to do
    from alembic.config import Config  # noqa: PLC0415 - the same

    config = Config()
    with as_file(files("plantroom") / "migrations") as folder:
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


@cache
def known_schemas() -> tuple[str, ...]:
    """Every schema version this program knows, the oldest first: each step's file bears its number."""
    names = [entry.name for entry in (files("plantroom") / "migrations" / "versions").iterdir()]
    return tuple(sorted(name[1:].split("_")[0] for name in names if name.startswith("v") and name.endswith(".py")))


def parse_url(url: str) -> URL:
    """The address with its driver. Raises InputError for what is neither SQLite nor PostgreSQL."""
    hint = "Write sqlite:///path/to/plantroom.db or postgresql://user:password@host/name."
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise refuse("database address", f"{url!r} is not an address", hint) from None
    kind = parsed.get_backend_name()
    if kind in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if kind != "sqlite":
        raise refuse("database address", f"{kind!r} is not a database we know", hint)
    if parsed.database in (None, "", ":memory:"):
        raise refuse("database address", "orders need a file that stays", hint)
    return parsed


def create_engine(url: URL, *, busy_ms: int = BUSY_MS) -> sa.Engine:
    """An engine for several processes: on SQLite WAL, foreign keys and `busy_ms` of patience; on PostgreSQL UTC."""
    if url.get_backend_name() == "postgresql":
        try:
            options = f"-c timezone=utc -c idle_in_transaction_session_timeout={STOPPED_MS}"
            named = {"options": options, "application_name": process_name()}
            return sa.create_engine(url, pool_pre_ping=True, connect_args=named | VANISHED)
        except ModuleNotFoundError as error:
            hint = "pip install 'plantroom[postgres]'"
            raise refuse("database address", "PostgreSQL needs its driver, psycopg", hint) from error
    folder = Path(str(url.database)).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refuse(
            "database address", f"{folder} cannot be made: {error.strerror}", "Choose another folder."
        ) from error
    engine = sa.create_engine(url, connect_args={"timeout": busy_ms / 1000, "check_same_thread": False})
    sa.event.listen(engine, "connect", _set_up_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
    connection.isolation_level = None  # we say BEGIN ourselves
    _switch_to_wal(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _switch_to_wal(connection: Any) -> None:  # noqa: ANN401 - the driver's own connection
    """SQLite does not wait for a lock when it changes the journal mode: two first starts at once need another try."""
    pause = threading.Event()
    for _ in range(_WAL_TRIES):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            pause.wait(_WAL_PAUSE_S)
        else:
            return
    connection.execute("PRAGMA journal_mode=WAL")


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _schema_of(connection: sa.Connection) -> str | None:
    """What Alembic wrote down last; None for a database without a schema."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return str(found) if found is not None else None


def _check_known(revision: str | None, url: URL) -> None:
    if revision is not None and revision not in known_schemas():
        msg = f"{url.render_as_string()} has schema {revision}, which this program does not know. "
        msg += "Install a newer plantroom, or restore a backup from before the upgrade"
        raise DatabaseError(msg)


def _away(url: URL, error: SQLAlchemyError) -> str:
    return f"database {url.render_as_string()} cannot be reached or is locked: {_first_line(error)}"


def _first_line(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
