"""Messages a second through a broker into the journal, acknowledged after the commit: rate, latency, cost, losses.

A generator in a process of its own (bench.mqtt_flood) publishes from many connections; broker, ingest and, with
`--engine`, the engine with the shipped catalogue and every follower run as processes of their own on this machine.
Afterwards every message the broker acknowledged is looked for in the journal.

Run: python -m bench.ingest_bench [--broker mosquitto|embedded] [--client raw|paho] [--rate 20000] [--seconds 60]
     [--engine] [--burst 1]. Ten times the load: --rate 200000 --burst 10 --window 40.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import msgspec
from prometheus_client import CollectorRegistry

from bench.brokers import Broker, open_broker
from bench.mqtt_flood import POINTS, SITE_ID, FloodResult, read_acknowledged
from bench.watch import Watch
from facility.clock import RealClock
from facility.reading import Entry, Scan
from facility.site_file import parse_site
from ingest.journal import JournalReader, JournalWriter
from ingest.link import BrokerAddress, ClientKind
from ingest.service import IngestService, IngestSettings

_ROOT = Path(__file__).resolve().parent.parent
_PAUSE = Event()
_COMMITTED = "committed.bin"
_NEAR = 5
"""Commits behind the newest: heartbeats go on."""
_PATIENCE_S = 600.0
_QUIET_S = 30.0
"""So long nothing came: what is still missing is lost."""


@dataclass(frozen=True)
class Load:
    """What the generator is asked for."""

    connections: int = 1000
    rate: float = 20_000
    seconds: float = 60
    window: int = 20
    burst: int = 1


@dataclass(frozen=True)
class Held:
    """What the journal holds. Latencies in seconds from the stamp in the payload to the end of the commit, sorted."""

    scans: int
    commits: int
    missing: int
    latencies: "array[float]"

    def percentile(self, share: float) -> float:
        """The latency below which this share of the messages lies, in ms."""
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * share))] * 1000


def site_text(connections: int) -> str:
    """One air handler for each connection."""
    names = ", ".join(POINTS)
    assets = "\n".join(f"      - {{id: ahu-{n}, class: ahu, points: [{names}]}}" for n in range(connections))
    return f"site: {{id: {SITE_ID}, zone: UTC}}\nbuildings:\n  - id: tower\n    assets:\n{assets}\n"


class TimedJournal:
    """A journal that notes when each commit was durable."""

    def __init__(self, journal: JournalWriter) -> None:
        self._journal, self.ends_us = journal, array("q")

    @property
    def last_seq(self) -> int:
        return self._journal.last_seq

    def append(self, arrived_us: int, entries: Sequence[Entry]) -> int:
        seq = self._journal.append(arrived_us, entries)
        self.ends_us.append(seq)
        self.ends_us.append(time.time_ns() // 1000)
        return seq


def serve(folder: Path, port: int, client: ClientKind, connections: int, redelivery_s: float, stop: Event) -> None:
    """The ingest process."""
    with JournalWriter(folder / "journal") as journal:
        timed = TimedJournal(journal)
        service = IngestService(
            BrokerAddress("127.0.0.1", port),
            timed,
            folder / "journal",
            folder / "control",
            parse_site(site_text(connections), "bench"),
            RealClock(),
            IngestSettings(allowance_us=2_000_000, redelivery_s=redelivery_s, device_per_s=100.0, client=client),
            CollectorRegistry(),
        )
        service.run(stop)
        (folder / _COMMITTED).write_bytes(timed.ends_us.tobytes())


@contextmanager
def ingest(folder: Path, broker: Broker, client: ClientKind, connections: int) -> Iterator[int]:
    """The ingest process, listening; its process id."""
    context = multiprocessing.get_context("spawn")
    stop, pause = context.Event(), Event()
    process = context.Process(target=serve, args=(folder, broker.port, client, connections, broker.redelivery_s, stop))
    process.start()
    try:
        with JournalReader(folder / "journal") as reader:
            while not reader.read(0, 1):  # the first heartbeat: it listens
                if process.exitcode is not None:
                    sys.exit("ingest did not start")
                pause.wait(0.05)
        yield process.pid or 0
    finally:
        stop.set()
        process.join(30)


@contextmanager
def engine(folder: Path, broker: Broker, connections: int) -> Iterator[int]:
    """The engine process with the shipped catalogue, its followers, desk and web; its process id."""
    (folder / "site.yaml").write_text(site_text(connections), encoding="utf-8")
    settings = {
        "VAR": str(folder), "SITE": str(folder / "site.yaml"), "HTTP_PORT": "0", "MQTT_PORT": str(broker.port),
        "LOG_LEVEL": "ERROR",
    }  # fmt: skip
    environment = {**os.environ, **{f"PLANTROOM_{name}": value for name, value in settings.items()}}
    command = [sys.executable, "-m", "plantroom", "run", "--role", "engine,web,jobs"]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, cwd=_ROOT)
    try:
        while not (folder / "cursors" / "done.json").exists():
            if process.poll() is not None:
                sys.exit("the engine did not start")
            _PAUSE.wait(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


@dataclass(frozen=True)
class Run:
    """What one run gave. `drained_s`: how long after the load the last message was dealt with."""

    result: FloodResult
    watch: Watch
    drained_s: float

    @property
    def rate(self) -> float:
        """Messages a second from the first to the last that was dealt with."""
        return self.result.acknowledged / (self.result.seconds + self.drained_s)


def measure(folder: Path, broker: Broker, load: Load, pids: dict[str, int], finish: Callable[[int], float]) -> Run:
    """Run the generator; `finish` waits until so many messages are dealt with, and returns how long that took."""
    command = [
        sys.executable, "-m", "bench.mqtt_flood", "--port", str(broker.port), "--acknowledged", str(folder / "acked"),
        "--connections", str(load.connections), "--rate", str(load.rate), "--seconds", str(load.seconds),
        "--window", str(load.window), "--burst", str(load.burst),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_ROOT) as process:
        if process.stdout is None or process.stdout.readline() != "connected\n":
            sys.exit("the generator could not connect")
        with Watch({"generator": process.pid, **pids}) as watch:
            if process.stdout.readline() != "sent\n":
                sys.exit("the generator broke")
            watch.mark()
            result = msgspec.json.decode(process.stdout.readline(), type=FloodResult)
            return Run(result, watch, finish(result.acknowledged))


@dataclass
class Tail:
    """What is left when the load ends: messages for ingest, and for the engine, where there is one, commits."""

    folder: Path
    with_engine: bool
    lag: int = 0
    caught_up_s: float = 0.0

    def finish(self, acknowledged: int) -> float:
        """See `measure`."""
        began = time.monotonic()
        self.lag = engine_lag(self.folder) if self.with_engine else 0
        drained_s = drain(self.folder, acknowledged, _QUIET_S)
        while self.with_engine and engine_lag(self.folder) > _NEAR and time.monotonic() - began < _PATIENCE_S:
            _PAUSE.wait(0.2)
        self.caught_up_s = time.monotonic() - began
        return drained_s


def drain(folder: Path, acknowledged: int, patience_s: float) -> float:
    """Seconds until the journal has stopped growing with scans, at most `patience_s`; it reads only what is new."""
    began, seq, scans, quiet_at = time.monotonic(), 0, 0, time.monotonic()
    with JournalReader(folder / "journal") as reader:
        while scans < acknowledged and time.monotonic() - quiet_at < patience_s:
            commits = reader.read(seq, 100)
            more = sum(isinstance(entry, Scan) for commit in commits for entry in commit.entries)
            if commits:
                seq = commits[-1].seq
            else:
                _PAUSE.wait(0.05)
            if more:
                scans, quiet_at = scans + more, time.monotonic()
    return quiet_at - began


def hold_against(folder: Path) -> Held:
    """Look for every acknowledged message in the journal."""
    ends = array("q")
    ends.frombytes((folder / _COMMITTED).read_bytes())
    end_us = dict(zip(ends[::2], ends[1::2], strict=True))
    found: dict[str, array[int]] = {}
    latencies, seq, scans = array("d"), 0, 0
    with JournalReader(folder / "journal") as reader:
        while commits := reader.read(seq, 200):
            for commit in commits:
                seq, done_us = commit.seq, end_us[commit.seq]
                for entry in commit.entries:
                    if isinstance(entry, Scan) and entry.asset_id.startswith("ahu-"):
                        found.setdefault(entry.asset_id, array("q")).append(entry.at_us)
                        latencies.append((done_us - entry.at_us) / 1e6)
                        scans += 1
    missing = 0
    for number, instants in enumerate(read_acknowledged(folder / "acked")):
        missing += len(set(instants) - set(found.get(f"ahu-{number}", ())))
    return Held(scans, seq, missing, array("d", sorted(latencies)))


def engine_lag(folder: Path) -> int:
    """Commits the engine has not kept yet."""
    done: dict[str, int] = msgspec.json.decode((folder / "cursors" / "done.json").read_bytes())
    with JournalReader(folder / "journal") as reader:
        return reader.last_seq() - done["engine"]


def report(load: Load, run: Run, held: Held) -> None:
    """Print the figures."""
    result = run.result
    rate = result.acknowledged / result.seconds
    print(f"offered {load.rate:,.0f} messages/s from {load.connections:,} connections for {load.seconds:g} s; "
          f"{result.held:,} sends put off by a full window, {result.broken} connections broken")  # fmt: skip
    print(f"acknowledged {result.acknowledged:,} of {result.sent:,} sent: {rate:,.0f} messages/s, "
          f"{rate * len(POINTS):,.0f} readings/s")  # fmt: skip
    print(f"journal: {held.scans:,} messages in {held.commits:,} commits, {held.missing:,} acknowledged ones missing; "
          f"the last one {run.drained_s:.1f} s after the load")  # fmt: skip
    print("publish to commit: " + ", ".join(
        f"{name} {held.percentile(share):,.0f} ms" for name, share in
        (("median", 0.5), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999), ("most", 1.0))))  # fmt: skip
    for name, cost in run.watch.costs.items():
        print(cost.describe(name, result.seconds, result.acknowledged))


def bench(folder: Path, kind: str, client: ClientKind, load: Load, *, with_engine: bool) -> tuple[Run, Held]:
    """One run: start everything, load it, wait until it has caught up, compare, print."""
    with open_broker(kind, folder) as broker:
        with ExitStack() as parts:
            pids = {
                "broker": broker.pid,
                "ingest": parts.enter_context(ingest(folder, broker, client, load.connections)),
            }
            if with_engine:
                pids["engine"] = parts.enter_context(engine(folder, broker, load.connections))
            tail = Tail(folder, with_engine)
            run = measure(folder, broker, load, pids, tail.finish)
        held = hold_against(folder)
        report(load, run, held)
        if with_engine:
            print(f"engine: {tail.lag:,} commits behind when the load ended, done {tail.caught_up_s:.1f} s later")
        print(broker.dropped())
    return run, held


def main() -> None:
    """Run once and print the figures; exit code 1 when an acknowledged message is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", choices=["mosquitto", "embedded"], default="mosquitto")
    parser.add_argument("--client", choices=list(ClientKind), default=ClientKind.RAW, type=ClientKind)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=20_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--window", type=int, default=20)
    parser.add_argument("--burst", type=int, default=1)
    parser.add_argument("--engine", action="store_true", help="with the engine and the followers beside it")
    options = parser.parse_args()
    load = Load(options.connections, options.rate, options.seconds, options.window, options.burst)
    with tempfile.TemporaryDirectory() as name:
        print(f"{options.broker}, {options.client} client, engine {'on' if options.engine else 'off'}")
        _, held = bench(Path(name), options.broker, options.client, load, with_engine=options.engine)
    sys.exit(1 if held.missing else 0)


if __name__ == "__main__":
    main()
