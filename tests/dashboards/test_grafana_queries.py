"""Every query of every panel, variable and annotation, on real servers that the program's own parts have filled."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import pytest
import sqlalchemy as sa
from boards import BOARDS, Board, annotations, panels, variables
from influx_server import create, influx
from portfolio import UNTIL_US, fill
from pydantic import SecretStr

from bench.grafana_expand import ALL, Shown, expand_influx, expand_sql
from ingest.stores.influx_setup import BUCKETS
from ingest.stores.influx_wire import InfluxAddress, InfluxWire
from plantroom.database import parse_url

pytestmark = pytest.mark.service
HOUR_MS = 3_600_000
SPANS = {"plantroom": 6 * HOUR_MS, "plantroom_mean_5m": 7 * 24 * HOUR_MS, "plantroom_mean_1h": 30 * 24 * HOUR_MS}
"""Where readings come from -> a shown time for which they do."""
INFLUX_MOST = 20


@dataclass(frozen=True, slots=True)
class Servers:
    """Both, and the end of what they hold, milliseconds since the epoch."""

    influx: InfluxWire
    postgres: sa.Connection
    until_ms: int

    def shown(self, span_ms: int, **chosen: list[str]) -> Shown:
        names = ("site", "building", "asset", "contract")
        return Shown(self.until_ms - span_ms, self.until_ms, {name: [ALL] for name in names} | chosen)

    def sql(self, query: str, shown: Shown) -> list[dict[str, Any]]:
        text = expand_sql(query, shown).replace("%", "%%")
        return [dict(row) for row in self.postgres.exec_driver_sql(text).mappings()]

    def settled(self, board: Board, shown: Shown) -> Shown:
        """With the hidden variables as the servers say."""
        for variable in variables(board):
            if variable.get("hide"):
                found = self.sql(variable["query"], shown)
                named = [str(next(iter(row.values()))) for row in found]
                shown = replace(shown, chosen={**shown.chosen, variable["name"]: named})
        return shown

    def series(self, query: str, shown: Shown, points: int) -> list[dict[str, str]]:
        """The tags of each series that has rows."""
        (answer,) = self.influx.query([expand_influx(query, shown, points)])
        assert len(answer) <= INFLUX_MOST
        return [one.tags for one in answer if one.rows]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, new_postgres: Callable[[], str]) -> Iterator[Servers]:
    url, folder = new_postgres(), tmp_path_factory.mktemp("portfolio")
    with influx(tmp_path_factory.mktemp("influx")) as address:
        create(address, ["plantroom" + suffix for suffix in BUCKETS])
        where = InfluxAddress(address, "plantroom", "plantroom", SecretStr("token"))
        fill(folder, where, url)
        engine = sa.create_engine(
            parse_url(url), isolation_level="AUTOCOMMIT", connect_args={"options": "-c timezone=utc"}
        )
        with engine.connect() as connection, closing(InfluxWire(where)) as wire:
            yield Servers(wire, connection, UNTIL_US // 1000 + 1)
        engine.dispose()


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board["uid"])
@pytest.mark.parametrize("store", SPANS)
def test_every_panel_has_rows(servers: Servers, board: Board, store: str) -> None:
    span_ms = SPANS[store]
    shown = servers.settled(board, servers.shown(span_ms))
    assert shown.chosen.get("store", [store]) == [store]
    for panel in panels(board):
        points = int(panel.get("maxDataPoints", 100))
        rows = 0
        for query in panel["targets"]:
            if "rawSql" in query:
                found = servers.sql(query["rawSql"], shown)
                rows += len([one for one in found if any(value is not None for value in one.values())])
                assert query["format"] == "table" or {"time", "metric", "value"} == set(found[0]), panel["title"]
            else:
                rows += len(servers.series(query["query"], shown, points))
        assert rows, f"{board['uid']}: {panel['title']} shows nothing over {span_ms // HOUR_MS} h"


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board["uid"])
def test_every_variable_has_values_and_narrows_the_next(servers: Servers, board: Board) -> None:
    chosen: dict[str, list[str]] = {}
    for variable in variables(board):
        found = servers.sql(variable["query"], servers.shown(6 * HOUR_MS, **chosen))
        assert found, variable["name"]
        if variable.get("hide"):
            continue
        assert {"__text", "__value"} == set(found[0])
        values = [str(row["__value"]) for row in found]
        home = "park" if board["uid"] == "plantroom-plant" else "demo"
        chosen[variable["name"]] = [home] if home in values else values[:1]
    everything = servers.shown(6 * HOUR_MS)
    narrowed = servers.shown(6 * HOUR_MS, **chosen)
    for query in (panel["targets"][0]["rawSql"] for panel in panels(board) if "rawSql" in panel["targets"][0]):
        assert len(servers.sql(query, narrowed)) <= len(servers.sql(query, everything))


@pytest.mark.parametrize("store", SPANS)
def test_the_store_is_chosen_by_the_shown_time(servers: Servers, store: str) -> None:
    asked = {variable["query"] for board in BOARDS for variable in variables(board) if variable["name"] == "store"}
    (query,) = asked
    (row,) = servers.sql(query, servers.shown(SPANS[store]))
    assert list(row.values()) == [store]


def test_marks_of_findings_and_visits_are_there(servers: Servers) -> None:
    for board in BOARDS:
        for annotation in annotations(board):
            servers.sql(annotation["target"]["rawSql"], servers.shown(24 * HOUR_MS))
    (building,) = (board for board in BOARDS if board["uid"] == "plantroom-building")
    for annotation in annotations(building):
        found = servers.sql(annotation["target"]["rawSql"], servers.shown(24 * HOUR_MS))
        assert found, annotation["name"]
        assert set(found[0]) == {"time", "timeend", "text", "tags"}


def test_a_chosen_asset_is_alone(servers: Servers) -> None:
    (elevators,) = (board for board in BOARDS if board["uid"] == "plantroom-elevator")
    shown = servers.settled(elevators, servers.shown(6 * HOUR_MS, asset=["EL-1", "EL-3"]))
    assert shown.chosen["shown"] == ["EL-1", "EL-3"]
    for panel in panels(elevators):
        for query in panel["targets"]:
            if "query" in query:
                assert {tags["asset"] for tags in servers.series(query["query"], shown, 400)} <= {"EL-1", "EL-3"}


def test_plots_show_few_assets_of_each_kind_those_with_findings_first(servers: Servers) -> None:
    (building,) = (board for board in BOARDS if board["uid"] == "plantroom-building")
    (variable,) = (one for one in variables(building) if one["name"] == "shown")
    assert "place <= 20" in variable["query"]
    fewer = variable["query"].replace("place <= 20", "place <= 1")
    found = {row["__value"] for row in servers.sql(fewer, servers.shown(6 * HOUR_MS))}
    assert {"LEAK-1", "PUMP-1", "LC-2"} <= found
    assert not found & {"LEAK-2", "PUMP-2", "LC-1"}


def test_assets_of_one_name_are_two_over_time(new_postgres: Callable[[], str]) -> None:
    (building,) = (board for board in BOARDS if board["uid"] == "plantroom-building")
    (panel,) = (one for one in panels(building) if one["title"] == "Findings" and one["type"] == "state-timeline")
    shown = Shown(UNTIL_US // 1000 - HOUR_MS, UNTIL_US // 1000, {name: [ALL] for name in ("site", "building", "asset")})
    engine = sa.create_engine(parse_url(new_postgres()), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for line in NAMESAKES:
            connection.exec_driver_sql(line)
        text = expand_sql(panel["targets"][0]["rawSql"], shown).replace("%", "%%")
        found = [(row["metric"], row["value"]) for row in connection.exec_driver_sql(text).mappings()]
    engine.dispose()
    assert sorted(found) == [("Pump (p-1)", 4), ("Pump (p-2)", 1)]


NAMESAKES = (
    "CREATE SCHEMA grafana",
    "CREATE TABLE grafana.building AS SELECT 'b' AS building_id, 's' AS site_id",
    """CREATE TABLE grafana.finding AS SELECT 'b' AS building_id, asset_id, 'Pump' AS asset, severity_rank,
    timestamptz '2020-01-01' AS raised_at, NULL::timestamptz AS cleared_at, false AS is_suppressed
    FROM (VALUES ('p-1', 4), ('p-2', 1)) AS one (asset_id, severity_rank)""",
)


def test_findings_over_time_name_the_asset_and_how_bad_it_is(servers: Servers) -> None:
    (building,) = (board for board in BOARDS if board["uid"] == "plantroom-building")
    (panel,) = (
        panel for panel in panels(building) if panel["title"] == "Findings" and panel["type"] == "state-timeline"
    )
    found = servers.sql(panel["targets"][0]["rawSql"], servers.shown(6 * HOUR_MS))
    assert {row["value"] for row in found} >= {0, 3, 4}
    assert len({row["metric"] for row in found}) > 5
    assert found == sorted(found, key=lambda row: row["time"])
