"""The manager on Monday: what runs out, why that is its deadline, which contract suits, and the report that is owed."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.service
NARROW = "document.documentElement.scrollWidth <= window.innerWidth"


@pytest.mark.parametrize(("width", "language"), [(1440, "en-GB"), (390, "zh-CN")])
def test_from_todays_risk_to_the_report(house: Any, screen: Callable[..., Any], width: int, language: str) -> None:  # noqa: ANN401 - the fixtures of this folder
    said = SAID[language]
    order = house.order_of("leak-5", "fault")
    page = screen(language, width)
    house.enter(page, "chen.jie", "/manage")
    assert page.evaluate(NARROW)
    page.locator(f"#risk a[href='/work-orders/{order}']").click()
    expect(page.locator("#explain")).to_contain_text("house-contract")
    expect(page.locator("#explain ol").first).to_contain_text(said["limit"])
    page.goto(f"{house.address}/contracts")
    page.select_option("[name=one]", "house-contract")
    page.select_option("[name=other]", "annex-contract")
    page.locator("form[action='/contracts/compare'] button").click()
    expect(page.locator("main")).to_contain_text(said["compared"])
    expect(page.locator("main table").first).to_contain_text("annex-contract")
    page.goto(f"{house.address}/contracts/annex-contract")
    expect(page.locator(".diff .plus").first).to_contain_text(said["now"])
    expect(page.locator(".diff .minus").first).to_contain_text(said["before"])
    assert page.evaluate(NARROW)
    page.goto(f"{house.address}/manage")
    report = page.locator("a[href*='/api/report'][href*='format=html']").first
    page.goto(f"{house.address}{report.get_attribute('href')}")
    expect(page.locator("body")).to_contain_text(said["report"])


def test_a_phones_bar_shows_the_page_one_is_on(house: Any, phone: Callable[..., Any]) -> None:  # noqa: ANN401 - the fixtures of this folder
    page = phone()
    house.enter(page, "chen.jie", "/manage")
    page.goto(f"{house.address}/health")
    assert page.evaluate("(nav => nav.scrollWidth > nav.clientWidth)(document.querySelector('.bar nav'))")
    expect(page.locator(".bar nav [aria-current]")).to_be_in_viewport(ratio=0.99)


@pytest.mark.parametrize(("device", "language"), [("phone", "zh-CN"), ("screen", "en-GB")])
def test_a_quote_is_written_and_sent_with_the_keyboard_alone(
    request: pytest.FixtureRequest,
    house: Any,  # noqa: ANN401 - the fixture of this folder
    device: str,
    language: str,
) -> None:
    house.system.post("/api/parts", {"id": "probe", "name": "探头 / Probe", "price": "85.50", "currency": "CNY"})
    order, said = house.order_of("leak-6", "fault"), QUOTED[language]
    page = request.getfixturevalue(device)(language)
    house.enter(page, "chen.jie", f"/work-orders/{order}")
    page.locator("#new-quote summary").focus()
    page.keyboard.press("Enter")
    for keys in ("Tab", "2", "Tab", "Space", "Tab", "probe", "Tab", "2"):
        if keys in ("Tab", "Space"):
            page.keyboard.press(keys)
        else:
            page.keyboard.type(keys)
    assert page.evaluate(NARROW)
    page.keyboard.press("Enter")
    page.wait_for_url("**quote=send#quotes")
    quote = page.locator("#quotes .quote").first
    for text in ("461 CNY", said["waits"], said["part"], "171"):
        expect(quote).to_contain_text(text)
    expect(page.locator("#quotes [role=status]")).to_have_text(said["sent"])


QUOTED = {
    "zh-CN": {"waits": "待客户批准", "part": "探头", "sent": "已发送给客户。"},
    "en-GB": {"waits": "waits for the customer's approval", "part": "Probe", "sent": "Sent to the customer."},
}
SAID = {
    "en-GB": {"limit": "1 h", "now": "6 h", "before": "8 h", "compared": "same orders", "report": "Response"},
    "zh-CN": {"limit": "1 小时", "now": "6 小时", "before": "8 小时", "compared": "工单", "report": "响应"},
}
