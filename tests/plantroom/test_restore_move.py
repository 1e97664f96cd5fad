"""An instance that began on SQLite moves to PostgreSQL: a backup of the one restored into the other."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from commanding import Commands
from filling import fill, reflect
from keeping import build
from sqlmodel import SQLModel

from facility.finding import Finding
from facility.registry import Registry
from plantroom.database import Database, known_schemas, upgrade_on
from ticketing.contract_book import ContractBook

NewFinding = Callable[..., Finding]
Rows = dict[str, list[str]]
pytestmark = pytest.mark.service


@pytest.fixture
def target(new_postgres: Callable[..., str], plantroom: Commands) -> Iterator[Database]:
    """An empty PostgreSQL."""
    assert plantroom  # it has the working folder and an environment without settings
    with closing(Database(new_postgres())) as opened:
        yield opened


def rows(database: Database) -> Rows:
    """Everything, in the program's own types."""
    with database.engine.connect() as connection:
        there = set(sa.inspect(connection).get_table_names()) - {"alembic_version"}
        assert there == set(SQLModel.metadata.tables)
        return {
            name: sorted(repr(tuple(row)) for row in connection.execute(sa.select(table)))
            for name, table in SQLModel.metadata.tables.items()
        }


def begin(tmp_path: Path, schema: str) -> Path:
    """The file of a small instance with two rows in every table that this schema has."""
    path = tmp_path / "var/plantroom.db"
    path.parent.mkdir()
    with (
        closing(Database(f"sqlite:///{path}")) as small,
        small.engine.execution_options(plantroom_writes=True).begin() as connection,
    ):
        upgrade_on(connection, schema)
        fill(connection, reflect(connection), 1)
        there = sa.inspect(connection).get_table_names()
        if "engine_state" in there:
            connection.execute(sa.text("DELETE FROM engine_state"))  # of no journal
        if "building_shard" in there:
            connection.execute(sa.text("UPDATE building_shard SET phase = '', to_shard = NULL"))  # none moves
    return path


def restore(plantroom: Commands, target: Database, monkeypatch: pytest.MonkeyPatch) -> "tuple[int, str, str]":
    with monkeypatch.context() as patch:
        patch.setenv("PLANTROOM_DATABASE_URL", target.url.render_as_string(hide_password=False))
        answer = plantroom("restore", "backups", "--var", "new")
    return answer.code, answer.out, answer.err


@pytest.mark.parametrize("schema", [known_schemas()[4], known_schemas()[-1]])
def test_every_row_of_every_table_comes_over(
    schema: str, target: Database, tmp_path: Path, plantroom: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = begin(tmp_path, schema)
    made = plantroom("backup", "backups")
    assert made.code == 0, made.err
    code, out, err = restore(plantroom, target, monkeypatch)
    assert code == 0, err
    assert "moved from SQLite to PostgreSQL" in out
    with closing(Database(f"sqlite:///{path}")) as small:
        assert small.upgrade()[1] == known_schemas()[-1]
        held = rows(small)
    assert rows(target) == held
    assert sum(map(len, held.values())) > 20
    target.check()
    assert not list(Path("new").rglob("plantroom.db*")), "no second database that somebody could take for the one"
    with target.engine.begin() as connection:  # numbers go on behind those that are there
        fill(connection, reflect(connection), 7)


def test_orders_journal_and_readings_come_along(
    sqlite_file: Path, target: Database, tmp_path: Path, registry: Registry, book: ContractBook, finding: NewFinding,
    plantroom: Commands, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / "var").mkdir()
    path = sqlite_file.rename(tmp_path / "var/plantroom.db")
    build(tmp_path / "var", f"sqlite:///{path}", registry, book, [finding(rule=f"rule-{n}") for n in range(3)])
    assert plantroom("backup", "backups").code == 0
    code, _, err = restore(plantroom, target, monkeypatch)
    assert code == 0, err
    with closing(Database(f"sqlite:///{path}")) as small:
        assert rows(target) == rows(small)
    assert (tmp_path / "new/inbox.json").read_bytes() == (tmp_path / "var/inbox.json").read_bytes()
    assert len(list((tmp_path / "new/journal").glob("*.sqlite"))) > 1


def test_a_text_that_postgresql_does_not_take_is_named_and_nothing_is_changed(
    target: Database, tmp_path: Path, plantroom: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = begin(tmp_path, known_schemas()[-1])
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE dead_letter SET topic = 'a' || char(0) || 'b'")
        (key,) = db.execute("SELECT min(id) FROM dead_letter").fetchone()
    assert plantroom("backup", "backups").code == 0
    code, _, err = restore(plantroom, target, monkeypatch)
    assert code != 0
    assert f"dead_letter {key}: its topic has a zero byte" in err
    assert not Path("new").exists()
    with target.engine.connect() as connection:
        assert sa.inspect(connection).get_table_names() == []


def test_the_way_back_is_refused(
    target: Database, tmp_path: Path, plantroom: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    target.upgrade()
    (tmp_path / "var/journal").mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.setenv("PLANTROOM_DATABASE_URL", target.url.render_as_string(hide_password=False))
        assert plantroom("backup", "backups").code == 0
    answer = plantroom("restore", "backups", "--var", "new")
    assert answer.code != 0
    assert "the way back to SQLite is not there" in answer.err
