"""From the pages of buildings and assets to Grafana, where its address is set."""

import re
from datetime import UTC, datetime

import pytest
from asking import Client
from boards import BOARDS
from fastapi import FastAPI
from preview.plant import TOKEN, PreviewDoor, PreviewPlant

from dashboards.web.router import web_router
from facility.errors import InputError
from plantroom.settings import load_settings

HOST = "http://plant.local"


def client_of(grafana: str) -> Client:
    app = FastAPI()
    plant = PreviewPlant(datetime(2026, 11, 21, 9, 0, tzinfo=UTC))
    app.include_router(web_router(plant, PreviewDoor("m.chen"), grafana=grafana))
    client = Client(app, HOST)
    assert client.post("/login", data={"token": TOKEN}, headers={"Origin": HOST}).status_code == 303
    return client


@pytest.mark.parametrize(
    ("page", "board"),
    [
        ("/buildings/tower-a", "plantroom-building?var-building=tower-a"),
        ("/assets/lift-1", "plantroom-elevator?var-asset=lift-1"),
        ("/assets/ahu-1", "plantroom-air?var-asset=ahu-1"),
    ],
)
def test_a_page_leads_to_the_dashboard_of_its_kind_with_it_chosen(page: str, board: str) -> None:
    text = client_of("https://grafana.example/sub/").get(page).text
    assert f'href="https://grafana.example/sub/d/{board}"' in text
    (shown,) = (one for one in BOARDS if board.startswith(f"{one['uid']}?"))
    assert re.findall(r"var-(\w+)=", board)[0] in {variable["name"] for variable in shown["templating"]["list"]}


def test_without_an_address_there_is_no_link() -> None:
    client = client_of("")
    assert "rafana" not in client.get("/assets/lift-1").text + client.get("/buildings/tower-a").text


@pytest.mark.parametrize("address", ["grafana.example", "javascript:alert(1)", "https://grafana.example/?a=b"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="grafana_url"):
        load_settings(grafana_url=address)
