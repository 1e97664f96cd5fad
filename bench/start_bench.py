"""How long a process with engine, pages and jobs takes from its start until `/readyz` says so, and what CPU that is.

The demo's files over a database and a journal that are there already, as after a kill. With `--other FOLDER`, a second
checkout of the program, both are started in turn by the same interpreter, so that a busy machine is busy for both.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from facility.clock import RealClock
from ingest.control import waiting
from ingest.journal import JournalWriter
from plantroom.launch import free_port

ROOT = Path(__file__).resolve().parents[1]
_LONGEST_S = 180.0


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds until it was ready, and CPU seconds of the process by then."""

    seconds: float
    cpu: float


def start(checkout: Path, var: Path) -> Start:
    """One start to readiness; the process has ended in order when this returns."""
    demo, port = ROOT / "plantroom" / "demo", free_port("127.0.0.1", 18600, "--http-port", fixed=False)
    values = {"VAR": var, "SITE": demo / "site.yaml", "CONTRACT": demo / "contract.yaml", "HTTP_PORT": port}
    environment = {**os.environ, "PYTHONPATH": str(checkout), **{f"PLANTROOM_{k}": str(v) for k, v in values.items()}}
    command = [sys.executable, "-m", "plantroom", "run", "--role", "engine,web,jobs"]
    began = time.monotonic()
    with (var / "log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, cwd=checkout, stdout=log, stderr=log)
    try:
        while not _is_ready(port):
            if process.poll() is not None or time.monotonic() - began > _LONGEST_S:
                sys.exit(f"it did not become ready; see {var / 'log'}")
            threading.Event().wait(0.02)
        return Start(time.monotonic() - began, _cpu(process.pid))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def ingest(var: Path) -> Iterator[None]:
    """What the engine submits comes into the journal, as ingest would see to it."""
    halt = threading.Event()

    def run() -> None:
        with JournalWriter(var / "journal") as writer:
            while not halt.wait(0.05):
                submitted = waiting(var / "control")
                if submitted:
                    writer.append(RealClock().now_us(), [one.event for one in submitted])
                for one in submitted:
                    one.path.unlink()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        halt.set()
        thread.join()


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--other", type=Path, help="another checkout, started in turn with this one")
    asked = parser.parse_args()
    checkouts = [ROOT] if asked.other is None else [asked.other.resolve(), ROOT]
    found: dict[Path, list[Start]] = {checkout: [] for checkout in checkouts}
    with tempfile.TemporaryDirectory() as folder:
        homes = {checkout: Path(folder) / str(number) for number, checkout in enumerate(checkouts)}
        for checkout, var in homes.items():
            var.mkdir()
            with ingest(var):
                start(checkout, var)
        for _ in range(asked.runs):
            for checkout, var in homes.items():
                found[checkout].append(start(checkout, var))
    for checkout, starts in found.items():
        cpu, seconds = median(one.cpu for one in starts), median(one.seconds for one in starts)
        who = "this one" if checkout == ROOT else "the other"
        print(f"{who:10} ready after {seconds:5.2f} s, {cpu:5.2f} s of CPU (median of {len(starts)})")


if __name__ == "__main__":
    main()
