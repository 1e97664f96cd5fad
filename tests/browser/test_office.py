"""The back office: somebody new with a role and a link that works once, a token, and who did that."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.service
NEW = "three quiet pumps in a row"


def test_somebody_new_comes_in_by_her_link_and_the_record_says_who_let_her(
    house: Any,  # noqa: ANN401 - the fixtures of this folder
    screen: Callable[..., Any],
    phone: Callable[..., Any],
) -> None:
    page = screen()
    house.enter(page, "sun.li", "/office/users")
    page.fill("input[name=name]", "li.wei")
    page.get_by_role("button", name="Add and make a link").click()
    expect(page.locator("#e-name")).to_be_visible()  # the name is taken, said beside the field
    page.fill("input[name=name]", "he.yan")
    page.fill("input[name=display_name]", "He Yan")
    page.select_option("select[name=role]", "technician")
    page.get_by_role("button", name="Add and make a link").click()
    link = page.locator(".secret").inner_text()

    hers = phone("zh-CN")
    hers.goto(link)
    for field in ("#password", "#again"):
        hers.fill(field, NEW)
    hers.locator("form.login button").click()
    expect(hers.locator(".tools")).to_contain_text(re.compile("he.yan|He Yan"))  # names are read every few seconds
    again = phone()
    again.goto(link)
    expect(again.locator("#password")).to_have_count(0)  # it works once

    page.goto(f"{house.address}/me")
    page.fill("input[name=label]", "Cash register")
    page.select_option("select[name=scope]", "read")
    page.get_by_role("button", name="Make a token").click()
    token = page.locator(".secret").inner_text()
    expect(page.locator("main table")).to_contain_text("Cash register")
    page.goto(f"{house.address}/office/audit")
    record = page.locator("main table")
    for what in ("he.yan", "Cash register", "sun.li"):
        expect(record).to_contain_text(what)
    assert token not in page.content()
