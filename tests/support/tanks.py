"""Tanks that speak to a running system by its own clock, and what is done to it meanwhile."""

import os
import random
import signal
import sqlite3
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import msgspec
from running import System, wait_until

from facility.clock import Clock
from facility.instant import SECOND_US, format_instant, from_us, parse_instant, to_us
from facility.reading import Quality, Scan
from ingest.journal import JournalReader
from ingest.segment import list_segments
from simulators.wire import Wire

PERSISTENCE_US = 3 * SECOND_US
TANKS = 8
SITE = "site: {id: kill, zone: UTC}\nbuildings:\n  - id: tower\n    assets:\n" + "".join(
    f"      - {{id: tank-{number}, class: tank, points: {{tank_level: {{cadence: 60 s}}}}}}\n"
    for number in range(TANKS)
)
DIVIDED = SITE.replace("      - {id: tank-4,", "  - id: annex\n    assets:\n      - {id: tank-4,")
"""The first four tanks in the building `tower`, the others in `annex`."""
RULES = """
rules:
  - id: level-low-soon
    class: tank
    name: {en: Level low}
    kind: fault
    severity: high
    when: tank_level < 30
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

    def __init__(self, port: int, clock: Clock) -> None:
        super().__init__(name="tanks")
        self._clock = clock
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
        return int(wait_until(lambda: self._low.get(tank), 120, f"tank {tank} to say that it is low"))

    @property
    def is_connected(self) -> bool:
        """Whether what was kept back is mostly gone."""
        return self._wire.unacknowledged < 5 * TANKS

    def refill(self, tank: int) -> None:
        with self._lock:
            del self._low[tank]

    def run(self) -> None:
        clock = self._clock
        with self._wire as wire:
            while not self.halt.wait(0.1):
                for tank in range(TANKS):
                    at_us = clock.now_us()
                    with self._lock:
                        is_low = tank in self._low
                        if is_low and self._low[tank] is None:
                            self._low[tank] = at_us
                    body = {"at": format_instant(from_us(at_us)), "values": {"tank_level": 28.0 if is_low else 31.0}}
                    if wire.publish(f"plantroom/kill/tank-{tank}/readings", msgspec.json.encode(body), self.halt):
                        self.sent.add((f"tank-{tank}", at_us))
            self.drained = wire.drain(150)


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
    tasks = Path(f"/proc/{found['broker']}/task") if "broker" in found else None
    for path in tasks.glob("*/children") if tasks is not None else ():
        for pid in path.read_text().split():
            found["nats-server"] = int(pid)
    return found


def strike(system: System, victim: str, how: signal.Signals) -> None:
    """Send the signal to a process by name; the supervisor itself is started again by us."""
    if victim == "supervisor":
        assert system.process is not None
        system.process.send_signal(how)
        system.process.wait(90)
        wait_until(lambda: not system.pids(), 90, "every child to end with the supervisor")
        system.launch()
        return

    def struck() -> bool:
        try:
            os.kill(children(system)[victim], how)
        except (KeyError, FileNotFoundError, ProcessLookupError):
            return False  # it has just ended with another one, and is being started again
        return True

    wait_until(struck, 90, f"{victim} to run")


def findings_of(system: System, tank: int) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = system.get("/api/findings", limit="1000")
    except (httpx.HTTPError, FileNotFoundError):
        return []  # it is being started again
    return [one for one in found if one["asset_id"] == f"tank-{tank}" and one["rule_id"] == "level-low-soon"]


def episode(
    system: System,
    tanks: Tanks,
    tank: int,
    strikes: list[tuple[str, signal.Signals]],
    dice: random.Random,
    *,
    exact: bool = True,
) -> None:
    """Low, the strikes while it is pending, the finding at its right instant, and full again."""
    onset_us = tanks.fall(tank)
    # A broker that dies makes devices send again what it had not taken: that may be late, so the first one is through.
    wait_until(lambda: journalled(system.journal)[(f"tank-{tank}", onset_us)], 120, "the first low reading")
    for victim, how in strikes:
        threading.Event().wait(dice.uniform(0.0, 1.0))
        strike(system, victim, how)
    (found,) = wait_until(
        lambda: findings_of(system, tank), 180, f"tank {tank}'s finding; log:\n{system.log()[-4000:]}"
    )
    raised_us = to_us(parse_instant(found["raised_at"]))
    assert raised_us == onset_us + PERSISTENCE_US or (not exact and raised_us > onset_us)
    assert len(findings_of(system, tank)) == 1
    tanks.refill(tank)


def finish(system: System, tanks: Tanks) -> dict[str, int]:
    """Everything that was acknowledged is in the journal once, and every order has one finding."""
    tanks.halt.set()
    tanks.join(180)
    assert tanks.drained
    wait_until(lambda: tanks.sent <= set(journalled(system.journal)), 180, "every acknowledged reading in the journal")
    counts = journalled(system.journal)
    assert [key for key, count in counts.items() if count > 1] == []
    system.wait_ready()
    wait_until(system.is_caught_up, 180, "every commit to be judged")
    orders = system.get("/api/work-orders", limit="1000")
    assert len({order["id"] for order in orders}) == len(orders)
    return {"readings": len(tanks.sent), "orders": len(orders)}


def damage_journal(system: System) -> int:
    """Ingest dies and half of its newest file is lost; the newest commit there was. Everyone else lives on."""
    assert system.process is not None
    system.process.send_signal(signal.SIGSTOP)  # so that nobody starts ingest while the disk is at it
    try:
        pid = children(system)["ingest"]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z", 60, "its death")
        with JournalReader(system.journal) as reader:
            newest = reader.last_seq()
        path = list_segments(system.journal)[-1][1]
        with closing(sqlite3.connect(path, timeout=10)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)
    finally:
        system.process.send_signal(signal.SIGCONT)
    return newest
