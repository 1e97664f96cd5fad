"""Grafana's dashboards as they are in git: they equal the build, keep to the schema, and hang together."""

import copy
import importlib.util
import json
import re
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from boards import BOARDS, FOLDER, Board, annotations, links, panels, queries, variables
from fastapi import FastAPI
from preview.plant import PreviewDoor, PreviewPlant
from ruamel.yaml import YAML
from running import ROOT
from starlette.routing import Match

from dashboards.grafana.catalogue import board_of, equipment_boards
from dashboards.grafana.units import UNITS
from dashboards.web.router import web_router
from facility.catalogue import equipment_classes, point_types

MOST_PANELS, WIDE = 24, 24
SQL_UNITS = {"short", "none", "percent", "s", "string", "dateTimeFromNow", "dateTimeAsLocal"}
BUILTIN = {
    "__from",
    "__to",
    "__interval",
    "__timeFilter",
    "__timeFrom",
    "__timeTo",
    "timeFilter",
    "tag_asset",
    "tag_point",
}
ASKED = (
    "portfolio",
    "building",
    "elevator",
    "air",
    "plant",
    "lighting",
    "water",
    "orders",
    "contract",
    "satisfaction",
    "itself",
)
needs_sdk = pytest.mark.skipif(
    importlib.util.find_spec("grafana_foundation_sdk") is None,
    reason="the extra `dashboards` is not installed: pip install plantroom[dashboards]",
)
on_each = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board["uid"])


def test_there_is_a_dashboard_for_each_that_was_asked_for() -> None:
    assert {board["uid"] for board in BOARDS} == {f"plantroom-{name}" for name in ASKED}
    assert {board["uid"] for board in BOARDS} == {path.stem for path in FOLDER.glob("*.json")}
    assert len({board["title"] for board in BOARDS}) == len(BOARDS)


@needs_sdk
@pytest.mark.filterwarnings("ignore:Prefer using dashboardv2:DeprecationWarning")  # file provisioning reads the classic
def test_the_files_equal_what_the_code_builds() -> None:
    from plantroom.grafana import build  # noqa: PLC0415 - only there with the extra

    files = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert files == build(), "run python -m plantroom.grafana"


def as_the_sdk_reads(board: Board) -> Board:
    """Read by the types that Grafana's SDK has of Grafana's schema, and written: what they do not know is lost."""
    from grafana_foundation_sdk.cog.encoder import JSONEncoder  # noqa: PLC0415 - only there with the extra
    from grafana_foundation_sdk.cog.plugins import register_default_plugins  # noqa: PLC0415 - as above
    from grafana_foundation_sdk.models.dashboard import Dashboard  # noqa: PLC0415 - as above

    register_default_plugins()
    written: Board = json.loads(json.dumps(Dashboard.from_json(copy.deepcopy(board)), cls=JSONEncoder))
    return written


@needs_sdk
@pytest.mark.filterwarnings("ignore:Prefer using dashboardv2:DeprecationWarning")  # as above
@on_each
def test_nothing_in_a_dashboard_is_unknown_to_grafanas_schema(board: Board) -> None:
    assert as_the_sdk_reads(board) == board


@needs_sdk
@pytest.mark.filterwarnings("ignore:Prefer using dashboardv2:DeprecationWarning")  # as above
@pytest.mark.parametrize(
    "where", [(), ("panels", 0), ("panels", 0, "fieldConfig", "defaults"), ("panels", 0, "options")]
)
def test_a_field_that_the_schema_has_not_is_noticed(where: tuple[Any, ...]) -> None:
    strange = copy.deepcopy(BOARDS[0])
    place = strange
    for step in where:
        place = place[step]
    place["colour"] = "blue"
    assert as_the_sdk_reads(strange) != strange


@on_each
def test_every_panel_has_title_text_unit_and_a_place_of_its_own(board: Board) -> None:
    assert board["title"]
    assert board["description"]
    taken: set[tuple[int, int]] = set()
    assert 5 <= len(panels(board)) <= MOST_PANELS
    assert sorted(panel["id"] for panel in panels(board)) == list(range(1, len(panels(board)) + 1))
    for panel in panels(board):
        assert panel["title"]
        assert panel["description"].endswith((".", ")")), panel["title"]
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}  # fmt: skip
        assert max(x for x, _ in cells) < WIDE
        assert not cells & taken, panel["title"]
        taken |= cells
        assert 1 <= len(panel["targets"]) <= 2
        assert panel["datasource"] == panel["targets"][0]["datasource"]


def points_of(panel: Board) -> set[str]:
    """The points that a panel's queries name."""
    asked = " ".join(one.get("query", "") for one in panel["targets"])
    found = re.findall(r"\"point\" (?:=~ /\^\(([^)]+)\)\$/|= '([^']+)')", asked)
    return {name for several, one in found for name in (several or one).split("|")}


@on_each
def test_units_are_those_of_the_catalogue(board: Board) -> None:
    for panel in panels(board):
        unit = panel["fieldConfig"]["defaults"]["unit"]
        named = points_of(panel)
        assert named <= set(point_types()), panel["title"]
        if named:
            assert {UNITS[point_types()[name].unit] for name in named} == {unit}, panel["title"]
        else:
            assert unit in SQL_UNITS, panel["title"]


def test_every_unit_of_the_catalogue_has_one_of_grafana() -> None:
    assert {point.unit for point in point_types().values()} <= set(UNITS)


def test_limits_are_the_parameters_of_shipped_rules() -> None:
    (elevators,) = (board for board in BOARDS if board["uid"] == "plantroom-elevator")
    (motor,) = (panel for panel in panels(elevators) if panel["title"] == "Motor temperature")
    steps = motor["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [(step.get("value"), step["color"]) for step in steps] == [(None, "green"), (85.0, "orange"), (100.0, "red")]
    (water,) = (board for board in BOARDS if board["uid"] == "plantroom-water")
    (tank,) = (panel for panel in panels(water) if panel["title"] == "Tank level")
    steps = tank["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [(step.get("value"), step["color"]) for step in steps] == [
        (None, "red"), (10.0, "orange"), (20.0, "green"), (95.0, "red"),
    ]  # fmt: skip


@on_each
def test_every_variable_and_datasource_that_is_named_is_there(board: Board) -> None:
    text = (ROOT / "deploy/grafana/provisioning/datasources/plantroom.yaml").read_text(encoding="utf-8")
    known = {(each["type"], each["uid"]) for each in YAML(typ="safe").load(text)["datasources"]}
    names = [variable["name"] for variable in board["templating"]["list"]]
    assert len(set(names)) == len(names)
    assert {"site", "building", "plantroom"} <= set(names)
    for query in (*queries(board), *variables(board)):
        assert (query["datasource"]["type"], query["datasource"]["uid"]) in known
    used = set(re.findall(r"\$\{?(\w+)", json.dumps([panels(board), annotations(board), board["templating"]])))
    assert used - BUILTIN - {"__data", "__field", "__all"} <= set(names), board["uid"]
    assert set(names) - used <= {"site", "building"}, "a variable that nothing asks for"


@cache
def pages() -> FastAPI:
    """Plantroom's pages, with nobody behind them."""
    manage: Any = object()  # nobody asks it anything
    app = FastAPI()
    app.include_router(web_router(PreviewPlant(datetime(2026, 11, 21, tzinfo=UTC)), PreviewDoor(), manage=manage))
    return app


def is_page(path: str) -> bool:
    """Whether Plantroom has a page there."""
    asked = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
    return any(route.matches(asked)[0] is Match.FULL for route in pages().router.routes)


@on_each
def test_links_lead_to_pages_and_dashboards_that_exist(board: Board) -> None:
    found = [re.sub(r"\$\{__(data|field)\.[\w.]+\}", "some-id", link) for link in links(board)]
    assert found
    uids = {one["uid"] for one in BOARDS}
    for link in found:
        if link.startswith("/d/"):
            assert re.split(r"[/?]", link)[2] in uids, link
        else:
            assert link.startswith("${plantroom}/"), link
            assert is_page(link.removeprefix("${plantroom}")), link


def test_a_page_that_is_not_there_is_noticed() -> None:
    assert is_page("/work-orders/some-id")
    assert not is_page("/orders/some-id")


def test_columns_that_links_need_are_asked_for() -> None:
    for board in BOARDS:
        for panel in panels(board):
            for link in panel["fieldConfig"]["defaults"].get("links", []):
                for name in re.findall(r"\$\{__data\.fields\.(\w+)\}", link["url"]):
                    assert f'AS "{name}"' in panel["targets"][0]["rawSql"], (board["uid"], panel["title"])
                if "${__field.labels.asset}" in link["url"]:
                    assert all('"asset"' in query["query"].split("GROUP BY")[1] for query in panel["targets"])


def test_every_kind_of_equipment_has_a_dashboard() -> None:
    boards = {name: board_of(name) for name in equipment_classes()}
    assert {name for name, board in boards.items() if board == "plantroom-building"} == {"sensor", "gateway"}
    several = [name for board in equipment_boards().values() for name in board.classes]
    assert len(several) == len(set(several)), "an asset would have two"
