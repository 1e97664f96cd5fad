"""Kill -9 of the whole program at random instants under load, with real processes.

The devices live on and send again what the broker did not acknowledge. At the end every acknowledged reading is in
the journal, and findings and orders are exactly those of an undisturbed backtest over the same readings: none
missing, none doubled, each raised at its right instant.
"""

import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from running import System, wait_until
from soaking import Begin

from facility.instant import SECOND_US, format_instant, from_us
from facility.reading import PointValue, Scan
from facility.site_file import parse_site
from ingest.journal import JournalReader
from plantroom.backtest import run_backtest
from plantroom.contracts import load_contracts
from plantroom.plant_files import load_rule_files
from simulators.wire import Wire

TANKS, STEPS, STEP_US = 20, 360, 10 * SECOND_US
BEGIN_US = 1_790_000_000 * SECOND_US
SITE = "site: {id: kill, zone: Asia/Shanghai}\nbuildings:\n  - id: tower\n    assets:\n" + "".join(
    f"      - {{id: tank-{number}, class: tank, points: {{tank_level: {{cadence: 10 s}}}}}}\n"
    for number in range(TANKS)
)
CONTRACT = """
contract: {id: kill, name: Kill, sites: [kill], zone: Asia/Shanghai}
revisions:
  - revision: 1
    effective_at: "2020-01-01"
    calendars: {office: {hours: {mon-fri: ["08:00-18:00"]}}}
    default_level: {clause: "1", priority: 3, calendar: office, response: 4 open hours, resolution: 2 open days}
    levels:
      - {id: water, clause: "2", match: {class: tank}, priority: 2, calendar: office, response: 30 min, resolution: 4 h}
"""


def _scans(seed: int) -> list[Scan]:
    """Every tank falls low for longer than the rule's five minutes once or twice, and once too shortly."""
    dice = random.Random(seed)
    lows: list[list[tuple[int, int]]] = []
    for _ in range(TANKS):
        first = dice.randint(5, 60)
        second = first + dice.randint(60, 120)
        third = second + dice.randint(60, 100)
        lows.append(
            [(first, first + dice.randint(35, 50)), (second, second + 20), (third, third + dice.randint(35, 60))]
        )
    scans = []
    for step in range(STEPS):
        for tank in range(TANKS):
            low = any(begin <= step < end for begin, end in lows[tank])
            level = (15.0 if low else 60.0) + dice.random()
            at_us = BEGIN_US + step * STEP_US
            scans.append(Scan(f"tank-{tank}", at_us, complete=True, values=(PointValue("tank_level", level),)))
    return scans


def _journalled(folder: Path) -> set[tuple[str, int]]:
    reader = JournalReader(folder)
    found, seq = set(), 0
    while commits := reader.read(seq):
        seq = commits[-1].seq
        for commit in commits:
            found |= {(entry.asset_id, entry.at_us) for entry in commit.entries if isinstance(entry, Scan)}
    reader.close()
    return found


class Devices(threading.Thread):
    """Publishes the scans at an even pace, whatever happens to the program."""

    def __init__(self, port: int, scans: list[Scan], per_second: float) -> None:
        super().__init__(name="devices")
        self._wire = Wire("127.0.0.1", port, "devices")
        self._scans, self._pause = scans, 1 / per_second
        self.halt = threading.Event()
        self.done = False

    def run(self) -> None:
        with self._wire as wire:
            for scan in self._scans:
                body = {"at": format_instant(from_us(scan.at_us)), "values": {v.point: v.value for v in scan.values}}
                topic = f"plantroom/kill/{scan.asset_id}/readings"
                if not wire.publish(topic, msgspec.json.encode(body), self.halt) or self.halt.wait(self._pause):
                    return
            self.done = wire.drain(120, self.halt)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """The site and contract as files."""
    for name, text in (("site", SITE), ("contract", CONTRACT)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return {"site": str(tmp_path / "site.yaml"), "contract": str(tmp_path / "contract.yaml")}


def _kill_and_compare(
    new_system: Callable[..., System], files: dict[str, str], *, seed: int, kills: int
) -> dict[str, int]:
    """One run; what was counted, for the table."""
    dice, scans = random.Random(seed), _scans(seed)
    registry = parse_site(SITE, files["site"])
    book = load_contracts({files["contract"]: CONTRACT}, registry)
    expected = run_backtest(scans, registry, {files["site"]: SITE}, load_rule_files(None), book)
    assert len(expected.findings) >= 2 * TANKS
    assert len(expected.work_orders) > TANKS // 2  # tanks that fall low together may share one
    system = new_system(clock="journal", **files)
    system.start()
    devices = Devices(system.mqtt_port, scans, per_second=600 / (1 + kills / 3))
    devices.start()
    try:
        for _ in range(kills):
            threading.Event().wait(dice.uniform(0.2, 3.0))
            system.kill()
            system.launch()
            if dice.random() < 0.5:
                system.wait_ready()
        wait_until(lambda: devices.done, 240, f"every message to be acknowledged; log:\n{system.log()[-3000:]}")
    finally:
        devices.halt.set()
        devices.join(30)
    system.wait_ready()
    sent = {(scan.asset_id, scan.at_us) for scan in scans}
    wait_until(lambda: _journalled(system.journal) >= sent, 60, "every acknowledged reading to be in the journal")
    wait_until(system.is_caught_up, 60, "every commit to be judged")
    findings = sorted(system.get("/api/findings", limit="1000"), key=lambda one: (one["raised_at"], one["id"]))
    orders = sorted(system.get("/api/work-orders", limit="1000"), key=lambda one: str(one["number"]))
    assert findings == expected.findings
    assert _comparable(orders) == _comparable(expected.work_orders)
    return {"kills": kills, "readings": len(sent), "findings": len(findings), "orders": len(orders)}


def _comparable(orders: list[dict[str, Any]]) -> dict[str, Any]:
    """By id; numbers may differ between two orders raised at the same instant."""
    return {order["id"]: {name: value for name, value in order.items() if name != "number"} for order in orders}


def test_killed_at_random_instants_nothing_is_lost_or_doubled(
    new_system: Callable[..., System], files: dict[str, str]
) -> None:
    _kill_and_compare(new_system, files, seed=1, kills=2)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [2, 3])
def test_killed_ten_times_nothing_is_lost_or_doubled(
    new_system: Callable[..., System], files: dict[str, str], soak_row: Begin, seed: int
) -> None:
    counted = soak_row(f"kill -9 of the whole program at random instants of a replay, seed {seed}")
    counted.update(_kill_and_compare(new_system, files, seed=seed, kills=10))
