"""Grafana's dashboards: the files equal the build, refer to what is provisioned, and their SQL runs on our schema."""

import importlib.util
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from ruamel.yaml import YAML

from facility.catalogue import point_types
from plantroom.database import Database, parse_url

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "dashboards/grafana").glob("*.json"))
UNITS = {"short", "celsius", "percent", "watt", "pressurekpa", "string", "dateTimeFromNow", "s"}
Board = dict[str, Any]


def boards() -> Iterator[Board]:
    for path in FILES:
        yield json.loads(path.read_text(encoding="utf-8"))


def queries(board: Board) -> Iterator[dict[str, Any]]:
    for panel in board["panels"]:
        yield from panel["targets"]
    for annotation in board["annotations"]["list"]:
        yield annotation["target"]


@pytest.mark.filterwarnings("ignore:Prefer using dashboardv2:DeprecationWarning")  # file provisioning reads the classic
def test_the_files_equal_what_the_code_builds() -> None:
    if importlib.util.find_spec("grafana_foundation_sdk") is None:
        pytest.skip("the extra `dashboards` is not installed: pip install plantroom[dashboards]")
    from dashboards.grafana.build import render  # noqa: PLC0415 - only there with the extra

    built = render()
    assert {path.name: path.read_text(encoding="utf-8") for path in FILES} == built, (
        "run python -m dashboards.grafana.build"
    )


def test_every_panel_has_title_description_unit_and_its_own_place() -> None:
    for board in boards():
        taken: set[tuple[int, int]] = set()
        ids = [panel["id"] for panel in board["panels"]]
        assert len(ids) == len(set(ids)) >= 10
        for panel in board["panels"]:
            assert panel["title"]
            assert panel["description"]
            assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}  # fmt: skip
            assert max(x for x, _ in cells) < 24
            assert not cells & taken, panel["title"]
            taken |= cells


def test_datasources_and_variables_of_every_query_exist() -> None:
    text = (ROOT / "deploy/grafana/provisioning/datasources/plantroom.yaml").read_text(encoding="utf-8")
    known = {(each["type"], each["uid"]) for each in YAML(typ="safe").load(text)["datasources"]}
    for board in boards():
        names = {variable["name"] for variable in board["templating"]["list"]}
        assert {"site", "building", "asset"} <= names
        for query in queries(board):
            assert (query["datasource"]["type"], query["datasource"]["uid"]) in known
        used = set(re.findall(r"\$\{?([a-z][a-zA-Z]*)", json.dumps(board).replace("$timeFilter", "")))
        assert used - {"tag", "all"} <= names, used


def test_patterns_of_points_match_points_of_the_catalogue() -> None:
    for board in boards():
        patterns = [found for query in queries(board) for found in re.findall(r'"point" =~ /([^/]+)/', str(query))]
        assert patterns
        for pattern in patterns:
            assert [name for name in point_types() if re.search(pattern, name)], pattern


@pytest.mark.service
def test_every_sql_query_runs_on_our_schema(new_postgres: Callable[[], str]) -> None:
    url = new_postgres()
    database = Database(url)
    database.upgrade()
    database.close()
    engine = sa.create_engine(parse_url(url))
    asked = 0
    with engine.connect() as connection:
        for board in boards():
            for query in queries(board):
                if "rawSql" in query:
                    text = (
                        query["rawSql"].replace("${building:sqlstring}", "'tower'").replace("${asset:sqlstring}", "'a'")
                    )
                    text = re.sub(r"\$__timeFilter\((\w+)\)", r"\1 BETWEEN now() - interval '1 day' AND now()", text)
                    assert "$" not in text
                    connection.exec_driver_sql(text).all()
                    asked += 1
    engine.dispose()
    assert asked >= 6
