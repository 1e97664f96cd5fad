"""How fast Grafana's panels are answered: `python -m bench.grafana_bench [--readings N] [--orders N] [--folder DIR]`.

A real InfluxDB 1.x with 30 days of 1,000 points at one minute (43.2 million readings) and the means of them, and a real
PostgreSQL with 100,000 orders of 90 days. Every panel of every dashboard in git is asked as Grafana would, for 6 hours,
2, 7 and 30 days, with one building chosen and with all of them. Acceptance: 500 ms at p95, each. A folder that is named
is kept: the next run asks the same data. It takes some ten minutes to fill, 500 MB of disk.
"""

import argparse
import json
import math
import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
import sqlalchemy as sa
from pydantic import SecretStr

from bench import influx_fill, postgres_fill
from bench.grafana_expand import ALL, Shown, expand_influx, expand_sql
from dashboards.grafana.queries import MOST_SERIES
from facility.clock import RealClock
from facility.instant import HOUR_US, from_us
from ingest.stores.influx_rollup import GRACE_US, InfluxRollup
from ingest.stores.influx_wire import InfluxAddress, InfluxWire
from plantroom.database import parse_url

FOLDER = Path(__file__).parents[1] / "dashboards/grafana/built"
POINTS, DAY_H = 1_000, 24
SPANS = {"6 h": 6, "48 h": 2 * DAY_H, "7 d": 7 * DAY_H, "30 d": 30 * DAY_H}
GOAL_MS = 500
Panel = dict[str, Any]


class PlainWire(InfluxWire):
    """Reads as ever; writes by the interface of 1.x, which needs no shim."""

    def __init__(self, address: InfluxAddress) -> None:
        super().__init__(address)
        self._write_url, self._plain = f"{address.url}/write", httpx.Client(timeout=60)

    def write(self, lines: Sequence[bytes], bucket: str | None = None) -> None:
        """As `InfluxWire.write`."""
        where = {"db": bucket or influx_fill.BUCKET, "precision": "u"}
        self._plain.post(self._write_url, params=where, content=b"\n".join(lines)).raise_for_status()


@dataclass(slots=True)
class Figures:
    """Milliseconds of each call, by what was asked, and those of CPU that the server took, where that is known."""

    calls: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)

    def add(self, kind: str, panel: str, took_s: float, cpu_s: float | None = None) -> None:
        self.calls.setdefault(kind, []).append((took_s * 1e3, panel))
        if cpu_s is not None:
            self.cpu.setdefault(kind, []).append(cpu_s * 1e3)

    def show(self) -> None:
        for kind, found in self.calls.items():
            found.sort()
            middle, late = (found[min(len(found) - 1, len(found) * share // 100)][0] for share in (50, 95))
            slowest = f"slowest {found[-1][0]:.0f} ms ({found[-1][1]})"
            verdict = "" if late <= GOAL_MS else f"  above the goal of {GOAL_MS} ms"
            figures = f"median {middle:6.1f} ms  p95 {late:6.1f} ms"
            if cpu := sorted(self.cpu.get(kind, [])):
                figures += f" (CPU {cpu[min(len(cpu) - 1, len(cpu) * 95 // 100)]:.0f} ms)"
            print(f"{kind:42} {len(found):5} panels  {figures}  {slowest}{verdict}")


def panels() -> Iterator[tuple[str, Panel]]:
    """(dashboard and title, panel) of every panel in git."""
    for path in sorted(FOLDER.glob("*.json")):
        board = json.loads(path.read_text(encoding="utf-8"))
        for panel in board["panels"]:
            yield f"{board['uid']}: {panel['title']}", panel


def few(building: str) -> list[str]:
    """What the variable `shown` comes to where nothing was found: of each class so many assets as a plot shows."""
    found: dict[str, dict[str, None]] = {}
    for kind, place, asset, _ in influx_fill.points(POINTS):
        if building in (ALL, place):
            found.setdefault(kind, {})[asset] = None
    return [asset for assets in found.values() for asset in sorted(assets)[:MOST_SERIES]]


def shown(hours: int, until_ms: int, building: str) -> Shown:
    """So many hours up to `until_ms`, of one building or of all."""
    store = influx_fill.BUCKET + ("" if hours <= 2 * DAY_H else "_mean_5m" if hours <= 14 * DAY_H else "_mean_1h")
    chosen = {"site": [ALL], "asset": [ALL], "contract": [ALL], "building": [building], "store": [store],
              "shown": few(building)}  # fmt: skip
    return Shown(until_ms - hours * 3_600_000, until_ms, chosen)


def ask_influx(server: influx_fill.Server, until_ms: int, runs: int, figures: Figures) -> None:
    """Every panel of readings; both its queries, one after the other."""
    dice = random.Random(5)
    for span, hours in SPANS.items():
        for _ in range(runs):
            for name, panel in panels():
                queries = [one["query"] for one in panel["targets"] if "query" in one]
                for kind, building in (("one building", f"building-{dice.randint(1, 10):02}"), ("all buildings", ALL)):
                    if not queries:
                        continue
                    asked = shown(hours, until_ms, building)
                    texts = [expand_influx(one, asked, int(panel.get("maxDataPoints", 100))) for one in queries]
                    started, before_s = perf_counter(), server.cpu_s()
                    answers = [influx_fill.ask(server.url, text) for text in texts]
                    took_s, cpu_s = perf_counter() - started, server.cpu_s() - before_s
                    if _has_rows(answers):  # the others are quick, and say nothing
                        figures.add(f"InfluxDB, {span}, {kind}", name, took_s, cpu_s)


def _has_rows(answers: Sequence[dict[str, Any]]) -> bool:
    series = [len(answer["results"][0].get("series", [])) for answer in answers]
    if max(series) > MOST_SERIES:
        msg = f"a panel gave {max(series)} series; it may give {MOST_SERIES}"
        raise SystemExit(msg)
    return max(series) > 0


def ask_postgres(url: str, until_ms: int, runs: int, figures: Figures) -> None:
    """Every panel of findings, orders and people."""
    utc = {"options": "-c timezone=utc"}
    engine = sa.create_engine(parse_url(url), isolation_level="AUTOCOMMIT", connect_args=utc)
    with engine.connect() as connection:
        for span, hours in SPANS.items():
            for _ in range(runs):
                for name, panel in panels():
                    for kind, building in (("one building", "building-03"), ("all buildings", ALL)):
                        for query in (one["rawSql"] for one in panel["targets"] if "rawSql" in one):
                            text = expand_sql(query, shown(hours, until_ms, building)).replace("%", "%%")
                            started = perf_counter()
                            connection.exec_driver_sql(text).all()
                            figures.add(f"PostgreSQL, {span}, {kind}", name, perf_counter() - started)
    engine.dispose()


def work_out_the_last_day(url: str, folder: Path, until_us: int) -> None:
    """What the store's own upkeep does, over the day whose means the filling left out."""
    address = InfluxAddress(url, "plantroom", influx_fill.BUCKET, SecretStr(""), 60.0)
    hours = {until_us - (hour + 1) * HOUR_US: until_us - (hour + 1) * HOUR_US for hour in range(DAY_H)}
    (folder / "cursor.means").write_text(json.dumps(hours), encoding="utf-8")
    wire = PlainWire(address)
    rollup, started, count = InfluxRollup(wire, influx_fill.BUCKET, folder / "cursor", 0), perf_counter(), 0
    while rollup.roll(until_us + GRACE_US):
        count += 1
    took = perf_counter() - started
    wire.close()
    each = took / max(1, count) * 1e3
    print(f"means of {count} hours of {POINTS:,} points worked out in {took:.1f} s, {each:.0f} ms each")


def bench(folder: Path, readings: int, orders: int, runs: int) -> None:
    """All figures."""
    minutes, mark, figures = math.ceil(readings / POINTS / 60) * 60, folder / "filled", Figures()
    with ExitStack() as servers:
        influx = servers.enter_context(influx_fill.serve(folder / "influx"))
        if not mark.exists():
            until_us, started = RealClock().now_us() // HOUR_US * HOUR_US, perf_counter()
            from_us_ = until_us - minutes * influx_fill.MIN_US
            influx_fill.fill(influx.url, influx_fill.Portfolio(POINTS), from_us_, minutes)
            print(f"{minutes * POINTS:,} readings and their means written in {perf_counter() - started:.0f} s")
            work_out_the_last_day(influx.url, folder, until_us)
            mark.write_text(str(until_us), encoding="ascii")
        until_us = int(mark.read_text(encoding="ascii"))
        postgres = servers.enter_context(postgres_fill.serve(folder / "postgres"))
        postgres_fill.fill(postgres, orders, from_us(until_us))
        ask_influx(influx, until_us // 1000, runs, figures)
        ask_postgres(postgres, until_us // 1000, runs, figures)
    figures.show()


def main() -> None:
    """Arguments as in the module's text."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--readings", type=int, default=43_200_000)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3, help="how often each panel is asked for each time")
    parser.add_argument("--folder", type=Path, help="kept, and used again when it is filled already")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="plantroom-grafana-") as temporary:
        folder = (given.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # PostgreSQL, which is not root, has to come through
        bench(folder, given.readings, given.orders, given.runs)


if __name__ == "__main__":
    main()
