"""Scores the shipped catalogue on NAB's office temperature (MIT): both failures found early, at most one false order.

    .venv/bin/python -m bench.score_ambient [--folder examples/ambient]

An order inside a window finds it, early when it comes before the window's last half (NAB rewards the beginning most).
Every order outside of the windows is false.
"""

import argparse
import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.history import EXAMPLES, Healthy, count_healthy, instant_us, judge, table
from facility.instant import format_duration, from_us, to_us
from plantroom.plant_files import load_registry


@dataclass(frozen=True, slots=True)
class Window:
    """One labelled failure: the label and the window around it."""

    at_us: int
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Score:
    """What each window's first order is, and every order outside of them; the days outside of them."""

    windows: tuple[Window, ...]
    firsts: tuple[tuple[int, str] | None, ...]
    false: tuple[str, ...]
    healthy: Healthy

    @property
    def found(self) -> int:
        """Windows with an order."""
        return sum(first is not None for first in self.firsts)

    @property
    def early(self) -> int:
        """Windows with an order in their first half, or before the label."""
        return sum(
            first is not None and first[0] <= max(window.at_us, (window.start_us + window.end_us) // 2)
            for window, first in zip(self.windows, self.firsts, strict=True)
        )

    def lines(self) -> list[str]:
        """For people."""
        lines = [f"windows found {self.found}/{len(self.windows)}, early {self.early}, false orders {len(self.false)}"]
        for window, first in zip(self.windows, self.firsts, strict=True):
            if first is not None:
                off = from_us(first[0]) - from_us(window.at_us)
                when = f"{format_duration(abs(off))} {'after' if first[0] > window.at_us else 'before'} the label"
                lines.append(f"  {from_us(first[0]):%Y-%m-%d %H:%M} {first[1]}: {when}")
        return lines + [f"  false: {one}" for one in self.false]


def read_windows(path: Path) -> list[Window]:
    """The labelled windows, UTC as written."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Window(_us(row["label"]), _us(row["window_start"]), _us(row["window_end"])) for row in csv.DictReader(file)
        ]


def _us(text: str) -> int:
    return to_us(datetime.fromisoformat(text).replace(tzinfo=UTC))


def run(folder: Path) -> Score:
    """Judge the file and compare the orders with the windows."""
    registry, site_texts = load_registry([folder / "site.yaml"])
    windows = read_windows(folder / "windows.csv")
    (readings,) = folder.glob("*_failure.csv.gz")
    scans = list(table(readings, folder / "map.yaml", registry))
    done = judge([iter(scans)], registry, site_texts)
    faults = [(scans[0].asset_id, window.start_us, window.end_us) for window in windows]
    orders = sorted((instant_us(one["opened_at"]) or 0, one["rule_id"]) for one in done.work_orders)
    firsts = tuple(
        next(((at, rule) for at, rule in orders if window.start_us <= at <= window.end_us), None) for window in windows
    )
    inside = {one for one in orders for window in windows if window.start_us <= one[0] <= window.end_us}
    false = tuple(f"{from_us(at):%Y-%m-%d %H:%M} {rule}" for at, rule in orders if (at, rule) not in inside)
    healthy = count_healthy(registry, done, faults, scans[0].at_us, scans[-1].at_us)
    return Score(tuple(windows), firsts, false, healthy)


def main() -> None:
    """Score and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=EXAMPLES / "ambient")
    for line in run(parser.parse_args().folder).lines():
        print(line)


if __name__ == "__main__":
    main()
