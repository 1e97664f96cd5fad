"""Scores the shipped catalogue on the two real air handlers of examples/lbnl, day by day against their labels.

    .venv/bin/python bench/score_ahu.py [--folder examples/lbnl] [--verbose]

A day is alarmed when an order would be opened in that local day. `file` runs each whole file as `plantroom backtest`
does, where an order is closed an hour after its findings have cleared. `day` judges each labelled day on its own, with
a new engine: the days are separate experiments. `unattended` runs the whole file with nobody working on orders, so
that the first order of a rule takes in all of its later findings. The component is
right when one of the first three diagnoses of an order opened that day names it. Labels: LBNL FDD data, CC BY 4.0.
"""

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from facility.instant import from_us
from facility.reading import Scan
from facility.registry import Registry
from ingest.map_file import parse_map
from ingest.wide_csv import WideCsv
from plantroom.backtest import ATTENDED, run_backtest
from plantroom.plant_files import load_registry
from rules.catalogue import shipped_files
from rules.rule_set import RuleSet
from ticketing.contract_book import ContractBook

FILES = {"SZCAV": "map-szcav.yaml", "MZVAV-2-1": "map-mzvav.yaml"}
WORDS = {"heating_valve": "heating valve", "cooling_valve": "cooling valve", "oa_damper": "outdoor air damper"}


@dataclass(frozen=True, slots=True)
class Label:
    """What was wrong with one unit on one local day; `faulty` is None where nobody knows."""

    file: str
    on: date
    faulty: bool | None
    component: str
    what: str


@dataclass(frozen=True, slots=True)
class Score:
    """Days found, falsely alarmed and with the right component, of how many; orders on healthy days."""

    found: int
    faulty: int
    false: int
    healthy: int
    right: int
    false_orders: int

    def line(self) -> str:
        """One line for people."""
        return (
            f"found {self.found}/{self.faulty}, falsely alarmed {self.false}/{self.healthy}, "
            f"right component {self.right}/{self.faulty}"
        )


def read_labels(path: Path) -> list[Label]:
    """The labels in file order."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Label(
                row["file"],
                date.fromisoformat(row["date"]),
                None if row["faulty"] == "" else row["faulty"] == "1",
                row["component"],
                f"{row['component']} {row['kind']} {row['intensity']}".strip(),
            )
            for row in csv.DictReader(file)
        ]


class Unit:
    """One air handler's readings and how to judge them."""

    def __init__(self, folder: Path, name: str) -> None:
        registry, self._site_files = load_registry([folder / "site.yaml"])
        self._registry: Registry = registry
        map_path = folder / FILES[name]
        table = WideCsv(folder / f"{name}.csv.gz", parse_map(map_path.read_text("utf-8"), map_path.name, registry))
        self.scans = list(table.scans())
        asset = registry.assets[self.scans[0].asset_id]
        self.zone: ZoneInfo = registry.buildings[asset.building_id].zone

    def local_day(self, at_us: int) -> date:
        """The local day of an instant."""
        return from_us(at_us).astimezone(self.zone).date()

    def rules_by_day(self, scans: Iterable[Scan], attended: timedelta | None) -> dict[date, list[str]]:
        """Local day -> rules whose orders would be opened in it, in order of time."""
        found = run_backtest(
            scans, self._registry, self._site_files, shipped_files(), ContractBook(), attended=attended
        )
        days: dict[date, list[str]] = defaultdict(list)
        for order in sorted(found.work_orders, key=lambda one: str(one["opened_at"])):
            opened = datetime.fromisoformat(order["opened_at"]).astimezone(self.zone)
            days[opened.date()].append(order["rule_id"])
        return days


def opened_orders(
    units: dict[str, Unit], labels: list[Label], *, by_day: bool = False, attended: timedelta | None = ATTENDED
) -> dict[tuple[str, date], list[str]]:
    """(file, day) -> rules whose orders are opened that day."""
    opened: dict[tuple[str, date], list[str]] = {}
    for name, unit in units.items():
        if not by_day:
            opened |= {(name, on): rules for on, rules in unit.rules_by_day(unit.scans, attended).items()}
            continue
        days: dict[date, list[Scan]] = defaultdict(list)
        for scan in unit.scans:
            days[unit.local_day(scan.at_us)].append(scan)
        for label in labels:
            if label.file == name:
                opened[name, label.on] = unit.rules_by_day(days[label.on], attended).get(label.on, [])
    return opened


def score(labels: list[Label], opened: dict[tuple[str, date], list[str]]) -> Score:
    """Compare opened orders with the labels; unlabelled days count nowhere."""
    rules = RuleSet.load(shipped_files()).rules
    alarmed = {(label.file, label.on): opened.get((label.file, label.on), []) for label in labels}
    faulty = [label for label in labels if label.faulty]
    healthy = [label for label in labels if label.faulty is False]
    right = sum(
        any(
            WORDS[label.component] in diagnosis.lower()
            for rule in alarmed[label.file, label.on]
            for diagnosis in rules[rule].diagnosis[:3]
        )
        for label in faulty
    )
    return Score(
        found=sum(bool(alarmed[label.file, label.on]) for label in faulty),
        faulty=len(faulty),
        false=sum(bool(alarmed[label.file, label.on]) for label in healthy),
        healthy=len(healthy),
        right=right,
        false_orders=sum(len(alarmed[label.file, label.on]) for label in healthy),
    )


def main() -> None:
    """Score both ways and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent.parent / "examples" / "lbnl")
    parser.add_argument("--verbose", action="store_true", help="also say which rules opened an order on which day")
    given = parser.parse_args()
    labels = read_labels(given.folder / "day_labels.csv")
    units = {name: Unit(given.folder, name) for name in FILES}
    ways = {
        "file": opened_orders(units, labels),
        "day": opened_orders(units, labels, by_day=True),
        "unattended": opened_orders(units, labels, attended=None),
    }
    for name, opened in ways.items():
        print(f"{name:12s}{score(labels, opened).line()}, {sum(map(len, opened.values()))} orders")
        for label in labels if given.verbose else ():
            verdict = "unknown" if label.faulty is None else label.what or "healthy"
            print(f"  {label.file:10s}{label.on} {verdict:32s}", ", ".join(opened.get((label.file, label.on), [])))


if __name__ == "__main__":
    main()
