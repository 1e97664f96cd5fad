"""A real InfluxDB 1.x of one's own, filled with a portfolio's readings: what `bench.grafana_bench` asks.

A thousand points of eleven buildings (elevators, air handlers, zones, lighting, pumps and tanks), one reading a minute
each, written in line protocol in the order they would come; then the means that `ingest.stores.influx_rollup` keeps.
"""

import math
import os
import random
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from bench.influx_config import write_influx_config
from facility.catalogue import equipment_classes, point_types
from facility.instant import HOUR_US
from ingest.stores.influx_rollup import MEANS
from plantroom.launch import free_port

BUCKET = "plantroom"
MIN_US = 60_000_000
MIX = {"elevator": 3, "ahu": 4, "zone": 4, "luminaire_circuit": 4, "pump": 2, "tank": 2}
"""Equipment class -> how many of it a building of a hundred points has."""
BATCH_MINUTES = 10
CYCLE = 997
_GOOD = (
    'MEAN("value") AS "mean", MIN("value") AS "minimum", MAX("value") AS "maximum", LAST("value") AS "last", '
    'COUNT("value") AS "count", LAST("text") AS "state"'
)


@dataclass(frozen=True, slots=True)
class Server:
    """A running InfluxDB."""

    url: str
    pid: int

    def cpu_s(self) -> float:
        """CPU seconds it has taken so far, in steps of 10 ms."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serve(folder: Path) -> Iterator[Server]:
    """InfluxDB with its data in `folder`. Ends with the block."""
    program = shutil.which("influxd")
    if program is None:
        msg = "influxd is not installed; on Debian: apt-get install influxdb"
        raise SystemExit(msg)
    folder.mkdir(parents=True, exist_ok=True)
    port, rpc = (free_port("127.0.0.1", 0, "port", fixed=False) for _ in range(2))
    config = write_influx_config(folder, port, rpc)
    url, pause = f"http://127.0.0.1:{port}", threading.Event()
    with (folder / "log").open("wb") as log, subprocess.Popen([program, "-config", config], stderr=log) as server:
        try:
            while True:
                try:
                    httpx.get(f"{url}/ping")
                    break
                except httpx.HTTPError:
                    if server.poll() is not None:
                        msg = f"influxd ended: see {folder / 'log'}"
                        raise SystemExit(msg) from None
                    pause.wait(0.1)
            yield Server(url, server.pid)
        finally:
            server.terminate()


@cache
def _client() -> httpx.Client:
    """One connection that stays open: making a new one takes longer than most answers."""
    return httpx.Client(timeout=600)


def ask(url: str, query: str, database: str = BUCKET) -> dict[str, object]:
    """What /query answers. Ends the bench with what InfluxDB refuses."""
    answer = _client().post(f"{url}/query", params={"db": database}, data={"q": query, "epoch": "ms"}).json()
    refused = [one["error"] for one in [answer, *answer.get("results", [])] if "error" in one]
    if refused:
        msg = f"InfluxDB refused {query}: {refused[0]}"
        raise SystemExit(msg)
    found: dict[str, object] = answer
    return found


def points(count: int) -> list[tuple[str, str, str, str]]:
    """(class, building, asset, point) of so many points."""
    found: list[tuple[str, str, str, str]] = []
    building = 0
    while len(found) < count:
        building += 1
        for name, assets in MIX.items():
            usual = [
                one
                for one in equipment_classes()[name].points
                if one == "service_mode" or not point_types()[one].is_text
            ]
            found += [
                (name, f"building-{building:02}", f"{name}-{building:02}-{number}", point)
                for number in range(1, assets + 1)
                for point in usual
            ]
    return found[:count]


class Portfolio:
    """Every point with its values, which come again after `CYCLE` minutes."""

    def __init__(self, count: int) -> None:
        noise = random.Random(11)
        self.points = points(count)
        self._heads = [
            f"{name},asset={asset},building={building},point={point},site=park ".encode()
            for name, building, asset, point in self.points
        ]
        self._values = [_values(point, noise) for _, _, _, point in self.points]

    def lines(self, minute: int, at_us: int) -> list[bytes]:
        """One reading of each point."""
        turn, stamp = minute % CYCLE, b",quality=0i %d" % at_us
        return [head + values[turn] + stamp for head, values in zip(self._heads, self._values, strict=True)]


def _values(point: str, noise: random.Random) -> list[bytes]:
    if point_types()[point].is_text:
        modes = ["normal"] * 60 + ["inspection", "stop", "fire_return"]
        return [f'text="{noise.choice(modes)}"'.encode() for _ in range(CYCLE)]
    middle, swing = noise.uniform(5, 60), noise.uniform(0.5, 5)
    return [
        f"value={middle + swing * math.sin(turn / CYCLE * math.tau) + noise.gauss(0, swing / 10):.2f}".encode()
        for turn in range(CYCLE)
    ]


def fill(url: str, portfolio: Portfolio, from_us: int, minutes: int) -> None:
    """Readings of so many minutes from `from_us` on, then the means of all but the last day."""
    for suffix in ("", *MEANS.values()):
        ask(url, f'CREATE DATABASE "{BUCKET}{suffix}"')
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar, httpx.Client(timeout=600) as client:
        where = f"{url}/write?db={BUCKET}&precision=u"
        for first in bar.track(
            range(0, minutes, BATCH_MINUTES), description=f"{minutes * len(portfolio.points):,} readings"
        ):
            batch = [
                line
                for minute in range(first, min(minutes, first + BATCH_MINUTES))
                for line in portfolio.lines(minute, from_us + minute * MIN_US)
            ]
            client.post(where, content=b"\n".join(batch)).raise_for_status()
        hours = max(0, minutes // 60 - 24)
        for hour in bar.track(range(0, hours, 6), description="means"):
            start_us = from_us + hour * HOUR_US
            for span_us, suffix in MEANS.items():
                ask(url, _means(start_us, start_us + min(6, hours - hour) * HOUR_US, span_us, suffix))


def _means(start_us: int, end_us: int, span_us: int, suffix: str) -> str:
    """What `InfluxRollup` works out, done by InfluxDB itself, which is quicker and only 1.x can."""
    during = f"time >= {start_us}u AND time < {end_us}u GROUP BY time({span_us}u), * fill(none)"
    into = f'"{BUCKET}{suffix}"."autogen".:MEASUREMENT'
    return f"SELECT {_GOOD} INTO {into} FROM /.*/ WHERE {during}"  # noqa: S608 - InfluxQL of a bench
