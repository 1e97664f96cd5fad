"""Every kind of page, in both languages, light and dark, by axe-core: nothing serious stands in anybody's way."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.service
TAGS = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
COLOURS = ["color-contrast"]
TEXTS = [
    "html-has-lang", "html-lang-valid", "valid-lang", "document-title", "label", "button-name", "link-name",
    "image-alt", "svg-img-alt", "select-name", "frame-title", "summary-name",
]  # fmt: skip
"""What another language can break: the rest of a page is the same."""
PLACES = ["color-contrast", "target-size", "scrollable-region-focusable", "landmark-one-main", "duplicate-id-aria"]
"""What another width can break."""
NAMED = ("findings", "work-orders", "told", "report", "rules", "contracts", "files")
"""After these a path names one thing of many."""
GRAVE = ("serious", "critical")
LINKS = "[...document.querySelectorAll('a[href]')].map(link => new URL(link.getAttribute('href'), location).href)"


def test_no_page_has_a_grave_barrier(house: Any, browser: Browser) -> None:  # noqa: ANN401 - the house of this folder
    look_everywhere(house, browser, every=3)


@pytest.mark.soak
def test_no_page_has_a_grave_barrier_in_any_dress(house: Any, browser: Browser) -> None:  # noqa: ANN401 - as above
    look_everywhere(house, browser, every=1)


def look_everywhere(house: Any, browser: Browser, every: int) -> None:  # noqa: ANN401 - the house of this folder
    """Each kind of page in English on a phone, every so many also wide, in Chinese and dark."""
    house.say("tank-2", tank_level=30)
    order = house.order_of("tank-2", "fault")
    for verb in ("acknowledge", "arrive"):
        house.system.post(f"/api/work-orders/{order}/{verb}", {"by": "li.wei"})
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-GB", reduced_motion="reduce")
    context.set_default_timeout(60_000)
    page = context.new_page()
    shown = [f"{house.address}/login", f"{house.address}/no-such-page"]
    house.enter_by_token(page)
    shown += [f"{house.address}{path}" for path in ("/", "/my", f"/work-orders/{order}")]
    seen, wrong = set(), []
    for url in shown:  # grows while it runs: every link to a kind of page that was not looked at yet
        kind = _kind(url, house)
        if kind in seen:
            continue
        seen.add(kind)
        wrong += [f"{kind} {problem}" for problem in _look(page, url, whole=len(seen) % every == 0)]
        shown += [one for one in page.evaluate(LINKS) if _is_page(one, house.address)]
    anybody = browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce").new_page()
    for url in house.occupants_pages(anybody, "tank-2"):
        wrong += [f"{_kind(url, house)} {problem}" for problem in _look(anybody, url, whole=True)]
        seen.add(_kind(url, house))
    print(f"looked at {len(seen)} kinds of page: {', '.join(sorted(seen))}")  # noqa: T201 - the figure
    assert not wrong, "\n".join(wrong)
    assert {"/", "/my", "/work-orders/*", "/assets/*", "/findings/*", "/report/*", "/told/*", "/login"} <= seen


def _look(page: Page, url: str, *, whole: bool) -> list[str]:
    """All rules in English and light on a phone; what a wide screen changes on one; texts and colours in Chinese and
    dark, on the wide one too."""
    found = _problems(page, url, "en", TAGS)
    if not whole:
        return found
    page.set_viewport_size({"width": 1440, "height": 900})
    found += _problems(page, "", "en wide", {"type": "rule", "values": PLACES})
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    found += _problems(page, url, "zh", {"type": "rule", "values": TEXTS + COLOURS})
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.set_viewport_size({"width": 390, "height": 844})
    return found


def _problems(page: Page, url: str, look: str, rules: dict[str, Any]) -> list[str]:
    """By these rules of axe; without a URL on the page as it is open."""
    options: dict[str, Any] = {"runOnly": rules, "resultTypes": ["violations"]}
    if url:
        page.goto(f"{url}{'&' if '?' in url else '?'}lang={look}", wait_until="domcontentloaded")
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        answer: dict[str, Any] = Axe().run(page, options=options).response
    else:
        answer = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"({look}) {one['id']}: {one['help']} at {len(one['nodes'])}: "
        + "; ".join(node["html"][:120] for node in one["nodes"][:3])
        for one in answer["violations"]
        if one["impact"] in GRAVE
    ]


def _is_page(url: str, address: str) -> bool:
    path = urlsplit(url).path
    return url.startswith(address) and not re.search(r"^/(api|static|logout)\b|\.\w+$", path)


def _kind(url: str, house: Any) -> str:  # noqa: ANN401 - the house of this folder
    """The path with names of things left out, so that one asset stands for all."""
    parts = urlsplit(url).path.split("/")
    long = [part if not house.is_name(part) and len(part) < 24 else "*" for part in parts]
    return "/".join("*" if before in NAMED else part for before, part in zip(["", *parts], long, strict=False)) or "/"
