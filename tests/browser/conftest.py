"""A real browser (Debian's chromium, driven by Playwright) before a real program."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from running import System, free_ports, wait_until

from facility.clock import RealClock
from facility.instant import format_instant
from facility.reading import Reading
from ingest.stores.parquet import ParquetStore
from plantroom.accounts import directory
from plantroom.accounts.directory import Actor
from plantroom.database import Database
from simulators.wire import Wire

MINUTE_US = 60_000_000
PASSWORD = "a quiet lift is a happy lift"  # noqa: S105 - of a made-up person
SITE = """
site: {id: house, zone: Asia/Shanghai}
buildings:
  - id: tower
    name: Harbour Tower
    assets:
      - {id: leak-1, class: leak_sensor, name: Leak sensor B2, points: [leak_detected]}
      - {id: leak-2, class: leak_sensor, name: Leak sensor B3, points: [leak_detected]}
      - {id: leak-3, class: leak_sensor, name: Leak sensor B4, points: [leak_detected]}
      - {id: leak-4, class: leak_sensor, name: Leak sensor B5, points: [leak_detected]}
      - {id: leak-5, class: leak_sensor, name: Leak sensor B6, points: [leak_detected]}
      - {id: leak-6, class: leak_sensor, name: Leak sensor B7, points: [leak_detected]}
      - {id: lift-1, class: elevator, name: Lift 1, points: [door_status]}
      - {id: pump-1, class: pump, name: Pump B2, points: [run_status]}
      - {id: tank-1, class: tank, name: Roof tank, points: [tank_level]}
      - {id: tank-2, class: tank, name: Rain tank, points: [tank_level]}
      - {id: tank-3, class: tank, name: Fire tank, points: [tank_level]}
      - {id: tank-4, class: tank, name: Header tank, points: [tank_level]}
      - {id: tank-5, class: tank, name: Pool tank, points: [tank_level]}
  - {id: annex, name: Annex, assets: [{id: tank-9, class: tank, name: Annex tank, points: [tank_level]}]}
"""
RULES = """
rules:
  - id: tank-half-empty
    class: tank
    name: {en: Tank half empty, zh: 水箱不足一半}
    kind: fault
    severity: medium
    parameters: {least: {value: 50, unit: "%"}}
    when: tank_level < least
    clear: tank_level > 55
    diagnosis: [Supply valve shut, Float valve stuck]
    advice: Look at the supply valve.
    checklist: [Supply valve open]
    reference: own
    zh: {diagnosis: [进水阀关闭, 浮球阀卡滞], advice: 检查进水阀。, checklist: [进水阀已打开]}
"""
CONTRACT = """
contract: {id: house-contract, name: House, sites: [house], customer: Owner, supplier: Service, zone: Asia/Shanghai}
revisions:
  - revision: 1
    effective_at: "2026-01-01"
    calendars: {always: {hours: always}}
    costs: {clause: "8.1", currency: CNY, labour_per_hour: 120, call_out: 50}
    surveys: {clause: "9.3", forms: [{id: after-repair, kind: repair, reminders: ["2 days"], closes: "14 days"}]}
    preventive:
      - id: monthly
        clause: "7.1"
        name: Monthly look
        match: {class: pump}
        every: month
        first_on: 2026-01-01
        statutory: true
        early_days: 20
        checklist:
          - Clean the sensor
          - {text: Battery, answer: number, unit: V, minimum: 2.8, maximum: 3.6}
          - {text: Housing, answer: choice, options: [good, cracked], fails: [cracked]}
          - {text: Housing from the front, answer: photo}
          - {text: Caretaker, answer: signature}
    default_level: {clause: "1.9", priority: 4, calendar: always, response: 8 h, resolution: 5 days}
    levels:
      - {id: leak, clause: "2.1", match: {kind: fault}, priority: 2, calendar: always, response: 1 h, resolution: 4 h}
"""
OTHER = """
contract: {id: annex-contract, name: Annex, buildings: [annex], customer: Owner, supplier: Other, zone: Asia/Shanghai}
revisions:
  - revision: 1
    effective_at: "2026-01-01"
    calendars: {always: {hours: always}}
    default_level: {clause: "1.1", priority: 4, calendar: always, response: 8 h, resolution: 5 days}
  - revision: 2
    effective_at: "2026-06-01"
    calendars: {always: {hours: always}}
    default_level: {clause: "1.1", priority: 4, calendar: always, response: 6 h, resolution: 5 days}
"""
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window, for one file each: Playwright keeps an event loop running in this thread, and a folder
    that is no package has no scope of its own, so that other folders' tests would find the loop running."""
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
    """A running program: leak sensors, tanks, a pump that is visited each month, and people of each role."""

    PEOPLE = (("li.wei", "technician"), ("zhao.min", "technician"), ("wang.fang", "engineer"), ("chen.jie", "manager"),
              ("sun.li", "admin"))  # fmt: skip
    STANDS_BY = "another process serves the pages, this one stands by"

    def __init__(self, system: System) -> None:
        self.system = system
        self.address = f"http://127.0.0.1:{system.http_port}"
        with closing(Database(f"sqlite:///{system.var / 'plantroom.db'}")) as database, database.writing() as session:
            now = RealClock().now()
            for name, role in self.PEOPLE:
                row = directory.add_user(session, Actor("test"), now, name=name, role=role)
                directory.set_password(session, Actor("test"), now, row, PASSWORD)

    def get_wet(self, asset: str) -> str:
        """A leak is found; the id of the order it opened."""
        self.say(asset, leak_detected=True)
        return self.order_of(asset, "fault")

    def order_of(self, asset: str, kind: str) -> str:
        """The id of an asset's open order of this kind, as soon as there is one."""

        def order() -> str | None:
            found = self.system.get("/api/work-orders", asset=asset, kind=kind, status="open")
            return found[0]["id"] if found else None

        return str(wait_until(order, 60, f"a {kind} order of {asset}"))

    def say(self, asset: str, **values: float) -> None:
        """A device publishes its values; they are in the journal when this returns."""
        body = {"at": format_instant(RealClock().now()), "values": values}
        with Wire("127.0.0.1", self.system.mqtt_port, "device") as wire:
            wire.publish(f"plantroom/house/{asset}/readings", msgspec.json.encode(body))
            assert wire.drain(30)

    def is_name(self, text: str) -> bool:
        """Whether it is the id of something in the house."""
        return text in ("tower", "annex") or re.fullmatch(r"(leak|tank|pump|lift)-\d", text) is not None

    def enter_by_token(self, page: Page) -> None:
        """Sign in as whoever runs the program."""
        page.goto(f"{self.address}/login")
        page.click("summary")
        page.fill("#token", (self.system.var / "token").read_text(encoding="ascii").strip())
        page.click("details button")
        page.wait_for_url(f"{self.address}/")

    def sticker(self, asset: str) -> str:
        """The address behind an asset's sticker."""
        return str(self.system.get_text(f"/assets/{asset}/sticker")).split("<code>")[1].split("</code>")[0]

    def occupants_pages(self, page: Page, asset: str) -> list[str]:
        """The page behind a sticker, and the one of a report that an occupant sends from it."""
        page.goto(self.sticker(asset))
        page.fill("#text", "It drips again")
        page.click("form.act button.primary")
        page.wait_for_url("**/told/**")
        return [self.sticker(asset), page.url.split("?")[0]]

    def enter(self, page: Page, name: str = "li.wei", path: str = "/my") -> None:
        """Sign in on the page that asks for it; as the technician, unless somebody else is named."""
        page.goto(f"{self.address}{path}")
        page.fill("#name", name)
        page.fill("#password", PASSWORD)
        page.click("form.login button.primary")
        page.wait_for_url(f"**{path}")


def keep_past(var: Path) -> None:
    """Three hours of the pool tank's level, kept as if the program had run for long: a rule is tried over them."""
    now_us = RealClock().now_us()
    with closing(ParquetStore(var / "earlier")) as store:
        store.write(1, 1, [Reading("tank-5", "tank_level", now_us - ago * MINUTE_US, 60.0 - ago % 30)
                           for ago in range(180, 0, -1)])  # fmt: skip
        store.flush()
    for day in (var / "earlier").glob("day=*"):
        shutil.move(day, var / "readings" / day.name)


_RUNNING: list[System] = []


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Ends the house after the last test of this folder: the scope of a folder that is no package is the session, and
    through all the tests that follow it would take its share of the CPU."""
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        while _RUNNING:
            _RUNNING.pop().kill()


def built(tmp_path: Path, **settings: str) -> System:
    """A program for a house, not started."""
    site, contract, var = tmp_path / "site.yaml", tmp_path / "contract.yaml", tmp_path / "var"
    site.write_text(SITE, encoding="utf-8")
    contract.write_text(CONTRACT, encoding="utf-8")
    (tmp_path / "other.yaml").write_text(OTHER, encoding="utf-8")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/own.yaml").write_text(RULES, encoding="utf-8")
    var.mkdir()
    keep_past(var)
    http_port, mqtt_port = free_ports(2)
    values = {"VAR": str(var), "HTTP_PORT": str(http_port), "MQTT_PORT": str(mqtt_port), "SITE": str(site)}
    values |= {"CONTRACT": f"{contract},{tmp_path / 'other.yaml'}", "RULES": str(tmp_path / "rules")}
    return System(var, {f"PLANTROOM_{name}": value for name, value in (values | settings).items()}, ["run"])


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """One for the tests of this folder, which take an asset each; its processes are gone at the end."""
    system = built(tmp_path_factory.mktemp("house"))
    _RUNNING.append(system)
    system.start(150)
    found = House(system)
    found.say("tank-4", tank_level=31.5)  # what is found takes a few seconds: these are there before anybody looks
    for asset in ("leak-5", "leak-6"):
        found.say(asset, leak_detected=True)
    return found


@pytest.fixture
def doubled_house(tmp_path: Path) -> Iterator[House]:
    """One whose pages are there twice; the second process is warm."""
    system = built(tmp_path, PROCESSES="engine,web,jobs engine,web,jobs")
    try:
        system.start(240)
        wait_until(lambda: House.STANDS_BY in system.log(), 180, "the second process to stand by")
        yield House(system)
    finally:
        system.kill()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page in a context of its own, with its own storage, as Playwright's `new_context` is told."""
    contexts = []

    def new(**looks: Any) -> Page:  # noqa: ANN401 - what Playwright takes
        context = browser.new_context(**looks)
        context.set_default_timeout(30_000)
        contexts.append(context)
        return context.new_page()

    yield new
    for context in contexts:
        context.close()


@pytest.fixture
def phone(opened: Callable[..., Page]) -> Callable[..., Page]:
    """Opens a phone of 390 by 844 points."""
    size = {"width": 390, "height": 844}
    return lambda language="en-GB": opened(
        viewport=size, device_scale_factor=2, is_mobile=True, has_touch=True, locale=language
    )


@pytest.fixture
def screen(opened: Callable[..., Page]) -> Callable[..., Page]:
    """Opens a desk's screen, 1440 points wide unless told."""
    return lambda language="en-GB", width=1440: opened(viewport={"width": width, "height": 900}, locale=language)
