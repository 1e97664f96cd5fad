"""Topics to assets: sources, the own topic, what is no data, and how an unknown topic is refused."""

from pathlib import Path

import pytest

from facility.site_file import parse_site
from ingest.dialects.plantroom_json import PlantroomJson
from ingest.dialects.udmi import Udmi
from ingest.routing import Router

SITE = Path(__file__).parent / "golden" / "site.yaml"


def router() -> Router:
    return Router(parse_site(SITE.read_text(encoding="utf-8"), "site.yaml"))


@pytest.mark.parametrize(
    ("topic", "asset_id", "dialect"),
    [
        ("plantroom/demo/lift-1/readings", "lift-1", PlantroomJson),
        ("works/pumps/1", "pump-1", PlantroomJson),
        ("plantroom/demo/pump-1/readings", "pump-1", PlantroomJson),
        ("/devices/AHU-1/events/pointset", "ahu-1", Udmi),
        ("/devices/AHU-1/state", "ahu-1", Udmi),
        ("plantroom/demo/ahu-1/readings", "ahu-1", PlantroomJson),
    ],
)
def test_every_topic_of_an_asset_leads_to_it(topic: str, asset_id: str, dialect: type) -> None:
    route = router().find(topic)
    assert route is not None
    assert route.asset_id == asset_id
    assert isinstance(route.decoder, dialect)


@pytest.mark.parametrize(
    ("topic", "ignored"),
    [
        ("simulation/demo/truth", True),
        ("/devices/AHU-1/events/system", True),
        ("/devices/AHU-1/config", True),
        ("/devices/AHU-10/config", False),
        ("simulations", False),
        ("plantroom/demo/lift-2/readings", False),
    ],
)
def test_what_is_no_data(topic: str, *, ignored: bool) -> None:
    own = router()
    assert own.find(topic) is None
    assert own.is_ignored(topic) is ignored


def test_an_unknown_topic_names_the_closest_one() -> None:
    said = router().explain_unknown("plantroom/demo/lift-01/readings")
    assert said == (
        "the topic 'plantroom/demo/lift-01/readings' belongs to no asset. "
        "Did you mean 'plantroom/demo/lift-1/readings'?"
    )


def test_a_topic_unlike_any_other_says_how_topics_look() -> None:
    said = router().explain_unknown("zigbee2mqtt/kitchen")
    assert said.endswith("Publish on plantroom/SITE/ASSET/readings, or name the topic under source in the site file.")
