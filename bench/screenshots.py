"""Take the pictures of docs/screenshots: `python -m bench.screenshots`.

Starts the demo building in a folder of its own (see `picture_plant`), waits until enough has happened in it, does what
its people would have done by then, and photographs every person's pages. Needs Debian's chromium; some four minutes.
"""

import argparse
import io
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
FOLDER = Path(__file__).resolve().parents[1] / "docs/screenshots"
PASSWORD = "a quiet lift is a happy lift"  # noqa: S105 - of made-up people
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
COLOURS = 96
PEOPLE = {"li.na": "technician", "chen.mei": "manager", "zhao.lei": "engineer", "wu.yan": "engineer"}
QUOTED = [{"kind": "labour", "quantity": 6}, {"kind": "call_out"}]


@dataclass(frozen=True)
class Shot:
    """A picture: of whose page, on what, in which language; `act` is done before, `part` is all that is shown."""

    name: str
    path: str
    who: str = "admin"
    act: Callable[[Page], None] | None = None
    part: str = ""

    @property
    def is_phone(self) -> bool:
        return "-phone" in self.name

    @property
    def language(self) -> str:
        return "zh-CN" if self.name.endswith("-zh") else "en-GB"


@dataclass
class Plant:
    """The running system and what is shown of it."""

    address: str
    token: str
    links: dict[str, str] = field(default_factory=dict)
    quoted: str = ""

    def ask(self, path: str, method: str = "GET", body: object = None) -> Any:  # noqa: ANN401 - any JSON
        """What the API answers."""
        data = msgspec.json.encode(body) if body is not None else None
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.address + path, data, headers, method=method)  # noqa: S310 - our own address
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own address
            return msgspec.json.decode(answer.read())

    def text(self, path: str) -> str:
        """A page."""
        request = urllib.request.Request(self.address + path, headers={"Authorization": f"Bearer {self.token}"})  # noqa: S310 - our own address
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own address
            return str(answer.read(), "utf-8")

    def prepare(self) -> None:
        """What people did until now: they have accounts, some are on site, and a quote waits for approval."""
        for name, role in PEOPLE.items():
            with suppress(urllib.error.HTTPError):
                self.ask("/api/users", "POST", {"name": name, "role": role})
            self.links[name] = str(self.ask(f"/api/users/{name}/link", "POST")["path"])
        for order in [one for one in self.ask("/api/work-orders?status=open") if one.get("assignee")][:3]:
            for verb in ("acknowledge", "arrive"):
                with suppress(urllib.error.HTTPError):
                    self.ask(f"/api/work-orders/{order['id']}/{verb}", "POST", {})
        for order in self.ask("/api/work-orders?status=open"):
            with suppress(urllib.error.HTTPError):  # the customer pays nothing for most
                self.ask("/api/quotes", "POST", {"order": order["id"], "by": "li.na", "lines": QUOTED})
                self.quoted = order["id"]
                break


def shots(plant: Plant) -> list[Shot]:
    """Every picture, by person."""
    orders = plant.ask("/api/work-orders?status=open") + plant.ask("/api/work-orders?status=arrived")
    faults = [one for one in orders if one["kind"] == "fault" and one["evidence"]]
    fault = next((one for one in faults if one["asset_id"].startswith(("AHU", "PUMP"))), faults[0])
    given = [one for one in faults if one.get("assignee") == "li.na"]
    hers = next((one for one in given if one["status"] == "arrived"), given[0] if given else fault)
    order, finding, rule = (
        f"/work-orders/{hers['id']}",
        f"/findings/{fault['finding_id']}",
        f"/rules/{fault['rule_id']}",
    )
    report = "/report/" + plant.text("/assets/EL-2/sticker").split("/report/")[1].split("<", maxsplit=1)[0]
    compare = "/contracts/compare?one=demo-2026&other=office-2026"
    found: list[Shot] = []

    def add(name: str, path: str, variants: str, who: str = "admin", **more: Any) -> None:  # noqa: ANN401 - fields of a shot
        ends = {"w": "", "z": "-zh", "p": "-phone", "q": "-phone-zh"}
        found.extend(Shot(name + ends[one], path, who, **more) for one in variants)

    add("my", "/my", "pq", "li.na")
    add("order", f"{order}#act", "pq", "li.na")
    add("order", order, "wz", "li.na")
    add("manual", "/assets/PUMP-1", "p", "li.na", part="section[aria-labelledby=h-manuals]")
    add("overview", "/buildings/tower", "wzp", "zhao.lei")
    add("floors", "/buildings/tower/floors", "wq", "zhao.lei")
    add("asset", "/assets/AHU-1", "wq", "zhao.lei")
    add("rules-now", "/assets/AHU-1", "wzpq", "zhao.lei", act=_unfold, part="section[aria-labelledby=h-now]")
    if plant.quoted:
        add("quote", f"/work-orders/{plant.quoted}", "wzpq", "chen.mei", part="#quotes")
    add("me-dark", "/me", "wzpq", "wu.yan", act=_darken)
    add("siblings", "/assets/AHU-1/siblings", "wq", "zhao.lei")
    add("finding", finding, "wzp", "zhao.lei")
    add("rules", "/rules", "z", "zhao.lei")
    add("rule", rule, "w", "zhao.lei")
    add("health", "/health", "wq", "zhao.lei")
    add("devices", "/devices", "z", "zhao.lei")
    add("manage", "/manage", "wzpq", "chen.mei")
    add("crew", "/manage", "wq", "chen.mei", part="section[aria-labelledby=h-work]")
    add("plan", "/plan", "wq", "chen.mei")
    add("contract", "/contracts/demo-2026", "zp", "chen.mei")
    add("compare", compare, "w", "chen.mei")
    add("orders", "/work-orders", "w", "chen.mei")
    add("report", report, "pq", "")
    add("told", report, "pq", "", act=_tell)
    add("sticker", "/assets/EL-2/sticker", "w")
    add("users", "/office/users", "w")
    add("people", "/office/people", "wq")
    add("files", "/office/files", "w")
    add("file", "/office/files", "wq", act=_edit)
    add("audit", "/office/audit", "z")
    return found


def _tell(page: Page) -> None:
    page.fill(
        "#text", "电梯门关不上" if page.evaluate("document.documentElement.lang").startswith("zh") else "The door jams"
    )
    page.click("form.act button.primary")
    page.wait_for_url("**/told/**")


def _unfold(page: Page) -> None:
    """The gravest rule and the first of the quiet ones; the many others stay folded."""
    page.evaluate(
        """() => { for (const each of document.querySelectorAll("#now > details")) {
            each.open = each === document.querySelector("#now > details") || each.id === "now-quiet";
            const rules = [...each.querySelectorAll(".rule-now")];
            if (each.open && rules.length) rules[0].open = true;
            rules.slice(6).forEach((one) => one.remove()); } }"""
    )


def _darken(page: Page) -> None:
    page.select_option("select[name=theme]", "dark")
    page.click("form[action='/me'] button")
    page.wait_for_selector(":root[data-theme=dark]")


def _edit(page: Page) -> None:
    page.click("text=site.yaml")
    text = page.input_value("#text")
    page.fill("#text", text.replace("rated_speed: 2.5", "rated_speed: 3.0", 1))
    page.click("button[value=check]")
    page.wait_for_selector("button[value=put]")


def _upload(page: Page, address: str) -> None:
    page.goto(f"{address}/office/manuals/PUMP-1")
    page.fill("input[name=title]", "Transfer pump: installation and operation")
    page.set_input_files("input[type=file]", {"name": "pump.pdf", "mimeType": "application/pdf", "buffer": PDF})
    page.click("main form.form button.primary")
    page.wait_for_load_state("load")


class Camera:
    """A browser with a context for each person, size and language."""

    def __init__(self, browser: Browser, plant: Plant) -> None:
        self._browser, self._plant = browser, plant
        self._contexts: dict[tuple[str, bool, str], BrowserContext] = {}

    def take(self, shot: Shot) -> bytes:
        """The picture, as a PNG of few colours."""
        page = self.context(shot).new_page()
        page.goto(self._plant.address + shot.path)
        if shot.act is not None:
            shot.act(page)
        page.wait_for_load_state("load")
        if shot.part:
            page.locator(shot.part).scroll_into_view_if_needed()
        page.wait_for_timeout(300)  # the phone's list comes out of its store
        whole = page.locator(shot.part).screenshot() if shot.part else page.screenshot()
        page.close()
        picture = Image.open(io.BytesIO(whole)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        kept = io.BytesIO()
        picture.save(kept, "PNG", optimize=True)
        return kept.getvalue()

    def context(self, shot: Shot) -> BrowserContext:
        """Hers, signed in; made when first asked for."""
        key = (shot.who, shot.is_phone, shot.language)
        if key not in self._contexts:
            size = {"width": 390, "height": 844} if shot.is_phone else {"width": 1440, "height": 900}
            self._contexts[key] = context = self._browser.new_context(
                viewport=size,  # type: ignore[arg-type]  # a plain dict is a ViewportSize
                device_scale_factor=2 if shot.is_phone else 1,
                is_mobile=shot.is_phone,
                has_touch=shot.is_phone,
                locale=shot.language,
            )
            context.set_default_timeout(60_000)
            self._enter(context, shot.who)
        return self._contexts[key]

    def _enter(self, context: BrowserContext, who: str) -> None:
        page, address = context.new_page(), self._plant.address
        if who == "admin":
            page.goto(f"{address}/login")
            page.click("summary")
            page.fill("#token", self._plant.token)
            page.click("details button")
            page.wait_for_url(f"{address}/")
        elif who:
            if link := self._plant.links.pop(who, ""):
                page.goto(address + link)
                for name in ("#password", "#again"):
                    page.fill(name, PASSWORD)
                page.click("form.login button.primary")
            else:
                page.goto(f"{address}/login")
                page.fill("#name", who)
                page.fill("#password", PASSWORD)
                page.click("form.login button.primary")
            page.wait_for_load_state("load")
        page.close()


def take(plant: Plant, executable: str, folder: Path, only: Collection[str] = ()) -> None:
    """Take all of them, in place of those that are there; or only those whose names begin with one of `only`."""
    folder.mkdir(parents=True, exist_ok=True)
    known = shots(plant)
    wanted = [one for one in known if not only or one.name.startswith(tuple(only))]
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=executable, args=FLAGS)
        camera = Camera(browser, plant)
        page = camera.context(Shot("manuals", "/")).new_page()
        _upload(page, plant.address)
        page.close()
        for old in set(folder.glob("*.png")) - {folder / f"{one.name}.png" for one in known}:
            old.unlink()
        for shot in wanted:
            content = camera.take(shot)
            (folder / f"{shot.name}.png").write_bytes(content)
            print(f"{shot.name}: {len(content):,} bytes")
        browser.close()


def _wait(address: str, seconds: float, process: subprocess.Popen[bytes]) -> None:
    """Until the program answers, and so long more that things have happened in the simulated morning."""
    pause = 1.0
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(pause)
            sys.exit("the building has ended; its log is above")
        if pause == seconds:
            return
        with suppress(OSError):
            urllib.request.urlopen(f"{address}/readyz", timeout=5).close()  # noqa: S310 - our own address
            pause = seconds


def main() -> None:
    """Take them, or say what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8655)
    parser.add_argument("--minutes", type=float, default=1.8, help="it runs before; each is a simulated hour")
    parser.add_argument("--to", type=Path, default=FOLDER)
    parser.add_argument("--only", nargs="*", default=(), help="beginnings of names; all pictures without")
    given = parser.parse_args()
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        sys.exit("no chromium: apt-get install chromium")
    with tempfile.TemporaryDirectory(prefix="plantroom-pictures-") as folder:
        process = subprocess.Popen([sys.executable, "-m", "bench.picture_plant", folder, str(given.port)])
        try:
            address = f"http://127.0.0.1:{given.port}"
            _wait(address, given.minutes * 60, process)
            plant = Plant(address, (Path(folder) / "token").read_text(encoding="ascii").strip())
            plant.prepare()
            take(plant, executable, given.to, given.only)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


if __name__ == "__main__":
    main()
