"""What the pages about dialects say works: the site file block and the line to paste, read by the real decoder."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from golden import ARRIVED

from facility.instant import parse_instant, to_us
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.dialects import DIALECTS
from ingest.payload import Arrival
from ingest.routing import Router

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted((DOCS / "dialects").glob("*.md"))
_BLOCK = re.compile(r"```(yaml|sh)\n(.*?)```", re.DOTALL)
_HEX = re.compile(r"echo ([0-9a-f]+) \| xxd -r -p \| (.*)", re.DOTALL)


def site_of(assets: str) -> Registry:
    head = "site: {id: demo, zone: Asia/Shanghai}\nbuildings:\n  - id: tower\n    assets:\n"
    return parse_site(head + "".join(f"      {line}\n" for line in assets.splitlines()), "page")


def now_as(command: str) -> str:
    """What a `date` command says."""
    return subprocess.run(["sh", "-c", command], check=True, capture_output=True, text=True).stdout.strip()


def message_of(line: str) -> tuple[str, bytes]:
    """Topic and payload of a mosquitto_pub command; what the shell would fill in is filled in."""
    line = re.sub(r"\$\(([^)]*date [^)]*)\)", lambda found: now_as(found[1]), line)
    found = _HEX.match(line)
    words = shlex.split(found[2] if found else line)
    assert words[0] == "mosquitto_pub"
    assert words[words.index("-q") + 1] == "1"
    payload = bytes.fromhex(found[1]) if found else words[words.index("-m") + 1].encode()
    return words[words.index("-t") + 1], payload


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_line_of_a_page_brings_readings_of_the_asset_above_it(page: Path) -> None:
    assets, lines = "", 0
    for kind, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind == "yaml":
            assets = text if text.startswith("- id:") else assets
            if text.startswith("code_maps:"):
                parse_site(text + "site: {id: demo, zone: UTC}\nbuildings: [{id: tower}]\n", page.name)
            continue
        registry = site_of(assets)
        topic, payload = message_of(text)
        route = Router(registry).find(topic)
        assert route is not None, topic
        scans = route.decoder.decode(topic, payload, Arrival(to_us(parse_instant(ARRIVED))))
        assert {scan.asset_id for scan in scans} == set(registry.assets)
        lines += 1
    assert lines >= 1


def test_every_dialect_has_a_page_and_the_index_names_it() -> None:
    index = (DOCS / "connect-a-device.md").read_text(encoding="utf-8")
    for name in DIALECTS:
        assert f"(dialects/{name}.md)" in index
        assert (DOCS / "dialects" / f"{name}.md").exists()


def test_links_of_the_pages_lead_somewhere() -> None:
    for page in (*PAGES, DOCS / "connect-a-device.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
