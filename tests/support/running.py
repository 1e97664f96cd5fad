"""The whole program as real processes, for tests that start, kill and question it."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from facility.clock import RealClock

ROOT = Path(__file__).resolve().parents[2]
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""What httpx is told to trust when it asks a program on this machine by plain http: nobody. Reading the authorities it
would not need costs 24 ms of CPU a request."""


def wait_until(condition: Callable[[], Any], seconds: float, what: str) -> Any:  # noqa: ANN401 - whatever the condition found
    """What `condition` returned when it was true at last; fails the test after `seconds`.

    It asks ever more rarely, twice a second in the end: what is waited for needs the CPU more than who waits.
    """
    clock, pause, wait_s = RealClock(), threading.Event(), 0.05
    end_us = clock.now_us() + round(seconds * 1e6)
    while True:
        found = condition()
        if found:
            return found
        if clock.now_us() > end_us:
            pytest.fail(f"waited {seconds:g} s in vain for {what}")
        pause.wait(wait_s)
        wait_s = min(0.5, wait_s * 1.2)


def is_alive(pid: int) -> bool:
    """Whether a process lives (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state.rsplit(")", 1)[1].split()[0] not in ("Z", "X")


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that were free a moment ago, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


@dataclass
class System:
    """One instance of the program in its own folder; `start` and `kill` as often as wanted."""

    var: Path
    settings: dict[str, str]
    arguments: list[str] = field(default_factory=lambda: ["run"])
    process: "subprocess.Popen[bytes] | None" = None

    def start(self, seconds: float = 180) -> None:
        """Start it and wait until it is ready."""
        self.launch()
        self.wait_ready(seconds)

    def wait_ready(self, seconds: float = 180) -> None:
        """Wait until it says that it is ready."""
        wait_until(self._ready, seconds, f"the program to be ready; its log is {self.var / 'log'}")

    def is_caught_up(self) -> bool:
        """Whether every commit of the journal is judged and written."""
        return 'plantroom_engine_lag_commits{shard="main"} 0.0' in self.get_text("/metrics").splitlines()

    def launch(self) -> None:
        """Start it and return at once."""
        environment = {**os.environ, **self.settings}
        with (self.var / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "plantroom", *self.arguments],
                env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    @property
    def http_port(self) -> int:
        return int(self.settings["PLANTROOM_HTTP_PORT"])

    @property
    def mqtt_port(self) -> int:
        return int(self.settings["PLANTROOM_MQTT_PORT"])

    @property
    def journal(self) -> Path:
        return self.var / "journal"

    def get(self, path: str, **query: str) -> Any:  # noqa: ANN401 - any JSON
        """The JSON answer of a GET with the admin token."""
        return self._call("GET", path, params=query).json()

    def get_text(self, path: str) -> str:
        """The text of a GET with the admin token."""
        return self._call("GET", path).text

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - any JSON
        """The JSON answer of a POST with the admin token."""
        return self._call("POST", path, json=body or {}).json()

    def _call(self, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - what httpx takes
        token = (self.var / "token").read_text(encoding="ascii").strip()
        url, headers = f"http://127.0.0.1:{self.http_port}{path}", {"Authorization": f"Bearer {token}"}
        return httpx.request(
            method, url, headers=headers, timeout=20, trust_env=False, verify=PLAIN, **more
        ).raise_for_status()

    def pids(self) -> list[int]:
        """Every process of the program that lives: the supervisor, its children, and theirs."""
        found = [self.process.pid] if self.process is not None else []
        found += [int(path.read_text()) for path in (self.var / "run").glob("*.pid") if path.read_text()]
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if str(self.var).encode() in path.read_bytes():
                    found.append(int(path.parent.name))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        return [pid for pid in dict.fromkeys(found) if is_alive(pid)]

    def kill(self) -> None:
        """Kill -9 every process of the program at once."""
        pids = self.pids()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if self.process is not None:
            self.process.wait()
        wait_until(lambda: not self.pids(), 10, "every process to be gone")

    def stop(self, seconds: float = 60) -> int:
        """End it as Ctrl-C does; its exit code."""
        if self.process is None or self.process.poll() is not None:
            return 0
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(seconds)

    def simulated_epoch_us(self) -> int:
        """The instant (microseconds) at which simulated time was set going last."""
        epoch: dict[str, int] = json.loads((self.var / "clock.json").read_bytes())
        return epoch["epoch_us"]

    def log(self) -> str:
        """Everything it has said."""
        path = self.var / "log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def _ready(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            pytest.fail(f"the program ended with {self.process.returncode} at its start; log:\n{self.log()}")
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.http_port}/readyz", timeout=2, trust_env=False, verify=PLAIN)
        except httpx.TransportError:
            return False
        return answer.status_code == 200
