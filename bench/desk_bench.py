"""How fast findings become orders, and how fast lists of them are read.

`python bench/desk_bench.py [DATABASE ADDRESS] [OPEN ORDERS]`: a fresh SQLite file in a temporary folder when no
address is given. The database must be empty.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from time import perf_counter, process_time

from facility.finding import Evidence, Finding, FindingState, OrderKind, Severity, finding_id
from facility.instant import to_us
from facility.registry import Registry
from facility.site_file import parse_site
from plantroom.database import Database
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.desk import Desk
from ticketing.lists import read_orders
from ticketing.repository import OrderQuery, find_order
from ticketing.transition import Act, carry_out
from ticketing.work_order import OPEN_STATUSES, Refused, Verb

DATA = Path(__file__).resolve().parents[1] / "tests" / "data" / "ticketing"
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
Seconds = list[tuple[float, float]]
"""Of each call: on the wall clock (with the disk), and of this process's CPU."""


def findings(causes: Iterator[int], members: int = 1) -> Iterator[Finding]:
    """Active findings of a lift, `members` for each cause."""
    for number in causes:
        for member in range(members):
            at_us = to_us(AT + timedelta(seconds=number, milliseconds=member))
            evidence = tuple(Evidence("lift-1", name, at_us, 96.5, "degC") for name in ("motor_temperature", "limit"))
            yield Finding(
                finding_id(f"rule-{number}", "lift-1", at_us), f"rule-{number}", "lift-1", "tower", OrderKind.FAULT,
                Severity.HIGH, FindingState.ACTIVE, "Motor hot", "Let it cool down.", f"cause-{number}", at_us, at_us,
                evidence=evidence,
            )  # fmt: skip


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """Seconds one call takes on the wall clock, and of CPU."""
    started, cpu = perf_counter(), process_time()
    action()
    return perf_counter() - started, process_time() - cpu


def show(what: str, seconds: Seconds) -> None:
    """Print the median and the 95th percentile, and the median of the CPU time."""
    wall, cpu = (sorted(column) for column in zip(*seconds, strict=True))
    median, late = (wall[len(wall) * share // 100] * 1e3 for share in (50, 95))
    print(f"{what:40} median {median:7.2f} ms, p95 {late:7.2f} ms, CPU {cpu[len(cpu) // 2] * 1e3:6.2f} ms")


def show_all(what: str, number: int, seconds: Seconds) -> None:
    """Print how many a second of a whole run."""
    wall, cpu = (sum(column) for column in zip(*seconds, strict=True))
    print(f"{what:40} {wall:7.2f} s, {number / wall:8,.0f} a second, {number / cpu:8,.0f} a second of CPU")


class Bench:
    """One database, filled step by step."""

    def __init__(self, database: Database, registry: Registry, book: ContractBook) -> None:
        self.database, self.book = database, book
        self.desk = Desk(book, lambda: registry)
        self.numbers = count()

    def receive(self, causes: int, members: int = 1) -> tuple[float, float]:
        """Seconds to receive findings in one transaction."""
        load = list(findings((next(self.numbers) for _ in range(causes)), members))

        def run() -> None:
            with self.database.writing() as session:
                self.desk.receive(session, load)

        return timed(run)

    def page(self, query: OrderQuery) -> tuple[float, float]:
        """Seconds to read one page of orders."""

        def run() -> None:
            with self.database.reading() as session:
                read_orders(session, self.book, query, AT)

        return timed(run)

    def act(self, number: int) -> tuple[float, float]:
        """Seconds for a person to acknowledge an order."""

        def run() -> None:
            with self.database.writing() as session:
                row = find_order(session, str(number), lock=True)
                if row is None or isinstance(
                    carry_out(session, self.book, row, Act(Verb.ACKNOWLEDGE, "Li", AT)), Refused
                ):
                    msg = f"order {number} could not be acknowledged"
                    raise RuntimeError(msg)

        return timed(run)


def main(address: str, orders: int) -> None:
    """Print the figures."""
    database = Database(address)
    database.upgrade()
    registry = parse_site((DATA / "site.yaml").read_text(encoding="utf-8"), "site.yaml")
    contract = parse_contract((DATA / "contract.yaml").read_text(encoding="utf-8"), "contract.yaml")
    bench = Bench(database, registry, ContractBook([contract]))
    bench.receive(1)
    print(f"{database.engine.dialect.name}, durable commits")
    show("open one order, one transaction each", [bench.receive(1) for _ in range(200)])
    show("acknowledge one order", [bench.act(number) for number in range(2, 102)])
    show_all("a storm of 10,000 findings of one cause", 10_000, [bench.receive(1, 10_000)])
    batches = max(1, orders // 1_000)
    filled = [bench.receive(1_000) for _ in range(batches)]
    show_all(f"{batches * 1_000:,} findings, each its own cause", batches * 1_000, filled)
    show("open one order among them", [bench.receive(1) for _ in range(200)])
    show("list 100 open, by time left", [bench.page(OrderQuery(OPEN_STATUSES)) for _ in range(20)])
    database.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(
            sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{folder}/plantroom.db",
            int(sys.argv[2]) if len(sys.argv) > 2 else 20_000,
        )
