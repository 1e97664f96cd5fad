"""The database: one schema on SQLite and PostgreSQL, made by migrations, safe between processes."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from running import ROOT
from sqlmodel import SQLModel

from facility.errors import InputError
from plantroom.database import Database, DatabaseAwayError, DatabaseError, parse_url

HEAD = max(path.name[1:5] for path in (ROOT / "plantroom/migrations/versions").glob("v*.py"))


def test_the_migrations_make_exactly_the_tables_of_the_code(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_every_table_of_the_code_is_there_and_no_other(database: Database) -> None:
    found = set(sa.inspect(database.engine).get_table_names())
    assert found == {"alembic_version", *SQLModel.metadata.tables}
    assert {"work_order", "finding", "account_user", "dead_letter"} <= found


def test_upgrade_says_what_it_did_and_a_second_one_changes_nothing(database_url: str) -> None:
    with closing(Database(database_url)) as database:
        assert database.upgrade() == (None, HEAD)
        assert database.upgrade() == (HEAD, HEAD)
        database.check()


def test_two_upgrades_at_once_are_one(database_url: str) -> None:
    def upgrade(_: int) -> str:
        with closing(Database(database_url)) as database:
            return database.upgrade()[1]

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(upgrade, range(2))) == [HEAD, HEAD]


def test_check_tells_to_upgrade_a_database_without_schema(database_url: str) -> None:
    with (
        closing(Database(database_url)) as database,
        pytest.raises(DatabaseError, match=f"has schema none, expected {HEAD}; run `plantroom db upgrade`"),
    ):
        database.check()


def test_a_schema_of_a_newer_program_is_refused(database: Database) -> None:
    with database.writing() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = 'future'"))
    for refused in (database.check, database.upgrade):
        with pytest.raises(DatabaseError, match="schema future, which this program does not know"):
            refused()


def test_writing_commits_on_leaving_and_rolls_back_on_an_exception(database: Database) -> None:
    insert = sa.text("INSERT INTO engine_state (name, cursor_seq) VALUES ('a', 1)")

    def fail() -> None:
        with database.writing() as session:
            session.execute(insert)
            msg = "stop"
            raise RuntimeError(msg)

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    with database.writing() as session:
        session.execute(insert)
    with database.reading() as session:
        assert session.execute(sa.text("SELECT count(*) FROM engine_state")).scalar_one() == 1


def test_sqlite_runs_in_wal_with_foreign_keys_and_a_busy_timeout(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'deep' / 'er' / 'plantroom.db'}")
    with database.reading() as session:
        found = {name: session.execute(sa.text(f"PRAGMA {name}")).scalar_one() for name in
                 ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")}  # fmt: skip
    database.close()
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 10_000, "synchronous": 2}


def test_a_writer_waits_for_another_and_does_not_fail_for_what_it_read(database: Database) -> None:
    with database.writing() as session:
        session.execute(sa.text("INSERT INTO engine_state (name, cursor_seq) VALUES ('a', 0)"))

    table = sa.table("engine_state", sa.column("cursor_seq"))

    def add(_: int) -> None:
        with database.writing() as session:
            seq = session.execute(sa.select(table.c.cursor_seq).with_for_update()).scalar_one()
            session.execute(sa.update(table).values(cursor_seq=seq + 1))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(40)))
    with database.reading() as session:
        assert session.execute(sa.text("SELECT cursor_seq FROM engine_state")).scalar_one() == 40


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    inside, done = threading.Event(), threading.Event()

    def write() -> None:
        with database.writing() as session:
            session.execute(sa.text("INSERT INTO engine_state (name, cursor_seq) VALUES ('a', 1)"))
            inside.set()
            assert done.wait(20)

    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(write)
        assert inside.wait(20)
        with database.reading() as session:
            assert session.execute(sa.text("SELECT count(*) FROM engine_state")).scalar_one() == 0
        done.set()
        writer.result(20)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "plantroom.db"
    path.write_text("this is not a database, but long enough to be read as one\n" * 100)
    with (
        closing(Database(f"sqlite:///{path}")) as database,
        pytest.raises(DatabaseError, match=r"plantroom\.db cannot be used: file is not a database"),
    ):
        database.upgrade()


def test_a_database_that_is_locked_too_long_is_retryable(tmp_path: Path) -> None:
    with (
        closing(Database(f"sqlite:///{tmp_path / 'plantroom.db'}", busy_ms=20)) as database,
        closing(sqlite3.connect(tmp_path / "plantroom.db", isolation_level=None)) as holder,
    ):
        database.upgrade()
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseAwayError, match="locked"), database.writing() as session:
            session.execute(sa.text("SELECT 1"))


def test_a_server_that_is_away_is_retryable(tmp_path: Path) -> None:
    with (
        closing(Database(f"postgresql://nobody@/none?host={tmp_path}")) as database,
        pytest.raises(DatabaseAwayError, match="cannot be reached"),
    ):
        database.check()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="file cannot be made: File exists"):
        Database(f"sqlite:///{tmp_path / 'file' / 'plantroom.db'}")


def test_a_reader_of_a_database_that_is_away_may_try_again(tmp_path: Path) -> None:
    with (
        closing(Database(f"postgresql://nobody@/none?host={tmp_path}")) as database,
        pytest.raises(DatabaseAwayError, match="cannot be reached"),
        database.reading() as session,
    ):
        session.execute(sa.text("SELECT 1"))


def test_the_password_is_not_in_a_message(tmp_path: Path) -> None:
    with (
        closing(Database(f"postgresql://nobody:hush@/none?host={tmp_path}")) as database,
        pytest.raises(DatabaseAwayError) as caught,
    ):
        database.upgrade()
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("var/plantroom.db", "is not an address"),
        ("mysql://root@localhost/plantroom", "'mysql' is not a database we know"),
        ("sqlite://", "orders need a file that stays"),
        ("sqlite:///:memory:", "orders need a file that stays"),
    ],
)
def test_an_address_we_cannot_use_is_refused_with_how_to_write_one(url: str, what: str) -> None:
    with pytest.raises(InputError, match=what) as caught:
        parse_url(url)
    assert "sqlite:///path/to/plantroom.db" in str(caught.value)
