"""The brokers a bench runs against: Mosquitto with the limits of deploy/mosquitto, or the embedded one."""

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest.broker import EmbeddedBroker, redelivery_s

_DEPLOYED = Path(__file__).resolve().parent.parent / "deploy" / "mosquitto" / "mosquitto.conf"
_PAUSE = threading.Event()
_YIELDS = ("nice", "-n", "5")
_LIMITS = ("max_", "memory_limit", "set_tcp_nodelay", "autosave_")


@dataclass(frozen=True)
class Broker:
    """One that runs. `dropped` says what it threw away, in words."""

    port: int
    pid: int
    redelivery_s: float
    dropped: Callable[[], str]


@contextmanager
def open_broker(kind: str, folder: Path) -> Iterator[Broker]:
    """`mosquitto` or `embedded`, with its data in `folder`. Mosquitto yields to ingest, as our roles do: what
    cannot be dealt with then waits at the devices, not in its memory."""
    if kind == "embedded":
        with EmbeddedBroker(folder / "broker", port=0) as embedded:
            away_s = redelivery_s(folder / "broker")
            yield Broker(embedded.port, embedded.pid or 0, away_s, lambda: "the embedded broker keeps all on disk")
        return
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        sys.exit("mosquitto is not installed; on Debian: apt-get install mosquitto mosquitto-clients")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
    (folder / "mosquitto.conf").write_text(mosquitto_config(port, folder), encoding="utf-8")
    command = [*_YIELDS, program, "-c", str(folder / "mosquitto.conf")]
    with (folder / "mosquitto.log").open("wb") as said, subprocess.Popen(command, stderr=said) as process:
        try:
            _await(port)
            yield Broker(port, process.pid, 0.0, lambda: _dropped(port))
        finally:
            process.terminate()


def mosquitto_config(port: int, folder: Path) -> str:
    """The limits that production has, on loopback without passwords."""
    limits = [line for line in _DEPLOYED.read_text(encoding="utf-8").splitlines() if line.startswith(_LIMITS)]
    user = ["user root"] if os.geteuid() == 0 else []
    kept = ["persistence true", f"persistence_location {folder}/"]
    return "\n".join(
        [
            f"listener {port} 127.0.0.1",
            "allow_anonymous true",
            "sys_interval 1",
            "log_type error",
            *user,
            *kept,
            *limits,
        ]
    )


def _await(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            _PAUSE.wait(0.05)
        else:
            return
    sys.exit("mosquitto did not come up")


def _dropped(port: int) -> str:
    program = shutil.which("mosquitto_sub")
    if program is None:
        return "what Mosquitto dropped is not known without mosquitto_sub"
    topic = "$SYS/broker/publish/messages/dropped"
    command = [program, "-p", str(port), "-C", "1", "-W", "15", "-t", topic]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return f"Mosquitto dropped {said or 'nothing it speaks of'}"
