"""Scores the shipped catalogue on six golden cases of open-fdd (MIT): each window found, nothing else.

    .venv/bin/python -m bench.score_openfdd [--folder examples/openfdd]

A window is found when exactly one finding on its asset overlaps it: raised between its start and the case's own
confirmation time after it, cleared between its end and the same time after it; a reading's cadence is added. Every
other finding is one too many.
"""

import argparse
import csv
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from bench.history import EXAMPLES, NO_DAYS, Healthy, count_healthy, instant_us, judge, table
from facility.instant import to_us
from plantroom.backtest import Backtest
from plantroom.plant_files import load_registry

CADENCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Window:
    """One golden window with the case's own time of confirmation."""

    case: str
    asset_id: str
    start_us: int
    end_us: int
    slack_us: int

    def holds(self, raised_us: int, cleared_us: int | None) -> bool:
        """Whether a finding begins and ends with it."""
        return (
            cleared_us is not None
            and self.start_us <= raised_us <= self.start_us + self.slack_us
            and self.end_us <= cleared_us <= self.end_us + self.slack_us
        )


@dataclass(frozen=True, slots=True)
class Score:
    """Windows found, of how many, everything that is no window, as lines, and the days without a window."""

    found: int
    windows: int
    others: tuple[str, ...]
    healthy: Healthy = NO_DAYS

    def line(self) -> str:
        """One line for people."""
        return f"golden windows found {self.found}/{self.windows}, other findings {len(self.others)}"


def read_windows(path: Path) -> list[Window]:
    """The golden windows of a case table."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Window(
                row["rule_id"],
                row["equipment_id"],
                to_us(datetime.fromisoformat(row["expected_fault_start_utc"])),
                to_us(datetime.fromisoformat(row["expected_fault_end_exclusive_utc"])),
                (timedelta(seconds=float(row["confirm_seconds_default"])) + CADENCE) // timedelta(microseconds=1),
            )
            for row in csv.DictReader(file)
        ]


def run(folder: Path) -> Score:
    """Judge every case of the folder."""
    registry, site_texts = load_registry([folder / "site.yaml"])
    windows = read_windows(folder / "expected.csv")
    streams = [
        list(table(folder / f"{one.asset_id}.csv.gz", folder / f"{one.asset_id}.yaml", registry)) for one in windows
    ]
    done = judge(map(iter, streams), registry, site_texts)
    begin_us, end_us = min(scans[0].at_us for scans in streams), max(scans[-1].at_us for scans in streams)
    faults = [(one.asset_id, one.start_us, one.end_us) for one in windows]
    return replace(compare(windows, done), healthy=count_healthy(registry, done, faults, begin_us, end_us))


def compare(windows: list[Window], done: Backtest) -> Score:
    """Findings against windows; suppressed ones are none, for they send nobody."""
    left, others = list(windows), []
    for finding in done.findings:
        if finding["suppressed_by"] is not None:
            continue
        raised, cleared = instant_us(finding["raised_at"]), instant_us(finding["cleared_at"])
        match = next(
            (one for one in left if one.asset_id == finding["asset_id"] and one.holds(raised or 0, cleared)), None
        )
        if match is not None:
            left.remove(match)
        else:
            others.append(f"{finding['asset_id']} {finding['rule_id']} {finding['raised_at']} {finding['cleared_at']}")
    return Score(len(windows) - len(left), len(windows), tuple(others))


def main() -> None:
    """Score and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=EXAMPLES / "openfdd")
    score = run(parser.parse_args().folder)
    print(score.line())
    for other in score.others:
        print(f"  {other}")


if __name__ == "__main__":
    main()
