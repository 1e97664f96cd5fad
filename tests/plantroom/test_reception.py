"""An occupant reports by a sticker's code, follows it, judges the repair: without a login, seeing nobody's name."""

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from pictures import picture
from running import PLAIN, System

SITE = """
site: {id: house, zone: Asia/Shanghai}
buildings:
  - id: tower
    name: Harbour Tower
    assets:
      - {id: lift-1, class: elevator, name: "Lift <1>", points: [door_status]}
"""


class Phone:
    """A browser without a login."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.address + path, trust_env=False, verify=PLAIN, timeout=30)

    def post(self, path: str, data: dict[str, str], photo: bytes | None = None, origin: str = "") -> httpx.Response:
        files = {"photo": ("x.jpg", photo, "image/jpeg")} if photo is not None else None
        headers = {"Origin": origin or self.address}
        return httpx.post(
            self.address + path, data=data, files=files, headers=headers, trust_env=False, verify=PLAIN, timeout=30
        )


@pytest.fixture
def house(new_system: Callable[..., System], tmp_path: Path) -> System:
    site = tmp_path / "site.yaml"
    site.write_text(SITE, encoding="utf-8")
    system = new_system(site=str(site))
    system.start()
    return system


def test_from_the_sticker_to_the_accepted_repair(house: System) -> None:
    phone = Phone(f"http://127.0.0.1:{house.http_port}")
    sticker = house.get_text("/assets/lift-1/sticker")
    (code,) = set(re.findall(r"/report/(lift-1\.[0-9a-f]{20})", sticker))
    assert "<svg" in sticker
    assert f"/report/{code}" in house.get_text("/buildings/tower/stickers")

    for wrong in ("lift-1.0000", "lift-2." + "0" * 20, "x"):
        assert phone.get(f"/report/{wrong}").status_code == 404
    page = phone.get(f"/report/{code}")
    assert page.status_code == 200
    assert "Lift &lt;1&gt;" in page.text
    (key,) = re.findall(r'name="key" value="([^"]+)"', page.text)

    empty = phone.post(f"/report/{code}", {"text": " ", "contact": "13800000000", "key": key})
    assert empty.status_code == 422
    assert 'value="13800000000"' in empty.text, "what was typed is kept"
    bad = phone.post(f"/report/{code}", {"text": "It creaks.", "key": key}, b"MZ this is a program")
    assert bad.status_code == 422
    assert "JPEG" in bad.text
    said = {"text": "It creaks <b>loudly</b>.", "contact": "13800000000", "key": key}
    sent = phone.post(f"/report/{code}", said, picture())
    assert sent.status_code == 303, sent.text
    told = sent.headers["location"].split("?")[0]
    again = phone.post(f"/report/{code}", said, picture())
    assert again.headers["location"].split("?")[0] == told, "a form that is sent twice is one request"
    shown = phone.get(told).text
    assert "It creaks &lt;b&gt;loudly&lt;/b&gt;." in shown
    assert "13800000000" not in shown, "nobody's contact is shown"

    (request,) = house.get("/api/requests")
    assert (request["asset_id"], request["building_id"]) == ("lift-1", "tower")
    assert len(house.get(f"/api/requests/{request['id']}")["photos"]) == 1
    accepted = house.post(f"/api/requests/{request['id']}/accept", {"by": "mei.lin"})
    order = accepted["work_order_id"] if "work_order_id" in accepted else accepted["order_id"]
    assert "mei.lin" not in phone.get(told).text
    assert "Lift" in phone.get(f"/report/{code}").text
    assert phone.post(f"{told}/accept", {}).status_code == 404, "nothing to judge yet"
    for verb in ("acknowledge", "arrive", "complete"):
        house.post(f"/api/work-orders/{order}/{verb}", {"by": "li.wei", "note": "Greased."})
    ready = phone.get(told).text
    assert "/accept" in ready
    assert "li.wei" not in ready
    assert phone.post(f"{told}/accept", {"note": "Thank you"}).status_code == 303
    assert house.get(f"/api/work-orders/{order}")["status"] == "accepted"
    assert phone.post(f"{told}/complain", {"note": "It took long."}).status_code == 303
    assert house.get("/api/complaints")[0]["text"] == "It took long."

    answers = [phone.post(f"/report/{code}", {"text": f"Again {number}."}).status_code for number in range(9)]
    assert answers[-1] == 429, "one address cannot flood the desk"
    assert phone.post(f"/report/{code}", {"text": "x"}, origin="http://evil.example").status_code == 403
