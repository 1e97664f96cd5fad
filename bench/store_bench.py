"""Readings a second into the Parquet store and out of it: `python bench/store_bench.py [READINGS] [FOLDER]`.

A building of 100 assets with 36 points each, one scan a minute, in commits of 1,000 readings, on the disk of FOLDER
(a temporary one by default). Then single series are read: an hour, a day, a day in buckets of 5 minutes. The real
air handlers under examples/lbnl are read through their maps as well.
"""

import random
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from facility.reading import Reading
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.map_file import parse_map
from ingest.stores.line_protocol import LineEncoder
from ingest.stores.parquet import ParquetStore
from ingest.wide_csv import WideCsv

ASSETS, POINTS, COMMIT = 100, 36, 1_000
T0 = 20_000 * 86_400 * 1_000_000
MIN_US, HOUR_US = 60_000_000, 3_600_000_000


def make(count: int) -> list[Reading]:
    """The readings in the order they would come."""
    names = [(f"asset-{asset:03}", f"point_{point:02}") for asset in range(ASSETS) for point in range(POINTS)]
    noise = random.Random(7)
    return [
        Reading(*names[number % len(names)], T0 + number // len(names) * MIN_US, round(noise.gauss(20.0, 2.0), 2))
        for number in range(count)
    ]


def timed(what: str, count: int, work: Callable[[], object]) -> None:
    """Run once, print the rate."""
    started = time.perf_counter()
    work()
    took = time.perf_counter() - started
    print(f"{what:44} {count / took:14,.0f} /s   {took * 1000:10,.1f} ms")


def write_all(store: ParquetStore, readings: list[Reading]) -> None:
    """As the follower does it, to the last byte on disk."""
    for seq, start in enumerate(range(0, len(readings), COMMIT), 1):
        store.write(seq, seq, readings[start : start + COMMIT])
    store.close()


def bench(count: int, folder: Path) -> None:
    """All figures."""
    readings = make(count)
    store = ParquetStore(folder / "store", part_readings=200_000)
    timed("readings into Parquet, durable", count, lambda: write_all(store, readings))
    print(f"{'parts after merging':44} {len(list((folder / 'store').rglob('*.parquet'))):14}")
    encoder = LineEncoder(Registry)
    timed("readings into line protocol", count, lambda: [encoder.encode(reading) for reading in readings])
    size = sum(path.stat().st_size for path in (folder / "store").rglob("*.parquet"))
    print(f"{'bytes a reading on disk':44} {size / count:14.2f}")
    for what, span, every in (
        ("an hour", HOUR_US, None),
        ("a day", 24 * HOUR_US, None),
        ("a day by 5 min", 24 * HOUR_US, 5),
    ):
        every_us = every * MIN_US if every else None
        found = len(store.read("asset-050", "point_18", T0, T0 + span))
        timed(
            f"read {what} of one point ({found:,} readings)",
            found,
            partial(store.read, "asset-050", "point_18", T0, T0 + span, every_us=every_us),
        )
    timed("last of one asset, in assets", 1, lambda: store.last("asset-050"))
    lbnl = Path(__file__).parents[1] / "examples" / "lbnl"
    registry = parse_site((lbnl / "site.yaml").read_text(encoding="utf-8"), "site.yaml")
    source = WideCsv(
        lbnl / "SZCAV.csv.gz",
        parse_map((lbnl / "map-szcav.yaml").read_text(encoding="utf-8"), "map-szcav.yaml", registry),
    )
    timed("readings out of a wide CSV (SZCAV.csv.gz)", 302_310, lambda: sum(1 for _ in source.scans()))


def main() -> None:
    """Arguments as in the module's text."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    if len(sys.argv) > 2:
        bench(count, Path(sys.argv[2]))
        return
    with tempfile.TemporaryDirectory() as folder:
        bench(count, Path(folder))


if __name__ == "__main__":
    main()
