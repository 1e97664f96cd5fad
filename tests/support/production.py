"""The servers of docker-compose.yml as processes, with the very files it mounts: only ports and folders are others."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from brokers import program
from running import ROOT, free_ports, wait_until

from facility.clock import RealClock
from plantroom.production_files import write_production

INGEST_PASSWORD = "of-plantroom"  # noqa: S105 - ends with the test


def installed(folder: Path, now: datetime | None = None) -> Path:
    """What `plantroom init --production` writes, in `folder`."""
    write_production(folder, ["plant.example"], now or RealClock().now())
    return folder


def answers(port: int) -> bool:
    """Whether something listens on the port of loopback."""
    wanted = f"0100007F:{port:04X}"
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return any(line.split()[1] == wanted and line.split()[3] == "0A" for line in lines)


@dataclass(slots=True)
class HouseBroker:
    """Mosquitto by deploy/mosquitto; `port` is the one inside the containers' network, `tls_port` the devices'."""

    root: Path
    port: int
    tls_port: int
    process: "subprocess.Popen[bytes] | None" = None
    more: str = ""
    profiles: str = ""
    shards: str = ""

    @property
    def log(self) -> Path:
        return self.root / "mosquitto.log"

    def start(self) -> None:
        """Start it as its container does, and wait until it listens."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self._command(), env=self._environment(), stdout=log, stderr=log)
        wait_until(lambda: self._ended() or (answers(self.port) and answers(self.tls_port)), 10, "mosquitto to listen")
        assert not self._ended(), self.log.read_text(encoding="utf-8", errors="replace")

    def reload(self) -> None:
        """Read users and access list again, as `start.sh reload` does in its container, where it is process 1."""
        assert self.process is not None
        text = (ROOT / "deploy/mosquitto/start.sh").read_text(encoding="utf-8")
        assert "exec kill -HUP 1" in text
        own = self.root / "reload.sh"
        own.write_text(text.replace("exec kill -HUP 1", f"exec kill -HUP {self.process.pid}"), encoding="utf-8")
        subprocess.run(["sh", str(own), "reload"], env=self._environment(), check=True, capture_output=True)

    def kill(self) -> None:
        """As hard as it goes."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)

    def stop(self) -> None:
        """In order: it writes down what it holds."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)

    def _ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def _command(self) -> list[str]:
        text = (ROOT / "deploy/mosquitto/mosquitto.conf").read_text(encoding="utf-8")
        for old, new in (
            ("listener 8883\n", f"listener {self.tls_port} 127.0.0.1\n"),
            ("listener 1883\n", f"listener {self.port} 127.0.0.1\n"),
            ("/run/mosquitto/", f"{self.root}/run/"),
            ("/mosquitto/tls/", f"{self.root}/tls/"),
            ("/mosquitto/data/", f"{self.root}/data/"),
        ):
            assert old in text, old
            text = text.replace(old, new)
        kept = "user root\n" if os.geteuid() == 0 else ""
        (self.root / "mosquitto.conf").write_text(text + kept + self.more, encoding="utf-8")
        return ["sh", str(ROOT / "deploy/mosquitto/start.sh")]

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin",
            "PLANTROOM_PASSWORD": INGEST_PASSWORD,
            "SIMULATOR_PASSWORD": "of-simulator",
            "COMPOSE_PROFILES": self.profiles,
            "PLANTROOM_SHARDS": self.shards,
            "MOSQUITTO_RUN": f"{self.root}/run",
            "MOSQUITTO_CONFIG": f"{ROOT}/deploy/mosquitto",
            "MOSQUITTO_DEVICES": f"{self.root}/mqtt",
            "MOSQUITTO_FILE": f"{self.root}/mosquitto.conf",
        }


@contextmanager
def house_broker(root: Path, *, more: str = "", profiles: str = "", shards: str = "") -> Iterator[HouseBroker]:
    """A running one over an installation in `root`; skips without Mosquitto."""
    for name in ("mosquitto", "mosquitto_passwd"):
        program(name)
    for name in ("run", "data"):
        (root / name).mkdir(mode=0o700, exist_ok=True)
    port, tls_port = free_ports(2)
    broker = HouseBroker(root, port, tls_port, more=more, profiles=profiles, shards=shards)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


@contextmanager
def house_proxy(root: Path, pages: str, grafana: str, resolver: str = "127.0.0.11") -> Iterator[tuple[int, int]]:
    """nginx by deploy/nginx over an installation in `root`; its ports for https and http. Skips without nginx.

    `pages` and `grafana` are the host:port of what stands behind it; `resolver` knows the names.
    """
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin") or program("nginx")
    http_port, https_port = free_ports(2)
    text = (ROOT / "deploy/nginx/nginx.conf").read_text(encoding="utf-8")
    for old, new in (
        ("/tmp/", f"{root}/"),  # noqa: S108 - the container's own, replaced by the test's folder
        ("listen 8080;", f"listen 127.0.0.1:{http_port};"),
        ("listen 8443 ", f"listen 127.0.0.1:{https_port} "),
        ("resolver 127.0.0.11 ", f"resolver {resolver} "),
        ("//pages:8600", f"//{pages}"),
        ("//grafana:3000", f"//{grafana}"),
        ("/etc/nginx/tls/", f"{root}/tls/"),
        ("worker_processes auto;", "worker_processes 1;"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    own = root / "nginx.conf"
    kept = "user root;\n" if os.geteuid() == 0 else ""  # else its workers cannot reach the test's folder
    own.write_text(kept + text, encoding="utf-8")
    log = (root / "nginx.log").open("ab")
    server = subprocess.Popen([nginx, "-c", str(own), "-g", "daemon off;"], stdout=log, stderr=log)
    try:
        wait_until(lambda: server.poll() is not None or answers(https_port), 10, "nginx to listen")
        assert server.poll() is None, (root / "nginx.log").read_text(encoding="utf-8")
        yield https_port, http_port
    finally:
        server.terminate()
        server.wait(10)
        log.close()
