"""Engine processes of the real program over one journal that a test writes itself; what they wrote can be compared.

Tanks fall low one behind the other and are filled again, so that findings are raised and cleared all the time. A second
of event time passes with each commit.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import prometheus_client
import sqlalchemy as sa
from running import ROOT, free_ports, wait_until
from sqlmodel import SQLModel
from tanks import CONTRACT, RULES, SITE, TANKS

from facility.clock import RealClock
from facility.errors import RetryableError
from facility.instant import SECOND_US
from facility.reading import Entry, Heartbeat, PointValue, Scan
from ingest.control import waiting
from ingest.journal import JournalReader, JournalWriter
from plantroom.allowance import ALLOWANCE_US
from plantroom.contracts import load_contracts
from plantroom.database import Database
from plantroom.engine_host import LEASE, EngineHost
from plantroom.engine_metrics import EngineMetrics, HostMetrics
from plantroom.files import read_texts
from plantroom.plant_files import load_registry
from rules.engine import Engine
from ticketing import repository
from ticketing.desk import Desk
from ticketing.lease import Lease
from ticketing.tables import EventRow, FindingRow, MemberRow, WorkOrderRow

PAUSE_S = 0.02
LOW_COMMITS, EVERY_COMMITS = 6, 4
ESCALATION = '\n    escalations: [{id: soon, clock: response, at: "1 %", to: li}]'
ROSTER = """
roster: {{zone: UTC}}
people:
  - {{id: li, name: Li, channels: [{{name: chat, address: "json://127.0.0.1:{port}/"}}]}}
"""
ROWS: dict[str, tuple[type[SQLModel], str]] = {
    "findings": (FindingRow, "id"),
    "orders": (WorkOrderRow, "id"),
    "lines": (EventRow, "work_order_id, at, version, finding_id, verb"),
    "members": (MemberRow, "finding_id"),
}


class Feed(threading.Thread):
    """Ingest's part: takes what engines submit, and appends a commit every 20 ms until `halt`."""

    def __init__(self, folder: Path, control: Path) -> None:
        super().__init__(name="feed")
        self._folder, self._control = folder, control
        self._began_us = RealClock().now_us() - 10 * 3600 * SECOND_US
        self.halt = threading.Event()
        self.last_seq = 0

    def run(self) -> None:
        with JournalWriter(self._folder) as writer:
            while not self.halt.wait(PAUSE_S):
                submitted = waiting(self._control)
                entries = [*(one.event for one in submitted), *self._scans(self.last_seq)]
                self.last_seq = writer.append(RealClock().now_us(), entries)
                for one in submitted:
                    one.path.unlink()

    def _scans(self, number: int) -> Sequence[Entry]:
        at_us, turn = self._began_us + number * SECOND_US, TANKS * EVERY_COMMITS
        levels = [28.0 if (number - tank * EVERY_COMMITS) % turn < LOW_COMMITS else 31.0 for tank in range(TANKS)]
        scans = [
            Scan(f"tank-{tank}", at_us, True, (PointValue("tank_level", level),)) for tank, level in enumerate(levels)
        ]
        return [*scans, Heartbeat(at_us)]


@dataclass
class Judged:
    """A plant whose engines are processes of their own: `start`, and strike them by their process ids."""

    folder: Path
    database: Database
    receiver_port: int
    processes: dict[int, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    statuses: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.folder / "rules").mkdir()
        contract = CONTRACT.rstrip() + ESCALATION + "\n"
        texts = {
            "site": SITE,
            "contract": contract,
            "rules/own": RULES,
            "roster": ROSTER.format(port=self.receiver_port),
        }
        for name, text in texts.items():
            (self.folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        self.var = self.folder / "var"
        self.feed = Feed(self.var / "journal", self.var / "control")
        self.feed.start()

    def start(self, roles: str = "engine,jobs", **more: str) -> int:
        """One more process, with more settings; its id."""
        (port,) = free_ports(1)
        files = {name: str(self.folder / f"{name}.yaml") for name in ("site", "contract", "roster")}
        settings = {
            "VAR": str(self.var), "RULES": str(self.folder / "rules"), "METRICS_PORT": str(port),
            "OUTBOUND_PRIVATE": "127.0.0.0/8",  # the receiver of its notices
            "DATABASE_URL": self.database.url.render_as_string(hide_password=False),
            **{name.upper(): path for name, path in files.items()}, **more,
        }  # fmt: skip
        environment = {**os.environ, **{f"PLANTROOM_{name}": value for name, value in settings.items()}}
        command = [sys.executable, "-m", "plantroom", "run", "--role", roles]
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                command, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.processes[process.pid] = process
        self.statuses[process.pid] = f"http://{more.get('HTTP_HOST', '127.0.0.1')}:{port}"
        return process.pid

    def is_ready(self, pid: int) -> bool:
        """Whether it leads or stands by."""
        assert self.processes[pid].poll() is None, self.log()
        try:
            return httpx.get(f"{self.statuses[pid]}/readyz", timeout=2, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def strike(self, pid: int, how: signal.Signals) -> None:
        """Send it a signal; wait for the end of one that dies of it."""
        os.kill(pid, how)
        if how in (signal.SIGKILL, signal.SIGTERM):
            self.processes[pid].wait(60)

    def leader(self, lease: str = LEASE) -> tuple[int, int]:
        """Process id and epoch of who took a lease last; zeros before anybody did."""
        with self.database.reading() as session:
            ask = sa.text("SELECT holder, epoch FROM lease WHERE name = :name")
            found = session.execute(ask, {"name": lease}).one_or_none()
        return (int(found[0].split(":")[1]), found[1]) if found is not None else (0, 0)

    def progress(self) -> repository.Progress:
        """What is kept of the engine's work."""
        with self.database.reading() as session:
            return repository.load_progress(session)

    def replaced(self, pid: int, lease: str = LEASE) -> float:
        """Wait until another process holds the lease, and what there was by now is judged; the seconds that took."""
        began, seq = time.monotonic(), self.feed.last_seq

        def is_back() -> bool:
            return self.leader(lease)[0] != pid and self.progress().cursor_seq >= seq

        pause = threading.Event()
        while not is_back():
            assert time.monotonic() - began < 60, self.log()
            pause.wait(0.02)
        return time.monotonic() - began

    def stand_still(self, pid: int) -> None:
        """Stop a process between two transactions: one that stands still in the middle of one keeps SQLite's lock."""
        while True:
            os.kill(pid, signal.SIGSTOP)
            if self.database.engine.dialect.name != "sqlite" or self._is_writable():
                return
            os.kill(pid, signal.SIGCONT)

    def _is_writable(self) -> bool:
        with closing(Database(self.database.url.render_as_string(hide_password=False), busy_ms=200)) as probe:
            try:
                probe.check()
            except RetryableError:
                return False
        return True

    def finish(self) -> None:
        """No more commits; everything is judged, and every process has ended in order."""
        self.feed.halt.set()
        self.feed.join(30)
        wait_until(
            lambda: self.progress().cursor_seq >= self.feed.last_seq, 60, f"the last commit; {self.log()[-3000:]}"
        )
        self.close(signal.SIGTERM)

    def close(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End what runs."""
        self.feed.halt.set()
        for pid, process in self.processes.items():
            if process.poll() is None:
                os.kill(pid, signal.SIGCONT)
                self.strike(pid, how)
        self.feed.join(30)

    def log(self) -> str:
        """Everything the processes have said."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def kept(self, database: Database | None = None) -> dict[str, list[dict[str, Any]]]:
        """Every row of findings, orders, histories and members, but for the numbers that the database gives lines."""
        with (database or self.database).reading() as session:
            return {
                name: [
                    {key: value for key, value in row.model_dump().items() if (table, key) != (EventRow, "id")}
                    for row in session.execute(sa.select(table).order_by(sa.text(order))).scalars()
                ]
                for name, (table, order) in ROWS.items()
            }

    def engine(self, database: Database | None = None) -> Engine:
        """The engine of the snapshot."""
        with (database or self.database).reading() as session:
            state = repository.load_engine_state(session)
        assert state.snapshot is not None
        assert state.snapshot_seq == state.cursor_seq
        return Engine.restore(state.snapshot)

    def undisturbed(self, database: Database) -> None:
        """The same journal judged by one engine that nothing befalls, into an empty database."""
        registry, _ = load_registry([self.folder / "site.yaml"])
        book = load_contracts(read_texts([self.folder / "contract.yaml"], "contract"), registry, ["level-low-soon"])
        clock = RealClock()
        metrics = HostMetrics(EngineMetrics(prometheus_client.CollectorRegistry()))
        with JournalReader(self.var / "journal") as journal:
            host = EngineHost(
                journal, database, Desk(book, lambda: host.registry), lease=Lease(database, LEASE, "alone", clock),
                allowance_us=ALLOWANCE_US, clock=clock, metrics=metrics,
            )  # fmt: skip
            while host.cursor < self.feed.last_seq:
                host.step()
            over = threading.Event()
            over.set()
            host.run(over)
