"""Runs the same engine, quality checks and desk over history instead of the wire, without a broker or a clock.

Findings and orders come out in the API's shape. The last two seconds of event time are not judged, exactly as in a
replay over MQTT: nobody knows yet whether something of theirs is still under way.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from sqlmodel import Session

from facility.clock import JournalClock
from facility.instant import from_us
from facility.reading import Commit, Entry, RuleSetActivated, Scan, SiteEdited
from facility.registry import Registry
from ingest.quality import QualityJudge
from plantroom.allowance import ALLOWANCE_US
from plantroom.attendance import Attendance
from plantroom.database import Database
from plantroom.listening import listening_gap_us
from rules.engine import Engine
from rules.rule_set import RuleSet
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.lists import read_findings, read_orders
from ticketing.repository import OrderQuery

SCANS_PER_COMMIT = 1_000
ATTENDED = timedelta(hours=1)
"""How long the readings must have recovered before an order counts as done, where nothing else is said."""


class Backtest(msgspec.Struct, frozen=True):
    """What would have been: findings and work orders as the API shows them, oldest first."""

    findings: list[dict[str, Any]]
    work_orders: list[dict[str, Any]]


def run_backtest(
    scans: Iterable[Scan],
    registry: Registry,
    site_files: Mapping[str, str],
    rule_files: Mapping[str, str],
    book: ContractBook,
    *,
    attended: timedelta | None = None,
    progress: Callable[[int], None] | None = None,
) -> Backtest:
    """Judge the scans in their order. `progress` is told after every thousand how many there were so far.

    With `attended` somebody works on the orders: each is closed when its findings have been cleared for so long.
    Without (None) nobody does, as in a replay over MQTT: an order once opened takes in all that comes later.
    """
    engine = Engine(allowance_us=ALLOWANCE_US, listening_gap_us=listening_gap_us(registry))
    desk = Desk(book, lambda: registry)
    attendance = Attendance(desk, book, attended) if attended is not None else None
    with tempfile.TemporaryDirectory(prefix="plantroom-backtest-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'orders.db'}")
        try:
            database.upgrade()
            with database.writing() as session:
                done = 0
                for commit in _commits(scans, registry, site_files, rule_files):
                    if findings := engine.feed(commit):
                        (attendance or desk).receive(session, findings)
                    done += len(commit.entries)
                    if progress is not None:
                        progress(done)
                if attendance is not None:
                    attendance.work(session, engine.event_time_us)
            with database.reading() as session:
                return read_results(session, book, engine.event_time_us or 0)
        finally:
            database.close()


def read_results(session: Session, book: ContractBook, now_us: int) -> Backtest:
    """Every finding and order of a database, oldest first, as JSON-ready values."""
    findings = read_findings(session, active=None, limit=None)
    orders = read_orders(session, book, OrderQuery(limit=None), from_us(now_us))
    return Backtest(
        findings=sorted((_plain(one) for one in findings), key=lambda one: (one["raised_at"], one["id"])),
        work_orders=sorted((_plain(one) for one in orders), key=lambda one: one["number"]),
    )


def _plain(view: Any) -> dict[str, Any]:  # noqa: ANN401 - any of the API's models
    values: dict[str, Any] = view.model_dump(mode="json", by_alias=True)
    return values


def _commits(
    scans: Iterable[Scan], registry: Registry, site_files: Mapping[str, str], rule_files: Mapping[str, str]
) -> Iterator[Commit]:
    """The journal that a replay of these scans would have written, but for its grouping."""
    judge = QualityJudge(registry, JournalClock(), allowance_us=ALLOWANCE_US)
    rule_set = RuleSet.load(rule_files)
    opening: tuple[Entry, ...] = (
        SiteEdited("backtest-site", 0, dict(site_files)),
        RuleSetActivated("backtest-rules", 0, rule_set.digest, dict(rule_files)),
    )
    yield Commit(1, 0, opening)
    stream = iter(scans)
    seq = 1
    while group := list(islice(stream, SCANS_PER_COMMIT)):
        seq += 1
        judged: list[Scan] = []
        for scan in group:
            if (known := judge.judge(scan)) is not None:
                judged += [*judge.take_settled(), known]
        yield Commit(seq, max((scan.at_us for scan in group), default=0), tuple(judged))
