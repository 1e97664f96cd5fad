"""Scores "pump does not run as it did" on the SKAB water bench (GPL-3.0, evaluate only): pump, valve and tank, 1 s.

    PLANTROOM_DATA=... .venv/bin/python -m bench.score_water_bench [--verbose]

Every file is a pump of its own whose first 400 rows train; the other rows of all files are pooled. A row is flagged
while a finding of the rule is active. F1, false-alarm rate (flagged of the sound rows) and missed rate (of the others).
"""

import argparse
import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.history import evaluation_data, instant_us, judge
from facility.instant import to_us
from facility.reading import PointValue, Scan
from facility.registry import Registry
from facility.site_file import parse_site
from facility.units import converter

RULE = "pump-channels-off-together"
TRAIN_ROWS = 400
_FLOW, _VIBRATION = converter("m3/h", "l/min"), converter("mm/s2", "standard_gravity")


@dataclass(frozen=True, slots=True)
class Row:
    """One second: flow in l/min, motor current in A, vibration of the pump in g, whether the bench was disturbed."""

    at_us: int
    flow: float
    current: float
    vibration: float
    anomaly: bool


@dataclass(frozen=True, slots=True)
class Score:
    """Rows flagged and disturbed, flagged and sound, disturbed and not flagged, sound and not flagged."""

    hits: int
    false: int
    missed: int
    quiet: int

    def line(self) -> str:
        """One line for people."""
        f1 = 2 * self.hits / max(1, 2 * self.hits + self.false + self.missed)
        rate = 100 * self.false / max(1, self.false + self.quiet)
        missing = 100 * self.missed / max(1, self.missed + self.hits)
        return f"F1 {f1:.3f}, false-alarm rate {rate:.1f} %, missed {missing:.1f} %"


def read_rows(path: Path) -> list[Row]:
    """The rows of one file."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Row(
                to_us(datetime.fromisoformat(row["datetime"]).replace(tzinfo=UTC)),
                float(row["Volume Flow RateRMS"]),
                float(row["Current"]),
                float(row["Accelerometer1RMS"]),
                float(row["anomaly"]) > 0,
            )
            for row in csv.DictReader(file, delimiter=";")
        ]


def site_of(train: dict[str, float]) -> str:
    """A site file: each pump with the seconds it learns; readings of a second may be averaged over half a minute."""
    points = {name: {"cadence": 1, "stuck": 0, "spike": 0} for name in ("water_flow", "drive_current", "vibration_x")}
    assets = [
        {
            "id": name,
            "class": "pump",
            "points": points,
            "rule_parameters": {RULE: {"train": seconds, "smooth": 30, "hold": 0, "recover": 0, "follow": 34_560_000}},
        }
        for name, seconds in train.items()
    ]
    return json.dumps({"site": {"id": "bench", "zone": "UTC"}, "buildings": [{"id": "hall", "assets": assets}]})


def _scans(name: str, rows: Sequence[Row]) -> Iterator[Scan]:
    for row in rows:
        values = (
            PointValue("water_flow", row.flow / _FLOW(1.0)),
            PointValue("drive_current", row.current),
            PointValue("vibration_x", row.vibration / _VIBRATION(1.0)),
        )
        yield Scan(name, row.at_us, complete=True, values=values)


def score_file(name: str, rows: list[Row]) -> Score:
    """Judge one file."""
    seconds = (rows[TRAIN_ROWS - 1].at_us - rows[0].at_us) / 1e6
    text = site_of({name: seconds})
    registry = Registry.merge([parse_site(text, "site.yaml")])
    done = judge([_scans(name, rows)], registry, {"site.yaml": text}, timedelta(0))
    spans = [
        (instant_us(one["raised_at"]) or 0, instant_us(one["cleared_at"]) or rows[-1].at_us + 1)
        for one in done.findings
        if one["rule_id"] == RULE
    ]
    counts = [0, 0, 0, 0]
    for row in rows[TRAIN_ROWS:]:
        flagged = any(begin <= row.at_us < end for begin, end in spans)
        counts[{(True, True): 0, (True, False): 1, (False, True): 2, (False, False): 3}[flagged, row.anomaly]] += 1
    return Score(*counts)


def run(folder: Path) -> dict[str, Score]:
    """Every labelled file of the folder, by its place in it."""
    files = sorted(path for path in folder.rglob("*.csv") if "anomaly-free" not in path.parts)
    return {
        "-".join(path.relative_to(folder).with_suffix("").parts): score_file(
            "-".join(path.relative_to(folder).with_suffix("").parts), read_rows(path)
        )
        for path in files
    }


def pool(scores: Sequence[Score]) -> Score:
    """All rows together."""
    return Score(
        sum(one.hits for one in scores),
        sum(one.false for one in scores),
        sum(one.missed for one in scores),
        sum(one.quiet for one in scores),
    )


def main() -> None:
    """Score and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=evaluation_data("water_bench"))
    parser.add_argument("--verbose", action="store_true", help="also each file by itself")
    given = parser.parse_args()
    if given.folder is None:
        print("not measured: set PLANTROOM_DATA (this set is evaluate only)")
        return
    scores = run(given.folder)
    for name, score in scores.items() if given.verbose else ():
        print(f"  {name}: {score.line()}")
    print(pool(list(scores.values())).line())


if __name__ == "__main__":
    main()
