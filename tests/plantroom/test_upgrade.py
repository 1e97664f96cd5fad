"""Every schema there ever was moves up with what is in it, on both databases, also after a kill in the middle."""

import signal
import subprocess
import sys
from collections.abc import Collection
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from asking import Client, bare_app
from commanding import Commands
from filling import AT, Rows, fill, kept, reflect, rows_of
from people import service_book
from running import ROOT

from facility.clock import JournalClock
from facility.instant import to_us
from facility.registry import Registry
from plantroom.database import Database, known_schemas, upgrade_on
from ticketing.api import build_router
from ticketing.desk import Desk
from ticketing.service_api import service_routers

SCHEMAS = known_schemas()
GIVEN_MEANWHILE = {"0003": {"order_watch"}}
"""Tables that a step fills itself."""
KILLED = """
import os, signal, sys
import sqlalchemy as sa
from plantroom.database import Database
database, left = Database(sys.argv[1]), [int(sys.argv[2])]
def count(*_):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
sa.event.listen(database.engine, "after_cursor_execute", count)
database.upgrade()
"""


def move(database: Database, schema: str, tag: int) -> tuple[Rows, Rows]:
    """Bring it to a schema, then fill it; what it held before it was filled, and after."""
    with database.engine.execution_options(plantroom_writes=True).begin() as connection:
        upgrade_on(connection, schema)
        tables = reflect(connection)
        moved = rows_of(connection, tables)
        fill(connection, tables, tag)
        return moved, rows_of(connection, tables)


def everything(database: Database) -> Rows:
    with database.engine.connect() as connection:
        return rows_of(connection, reflect(connection))


def check_kept(before: Rows, after: Rows, given: Collection[str] = ()) -> None:
    found = kept(before, after)
    for name in before.keys() - set(given):
        assert found[name] == before[name], name


def check_works(database: Database, registry: Registry, finding: Any) -> None:  # noqa: ANN401 - the fixture's function
    """Lists, pages of one, a new order, a step: what the desk and the API do with rows of before."""
    book = service_book()
    clock = JournalClock(to_us(AT + timedelta(days=1)))
    routers = service_routers(database, clock, book, lambda: registry)
    client = Client(bare_app(build_router(database, clock, book), *routers))
    for noun in ("work-orders", "requests", "complaints", "surveys"):
        answer = client.get(f"/api/{noun}")
        assert answer.status_code == 200, answer.text
        for one in answer.json():
            assert client.get(f"/api/{noun}/{one['id']}").status_code == 200, one
    (order, *_) = client.get("/api/work-orders").json()
    assert len(order["history"]) >= 1
    answer = client.post(f"/api/work-orders/{order['id']}/arrive", json={"version": order["version"]})
    assert answer.status_code == 200, answer.text
    with database.writing() as session:
        assert len(Desk(book, lambda: registry).receive(session, [finding(rule="another")]).opened) == 1
    database.check()


def test_rows_of_every_schema_come_through_all_the_later_ones(
    database_url: str,
    registry: Registry,
    finding: Any,  # noqa: ANN401 - the fixture's function
) -> None:
    with closing(Database(database_url)) as database:
        rows: Rows = {}
        for tag, schema in enumerate(SCHEMAS):
            before = rows
            moved, rows = move(database, schema, tag)
            check_kept(before, moved, GIVEN_MEANWHILE.get(schema, ()))
        assert len(rows["work_order"]) == 2 * len(SCHEMAS)
        check_works(database, registry, finding)


@pytest.mark.soak
@pytest.mark.parametrize("schema", SCHEMAS)
def test_each_schema_with_its_rows_moves_up_in_one_step(
    schema: str,
    database_url: str,
    registry: Registry,
    finding: Any,  # noqa: ANN401 - the fixture's function
) -> None:
    with closing(Database(database_url)) as database:
        _, before = move(database, schema, 0)
        assert database.upgrade() == (schema, SCHEMAS[-1])
        check_kept(before, everything(database))
        check_works(database, registry, finding)


@pytest.mark.parametrize("statement", [25, *(pytest.param(at, marks=pytest.mark.soak) for at in (2, 60, 110))])
def test_a_kill_in_the_middle_leaves_it_as_it_was_and_it_can_be_run_again(database_url: str, statement: int) -> None:
    with closing(Database(database_url)) as database:
        _, before = move(database, SCHEMAS[0], 0)
        database.close()
        command = [sys.executable, "-c", KILLED, database_url, str(statement)]
        killed = subprocess.run(command, cwd=ROOT, check=False, timeout=60)
        assert killed.returncode == -signal.SIGKILL
        assert everything(database) == before
        assert database.upgrade() == (SCHEMAS[0], SCHEMAS[-1])
        check_kept(before, everything(database))


def test_a_newer_database_is_refused_with_what_to_do(
    database: Database, plantroom: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.writing() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = '0999'"))
    monkeypatch.setenv("PLANTROOM_DATABASE_URL", database.url.render_as_string(hide_password=False))
    answer = plantroom("db", "upgrade")
    assert answer.code == 2
    assert "has schema 0999, which this program does not know" in answer.err
    assert "Install a newer plantroom, or restore a backup from before the upgrade" in answer.err
