"""The technician's day on a phone, on the real program: take, arrive without a signal, be told of a conflict."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from pictures import picture
from playwright.sync_api import expect
from running import wait_until
from tanks import children

pytestmark = pytest.mark.service
NARROW = "document.documentElement.scrollWidth <= window.innerWidth"


def test_what_is_done_in_the_shaft_is_kept_and_sent_once(house: Any, phone: Callable[..., Any]) -> None:  # noqa: ANN401 - the fixtures of this folder
    first, second = house.get_wet("leak-1"), house.get_wet("leak-2")
    page = phone()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    house.enter(page)
    assert page.evaluate(NARROW)
    _press(page, first, "acknowledge")
    _press(page, second, "acknowledge")
    assert _status(house, first) == "acknowledged"
    kept = f"caches.match('/work-orders/{first}').then(found => found !== undefined)"
    wait_until(lambda: page.evaluate(kept), 30, "the phone to keep the pages of her orders")
    assert wrong == []
    desk = phone()
    house.enter_by_token(desk)
    desk.goto(f"{house.address}/work-orders/{second}")

    house.system.kill()  # the server is gone
    for each in (page, desk):
        expect(each.locator("#offline")).to_be_visible(timeout=60_000)  # the broken stream says so
    page.goto(f"{house.address}/my")
    assert page.locator(f"[data-order='{first}'], [data-order='{second}']").count() == 2
    _press(page, first, "arrive", sent=False)
    page.goto(f"{house.address}/work-orders/{first}")
    page.fill("#note-complete", "Valve closed, dried, tested.")
    _press(page, first, "complete", sent=False)
    expect(page.locator("#waiting li")).to_have_count(2)
    page.reload()
    expect(page.locator("#waiting li")).to_have_count(2)  # a reload forgets nothing

    house.system.launch()
    house.system.wait_ready(150)
    house.system.post(f"/api/work-orders/{second}/cancel", {"note": "Double."})
    expect(desk.locator("#offline")).to_be_hidden(timeout=60_000)  # connected again by itself, and caught up
    expect(desk.locator("#history")).to_contain_text("Double.", timeout=60_000)
    wait_until(lambda: _status(house, first) == "completed", 60, "the kept actions to be sent, in their order")
    expect(page.locator("#waiting li")).to_have_count(0, timeout=60_000)
    history = house.system.get(f"/api/work-orders/{first}")["history"]
    done = [(line["verb"], line["by"]) for line in history if line["verb"] in ("acknowledge", "arrive", "complete")]
    assert done == [(verb, "li.wei") for verb in ("acknowledge", "arrive", "complete")], "once, under her own name"

    page.goto(f"{house.address}/my")
    assert page.locator(f"[data-queue='{second}']").count() == 0, "cancelled meanwhile"


def test_a_conflict_is_explained_and_can_be_discarded(house: Any, phone: Callable[..., Any]) -> None:  # noqa: ANN401 - the fixtures of this folder
    order = house.get_wet("leak-3")
    page = phone("zh-CN")
    house.enter(page)
    assert "待接单" in page.inner_text("main")
    engine = children(house.system)["engine"]
    os.kill(engine, signal.SIGSTOP)  # it does not answer, and says nothing on its stream either
    expect(page.locator("#offline")).to_be_visible(timeout=60_000)
    os.kill(engine, signal.SIGCONT)
    expect(page.locator("#offline")).to_be_hidden(timeout=60_000)
    house.system.post(f"/api/work-orders/{order}/cancel", {"note": "A test."})
    page.click(f"form[data-queue='{order}'] button")
    page.wait_for_selector("#waiting li")
    assert "已取消" in page.inner_text("#waiting li")
    page.get_by_role("button", name="放弃").click()
    page.wait_for_selector("#waiting", state="hidden")


def _press(page: Any, order: str, verb: str, *, sent: bool | None = True) -> None:  # noqa: ANN401 - a Playwright page
    """`sent` False: it waits on the phone; None: it is refused."""
    button = page.locator(f"form[data-queue='{order}'] button[data-verb='{verb}']")
    if not sent:
        button.click()
        if sent is False:
            page.wait_for_selector("#waiting li")
        return
    with page.expect_navigation():
        button.click()


def _status(house: Any, order: str) -> str:  # noqa: ANN401 - the house of this folder
    try:
        return str(house.system.get(f"/api/work-orders/{order}")["status"])
    except OSError:
        return "away"


def test_the_work_is_said_step_by_step_with_and_without_a_signal(house: Any, phone: Callable[..., Any]) -> None:  # noqa: ANN401 - the fixtures of this folder
    house.say("tank-1", tank_level=40)
    order = house.order_of("tank-1", "fault")
    part = {"id": "seal-20", "name": "Seal ring 20", "price": "12.50", "currency": "CNY"}
    house.system.post("/api/parts", part)
    house.system.post("/api/parts/seal-20/receive", {"quantity": 5})
    house.system.post(f"/api/work-orders/{order}/acknowledge", {"by": "li.wei"})
    page = phone()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"latitude": 31.23041, "longitude": 121.4737, "accuracy": 15})
    house.enter(page)
    page.goto(f"{house.address}/work-orders/{order}")
    page.check("[name=place]")
    _press(page, order, "arrive")
    assert page.evaluate(NARROW)
    expect(page.locator("#telemetry")).to_contain_text("still shows the fault")

    page.click("#step-diagnose summary")
    page.select_option("#diagnosis", "Supply valve shut")
    page.fill("#note-diagnose", "Handle broken")
    _press(page, order, "diagnose")
    page.click("#step-parts summary")
    page.select_option("#part", "seal-20")
    page.fill("#quantity", "9")
    page.click("#step-parts form button")
    expect(page.locator("#error-part")).to_contain_text("5")  # refused: only five are in stock, said beside the field
    assert page.input_value("#quantity") == "9", "what was typed is still there"
    page.fill("#quantity", "2")
    page.click("#step-parts form button")
    expect(page.locator("#parts")).to_contain_text("Seal ring 20 × 2")

    page.context.set_offline(True)
    page.click("#step-photo summary")
    page.set_input_files(
        "#photo", [{"name": "big.png", "mimeType": "image/png", "buffer": picture("PNG", (3000, 1000))}]
    )
    page.click("#step-photo form button")
    page.click("#step-labour summary")
    page.fill("#minutes", "45")
    page.click("#step-labour form button")
    page.click("#step-test summary")
    page.fill("#note-test", "Level 40 before, 90 after")
    _press(page, order, "test", sent=False)
    page.click("#step-sign summary")
    page.locator("#step-sign canvas").scroll_into_view_if_needed()
    box = page.locator("#step-sign canvas").bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 70)
    page.mouse.up()
    page.fill("#sign", "Zhang San")
    page.locator("#step-sign form button").last.click()
    expect(page.locator("#waiting li")).to_have_count(4)
    page.context.set_offline(False)
    expect(page.locator("#waiting li")).to_have_count(0, timeout=60_000)
    house.say("tank-1", tank_level=90)
    expect(page.locator("#telemetry")).to_contain_text("The finding cleared at", timeout=60_000)
    page.fill("#note-complete", "Seal changed")
    _press(page, order, "complete")

    history = [line for line in house.system.get(f"/api/work-orders/{order}")["history"] if line["by"] == "li.wei"]
    assert [line["verb"] for line in history] == ["acknowledge", "arrive", "diagnose", "test", "complete"]
    assert history[1]["note"] == "At 31.23041, 121.47370 (±15 m)."
    assert history[2]["note"] == "Supply valve shut. Handle broken"
    costs = house.system.get("/api/costs", order=order)["lines"]
    assert [(line["kind"], line["quantity"]) for line in costs] == [("part", "2.00"), ("labour", "0.75")]
    pictures = house.system.get(f"/api/work-orders/{order}/attachments")
    assert [(one["kind"], one["width"], one["height"]) for one in pictures] == [
        ("photo", 1600, 533), ("signature", 600, 200)]  # fmt: skip
    assert [said for said in wrong if "ERR_INTERNET_DISCONNECTED" not in said and "409" not in said] == []


def test_a_visits_check_list_is_answered_item_by_item(house: Any, phone: Callable[..., Any]) -> None:  # noqa: ANN401 - the fixtures of this folder
    order = house.order_of("pump-1", "preventive")
    for verb in ("acknowledge", "arrive"):
        house.system.post(f"/api/work-orders/{order}/{verb}", {"by": "li.wei"})
    page = phone("zh-CN")
    house.enter(page)
    page.goto(f"{house.address}/work-orders/{order}")
    _press(page, order, "complete", sent=None)
    expect(page.locator("#error-complete")).to_contain_text("5 项")  # the law's visit is not left out silently
    page.click("#step-checks summary")
    items = page.locator(".check-item")
    items.nth(0).get_by_role("button", name="正常").click()
    expect(items.nth(0).locator("[data-state]")).to_have_text("已保存。")
    items.nth(1).locator("input[name=value]").fill("2.1")
    items.nth(1).get_by_role("button", name="保存").click()
    expect(items.nth(1).locator("[data-state]")).to_have_text("已保存。")
    page.context.set_offline(True)
    items.nth(2).get_by_role("button", name="good").click()
    expect(page.locator("#waiting li")).to_have_count(1)
    items.nth(3).locator("input[type=file]").set_input_files(
        [{"name": "x.txt", "mimeType": "image/png", "buffer": b"this is no picture"}]
    )
    items.nth(3).get_by_role("button", name="保存").click()
    expect(page.locator("#error-check-4")).to_contain_text("无法读取")
    items.nth(3).locator("input[type=file]").set_input_files(
        [{"name": "a.png", "mimeType": "image/png", "buffer": picture("PNG", (40, 30))}]
    )
    items.nth(3).get_by_role("button", name="保存").click()
    items.nth(4).locator("#check-5").fill("王五")  # by keyboard: the name is the signature
    items.nth(4).get_by_role("button", name="保存").click()
    expect(page.locator("#waiting li")).to_have_count(5)
    page.context.set_offline(False)
    expect(page.locator("#waiting li")).to_have_count(0, timeout=60_000)
    _press(page, order, "complete")
    found = house.system.get(f"/api/work-orders/{order}/checklist")["items"]
    pictures = house.system.get(f"/api/work-orders/{order}/attachments")
    assert [(one["kind"], one["width"]) for one in pictures] == [("photo", 40), ("signature", 600)]
    answers = [("ok", True), ("2.1", False), ("good", True), *((one["id"], True) for one in pictures)]
    assert [(item["value"], item["passed"]) for item in found] == answers
    assert found[1]["order"], "a battery below its limit opened a fault order"
