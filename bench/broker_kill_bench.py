"""What a `kill -9` of Mosquitto loses of what it had acknowledged to devices, with ingest connected and away.

Its persistence is a snapshot every `autosave_interval` seconds, so what came since the last one and was not delivered
yet is gone. Each line is one kill; the instant within the interval differs from one to the next. Then what a snapshot
costs while a queue waits: how long no device hears an acknowledgement.

Run: python -m bench.broker_kill_bench --rate 2000 --intervals 60 2
"""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bench.brokers import mosquitto_config
from bench.mqtt_flood import Device, flood, open_devices
from ingest.link import BrokerAddress, ClientKind, Link
from ingest.mqtt_link import make_link

_STOP = threading.Event()
_PAUSE = threading.Event()
_DEVICES, _WINDOW = 50, 4
"""A window of four lets a device hear each acknowledgement before it sends the next but one."""


@dataclass(slots=True)
class Killable:
    """A Mosquitto whose snapshots come every `interval_s`; it can be killed and started again on its port."""

    folder: Path
    interval_s: int
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Returns when it listens."""
        if not self.port:
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = int(free.getsockname()[1])
            lines = mosquitto_config(self.port, self.folder).splitlines()
            lines = [line for line in lines if not line.startswith("autosave_interval")]
            text = "\n".join([*lines, f"autosave_interval {self.interval_s}", ""])
            (self.folder / "mosquitto.conf").write_text(text, encoding="utf-8")
        program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin") or sys.exit("no mosquitto here")
        log = subprocess.DEVNULL
        self.process = subprocess.Popen([str(program), "-c", str(self.folder / "mosquitto.conf")], stderr=log)
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                _PAUSE.wait(0.05)
            else:
                return
        sys.exit("mosquitto did not come up")

    def save(self) -> None:
        """Write the snapshot now, and return when it is there."""
        if self.process is not None:
            before = self._saved()
            self.process.send_signal(signal.SIGUSR1)
            while self._saved() == before:
                _PAUSE.wait(0.01)

    def kill(self) -> None:
        """As a crash."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def _saved(self) -> int:
        path = self.folder / "mosquitto.db"
        return path.stat().st_mtime_ns if path.exists() else 0

    @property
    def bytes_kept(self) -> int:
        """Size of the snapshot."""
        path = self.folder / "mosquitto.db"
        return path.stat().st_size if path.exists() else 0


@dataclass(slots=True)
class Ingest:
    """Reads and acknowledges; `seen` is its journal: device topic and the instant the message carries."""

    port: int
    seen: set[tuple[str, str]] = field(default_factory=set)
    copies: int = 0

    def open(self) -> Link:
        """The lasting session of ingest."""
        link = make_link(ClientKind.RAW, BrokerAddress("127.0.0.1", self.port, "kill-bench"))
        if not link.open(_STOP):
            sys.exit("the broker does not take ingest")
        return link

    def read(self, link: Link, until: threading.Event, idle_s: float = 1.0) -> None:
        """Until `until` is set and nothing has come for `idle_s`, or the connection is over."""
        quiet = time.monotonic()
        while not link.is_over and not (until.is_set() and time.monotonic() > quiet + idle_s):
            found = link.read(1000, 0.05)
            for one in found:
                if one.topic.endswith("/readings"):
                    quiet = time.monotonic()
                    at = msgspec.json.decode(one.payload)["at"]
                    self.copies += (one.topic, at) in self.seen
                    self.seen.add((one.topic, at))
            link.acknowledge(found)


def lose(interval_s: int, rate: float, seconds: float, *, connected: bool) -> tuple[int, int]:
    """Messages acknowledged to devices, and how many of them ingest never got, for one kill after `seconds`."""
    with tempfile.TemporaryDirectory(prefix="kill-") as name:
        broker = Killable(Path(name), interval_s)
        broker.start()
        ingest, done = Ingest(broker.port), threading.Event()
        link = ingest.open()
        broker.save()  # the session itself is in a snapshot, as it is an interval after the first connection ever
        reader = threading.Thread(target=ingest.read, args=(link, done))
        if connected:
            reader.start()
        else:
            link.close()
        devices = open_devices(broker.port, _DEVICES)
        timer = threading.Timer(seconds, broker.kill)
        timer.start()
        flood(devices, rate, seconds + 0.3, _WINDOW, 1)
        timer.join()
        done.set()
        if connected:
            reader.join()
            link.close()
        _close(devices)
        broker.start()
        link = ingest.open()
        ingest.read(link, done, 2.0)
        link.close()
        broker.kill()
        acknowledged = {(topic, at) for device in devices for topic, at in _acknowledged(device)}
        return len(acknowledged), len(acknowledged - ingest.seen)


def _close(devices: list[Device]) -> None:
    for device in devices:
        if device.sock is not None:
            device.sock.close()


def _acknowledged(device: Device) -> list[tuple[str, str]]:
    topic = device.head[device.head.index(b"plantroom/") :].decode()
    texts = []
    for at_us in device.sent[: device.acked]:
        seconds, rest = divmod(at_us, 10**6)
        texts.append((topic, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:06d}Z"))
    return texts


def stall(queued: int, rate: float = 20_000) -> tuple[float, float, int]:
    """With so many messages waiting for ingest: seconds one snapshot takes, the broker's memory (MB), its size."""
    with tempfile.TemporaryDirectory(prefix="kill-") as name:
        broker = Killable(Path(name), 3600)
        broker.start()
        Ingest(broker.port).open().close()
        if queued:
            devices = open_devices(broker.port, _DEVICES)
            flood(devices, rate, queued / rate, 1000, 10)
            _close(devices)
        began = time.monotonic()
        broker.save()
        took_s = time.monotonic() - began
        pid = broker.process.pid if broker.process is not None else 0
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        kept = broker.bytes_kept
        broker.kill()
        return took_s, pages * os.sysconf("SC_PAGE_SIZE") / 1e6, kept


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=2000)
    parser.add_argument("--intervals", type=int, nargs="+", default=[60, 2])
    parser.add_argument("--kills", type=int, default=3, help="of each kind")
    parser.add_argument("--queues", type=int, nargs="+", default=[0, 100_000, 500_000])
    asked = parser.parse_args()
    for connected in (True, False):
        for interval_s in asked.intervals:
            for number in range(asked.kills):
                seconds = 3 + 1.0 * interval_s * (number + 1) / asked.kills
                sent, lost = lose(interval_s, asked.rate, seconds, connected=connected)
                who = "connected" if connected else "away"
                print(
                    f"ingest {who}, snapshot every {interval_s} s, killed after {seconds:.1f} s, {asked.rate:,.0f}/s: "
                    f"{lost:,} of {sent:,} acknowledged are gone ({lost / asked.rate:.2f} s of them)"
                )
    for queued in asked.queues:
        took_s, megabytes, kept = stall(queued)
        print(
            f"{queued:,} messages wait: a snapshot takes {took_s:.2f} s, {kept / 1e6:,.0f} MB on disk, "
            f"{megabytes:,.0f} MB in memory"
        )


if __name__ == "__main__":
    main()
