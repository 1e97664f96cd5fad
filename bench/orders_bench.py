"""100,000 open orders and 5 million lines of history: list pages, the sweep of deadlines, opening an order, a storm.

    python -m bench.orders_bench [DATABASE [ORDERS [LINES OF EACH]]]

without a database on a fresh SQLite file; give `postgresql://...` of an empty database for PostgreSQL, or one that an
earlier run has filled. Acceptance: list pages and sweep below 100 ms at p95, opening an order below 10 ms, 10,000
findings in one minute.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from time import perf_counter, process_time

import httpx
import sqlalchemy as sa
from fastapi import FastAPI
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlmodel import Session

from facility.clock import JournalClock
from facility.finding import Evidence, Finding, FindingState, OrderKind, Severity, finding_id
from facility.instant import to_us
from facility.registry import Registry
from facility.site_file import parse_site
from plantroom.database import Database
from plantroom.heap import settle_heap
from plantroom.order_views import OrderReader
from ticketing.api import build_router
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.desk import Desk
from ticketing.lists import view_orders
from ticketing.order_query import count_orders, list_orders, place_of
from ticketing.repository import OrderQuery, find_order
from ticketing.roster import NOBODY
from ticketing.watch import Instants, look
from ticketing.watch_rows import next_look
from ticketing.work_order import OPEN_STATUSES, Status

DATA = Path(__file__).parents[1] / "tests/data/ticketing"
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
BATCH = 1_000
RUNS = 40
APPEND = """
INSERT INTO work_order_event (work_order_id, version, at, verb, by, note, from_status, to_status)
WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < :lines)
SELECT id, 1, opened_at, CASE WHEN n % 2 = 0 THEN 'join' ELSE 'diagnose' END, 'desk',
       'Finding joined: Motor hot (lift-1, high).', 'open', 'open'
FROM work_order, series WHERE number >= :low AND number < :high
"""


def findings(numbers: Iterator[int], at: datetime, *, causes: int | None = None) -> Iterator[Finding]:
    """Active findings of a lift; with `causes`, of so many causes in turn."""
    for number in numbers:
        at_us = to_us(at + timedelta(milliseconds=number))
        cause = f"cause-{number if causes is None else number % causes}"
        yield Finding(
            finding_id(f"rule-{number}", "lift-1", at_us), f"rule-{number % 97}", "lift-1", "tower", OrderKind.FAULT,
            Severity.HIGH, FindingState.ACTIVE, "Motor hot", "Let it cool down.", cause, at_us, at_us,
            evidence=(Evidence("lift-1", "motor_temperature", at_us, 96.5, "degC"),),
        )  # fmt: skip


def show(what: str, runs: int, limit_ms: float, action: Callable[[], object]) -> None:
    """Run, and print median and 95th percentile beside what is asked for, and the CPU time of this process per run."""
    seconds, cpu = [], process_time()
    for _ in range(runs):
        started = perf_counter()
        action()
        seconds.append(perf_counter() - started)
    cpu = (process_time() - cpu) / runs * 1e3
    seconds.sort()
    median, late = (seconds[min(runs - 1, runs * share // 100)] * 1e3 for share in (50, 95))
    print(
        f"{what:44} median {median:7.1f} ms, p95 {late:7.1f} ms (asked: {limit_ms:g} ms), CPU {cpu:.1f} ms", flush=True
    )


def fill(database: Database, desk: Desk, orders: int, lines: int) -> None:
    """Open the orders, then append lines, a thousand orders at a time; a database that has some stays as it is."""
    started = perf_counter()
    with database.reading() as session:
        if found := session.execute(sa.text("SELECT count(*) FROM work_order")).scalar_one():
            print(f"there are {found:,} orders already")
            return
    numbers = count()
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        for _ in bar.track(range(orders // BATCH), description="orders"):
            with database.writing() as session:
                desk.receive(session, list(findings((next(numbers) for _ in range(BATCH)), AT)))
        opened = perf_counter() - started
        for low in bar.track(range(1, orders + 1, BATCH), description="lines of history, in thousands of orders"):
            with database.writing() as session:
                session.execute(sa.text(APPEND), {"lines": lines - 1, "low": low, "high": low + BATCH})
    with database.writing() as session:
        session.execute(sa.text("UPDATE order_watch SET told_event_id = 1000000000"))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    with database.reading() as session:
        number = session.execute(sa.text("SELECT count(*) FROM work_order_event")).scalar_one()
    print(
        f"{orders:,} orders opened in {opened:.0f} s; {number:,} lines in {perf_counter() - started:.0f} s", flush=True
    )


def lists(database: Database, book: ContractBook, registry: Registry, orders: int) -> None:
    """Time the lists of the pages and those of the API."""
    clock = JournalClock(to_us(AT))
    reader = OrderReader(book, lambda _: None, lambda: registry, clock)

    def page(query: OrderQuery) -> None:
        with database.reading() as session:
            count_orders(session, query)
            reader.views(session, list_orders(session, query), joins=False)

    for what, query in (
        ("list 100 open, by time left", OrderQuery(OPEN_STATUSES)),
        ("list 100 open, page 500", OrderQuery(OPEN_STATUSES, offset=50_000)),
        ("list 100 of one rule", OrderQuery(OPEN_STATUSES, rule_id="rule-7")),
        ("list 100 of one status", OrderQuery(frozenset({Status.OPEN}))),
        ("list 100 of one asset", OrderQuery(OPEN_STATUSES, asset_id="lift-1")),
    ):
        show(what, RUNS, 100, partial(page, query))
    with database.reading() as session:
        (middle,) = map(place_of, list_orders(session, OrderQuery(OPEN_STATUSES, limit=1, offset=orders // 2)))
    app = FastAPI()
    app.include_router(build_router(database, clock, book))
    loop = asyncio.new_event_loop()
    api = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bench")

    def ask(address: str) -> None:
        answer = loop.run_until_complete(api.get(address))
        assert answer.status_code == 200, answer.text  # noqa: S101 - a bench

    for limit_ms, address in (
        (100, "/api/work-orders?status=open&history=none"),
        (100, f"/api/work-orders?cursor={middle}&status=open&history=none"),
        (100, "/api/work-orders?status=open"),
        (10, f"/api/work-orders/{orders // 2}"),
    ):
        show(f"GET {address}".replace("/api/work-orders", "...")[:44], RUNS, limit_ms, partial(ask, address))
    loop.run_until_complete(api.aclose())
    loop.close()


def main(address: str, orders: int, lines: int) -> None:
    """Print the figures."""
    database = Database(address)
    database.upgrade()
    registry: Registry = parse_site((DATA / "site.yaml").read_text(encoding="utf-8"), "site.yaml")
    book = ContractBook([parse_contract((DATA / "contract.yaml").read_text(encoding="utf-8"), "contract.yaml")])
    desk = Desk(book, lambda: registry)
    print(database.engine.dialect.name)
    fill(database, desk, orders, lines)
    settle_heap()  # as the program does before it serves

    def reading(action: Callable[[Session], object]) -> Callable[[], None]:
        def run() -> None:
            with database.reading() as session:
                action(session)

        return run

    with database.reading() as session:
        before = session.execute(sa.text("SELECT count(*) FROM work_order_finding")).scalar_one()
    numbers = count(10_000_000 + before)

    def open_one() -> None:
        with database.writing() as session:
            desk.receive(session, list(findings(iter([next(numbers)]), AT)))

    def show_one(session: Session) -> None:
        row = find_order(session, str(orders // 2))
        assert row is not None  # noqa: S101 - a bench
        view_orders(session, book, [row], AT)

    def sweep() -> None:
        with database.writing() as session:
            look(session, book, NOBODY, Instants(AT + timedelta(minutes=30), AT), lambda *_: "")

    lists(database, book, registry, orders)
    show("sweep: is any deadline due", 100, 100, reading(next_look))
    show("sweep: look at 50 due orders", 20, 100, sweep)
    show("show one order", 100, 10, reading(show_one))
    show("open one order", 100, 10, open_one)
    started = perf_counter()
    with database.writing() as session:
        storm = list(findings((next(numbers) for _ in range(10_000)), AT, causes=20))
    for part in range(0, len(storm), 500):  # as the engine hands them over
        with database.writing() as session:
            desk.receive(session, storm[part : part + 500])
    print(f"a storm of 10,000 findings of 20 causes: {perf_counter() - started:.1f} s (asked: 60 s)")
    with database.reading() as session:
        number = session.execute(sa.text("SELECT count(*) FROM work_order_finding")).scalar_one()
    print(f"findings in orders: {number:,} (none is lost: {number == before + 100 + 10_000})")
    database.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(
            sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{folder}/plantroom.db",
            int(sys.argv[2]) if len(sys.argv) > 2 else 100_000,
            int(sys.argv[3]) if len(sys.argv) > 3 else 50,
        )
