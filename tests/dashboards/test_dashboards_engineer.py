"""The engineer's way from building to floor to asset, and an asset among its siblings."""

from datetime import UTC, datetime, timedelta

import pytest
from asking import Client
from fastapi import FastAPI
from preview.plant import TOKEN, PreviewDoor, PreviewPlant

from dashboards.web.heat_map import Tile, draw_tile, scale_of
from dashboards.web.language import Words
from dashboards.web.router import web_router
from dashboards.web.sibling_pages import compare_siblings
from dashboards.web.trends import visit_marks
from facility.instant import to_us
from facility.reading import Quality, Reading
from facility.site_file import parse_site

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
HOST = "http://plant.local"


@pytest.fixture
def client() -> Client:
    app = FastAPI()
    app.include_router(web_router(PreviewPlant(NOW), PreviewDoor()))
    found = Client(app, HOST)
    found.post("/login", data={"token": TOKEN}, headers={"Origin": HOST})
    return found


def test_a_floor_shows_each_asset_by_its_state_or_by_a_value(client: Client) -> None:
    states = client.get("/buildings/tower-a/floors").text
    assert 'href="/buildings/tower-a/floors"' in client.get("/buildings/tower-a").text
    for words in ('class="heat"', "/assets/lift-1", "Lift 1: ", 'role="img"', "The same as a table"):
        assert words in states, words
    values = client.get("/buildings/tower-a/floors?point=zone_air_temperature&lang=zh").text
    for words in ("楼层视图", "°C", "/siblings?point=zone_air_temperature", "swatch h0", "以表格显示"):
        assert words in values, words
    assert client.get("/buildings/tower-a/floors?point=nonsense&space=nowhere").status_code == 200
    assert client.get("/buildings/none/floors").status_code == 404


def test_a_tile_says_its_value_in_words_and_escapes_them() -> None:
    svg = draw_tile(Tile("/x", "<b>A very long name of an asset</b>", '21 "C"', "h3"))
    assert "<b>" not in svg
    assert "&lt;b&gt;A very long name of an asset&lt;/b&gt;: 21 &quot;C&quot;" in svg
    assert "…" in svg


def test_a_scale_divides_what_is_there_into_six_colours() -> None:
    assert scale_of([]) is None
    scale = scale_of([18.0, 24.0])
    assert scale is not None
    assert [scale.css(value) for value in (17, 18, 20.5, 23.9, 24, 30)] == ["h0", "h0", "h2", "h5", "h5", "h5"]
    assert [css for css, _, _ in scale.bounds()] == [f"h{n}" for n in range(6)]
    same = scale_of([21.0, 21.0])
    assert same is not None
    assert same.css(21.0) == "h3"
    wide = scale_of([21.0, 21.1], least=2.0)
    assert wide is not None
    assert wide.high - wide.low == pytest.approx(2.0)


def test_siblings_stand_by_how_far_they_are_from_the_rest() -> None:
    zones = ", ".join(f"{{id: z-{n}, class: zone, points: [zone_air_temperature]}}" for n in range(4))
    site = f"site: {{id: s, zone: UTC}}\nbuildings: [{{id: b, assets: [{zones}]}}]\n"
    assets = list(parse_site(site, "site.yaml").assets.values())
    values = {"z-0": [21.0, 21.2, 21.1], "z-1": [21.0], "z-2": [27.0, 99.0, 27.2], "z-3": []}
    readings = {
        name: [
            Reading(name, "zone_air_temperature", n, value, Quality.GOOD if value < 90 else Quality.SPIKE)
            for n, value in enumerate(found)
        ]
        for name, found in values.items()
    }
    rows = compare_siblings(assets[1], assets, readings)
    assert [row.asset.id for row in rows] == ["z-2", "z-1", "z-0", "z-3"]
    assert [row.is_own for row in rows] == [False, True, False, False]
    assert rows[0].median == pytest.approx(27.1)
    assert rows[0].away == pytest.approx(6.0)
    assert rows[-1].median is None


def test_an_asset_is_compared_with_those_of_its_class_in_its_building(client: Client) -> None:
    assert "/assets/lift-1/siblings" in client.get("/assets/lift-1").text
    text = client.get("/assets/lift-1/siblings?span=6h").text
    for words in ("Among its siblings", "line own", "line sib", "Lift 2", "From the median of all"):
        assert words in text, words
    assert client.get("/assets/none/siblings").status_code == 404
    assert client.get("/assets/lift-1/siblings?point=<x>").status_code == 200


def test_visits_are_marked_where_somebody_arrived_and_was_done() -> None:
    order = next(one for one in PreviewPlant(NOW).work_orders() if one.arrived_at is not None)
    marks = visit_marks([order], Words("en"))
    assert order.arrived_at is not None
    assert (marks[0].at_us, marks[0].label) == (to_us(order.arrived_at), f"{order.number} arrived")
    assert all(mark.at_us <= to_us(NOW + timedelta(days=1)) for mark in marks)
