"""Kill -9 and SIGTERM of each process by the real clock, under load: a rule that waits raises at its right instant.

A tank falls low; while the rule's persistence runs, processes die. When the finding shows at last, it is raised at the
reading's stamp plus the persistence to the microsecond, there is one of it, and every acknowledged reading is in the
journal once. Then the disk refuses, and comes back.
"""

import os
import random
import resource
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from running import System, free_ports, wait_until

from facility.clock import RealClock
from facility.instant import SECOND_US, format_instant, from_us, parse_instant, to_us
from facility.reading import Quality, Scan
from ingest.journal import JournalReader
from simulators.wire import Wire

PERSISTENCE_US = 3 * SECOND_US
TANKS = 8
SITE = "site: {id: kill, zone: UTC}\nbuildings:\n  - id: tower\n    assets:\n" + "".join(
    f"      - {{id: tank-{number}, class: tank, points: {{tank_level: {{cadence: 60 s}}}}}}\n"
    for number in range(TANKS)
)
RULES = """
rules:
  - id: level-low-soon
    class: tank
    name: {en: Level low}
    kind: fault
    severity: high
    when: tank_level < 10
    for: 3 s
    diagnosis: [Pump]
    advice: Look at the pump.
    checklist: [Pump]
    reference: a test
    tests:
      - {name: low, step: 1 s, series: {tank_level: "5x9"}, expect: [{at: 3 s, state: active}]}
      - {name: full, step: 1 s, series: {tank_level: "50x9"}, expect: []}
"""
CONTRACT = """
contract: {id: kill, name: Kill, sites: [kill], zone: UTC}
revisions:
  - revision: 1
    effective_at: "2020-01-01"
    calendars: {always: {hours: always}}
    default_level: {clause: "1", priority: 3, calendar: always, response: 4 open hours, resolution: 20 open hours}
"""


class Tanks(threading.Thread):
    """Every tank says its level ten times a second, each at its own instant; nothing acknowledged is forgotten."""

    def __init__(self, port: int) -> None:
        super().__init__(name="tanks")
        self._wire = Wire("127.0.0.1", port, "tanks")
        self._lock = threading.Lock()
        self._low: dict[int, int | None] = {}
        self.sent: set[tuple[str, int]] = set()
        self.halt = threading.Event()
        self.drained = False

    def fall(self, tank: int) -> int:
        """The level is low from the next reading on; that reading's stamp."""
        with self._lock:
            self._low[tank] = None
        return int(wait_until(lambda: self._low.get(tank), 30, f"tank {tank} to say that it is low"))

    def refill(self, tank: int) -> None:
        with self._lock:
            del self._low[tank]

    def run(self) -> None:
        clock = RealClock()
        with self._wire as wire:
            while not self.halt.wait(0.1):
                for tank in range(TANKS):
                    at_us = clock.now_us()
                    with self._lock:
                        is_low = tank in self._low
                        if is_low and self._low[tank] is None:
                            self._low[tank] = at_us
                    body = {"at": format_instant(from_us(at_us)), "values": {"tank_level": 9.0 if is_low else 11.0}}
                    if wire.publish(f"plantroom/kill/tank-{tank}/readings", msgspec.json.encode(body), self.halt):
                        self.sent.add((f"tank-{tank}", at_us))
            self.drained = wire.drain(60)


def journalled(folder: Path) -> Counter[tuple[str, int]]:
    """How often each scan is in the journal with effect."""
    found: Counter[tuple[str, int]] = Counter()
    with JournalReader(folder) as reader:
        seq = 0
        while commits := reader.read(seq):
            seq = commits[-1].seq
            found.update(
                (entry.asset_id, entry.at_us)
                for commit in commits
                for entry in commit.entries
                if isinstance(entry, Scan) and entry.values[0].quality != Quality.DUPLICATE
            )
    return found


def children(system: System) -> dict[str, int]:
    """Process ids by name; nats-server is the broker's child."""
    run = system.var / "run"
    found = {path.stem: int(path.read_text()) for path in run.glob("*.pid") if path.read_text()}
    tasks = Path(f"/proc/{found['broker']}/task")
    for path in tasks.glob("*/children"):
        for pid in path.read_text().split():
            found["nats-server"] = int(pid)
    return found


def strike(system: System, victim: str, how: signal.Signals) -> None:
    """Send the signal to a process by name; the supervisor itself is started again by us."""
    if victim == "supervisor":
        assert system.process is not None
        system.process.send_signal(how)
        system.process.wait(30)
        wait_until(lambda: not system.pids(), 30, "every child to end with the supervisor")
        system.launch()
        return
    pid = wait_until(lambda: children(system).get(victim), 30, f"{victim} to run")
    os.kill(pid, how)


@pytest.fixture
def plant(new_system: Callable[..., System], tmp_path: Path) -> Iterator[tuple[System, Tanks]]:
    """A running system and its devices."""
    (tmp_path / "rules").mkdir()
    for name, text in (("site", SITE), ("contract", CONTRACT), ("rules/own", RULES)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    system = new_system(
        site=str(tmp_path / "site.yaml"),
        contract=str(tmp_path / "contract.yaml"),
        rules=str(tmp_path / "rules"),
        metrics_port=str(free_ports(1)[0]),
    )
    system.start()
    tanks = Tanks(system.mqtt_port)
    tanks.start()
    yield system, tanks
    tanks.halt.set()
    tanks.join(90)


def findings_of(system: System, tank: int) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = system.get("/api/findings", limit="1000")
    except (httpx.HTTPError, FileNotFoundError):
        return []  # it is being started again
    return [one for one in found if one["asset_id"] == f"tank-{tank}" and one["rule_id"] == "level-low-soon"]


def episode(
    system: System, tanks: Tanks, tank: int, strikes: list[tuple[str, signal.Signals]], dice: random.Random
) -> None:
    """Low, the strikes while it is pending, the finding at its right instant, and full again."""
    onset_us = tanks.fall(tank)
    # A broker that dies makes devices send again what it had not taken: that may be late, so the first one is through.
    wait_until(lambda: journalled(system.journal)[(f"tank-{tank}", onset_us)], 30, "the first low reading")
    for victim, how in strikes:
        threading.Event().wait(dice.uniform(0.0, 1.0))
        strike(system, victim, how)
    (found,) = wait_until(lambda: findings_of(system, tank), 90, f"tank {tank}'s finding; log:\n{system.log()[-4000:]}")
    assert to_us(parse_instant(found["raised_at"])) == onset_us + PERSISTENCE_US
    assert len(findings_of(system, tank)) == 1
    tanks.refill(tank)


def finish(system: System, tanks: Tanks) -> dict[str, int]:
    """Everything that was acknowledged is in the journal once, and every order has one finding."""
    tanks.halt.set()
    tanks.join(90)
    assert tanks.drained
    wait_until(lambda: tanks.sent <= set(journalled(system.journal)), 60, "every acknowledged reading in the journal")
    counts = journalled(system.journal)
    assert [key for key, count in counts.items() if count > 1] == []
    system.wait_ready()
    wait_until(system.is_caught_up, 60, "every commit to be judged")
    orders = system.get("/api/work-orders", limit="1000")
    assert len({order["id"] for order in orders}) == len(orders)
    return {"readings": len(tanks.sent), "orders": len(orders)}


def refuse_writing(system: System, tanks: Tanks) -> None:
    """No file of ingest may grow: it stops acknowledging and says so; then it may again, and nothing is lost."""
    pid = children(system)["ingest"]
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, before[1]))
    metrics = f"http://127.0.0.1:{system.settings['PLANTROOM_METRICS_PORT']}/metrics"
    try:
        refused = "plantroom_ingest_refused_commits_total "
        wait_until(lambda: f"{refused}0.0" not in httpx.get(metrics, trust_env=False).text, 20, "a refused commit")
        at = JournalReader(system.journal).last_seq()
        sent = len(tanks.sent)
        wait_until(lambda: len(tanks.sent) > sent + 50, 30, "devices to go on sending")
        assert JournalReader(system.journal).last_seq() == at
        assert children(system)["ingest"] == pid, "it lives"
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    wait_until(lambda: "journal can be written again" in system.log(), 30, "it to recover by itself")


def test_processes_die_while_a_rule_waits_and_the_disk_refuses(plant: tuple[System, Tanks]) -> None:
    system, tanks = plant
    dice = random.Random(7)
    episode(system, tanks, 0, [("ingest", signal.SIGKILL), ("engine", signal.SIGTERM)], dice)
    episode(system, tanks, 1, [("nats-server", signal.SIGKILL)], dice)
    refuse_writing(system, tanks)
    finish(system, tanks)


@pytest.mark.soak
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_each_process_dies_at_a_random_instant_of_the_persistence(
    plant: tuple[System, Tanks], how: signal.Signals, soak_table: Callable[[str, dict[str, int]], None]
) -> None:
    system, tanks = plant
    dice = random.Random(int(how))
    victims = ["ingest", "engine", "nats-server", "broker", "supervisor"]
    for tank, victim in enumerate([*victims, "ingest", "engine"]):
        more = [(dice.choice(victims[:4]), how)] if tank >= len(victims) else []
        episode(system, tanks, tank, [(victim, how), *more], dice)
    refuse_writing(system, tanks)
    counted = finish(system, tanks)
    soak_table(f"{how.name} of each process while a rule waits, real clock", {"kills": 9, **counted})
