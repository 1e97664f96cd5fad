"""The engineer's day: what is wrong and why, out of the way with a reason, the rule tried, a device taken in."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect
from running import wait_until

pytestmark = pytest.mark.service
NARROW = "document.documentElement.scrollWidth <= window.innerWidth"


def test_what_is_wrong_is_found_understood_and_shelved(house: Any, screen: Callable[..., Any]) -> None:  # noqa: ANN401 - the fixtures of this folder
    house.order_of("tank-4", "fault")
    page = screen()
    house.enter(page, "wang.fang", "/")
    page.get_by_role("link", name="Harbour Tower").click()
    page.locator("#systems").get_by_role("link", name="Header tank").click()
    expect(page.locator("h1")).to_have_text("Header tank")
    expect(page.locator("#trends svg.plot").first).to_be_visible()
    expect(page.locator("#values")).to_contain_text("31.5 %")
    now = page.locator("#now")
    now.get_by_text("Tank half empty", exact=True).click()
    for what in ("Raised", "✓ true tank_level < least", "50 % least", "The condition must hold for: at once"):
        expect(now).to_contain_text(what)
    now.get_by_text("Not applicable").click()
    expect(now).to_contain_text("It needs")
    page.locator("#findings").get_by_role("link", name="Tank half empty").click()
    expect(page.locator("h1")).to_contain_text("Tank half empty")
    for what in (
        "Active",
        "Condition true since",
        "Lasted",
        "50 %",
        "31.5 %",
        "Look at the supply valve.",
        "Float valve",
    ):
        expect(page.locator("main")).to_contain_text(what)
    expect(page.locator("#orders")).to_contain_text("WO-")
    page.get_by_role("button", name="Shelve").click()
    assert page.locator("#reason").evaluate("field => !field.validity.valid"), "a reason is asked for"
    page.fill("#reason", "Emptied for cleaning")
    page.get_by_role("button", name="Shelve").click()
    expect(page.get_by_role("status").filter(has_text="Shelved")).to_be_visible()
    expect(page.locator("#facts")).to_contain_text("Emptied for cleaning", timeout=60_000)  # by itself, by the stream
    page.goto(f"{house.address}/findings/shelved")
    expect(page.locator("#shelved")).to_contain_text("Emptied for cleaning")
    expect(page.get_by_role("button", name="Take back")).to_be_visible()


def test_a_rule_is_tried_while_a_device_is_taken_in(house: Any, screen: Callable[..., Any]) -> None:  # noqa: ANN401 - the fixtures of this folder
    page = screen("zh-CN", 390)
    house.enter(page, "wang.fang", "/rules/tank-half-empty")
    expect(page.locator("#assets")).to_contain_text("Pool tank")
    page.select_option("#f-days", "1")
    page.locator("form", has=page.locator("#f-days")).get_by_role("button").click()
    page.wait_for_url("**/rules/trials/*")
    trial = page.url
    _take_in(house, page)
    page.goto(trial)
    expect(page.locator("#trial")).to_contain_text(
        "已完成", timeout=120_000
    )  # by itself: a trial runs behind everything
    page.get_by_role("link", name="查看报告").click()
    expect(page.locator("main")).to_contain_text("Pool tank")
    assert page.evaluate(NARROW)


@pytest.mark.soak
def test_a_parameter_is_tuned_over_the_kept_readings(house: Any, screen: Callable[..., Any]) -> None:  # noqa: ANN401 - the fixtures of this folder
    page = screen()
    house.enter(page, "wang.fang", "/rules/tank-half-empty")
    page.select_option("#t-days", "1")
    page.fill("#t-low", "40")
    page.fill("#t-high", "60")
    page.locator("form", has=page.locator("#t-low")).get_by_role("button").click()
    page.wait_for_url("**/rules/trials/*")
    expect(page.locator("#trial")).to_contain_text("Done", timeout=600_000)
    page.get_by_role("link", name="Show the report").click()
    expect(page.locator("main")).to_contain_text("least")


def _take_in(house: Any, page: Any) -> None:  # noqa: ANN401 - the house of this folder, a page of Playwright
    """A device nobody described speaks, and is taken into the annex."""
    house.say("TANK-7", tank_level=77)
    page.goto(f"{house.address}/devices")
    device = page.locator("section.panel", has_text="TANK-7")
    wait_until(lambda: is_there(page, device), 60, "the device in the inbox")
    for field, text in (("asset_id", "tank-7"), ("name", "New tank")):
        device.locator(f"[name={field}]").fill(text)
    for field, text in (("equipment_class", "tank"), ("building_id", "annex")):
        device.locator(f"[name={field}]").select_option(text)
    device.get_by_role("button").click()
    expect(page.get_by_role("status").filter(has_text="tank-7")).to_be_visible()
    page.goto(f"{house.address}/buildings/annex")
    wait_until(lambda: is_there(page, page.get_by_role("link", name="New tank")), 60, "the asset in the building")


def is_there(page: Any, locator: Any) -> bool:  # noqa: ANN401 - of Playwright
    """Whether the page shows it when it is looked at again: neither the inbox nor the list of assets is live."""
    page.reload()
    return bool(locator.count())
