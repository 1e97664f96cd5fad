"""An occupant at the lift and a technician in the shaft, each on a phone, both at once, on the real program."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pictures import noise
from playwright.sync_api import expect
from running import wait_until

pytestmark = pytest.mark.service
NARROW = "document.documentElement.scrollWidth <= window.innerWidth"

CHOSEN = "[document.getElementById('photo').files[0].type, document.getElementById('photo').files[0].size]"


def test_from_the_sticker_to_the_marks_while_a_technician_works(house: Any, phone: Callable[..., Any]) -> None:  # noqa: ANN401 - the fixtures of this folder
    anybody = phone("zh-CN")
    anybody.goto(house.sticker("lift-1"))
    assert anybody.evaluate(NARROW)
    anybody.fill("#text", "   ")
    anybody.fill("#contact", "13800000000")
    anybody.check("[name=urgent]")
    anybody.click("form.act button.primary")
    expect(anybody.locator("#refused")).to_contain_text("请简单描述问题")
    assert anybody.input_value("#contact") == "13800000000"
    assert anybody.is_checked("[name=urgent]")
    anybody.fill("#text", "电梯异响")
    anybody.set_input_files("#photo", [{"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}])
    anybody.click("form.act button.primary")
    expect(anybody.locator("#refused")).to_contain_text("JPEG")
    assert anybody.input_value("#text") == "电梯异响"
    large = noise((2400, 800))
    anybody.set_input_files("#photo", [{"name": "x.png", "mimeType": "image/png", "buffer": large}])
    wait_until(lambda: anybody.evaluate(CHOSEN)[0] == "image/jpeg", 30, "the photo to be made small on the phone")
    assert anybody.evaluate(CHOSEN)[1] < len(large)
    anybody.click("form.act button.primary")
    expect(anybody.locator("#far")).to_contain_text("待审核")
    followed = anybody.url

    neighbour = phone()
    neighbour.goto(house.sticker("lift-1"))
    neighbour.fill("#text", "The lift makes a noise")
    neighbour.click("form.act button.primary")
    expect(neighbour.locator("#far")).to_contain_text("Somebody reported it before you")
    assert "13800000000" not in neighbour.content()

    asked = [one for one in house.system.get("/api/requests") if one["asset_id"] == "lift-1"]
    first = min(asked, key=lambda one: str(one["received_at"]))
    house.system.post(f"/api/requests/{first['id']}/accept", {"by": "mei.lin"})
    order = house.order_of("lift-1", "fault")
    house.system.post(f"/api/work-orders/{order}/dispatch", {"to": "li.wei"})
    technician = phone()
    house.enter(technician)
    for verb in ("acknowledge", "arrive", "complete"):
        technician.goto(f"{house.address}/work-orders/{order}")
        if verb == "arrive":
            expect(technician.locator("main")).to_contain_text("电梯异响")
        with technician.expect_navigation():
            technician.locator(f"form[data-queue='{order}'] button[data-verb='{verb}']").click()

    anybody.goto(followed)
    expect(anybody.locator("#far")).to_contain_text("已完工")
    assert "li.wei" not in anybody.content()
    assert "mei.lin" not in anybody.content()
    anybody.get_by_role("button", name="是，已修好").click()
    expect(anybody.get_by_role("status").first).to_contain_text("维修已确认")
    assert house.system.get(f"/api/work-orders/{order}")["status"] == "accepted"

    def survey_is_there() -> bool:
        anybody.goto(followed)
        return bool(anybody.locator("form[action$='/answer']").count())

    wait_until(survey_is_there, 60, "the survey about the repair")
    for scale in anybody.locator("form[action$='/answer'] .scale").all():
        scale.locator("label").last.click()
    anybody.fill("#why", "很快")
    anybody.click("form[action$='/answer'] button")
    expect(anybody.get_by_role("status").first).to_contain_text("感谢您的评价")
    anybody.click("details summary")
    anybody.fill("#grievance", "  ")
    anybody.click("form[action$='/complain'] button")
    expect(anybody.locator("#error-complain")).to_be_visible()
    anybody.fill("#grievance", "等待时间太长")
    anybody.click("form[action$='/complain'] button")
    expect(anybody.get_by_role("status").first).to_contain_text("投诉已收到")
    (marks,) = [one for one in house.system.get("/api/surveys") if one["status"] == "answered"]
    assert Decimal(marks["score"]) == 10
