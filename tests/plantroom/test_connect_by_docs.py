"""Somebody connects a zigbee2mqtt sensor, a Tasmota plug and a UDMI device by the pages alone: pastes the block into
a site file and the line into a shell, and looks whether the readings are there."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from running import ROOT, System, wait_until

PAGES = {"zigbee2mqtt": "leak_detected", "tasmota": "circuit_power", "udmi": "supply_air_temperature"}
"""Page -> a point its line brings."""
_BLOCK = re.compile(r"```(yaml|sh)\n(.*?)```", re.DOTALL)


def blocks(page: str) -> tuple[str, str]:
    """The first asset and the first line to paste of a page."""
    text = (ROOT / f"docs/dialects/{page}.md").read_text(encoding="utf-8")
    found = _BLOCK.findall(text)
    return next(body for kind, body in found if kind == "yaml"), next(body for kind, body in found if kind == "sh")


@pytest.mark.service
def test_the_pages_alone_bring_three_devices_in(new_system: Callable[..., System], tmp_path: Path) -> None:
    if shutil.which("mosquitto_pub") is None:
        reason = "mosquitto_pub is not installed; on Debian: apt-get install mosquitto-clients"
        if os.environ.get("PLANTROOM_REQUIRE_REAL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    site, lines = "site: {id: demo, zone: Asia/Shanghai}\nbuildings:\n  - id: tower\n    assets:\n", {}
    for page in PAGES:
        asset, lines[page] = blocks(page)
        site += "".join(f"      {line}\n" for line in asset.splitlines())
    (tmp_path / "site.yaml").write_text(site, encoding="utf-8")
    system = new_system(site=str(tmp_path / "site.yaml"))
    system.start(120)
    for page, point in PAGES.items():
        line = lines[page].replace("mosquitto_pub", f"mosquitto_pub -p {system.mqtt_port}")
        subprocess.run(["sh", "-c", line], check=True, timeout=20)
        (asset_id,) = re.findall(r"^- id: (\S+)", blocks(page)[0])

        def readings(asset_id: str = asset_id, point: str = point) -> list[dict[str, object]]:
            found: list[dict[str, object]] = system.get("/api/readings", asset=asset_id, point=point)["readings"]
            return found

        (reading,) = wait_until(readings, 60, f"the reading of {page}")
        assert reading["quality"] == "good", page
    assert system.get("/api/devices") == [], "nobody is a stranger"
