"""The technician's day on a phone, on the real program: take, arrive without a signal, be told of a conflict."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
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

    house.system.kill()  # the server is gone
    page.goto(f"{house.address}/my")
    assert page.locator(".job").count() == 2
    _press(page, first, "arrive", sent=False)
    page.goto(f"{house.address}/work-orders/{first}")
    page.fill("#note", "Valve closed, dried, tested.")
    _press(page, first, "complete", sent=False)
    expect(page.locator("#waiting li")).to_have_count(2)
    page.reload()
    expect(page.locator("#waiting li")).to_have_count(2)  # a reload forgets nothing

    house.system.launch()
    house.system.wait_ready(150)
    house.system.post(f"/api/work-orders/{second}/cancel", {"note": "Double."})
    wait_until(lambda: _status(house, first) == "completed", 60, "the kept actions to be sent, in their order")
    expect(page.locator("#waiting li")).to_have_count(0, timeout=60_000)
    history = house.system.get(f"/api/work-orders/{first}")["history"]
    done = [(line["verb"], line["by"]) for line in history if line["verb"] in ("acknowledge", "arrive", "complete")]
    assert done == [(verb, "li.wei") for verb in ("acknowledge", "arrive", "complete")], "once, under her own name"

    page.goto(f"{house.address}/my")
    assert page.locator(f"[data-queue='{second}']").count() == 0, "cancelled meanwhile"


def test_a_conflict_is_explained_and_can_be_discarded(house: Any, phone: Callable[..., Any]) -> None:  # noqa: ANN401 - the fixtures of this folder
    order = house.get_wet("leak-1")
    page = phone("zh-CN")
    house.enter(page)
    assert "待接单" in page.inner_text("main")
    engine = children(house.system)["engine"]
    os.kill(engine, signal.SIGSTOP)  # it does not answer
    page.evaluate("navigator.serviceWorker.ready")
    os.kill(engine, signal.SIGCONT)
    house.system.post(f"/api/work-orders/{order}/cancel", {"note": "A test."})
    page.click(f"form[data-queue='{order}'] button")
    page.wait_for_selector("#waiting li")
    assert "cancel" in page.inner_text("#waiting li")
    page.get_by_role("button", name="放弃").click()
    page.wait_for_selector("#waiting", state="hidden")


def _press(page: Any, order: str, verb: str, *, sent: bool = True) -> None:  # noqa: ANN401 - a Playwright page
    button = page.locator(f"form[data-queue='{order}'] button[data-verb='{verb}']")
    if not sent:
        button.click()
        page.wait_for_selector("#waiting li")
        return
    with page.expect_navigation():
        button.click()


def _status(house: Any, order: str) -> str:  # noqa: ANN401 - the house of this folder
    try:
        return str(house.system.get(f"/api/work-orders/{order}")["status"])
    except OSError:
        return "away"
