"""A real browser (Debian's chromium, driven by Playwright) before a real program."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from running import System, free_ports, wait_until

from facility.clock import RealClock
from facility.instant import format_instant
from plantroom.accounts import directory
from plantroom.accounts.directory import Actor
from plantroom.database import Database
from simulators.wire import Wire

PASSWORD = "a quiet lift is a happy lift"  # noqa: S105 - of a made-up person
SITE = """
site: {id: house, zone: Asia/Shanghai}
buildings:
  - id: tower
    name: Harbour Tower
    assets:
      - {id: leak-1, class: leak_sensor, name: Leak sensor B2, points: [leak_detected]}
      - {id: leak-2, class: leak_sensor, name: Leak sensor B3, points: [leak_detected]}
"""
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Chromium without a window. For one test each: Playwright keeps an event loop running in this thread."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("PLANTROOM_REQUIRE_REAL") == "1":
            pytest.fail("no chromium: apt-get install chromium")
        pytest.skip("no chromium: apt-get install chromium")
    with sync_playwright() as engine:
        opened = engine.chromium.launch(executable_path=path, args=FLAGS)
        yield opened
        opened.close()


class House:
    """A running program with two leak sensors and a technician called li.wei."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.address = f"http://127.0.0.1:{system.http_port}"
        with closing(Database(f"sqlite:///{system.var / 'plantroom.db'}")) as database, database.writing() as session:
            now = RealClock().now()
            row = directory.add_user(session, Actor("test"), now, name="li.wei", role="technician")
            directory.set_password(session, Actor("test"), now, row, PASSWORD)

    def get_wet(self, asset: str) -> str:
        """A leak is found; the id of the order it opened."""
        body = {"at": format_instant(RealClock().now()), "values": {"leak_detected": True}}
        with Wire("127.0.0.1", self.system.mqtt_port, "leak") as wire:
            wire.publish(f"plantroom/house/{asset}/readings", msgspec.json.encode(body))
            assert wire.drain(30)

        def order() -> str | None:
            found = self.system.get("/api/work-orders", asset=asset)
            return found[0]["id"] if found else None

        return str(wait_until(order, 60, f"an order for {asset}"))

    def enter(self, page: Page) -> None:
        """Sign in as the technician, on the page that asks for it."""
        page.goto(f"{self.address}/my")
        page.fill("#name", "li.wei")
        page.fill("#password", PASSWORD)
        page.click("form.login button.primary")
        page.wait_for_url("**/my")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Its processes are gone at the end."""
    site, var = tmp_path / "site.yaml", tmp_path / "var"
    site.write_text(SITE, encoding="utf-8")
    var.mkdir()
    http_port, mqtt_port = free_ports(2)
    values = {"VAR": str(var), "HTTP_PORT": str(http_port), "MQTT_PORT": str(mqtt_port), "SITE": str(site)}
    system = System(var, {f"PLANTROOM_{name}": value for name, value in values.items()}, ["run"])
    system.start(150)
    yield House(system)
    system.kill()


@pytest.fixture
def phone(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a phone of 390 by 844 points; each has its own storage."""
    contexts = []

    def new(language: str = "en-GB") -> Page:
        context = browser.new_context(
            viewport={"width": 390, "height": 844},
            device_scale_factor=2,
            is_mobile=True,
            has_touch=True,
            locale=language,
        )  # fmt: skip
        context.set_default_timeout(30_000)
        contexts.append(context)
        return context.new_page()

    yield new
    for context in contexts:
        context.close()
