"""The process that serves the pages is killed under open pages: they go on living, and what was sent is done once."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from locks import lock_holder
from playwright.sync_api import expect
from running import System, wait_until

pytestmark = pytest.mark.service


def serving(system: System) -> int:
    """The process that has the port."""
    return lock_holder(system.var / "run/pages.lock")


def test_open_pages_live_on_and_what_was_sent_is_done_once(
    doubled_house: Any,  # noqa: ANN401 - the fixtures of this folder
    phone: Callable[..., Any],
    screen: Callable[..., Any],
) -> None:
    house, system = doubled_house, doubled_house.system
    desk, technician = screen(), phone()
    house.enter(desk, "wang.fang", "/work-orders")
    house.enter(technician, "li.wei")
    desk.evaluate("window.untouched = true")
    first = serving(system)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: serving(system) not in (0, first), 60, "the other process to serve")
    order = house.get_wet("leak-1")
    expect(desk.locator("main")).to_contain_text("Leak sensor B2", timeout=60_000)
    assert desk.evaluate("window.untouched"), "nobody loaded the page anew"
    expect(desk.locator("#offline")).to_be_hidden(timeout=30_000)

    technician.goto(f"{house.address}/work-orders/{order}")
    wait_until(lambda: system.log().count(house.STANDS_BY) >= 2, 180, "the killed process to stand by")
    second = serving(system)
    os.kill(second, signal.SIGSTOP)  # what is sent now arrives, and is not answered
    technician.locator(f"form[data-queue='{order}'] button[data-verb='acknowledge']").click()
    os.kill(second, signal.SIGKILL)
    wait_until(lambda: serving(system) not in (0, second), 60, "the other process to serve")
    expect(technician.locator("#history")).to_contain_text("li.wei", timeout=120_000)
    lines = system.get(f"/api/work-orders/{order}")["history"]
    assert [line["verb"] for line in lines if line["by"] == "li.wei"] == ["acknowledge"]
