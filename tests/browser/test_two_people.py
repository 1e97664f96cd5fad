"""Two people at one order: the second is told what the first did, and what she has typed stays."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.service


def test_the_second_is_told_what_the_first_did(house: Any, phone: Callable[..., Any]) -> None:  # noqa: ANN401 - the fixtures of this folder
    order = house.order_of("leak-6", "fault")
    first, second = phone(), phone("zh-TW")
    for page, name in ((first, "li.wei"), (second, "zhao.min")):
        house.enter(page, name)
        page.goto(f"{house.address}/work-orders/{order}")
    expect(second.locator("[data-due]").first).to_contain_text("分")
    assert "小时" not in second.locator("#state").inner_text(), "countdowns run in Traditional"
    note = second.locator("#act textarea:visible").first
    note.fill("I am on my way")
    with first.expect_navigation():
        first.locator(f"form[data-queue='{order}'] button[data-verb='acknowledge']").click()
    expect(second.locator("#history")).to_contain_text("li.wei", timeout=30_000)  # without touching anything
    expect(note).to_have_value("I am on my way")
    second.locator(f"form[data-queue='{order}'] button[data-verb='acknowledge']").click()
    expect(second.locator("#act [role=alert]:visible")).to_contain_text("已接單")
    assert [line["by"] for line in house.system.get(f"/api/work-orders/{order}")["history"]].count("zhao.min") == 0
