"""Backup, verification and restore of 5 million readings and 100,000 orders.

    python -m bench.restore_bench [READINGS [ORDERS [LINES OF EACH [DATABASE]]]]

on SQLite in a folder of its own under the working folder's disk (TMPDIR), or with `postgresql://...` of an empty
database, which is emptied and filled again. Acceptance: the restore takes less than 2 minutes.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import sqlalchemy as sa

from bench.orders_bench import DATA, fill
from bench.store_bench import COMMIT, make
from facility.clock import RealClock
from facility.reading import PointValue, Scan
from facility.site_file import parse_site
from ingest.journal import JournalReader, JournalWriter
from ingest.stores.parquet import ParquetStore
from plantroom.backup.check import check_backup
from plantroom.backup.copying import Silent, format_bytes
from plantroom.backup.make import choose_backup, make_backup
from plantroom.backup.restore import restore_backup
from plantroom.database import Database, parse_url
from plantroom.settings import Settings, load_settings
from ticketing import repository
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.desk import Desk

GOAL_S = 120.0
ASKED_READINGS, ASKED_ORDERS = 5_000_000, 100_000


def fill_readings(settings: Settings, count: int) -> int:
    """Write the journal and the store; the last commit."""
    store, seq = ParquetStore(settings.main.parquet_folder), 0
    with JournalWriter(settings.main.journal_folder) as journal:
        for start in range(0, count, 200 * COMMIT):
            readings = make(min(200 * COMMIT, count - start))
            for first in range(0, len(readings), COMMIT):
                part = readings[first : first + COMMIT]
                scans = [
                    Scan(one.asset_id, one.at_us + start, complete=True, values=(PointValue(one.point, one.value),))
                    for one in part
                ]
                seq = journal.append(part[-1].at_us + start, scans)
                store.write(seq, seq, part)
    store.close()
    return seq


def timed(what: str, action: Callable[[], object]) -> float:
    """Run once and print how long it took."""
    started = perf_counter()
    action()
    took = perf_counter() - started
    print(f"{what:40} {took:8.1f} s", flush=True)
    return took


def empty(settings: Settings) -> None:
    """Destroy everything."""
    shutil.rmtree(settings.var)
    url = parse_url(settings.database_address())
    if url.get_backend_name() != "sqlite":
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
        engine.dispose()


def facts(settings: Settings) -> Iterator[int]:
    """Orders, lines of history, and the newest commit."""
    database = Database(settings.database_address())
    with database.reading() as session:
        for table in ("work_order", "work_order_event"):
            yield session.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608 - two known names
    database.close()
    with JournalReader(settings.main.journal_folder) as journal:
        yield journal.last_seq()


def main(readings: int, orders: int, lines: int, address: str | None) -> int:
    """Print the figures; 1 when the restore takes too long."""
    with tempfile.TemporaryDirectory() as folder:
        for name in [name for name in os.environ if name.startswith("PLANTROOM_")]:
            del os.environ[name]
        settings = load_settings(var=Path(folder) / "var", database_url=address)
        settings.var.mkdir()
        seq = fill_readings(settings, readings)
        database = Database(settings.database_address())
        database.upgrade()
        registry = parse_site((DATA / "site.yaml").read_text(encoding="utf-8"), "site.yaml")
        book = ContractBook([parse_contract((DATA / "contract.yaml").read_text(encoding="utf-8"), "contract.yaml")])
        fill(database, Desk(book, lambda: registry), orders, lines)
        with database.writing() as session:
            repository.save_cursor(session, seq)
        database.close()
        before, backups = list(facts(settings)), Path(folder) / "backups"

        def back_up() -> None:
            make_backup(settings, backups, Silent(), RealClock(), with_secrets=False, full=False, keep=None)

        timed("backup", back_up)
        manifest, problems = check_backup(choose_backup(backups), Silent())
        print(f"{'its size':40} {format_bytes(manifest.total_bytes):>10}")
        timed("another one, readings linked", back_up)
        timed("verification", lambda: check_backup(choose_backup(backups), Silent()))
        empty(settings)
        took = timed("restore", lambda: restore_backup(settings, choose_backup(backups), Silent()))
        is_same = list(facts(settings)) == before
        kind = parse_url(settings.database_address()).get_backend_name()
        print(f"{kind}, {readings:,} readings, {before[0]:,} orders, {before[1]:,} lines; all there: {is_same}")
        asked = readings >= ASKED_READINGS and orders >= ASKED_ORDERS
        print(f"asked: restore in {GOAL_S:g} s" + ("" if asked else " of more than this run had"))
    return 0 if is_same and not problems and took < GOAL_S else 1


if __name__ == "__main__":
    given = sys.argv[1:]
    numbers = [int(one) for one in given[:3]] + [ASKED_READINGS, ASKED_ORDERS, 10][len(given[:3]) :]
    sys.exit(main(numbers[0], numbers[1], numbers[2], given[3] if len(given) > 3 else None))
