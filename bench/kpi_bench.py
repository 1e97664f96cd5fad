"""How long the key figures of a quarter take with five million history rows and 100,000 open orders.

`python bench/kpi_bench.py [DATABASE ADDRESS] [HISTORY ROWS]`: a fresh SQLite file in a temporary folder when no address
is given. An empty database is filled first, which takes a minute or two.
"""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time

import sqlalchemy as sa

from facility.registry import Registry
from facility.site_file import parse_site
from plantroom.database import Database
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.kpi import By, figures_by
from ticketing.kpi_period import parse_period
from ticketing.kpi_read import read_period

DATA = Path(__file__).resolve().parents[1] / "tests" / "data" / "ticketing"
LINES = (
    ("open", "open", "0"),
    ("acknowledge", "acknowledged", "600"),
    ("arrive", "arrived", "{arrives}"),
    ("diagnose", "arrived", "{arrives} + 600"),
    ("repair", "arrived", "{arrives} + 1200"),
    ("test", "arrived", "{arrives} + 6600"),
    ("complete", "completed", "{arrives} + 7200"),
    ("accept", "accepted", "{arrives} + 7300"),
    ("follow_up", "accepted", "80000"),
    ("close", "closed", "90000"),
)
"""The life of an order: verb, state after it, seconds after the opening."""
FROM_S = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
YEARS_S = 3 * 365 * 86_400
OPEN = 100_000
PENALTIES = """    penalties:
      currency: CNY
      cap: {amount: 100000, per: quarter}
      terms: [{id: late, clause: "5.1", amount: 500, clocks: [response]},
              {id: slow, clause: "5.2", amount: 100, per: started_hour, clocks: [resolution]}]
"""


def instant(dialect: str, seconds: str) -> str:
    """SQL of an instant so many seconds after the epoch, as the tables keep it."""
    if dialect == "postgresql":
        return f"to_timestamp({seconds})"
    return f"strftime('%Y-%m-%d %H:%M:%S', {seconds}, 'unixepoch') || '.000000'"


def fill(database: Database, rows: int) -> None:
    """Orders over three years, one in ten late, each closed with ten lines; the newest are at work, one in ten late."""
    orders, dialect = rows // len(LINES), database.engine.dialect.name
    step = YEARS_S // orders
    done = f"i < {orders - min(OPEN, orders // 5)}"
    arrives = "(CASE WHEN i % 10 = 0 THEN 10800 ELSE 3600 END)"

    def at(more: str) -> str:
        return instant(dialect, f"{FROM_S} + i * {step} + {more}")

    def when(more: str) -> str:
        return f"CASE WHEN {done} THEN {at(more)} END"

    due = f"CASE WHEN {done} OR i % 10 = 0 THEN 86400 ELSE {YEARS_S} END"
    values = {
        "id": "'wo_' || i", "number": "i + 1", "version": "1", "kind": "'fault'",
        "status": f"CASE WHEN {done} THEN 'closed' ELSE 'arrived' END", "priority": "2", "severity": "'high'",
        "building_id": "'tower'", "asset_id": "CASE WHEN i % 2 = 0 THEN 'lift-1' ELSE 'ahu-1' END",
        "rule_id": "'motor-hot'", "finding_id": "'f'", "cause_key": "'cause-' || i", "title": "'Motor hot'",
        "advice": "'Let it cool down.'", "diagnoses": "'[]'", "evidence": "'[]'", "contract_id": "'demo-2026'",
        "contract_revision": "1", "service_level": "'lift'", "level_reason": "'Level lift matches.'",
        "default_level": "false", "opened_at": at("0"), "response_due_at": at("7200"),
        "resolution_due_at": at(f"({due})"),
        "next_due_at": f"CASE WHEN {done} THEN NULL ELSE {at(f'({due})')} END", "arrived_at": at(arrives),
        "completed_at": when(f"{arrives} + 7200"), "accepted_at": when(f"{arrives} + 7300"), "closed_at": when("90000"),
        "repeats": "0", "key_equipment": "false",
    }  # fmt: skip
    start = instant(dialect, str(FROM_S))
    finding = (
        "INSERT INTO finding (id, rule_id, asset_id, building_id, kind, severity, state, title, advice, "  # noqa: S608 - our own names
        "cause_key, onset_at, raised_at, diagnoses, evidence) "
        "VALUES ('f', 'r', 'lift-1', 'tower', 'fault', 'high', 'cleared', "
        f"'', '', 'c', {start}, {start}, '[]', '[]')"
    )
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {orders - 1}) "  # noqa: S608 - our own names
    with database.writing() as session:
        session.execute(sa.text(finding))
        names = ", ".join(values)
        session.execute(
            sa.text(f"INSERT INTO work_order ({names}) {numbers}SELECT {', '.join(values.values())} FROM n")  # noqa: S608 - our own names
        )
        for index, (verb, status, seconds) in enumerate(LINES):
            line = (
                f"'wo_' || i, {index + 1}, {at(seconds.format(arrives=arrives))}, '{verb}', 'Li', 'as said', '{status}'"
            )
            source = f"{numbers}SELECT {line} FROM n WHERE {done} OR {index} < 3"  # noqa: S608 - our own names
            columns = "work_order_id, version, at, verb, by, note, to_status"
            session.execute(sa.text(f"INSERT INTO work_order_event ({columns}) {source}"))
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def main(address: str, rows: int) -> None:
    """Print the figures."""
    database = Database(address)
    database.upgrade()
    with database.reading() as session:
        found = session.execute(sa.text("SELECT count(*) FROM work_order_event")).scalar_one()
    if found:
        print(f"{database.engine.dialect.name}: there are {found:,} history rows already")
    else:
        started = perf_counter()
        fill(database, rows)
        print(f"{database.engine.dialect.name}: {rows:,} history rows written in {perf_counter() - started:.0f} s")
    registry: Registry = parse_site((DATA / "site.yaml").read_text(encoding="utf-8"), "site.yaml")
    text = (DATA / "contract.yaml").read_text(encoding="utf-8")
    text = text.replace('effective_at: "2026-01-01"\n', 'effective_at: "2026-01-01"\n' + PENALTIES, 1)
    book = ContractBook([parse_contract(text, "contract.yaml")])
    now = datetime(2029, 1, 2, tzinfo=UTC)
    for period in ("2026-Q2", "2027-Q3", "2028-Q4"):
        for _ in range(3):
            started, cpu = perf_counter(), process_time()
            with database.reading() as session:
                reading = read_period(session, book, registry, parse_period(period), now)
            read = perf_counter() - started
            figures_by(reading.scope, By.CLASS)
            took, cpu = perf_counter() - started, process_time() - cpu
        known = f"{len(reading.scope.orders):,} orders, {len(reading.penalties):,} penalties"
        print(
            f"key figures of {period} by class: {took:.2f} s, CPU {cpu:.2f} s (of it reading {read:.2f} s; {known})",
            flush=True,
        )
    database.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(
            sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{folder}/plantroom.db",
            int(sys.argv[2]) if len(sys.argv) > 2 else 5_000_000,
        )
