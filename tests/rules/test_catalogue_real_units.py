"""The shipped rules on days of two real air handlers (LBNL FDD data, CC BY 4.0); all days: bench/score_ahu.py."""

import gzip
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from facility.finding import Finding
from facility.reading import Commit, Heartbeat, RuleSetActivated, Scan, SiteEdited
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.map_file import parse_map
from ingest.wide_csv import WideCsv
from rules.catalogue import shipped_files
from rules.engine import Engine
from rules.rule_set import RuleSet

FOLDER = Path(__file__).parents[2] / "examples" / "lbnl"
MAPS = {"SZCAV": "map-szcav.yaml", "MZVAV-2-1": "map-mzvav.yaml"}
# A fan that runs all night is what this laboratory unit does on every day, sound or not.
ON_PURPOSE = {"ahu-running-unoccupied", "ahu-running-outside-hours"}


@cache
def site() -> str:
    return (FOLDER / "site.yaml").read_text("utf-8")


def scans_of(name: str, day: str, folder: Path) -> Iterator[Scan]:
    """The scans of one day (as written in the file: month/day/year) through the example's own map."""
    path = folder / f"{name}.csv"
    with gzip.open(FOLDER / f"{name}.csv.gz", "rt", encoding="utf-8") as file:
        path.write_text("".join(line for line in file if line.startswith((f"{day} ", "Datetime"))), "utf-8")
    registry = Registry.merge([parse_site(site(), "site.yaml")])
    yield from WideCsv(path, parse_map((FOLDER / MAPS[name]).read_text("utf-8"), MAPS[name], registry)).scans()


def judge(name: str, day: str, folder: Path) -> dict[str, Finding]:
    """Rule -> newest finding of that day of the unit that opens an order."""
    engine = Engine(allowance_us=0)
    rules = shipped_files()
    engine.feed(
        Commit(
            1,
            0,
            (SiteEdited("s", 0, {"site.yaml": site()}), RuleSetActivated("r", 0, RuleSet.load(rules).digest, rules)),
        )
    )
    assert engine.errors == ()
    found: dict[str, Finding] = {}
    for seq, scan in enumerate(scans_of(name, day, folder), 2):
        for finding in engine.feed(Commit(seq, scan.at_us, (scan, Heartbeat(scan.at_us)))):
            if finding.opens_order and finding.asset_id == scan.asset_id:
                found[finding.rule_id] = finding
    return {rule: finding for rule, finding in found.items() if rule not in ON_PURPOSE}


@pytest.mark.parametrize(
    ("name", "day", "rule", "component"),
    [
        ("MZVAV-2-1", "8/29/2007", "ahu-heating-leak-at-rest", "Heating valve"),
        ("SZCAV", "3/15/2017", "ahu-cooling-valve-leak", "Cooling valve"),
        ("SZCAV", "3/20/2017", "ahu-outdoor-damper-leak", "Outdoor air damper"),
        ("SZCAV", "3/22/2017", "ahu-heating-valve-leak", "Heating valve"),
        ("SZCAV", "3/24/2017", "ahu-fc7-heating-exhausted-dual", "Heating valve"),
    ],
)
def test_a_faulty_day_names_the_component(name: str, day: str, rule: str, component: str, tmp_path: Path) -> None:
    found = judge(name, day, tmp_path)
    assert rule in found
    assert any(component in diagnosis for diagnosis in found[rule].diagnoses[:3])


@pytest.mark.parametrize(
    ("name", "day"),
    [("MZVAV-2-1", "1/19/2009"), ("MZVAV-2-1", "5/3/2009"), ("MZVAV-2-1", "5/4/2009"), ("SZCAV", "4/1/2017")],
)
def test_a_sound_day_opens_no_order(name: str, day: str, tmp_path: Path) -> None:
    assert judge(name, day, tmp_path) == {}
