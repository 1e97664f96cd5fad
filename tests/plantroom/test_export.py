"""What is exported is what the API says, in both formats, and nothing that is secret."""

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from asking import Client, bare_app
from commanding import Commands
from filling import fill, reflect
from keeping import COMMITS, SNAPSHOT, T0, build
from people import contract_text, service_book
from running import ROOT

from facility.clock import RealClock
from facility.finding import Finding
from facility.instant import format_instant, from_us
from facility.registry import Registry
from plantroom.database import Database
from plantroom.directory_api import build_router as build_directory
from plantroom.export.files import ParquetSink
from plantroom.export.tables import TABLES
from ticketing.api import build_router
from ticketing.service_api import service_routers

NewFinding = Callable[..., Finding]
PLAN = """    preventive:
      - {id: month, name: Monthly visit, match: {class: elevator}, every: month, first_on: 2026-01-10, clause: "5.1",
         checklist: [Look]}
"""
SECRETS = ("password_hash-", "hash-", "key-", "oidc_subject-", "body-")


@pytest.fixture
def exported(
    database: Database, tmp_path: Path, registry: Registry, finding: NewFinding, plantroom: Commands,
    monkeypatch: pytest.MonkeyPatch,
) -> Client:  # fmt: skip
    """An instance with rows in every table, and the API over it."""
    url = database.url.render_as_string(hide_password=False)
    (tmp_path / "var").mkdir()
    shutil.copyfile(ROOT / "tests/data/ticketing/site.yaml", tmp_path / "site.yaml")
    (tmp_path / "contract.yaml").write_text(contract_text() + PLAN, encoding="utf-8")
    for name, value in (("DATABASE_URL", url), ("SITE", "site.yaml"), ("CONTRACT", "contract.yaml")):
        monkeypatch.setenv(f"PLANTROOM_{name}", value)
    build(tmp_path / "var", url, registry, service_book(), [finding(rule=f"rule-{n}") for n in range(3)])
    with database.engine.execution_options(plantroom_writes=True).begin() as connection:
        fill(connection, reflect(connection), 40)
    assert plantroom
    routers = service_routers(database, RealClock(), service_book(), lambda: registry)
    app = bare_app(build_router(database, RealClock(), service_book()), *routers, build_directory(lambda: registry))
    return Client(app)


def read(name: str, kind: str) -> list[dict[str, Any]]:
    """The rows of a file; instants as the API writes them, what is empty as None."""
    path = Path(f"out/{name}.{kind}")
    frame = pl.read_csv(path, infer_schema=False) if kind == "csv" else pl.read_parquet(path)
    rows = frame.to_dicts()
    return [
        {key: format_instant(value) if isinstance(value, datetime) else value for key, value in row.items()}
        for row in rows
    ]


def as_text(value: object, kind: str) -> object:
    """A value of the API as the format writes it."""
    if kind == "parquet" or value is None:
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_every_file_says_what_the_api_says(kind: str, exported: Client, plantroom: Commands) -> None:
    span = format_instant(from_us(T0)), format_instant(from_us(T0 + 10**9))
    answer = plantroom("export", "out", "--format", kind, "--readings-from", span[0], "--readings-until", span[1])
    assert answer.code == 0, answer.err
    compared = 0
    for name, path in (
        ("orders", "work-orders"),
        ("requests", "requests"),
        ("complaints", "complaints"),
        ("assets", "assets"),
    ):
        said = {one["id"]: one for one in exported.get(f"/api/{path}").json()}
        rows = {row["id"]: row for row in read(name, kind)}
        assert rows.keys() == said.keys(), name
        for one, row in rows.items():
            for column in row.keys() & said[one].keys() - {"diagnoses", "feeds", "controls"}:
                if (name, column) == ("assets", "design"):
                    continue
                value = row[column].isoformat() if hasattr(row[column], "isoformat") else row[column]
                assert value == as_text(said[one][column], kind), (name, column)
                compared += 1
    assert compared > 60
    history = [line for one in exported.get("/api/work-orders").json() for line in one["history"]]
    found = read("history", kind)
    assert sorted((line["at"], line["verb"], line["by"]) for line in history) == sorted(
        (row["at"], row["verb"], row["by"]) for row in found
    )
    points = [(asset["id"], point["name"]) for asset in exported.get("/api/assets").json() for point in asset["points"]]
    assert {(row["asset_id"], row["name"]) for row in read("points", kind)} <= set(points)
    readings = read(f"readings/{from_us(T0):%Y-%m-%d}", kind)
    assert [float(row["value"]) for row in readings] == [float(number) for number in range(1, SNAPSHOT + 1)]
    assert {row["unit"] for row in readings} == {"degC"}
    assert COMMITS > SNAPSHOT


def test_nothing_secret_is_in_it_and_the_plan_is_a_calendar(
    exported: Client, plantroom: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert plantroom("export", "out").code == 0
    text = "".join(path.read_text(encoding="utf-8") for path in Path("out").rglob("*.csv"))
    for secret in SECRETS:
        assert f",{secret}" not in text, secret
    calendar = Path("out/visits.ics").read_bytes().decode()
    assert calendar.startswith("BEGIN:VCALENDAR\r\n")
    visits = read("visits", "csv")
    assert calendar.count("BEGIN:VEVENT") == len(visits) > 0
    assert f"DTSTART;VALUE=DATE:{visits[0]['on'].replace('-', '')}" in calendar
    Path("file").touch()
    for target, says in (("out", "is not empty"), (".", "is not empty"), ("file", "is no folder")):
        again = plantroom("export", target)
        assert again.code == 2, target
        assert says in again.err
    Path("empty").mkdir()
    monkeypatch.chdir("empty")
    assert "is the folder you are in" in plantroom("export", ".").err
    assert exported


def test_a_table_that_is_large_becomes_several_parquet_files(tmp_path: Path) -> None:
    with ParquetSink(tmp_path, "many", pl.Schema({"n": pl.Int64()}), most_rows=50_000) as sink:
        sink.take([number] for number in range(120_000))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["many-2.parquet", "many-3.parquet", "many.parquet"]
    assert pl.read_parquet(tmp_path / "*.parquet").height == 120_000


def test_every_column_of_the_tables_is_exported_or_left_out_on_purpose() -> None:
    left_out = {
        "orders": {"evidence", "next_due_at"}, "requests": {"key"}, "complaints": {"key", "matter_key"},
        "costs": {"key"}, "surveys": {"next_reminder_at"}, "attachments": {"content", "thumbnail_sha256"},
    }  # fmt: skip
    for name, table in TABLES.items():
        there = {column.name for column in table.row.__table__.columns}  # type: ignore[attr-defined]  # sqlmodel does not declare it
        assert there - table.columns.keys() == left_out.get(name, set()), name
