"""What a reading, an order and a point cost on disk and in memory: the figures of `plantroom capacity`.

    python -m bench.capacity_bench

Bytes of the journal are taken apart into what a commit, a scan and a reading cost. Sizes do not depend on what else the
machine does; run it again when a format changes, and put the figures into `plantroom/capacity.py`.
"""

import dataclasses
import itertools
import random
import resource
import tempfile
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import msgspec

from bench.engine_bench import CLASSES, POINTS, START_US, commits, site
from bench.orders_bench import AT, DATA, findings
from facility.catalogue import point_types
from facility.finding import Evidence
from facility.reading import Commit, Entry, Heartbeat, PointValue, RuleSetActivated, Scan, SiteEdited
from facility.site_file import parse_site
from ingest.journal import JournalWriter
from ingest.stores.base import readings_of
from ingest.stores.keeping import Keep, KeepPolicy
from ingest.stores.parquet import ParquetStore
from plantroom.capacity import MEASURED, Measured
from plantroom.database import Database
from rules.catalogue import shipped_files
from rules.engine import Engine
from ticketing import repository
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.desk import Desk
from ticketing.transition import Act, carry_out
from ticketing.work_order import Verb, Words

COMMITS = 20_000
ORDERS = 2_000
LIFE = (Verb.ACKNOWLEDGE, Verb.ARRIVE, Verb.DIAGNOSE, Verb.REPAIR, Verb.TEST, Verb.COMPLETE, Verb.ACCEPT, Verb.CLOSE)


def size(folder: Path) -> int:
    """Bytes of the files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def journal_bytes(folder: Path, entries: Iterable[Entry]) -> float:
    """Bytes of a commit that holds one of these entries."""
    with JournalWriter(folder) as journal:
        for number, entry in enumerate(entries):
            journal.append(START_US + number * 50_000, [entry])
    return size(folder) / COMMITS


def scans(values: int, rng: random.Random) -> Iterable[Entry]:
    """Scans with so many values each."""
    for number in range(COMMITS):
        read = tuple(PointValue("supply_air_temperature", round(rng.gauss(20, 2), 2)) for _ in range(values))
        yield Scan(f"ahu-{number % 40}", START_US + number * 50_000, complete=True, values=read)


def store_bytes(folder: Path, hours: int, *, thinned: bool) -> float:
    """Bytes of a row on disk, after merging; `thinned`: of one that stands for five minutes."""
    policy = KeepPolicy({kind: Keep(1, 0, 0) for kind in {one.kind for one in point_types().values()}})
    store, rows = ParquetStore(folder, policy=policy, part_readings=200_000), 0
    for commit, count in commits(hours * 60, random.Random(7)):
        store.write(commit.seq, commit.seq, readings_of([commit]))
        rows += count
    store.flush()
    while store.merge():
        continue
    if thinned:
        while store.thin(START_US + 10 * 86_400_000_000):
            continue
        rows = hours * 12 * sum(len(POINTS[name]) * count for name, count in CLASSES.items())
    return size(folder) / rows


def order_bytes(folder: Path) -> float:
    """Bytes of an order with its finding, twelve pieces of evidence, and eight steps, on SQLite."""
    database = Database(f"sqlite:///{folder}/plantroom.db")
    database.upgrade()
    before = size(folder)
    registry = parse_site((DATA / "site.yaml").read_text(encoding="utf-8"), "site.yaml")
    book = ContractBook([parse_contract((DATA / "contract.yaml").read_text(encoding="utf-8"), "contract.yaml")])
    desk, numbers = Desk(book, lambda: registry), itertools.count()
    for _ in range(ORDERS // 200):
        with database.writing() as session:
            proof = tuple(
                Evidence("lift-1", "motor_temperature", START_US + step * 60_000_000, 96.5, "degC")
                for step in range(12)
            )
            found = [
                msgspec.structs.replace(one, evidence=proof)
                for one in findings((next(numbers) for _ in range(200)), AT)
            ]
            for order in desk.receive(session, found).opened:
                row = repository.find_order(session, order)
                for step, verb in enumerate(LIFE, 1):
                    if row is not None:
                        at = AT + timedelta(hours=step)
                        carry_out(session, book, row, Act(verb, "li.na", at, Words("Bearing greased.")))
    database.close()
    return (size(folder) - before) / ORDERS


def point_bytes() -> float:
    """Bytes of memory of the engine for a point, with the shipped catalogue, after two hours."""
    engine, points = Engine(allowance_us=2_000_000), sum(len(POINTS[name]) * count for name, count in CLASSES.items())
    engine.feed(Commit(1, START_US, (RuleSetActivated("rules", START_US, "", shipped_files()),)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    engine.feed(Commit(2, START_US, (SiteEdited("site", START_US, {"site.yaml": site()}),)))
    for commit, _ in commits(120, random.Random(7)):
        engine.feed(commit)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / points


def main() -> None:
    """Print the figures beside those of `plantroom capacity`."""
    rng = random.Random(7)
    memory = point_bytes()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        beat = journal_bytes(folder / "beats", (Heartbeat(START_US + number) for number in range(COMMITS)))
        one, ten = (journal_bytes(folder / f"of-{values}", scans(values, rng)) for values in (1, 10))
        reading = (ten - one) / 9
        found = Measured(
            beat_bytes=beat,
            scan_bytes=one - reading,
            reading_bytes=reading,
            parquet_bytes=store_bytes(folder / "single", 24, thinned=False),
            parquet_mean_bytes=store_bytes(folder / "means", 24, thinned=True),
            order_bytes=order_bytes(folder),
            engine_point_bytes=memory,
        )
    for field in dataclasses.fields(Measured):
        now, kept = getattr(found, field.name), getattr(MEASURED, field.name)
        mark = "" if now == kept or abs(now - kept) < 0.25 * kept else "   <- more than a quarter off"
        print(f"{field.name:24} measured {now:12,.1f}   plantroom capacity has {kept:12,.1f}{mark}")


if __name__ == "__main__":
    main()
