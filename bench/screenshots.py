"""Take the pictures of docs/screenshots from a running demo: `python -m bench.screenshots --var var`.

Needs Debian's chromium and the demo's folder, for its token. Waits for nothing: start it when the demo has orders.
"""

import argparse
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
FOLDER = Path(__file__).resolve().parents[1] / "docs/screenshots"


def _ask(address: str, token: str, path: str, method: str = "GET") -> Any:  # noqa: ANN401 - any JSON
    headers = {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(address + path, headers=headers, method=method)  # noqa: S310 - http and our own address
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - http and our own address
        return msgspec.json.decode(answer.read())


@contextmanager
def _page(browser: Browser, address: str, token: str, *, phone: bool, language: str) -> Iterator[Page]:
    size = {"width": 390, "height": 844} if phone else {"width": 1280, "height": 860}
    context = browser.new_context(viewport=size, is_mobile=phone, has_touch=phone, locale=language)  # type: ignore[arg-type]  # a plain dict is a ViewportSize
    page = context.new_page()
    page.goto(f"{address}/login")
    page.click("summary")
    page.fill("#token", token)
    page.click("details button")
    page.wait_for_url(f"{address}/")
    yield page
    context.close()


def take(address: str, token: str, executable: str) -> list[str]:
    """Take all of them; the names of the files."""
    orders = _ask(address, token, "/api/work-orders?status=open")
    fault = next(order for order in orders if order["kind"] == "fault" and order["evidence"])
    finding = fault["finding_id"]
    asset = next((order["asset_id"] for order in orders if order["asset_id"].startswith("ahu")), fault["asset_id"])
    work = next((order for order in orders if order["status"] == "open" and order["evidence"]), fault)
    for verb in ("acknowledge", "arrive"):  # so that the picture shows the work on the spot
        with suppress(urllib.error.HTTPError):
            _ask(address, token, f"/api/work-orders/{work['id']}/{verb}", "POST")
    shots = [
        ("overview", "/", False, "en-GB"),
        ("orders", "/work-orders", False, "en-GB"),
        ("order", f"/work-orders/{fault['id']}", False, "en-GB"),
        ("order-zh", f"/work-orders/{fault['id']}", False, "zh-CN"),
        ("finding", f"/findings/{finding}", False, "en-GB"),
        ("asset", f"/assets/{asset}", False, "en-GB"),
        ("overview-phone", "/", True, "en-GB"),
        ("order-phone", f"/work-orders/{work['id']}#act", True, "en-GB"),
        ("order-phone-zh", f"/work-orders/{work['id']}#act", True, "zh-CN"),
        ("my-phone", "/my", True, "en-GB"),
        ("my-phone-zh", "/my", True, "zh-CN"),
        ("report-phone", _report(address, token, asset), True, "zh-CN"),
        ("sticker", f"/assets/{asset}/sticker", False, "en-GB"),
        ("health", "/health", False, "en-GB"),
    ]
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=executable, args=FLAGS)
        for name, path, phone, language in shots:
            with _page(browser, address, token, phone=phone, language=language) as page:
                page.goto(address + path)
                page.wait_for_load_state("load")
                page.screenshot(path=str(FOLDER / f"{name}.png"))
                print(f"{name}: {(FOLDER / f'{name}.png').stat().st_size:,} bytes, {page.evaluate('document.title')}")
        browser.close()
    return [name for name, *_ in shots]


def _report(address: str, token: str, asset: str) -> str:
    request = urllib.request.Request(f"{address}/assets/{asset}/sticker", headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - http and our own address
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - http and our own address
        text = str(answer.read(), "utf-8")
    return "/report/" + text.split("/report/")[1].split("<", maxsplit=1)[0]


def main() -> None:
    """Take them, or say what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="http://127.0.0.1:8600")
    parser.add_argument("--var", type=Path, default=Path("var"))
    given = parser.parse_args()
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        sys.exit("no chromium: apt-get install chromium")
    take(given.address, (given.var / "token").read_text(encoding="ascii").strip(), executable)


if __name__ == "__main__":
    main()
