"""Grafana's user of PostgreSQL: it reads the views made for it and nothing else, whichever was there first."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from plantroom.database import Database, parse_url

SCRIPT = Path(__file__).resolve().parents[2] / "deploy/postgres/10-grafana-reader.sh"
PERSONAL = {
    "assignee", "by", "contact", "text", "note", "note_zh", "person", "body", "subject", "key", "proof", "reason",
    "error", "answers", "content", "delivered_by", "sent_by", "decided_by",
}  # fmt: skip
CHANGES = (
    "DELETE FROM public.finding",
    "DELETE FROM grafana.building",
    "SET TRANSACTION READ WRITE; DELETE FROM grafana.building",
    "SET TRANSACTION READ WRITE; CREATE TABLE public.t (a int)",
    "SET TRANSACTION READ WRITE; CREATE TABLE grafana.t (a int)",
)


def unavailable(reason: str) -> None:
    if os.environ.get("PLANTROOM_REQUIRE_REAL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def make_reader(url: URL) -> None:
    where = {"PGHOST": str(url.query["host"]), "PATH": os.environ["PATH"]}
    script = {"POSTGRES_USER": "postgres", "POSTGRES_DB": str(url.database), "GRAFANA_POSTGRES_PASSWORD": "it's $ecret"}
    made = subprocess.run([SCRIPT], env=where | script, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr


def upgrade(url: URL) -> None:
    with closing(Database(url.render_as_string(hide_password=False))) as database:
        database.upgrade()


def widen_as_before(url: URL) -> None:
    """What the script of earlier releases gave: every table of the owner, also those to come."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("GRANT USAGE ON SCHEMA public TO grafana")
        connection.exec_driver_sql(
            "ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA public GRANT SELECT ON TABLES TO grafana"
        )
    engine.dispose()


@pytest.fixture(params=["reader first", "schema first", "a reader of every table"])
def readers_url(request: pytest.FixtureRequest, new_postgres: Callable[[], str]) -> URL:
    if os.environ.get("PLANTROOM_TEST_POSTGRES"):
        pytest.skip("makes a role of the whole server, so only on one of its own")
    if shutil.which("psql") is None:
        unavailable("no psql: apt-get install postgresql-client")
    url = parse_url(new_postgres())
    steps = {
        "reader first": (make_reader, upgrade),
        "schema first": (upgrade, make_reader),
        "a reader of every table": (make_reader, widen_as_before, upgrade, make_reader),
    }
    for step in steps[request.param]:
        step(url)
    return url


@pytest.fixture
def reader(readers_url: URL) -> Iterator[sa.Connection]:
    engine = sa.create_engine(readers_url.set(username="grafana"))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.mark.service
def test_grafana_reads_every_view_and_no_table_and_writes_nothing(reader: sa.Connection) -> None:
    views = set(sa.inspect(reader).get_view_names("grafana"))
    assert {"building", "work_order", "finding", "survey", "complaint"} <= views
    for view in views:
        assert reader.execute(sa.select(sa.func.count()).select_from(sa.table(view))).scalar() == 0
    tables = {"alembic_version", *SQLModel.metadata.tables}
    assert {"account_user", "account_token", "outbox", "lease"} <= tables
    for table in sorted(tables):
        with pytest.raises(DBAPIError, match=f"permission denied for table {table}"):
            reader.execute(sa.select(sa.literal(1)).select_from(sa.table(table, schema="public")))
        reader.rollback()
    for change in CHANGES:
        with pytest.raises(DBAPIError, match=r"permission denied|read-only transaction"):
            reader.exec_driver_sql(change)
        reader.rollback()


@pytest.mark.service
def test_no_view_says_who_somebody_is_or_what_people_wrote(
    new_postgres: Callable[[str], str], upgraded_postgres: str
) -> None:
    engine = sa.create_engine(parse_url(new_postgres(upgraded_postgres)))
    found = sa.inspect(engine)
    columns = {
        (view, one["name"]) for view in found.get_view_names("grafana") for one in found.get_columns(view, "grafana")
    }
    engine.dispose()
    assert len(columns) > 100
    assert {(view, name) for view, name in columns if name in PERSONAL} == set()
