"""Scores "lamps lit while nobody is there" on the UCI occupancy data (CC BY 4.0): the true episodes and no other order.

    .venv/bin/python -m bench.score_occupancy [--folder examples/occupancy]

An episode is true when the lamps burn in the empty room for 30 minutes on end: nobody in, and as much light as the
lamps alone give (90 % of the 400 lx by which their switching changes the reading). Sunlight is not lamps: on both
days of the weekend it reaches 420 lx for minutes, and never holds 290 lx for half an hour.
"""

import argparse
import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.history import EXAMPLES, NO_DAYS, Healthy, count_healthy, instant_us, judge
from facility.instant import to_us
from facility.reading import PointValue, Scan
from plantroom.plant_files import load_registry

HALF_HOUR_US, BREAK_US = 30 * 60_000_000, 150_000_000
LAMPS_LX = 0.9 * 400
ZONE = ZoneInfo("Europe/Brussels")


@dataclass(frozen=True, slots=True)
class Row:
    """One minute of the room."""

    at_us: int
    lux: float
    occupied: bool


@dataclass(frozen=True, slots=True)
class Score:
    """True episodes found, of how many; orders beside them; hours of light in the empty room that are only the sun;
    the days without an episode."""

    found: int
    episodes: int
    false: int
    sun_hours: float
    healthy: Healthy

    def line(self) -> str:
        """One line for people."""
        return (
            f"true episodes found {self.found}/{self.episodes}, false orders {self.false} "
            f"(light without lamps or people for {self.sun_hours:.0f} h)"
        )


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of one file: number, local time, temperature, humidity, lux, CO2, humidity ratio, occupancy."""
    with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as file:
        reader = csv.reader(file)
        next(reader)
        for cells in reader:
            at = datetime.fromisoformat(cells[1]).replace(tzinfo=ZONE)
            yield Row(to_us(at), float(cells[4]), cells[7] == "1")


def episodes(rows: list[Row]) -> list[tuple[int, int]]:
    """Where the lamps burn in the empty room for half an hour or more: (from, to)."""
    found: list[tuple[int, int]] = []
    begin = last = None
    for row in [*rows, Row(rows[-1].at_us + 10 * BREAK_US, 0.0, occupied=True)]:
        lit = row.lux >= LAMPS_LX and not row.occupied
        if begin is not None and last is not None and (not lit or row.at_us - last > BREAK_US):
            if last - begin >= HALF_HOUR_US:
                found.append((begin, last))
            begin = None
        if lit:
            begin, last = (row.at_us if begin is None else begin), row.at_us
    return found


def score_rows(rows: list[Row], folder: Path) -> Score:
    """Judge one file and compare the orders with its true episodes."""
    registry, site_texts = load_registry([folder / "site.yaml"])
    scans = (
        Scan(
            "ROOM",
            row.at_us,
            complete=True,
            values=(PointValue("illuminance", row.lux), PointValue("occupancy", float(row.occupied))),
        )
        for row in rows
    )
    done = judge([scans], registry, site_texts)
    true = episodes(rows)
    hit: set[tuple[int, int]] = set()
    false = 0
    for order in done.work_orders:
        at = instant_us(order["opened_at"]) or 0
        match = next((one for one in true if one[0] <= at <= one[1] + BREAK_US), None)
        if match is None or match in hit:
            false += 1
        else:
            hit.add(match)
    sun = sum(0 < row.lux < LAMPS_LX and not row.occupied for row in rows) / 60
    healthy = count_healthy(registry, done, [("ROOM", *one) for one in true], rows[0].at_us, rows[-1].at_us)
    return Score(len(hit), len(true), false, sun, healthy)


def run(folder: Path) -> Score:
    """Every file of the folder, summed."""
    scores = [score_rows(list(read_rows(path)), folder) for path in sorted(folder.glob("*.csv*"))]
    return Score(
        sum(one.found for one in scores),
        sum(one.episodes for one in scores),
        sum(one.false for one in scores),
        sum(one.sun_hours for one in scores),
        sum((one.healthy for one in scores), NO_DAYS),
    )


def main() -> None:
    """Score and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=EXAMPLES / "occupancy")
    print(run(parser.parse_args().folder).line())


if __name__ == "__main__":
    main()
