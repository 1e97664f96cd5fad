"""The page of new devices: proposals, the click that adds one, refusals, clocks that are off."""

import re
from dataclasses import replace
from datetime import UTC, datetime

from asking import Client
from fastapi import FastAPI
from preview.plant import TOKEN, PreviewDoor, PreviewPlant

from dashboards.web.protocols import Health, StageHealth
from dashboards.web.router import web_router

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
HOST = "http://plant.local"
OWN = {"Origin": HOST}
CALL = {"key": "zigbee2mqtt/12<e>", "asset_id": " 12-e ", "equipment_class": "zone", "building_id": "b", "name": "12e"}


def signed_in(plant: PreviewPlant) -> Client:
    app = FastAPI()
    app.include_router(web_router(plant, PreviewDoor()))
    client = Client(app, HOST)
    client.post("/login", data={"token": TOKEN}, headers=OWN)
    return client


def test_the_page_shows_what_each_device_likely_is_and_clocks_that_are_off() -> None:
    text = signed_in(PreviewPlant(NOW, kind="real", factor=1)).get("/devices").text
    assert "zigbee2mqtt/12&lt;e&gt;" in text
    assert "&lt;battery&gt;" in text
    assert '<option value="zone" selected>' in text
    assert "add these points to it there" in text
    assert "8 h ahead" in text
    assert "1 h 10 min behind" in text
    assert "lift-2" not in text
    assert "Codes without a meaning" in text
    assert "E&lt;57&gt;" in text


def test_a_click_adds_a_device() -> None:
    plant = PreviewPlant(NOW)
    client = signed_in(plant)
    answer = client.post("/devices/approve", data=CALL, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/devices?done=12-e")
    assert plant.approved == ("zigbee2mqtt/12<e>", "12-e", "zone", "b", "12e")
    assert "Every device that speaks is in a site file." in client.get("/devices?done=<x>").text


def test_what_cannot_be_is_said_and_a_form_from_elsewhere_changes_nothing() -> None:
    plant = PreviewPlant(NOW)
    client = signed_in(plant)
    refused = client.post("/devices/approve", data=CALL | {"asset_id": "lift-1"}, headers=OWN)
    assert refused.status_code == 409
    assert "already. Choose another id." in refused.text
    assert client.post("/devices/approve", data=CALL, headers={"Origin": "http://evil.example"}).status_code == 403
    assert Client(FastAPI(), HOST).get("/devices").status_code == 404
    assert plant.approved is None


def test_the_system_page_names_silent_devices_and_the_share_that_could_not_be_read() -> None:
    text = signed_in(PreviewPlant(NOW)).get("/health").text
    assert "Silent devices" in text
    assert "/assets/lift-2" in text
    assert "2 / 184,220" in text
    assert "214,800" in text.replace("214800", "214,800"), "how far the slowest stage is behind"


class Divided(PreviewPlant):
    """A plant with a second shard."""

    def health(self) -> Health:
        whole = super().health()
        return replace(whole, stages=(*whole.stages, StageHealth("rules/north", alive=True, behind_commits=12_345)))


def test_the_system_page_names_the_shard_of_a_stage() -> None:
    client = signed_in(Divided(NOW))
    english = client.get("/health", headers={"Accept-Language": "en"}).text
    assert re.search(r"Rules\s*<span class=\"sub\">shard north</span>", english)
    assert "12,345" in english.replace("12345", "12,345")
    chinese = client.get("/health", headers={"Accept-Language": "zh-CN"}).text
    assert re.search(r"规则判定\s*<span class=\"sub\">分片 north</span>", chinese)
