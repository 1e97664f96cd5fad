"""Scores "inflow has stepped up" on a year of eight district inflows made by the LeakDB procedure (evaluate only).

    PLANTROOM_DATA=... .venv/bin/python -m bench.score_water_network

Per half hour, pooled over all scenarios: a half hour is flagged while a finding is active, and true from the start of
a leak to its end. Early detection, as LeakDB has it: 2 / (1 + exp(5 d / T)) for a leak first flagged after d half
hours, T its length and ten more; nothing when less than three quarters of the rest is flagged; the mean over the leaks.
The rule is silent for its first fortnight, which counts like every other half hour.
"""

import argparse
import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import exp
from pathlib import Path

from bench.history import NO_DAYS, Healthy, count_healthy, evaluation_data, instant_us, judge
from facility.instant import to_us
from facility.reading import PointValue, Scan
from facility.registry import Registry
from facility.site_file import parse_site
from plantroom.backtest import Backtest

RULE = "water-network-leak"
STEP_US = 1_800_000_000
TAIL, PERSISTENT = 10, 0.75


@dataclass(frozen=True, slots=True)
class Score:
    """Half hours rightly and wrongly flagged and missed; each leak's delay in half hours (None: missed); the days
    without a leak."""

    hits: int
    false: int
    missed: int
    early: float
    delays: tuple[tuple[str, int | None], ...]
    healthy: Healthy = NO_DAYS

    @property
    def f1(self) -> float:
        """Of the half hours, in %."""
        return 200 * self.hits / (2 * self.hits + self.false + self.missed)

    def line(self) -> str:
        """One line for people."""
        late = ", ".join(f"{name} {'missed' if steps is None else f'{steps / 2:g} h'}" for name, steps in self.delays)
        return (
            f"F1 {self.f1:.2f}, early detection {self.early:.1f}; {self.false} half hours false, {self.missed} missed; "
            f"delays: {late}"
        )


def site_of(names: Sequence[str], usual: float) -> str:
    """A site file with a meter for each scenario; `usual` is the network's usual inflow, m3/h."""
    point = {"water_flow": {"cadence": 1800, "maximum": 1e6, "stuck": 0}}
    assets = [
        {"id": name, "class": "water_meter", "design": {"network_flow": usual}, "points": point} for name in names
    ]
    return json.dumps({"site": {"id": "network", "zone": "UTC"}, "buildings": [{"id": "district", "assets": assets}]})


def read_inflow(path: Path) -> tuple[list[int], dict[str, list[float]]]:
    """Instants, and the inflow of each scenario in m3/h."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    at = [_us(row["timestamp"]) for row in rows]
    return at, {name: [float(row[name]) for row in rows] for name in rows[0] if name != "timestamp"}


def read_leaks(path: Path) -> dict[str, list[tuple[int, int]]]:
    """Scenario -> its leaks, from and to."""
    leaks: dict[str, list[tuple[int, int]]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            leaks.setdefault(row["scenario"], []).append((_us(row["start"]), _us(row["end"])))
    return leaks


def _us(text: str) -> int:
    return to_us(datetime.fromisoformat(text).replace(tzinfo=UTC))


def judge_inflow(at: Sequence[int], flows: dict[str, list[float]]) -> tuple[Registry, Backtest]:
    """A meter for each scenario, and what the shipped rules find."""
    usual = sum(sum(values[:672]) for values in flows.values()) / (672 * len(flows))
    text = site_of(list(flows), round(usual, -2))
    registry = Registry.merge([parse_site(text, "site.yaml")])
    return registry, judge([_scans(name, at, values) for name, values in flows.items()], registry, {"site.yaml": text})


def flags(at: Sequence[int], names: Iterable[str], done: Backtest) -> dict[str, list[bool]]:
    """Which half hours are flagged in each scenario."""
    flagged = {name: [False] * len(at) for name in names}
    for finding in done.findings:
        if finding["rule_id"] == RULE and finding["suppressed_by"] is None:
            begin, end = instant_us(finding["raised_at"]) or 0, instant_us(finding["cleared_at"])
            for index, instant in enumerate(at):
                if begin <= instant and (end is None or instant < end):
                    flagged[finding["asset_id"]][index] = True
    return flagged


def _scans(name: str, at: Sequence[int], values: Sequence[float]) -> Iterator[Scan]:
    for instant, value in zip(at, values, strict=True):
        yield Scan(name, instant, complete=True, values=(PointValue("water_flow", value),))


def compare(at: Sequence[int], flagged: dict[str, list[bool]], leaks: dict[str, list[tuple[int, int]]]) -> Score:
    """Flags against the leaks."""
    hits = false = missed = 0
    early: list[float] = []
    delays: list[tuple[str, int | None]] = []
    for name, said in flagged.items():
        spans = leaks.get(name, [])
        for instant, flag in zip(at, said, strict=True):
            true = any(begin <= instant < end for begin, end in spans)
            hits, false, missed = hits + (flag and true), false + (flag and not true), missed + (true and not flag)
        for begin, end in spans:
            window = [flag for instant, flag in zip(at, said, strict=True) if begin <= instant < end + TAIL * STEP_US]
            delay = window.index(True) if True in window else None
            rest = window[delay:] if delay is not None else []
            sure = delay is not None and sum(rest) > PERSISTENT * len(rest)
            early.append(2 / (1 + exp(5 * (delay or 0) / len(window))) if sure else 0.0)
            delays.append((name, delay))
    return Score(hits, false, missed, 100 * sum(early) / max(1, len(early)), tuple(delays))


def run(folder: Path) -> Score:
    """Judge every scenario of the folder."""
    at, flows = read_inflow(folder / "inflow.csv")
    leaks = read_leaks(folder / "leaks.csv")
    registry, done = judge_inflow(at, flows)
    faults = [(name, begin, end) for name, spans in leaks.items() for begin, end in spans]
    healthy = count_healthy(registry, done, faults, at[0], at[-1])
    return replace(compare(at, flags(at, flows, done), leaks), healthy=healthy)


def main() -> None:
    """Score and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=evaluation_data("water_network"))
    folder = parser.parse_args().folder
    print(run(folder).line() if folder is not None else "not measured: set PLANTROOM_DATA (this set is evaluate only)")


if __name__ == "__main__":
    main()
