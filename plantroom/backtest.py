"""Runs the same engine, quality checks and desk over history instead of the wire, without a broker or a clock.

Findings and orders come out in the API's shape. The last two seconds of event time are not judged, exactly as in a
replay over MQTT: nobody knows yet whether something of theirs is still under way.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from sqlmodel import Session

from facility.clock import JournalClock
from facility.finding import Finding
from facility.instant import from_us
from facility.reading import Commit, ParameterOverridden, RuleSetActivated, Scan, SiteEdited
from facility.registry import Registry
from ingest.quality import QualityJudge
from plantroom.allowance import ALLOWANCE_US
from plantroom.attendance import Attendance
from plantroom.backtest_parts import Parts
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
    workers: int = 0,
    overrides: Sequence[ParameterOverridden] = (),
) -> Backtest:
    """Judge the scans in their order. `progress` is told after every thousand how many there were so far.

    With `attended` somebody works on the orders: each is closed when its findings have been cleared for so long.
    Without (None) nobody does, as in a replay over MQTT: an order once opened takes in all that comes later.
    With `workers` so many processes judge, an asset each, while this one reads; without, this one does both. The
    result is the same. `overrides` hold from the beginning, where nobody set the parameter nearer.
    """
    desk = Desk(book, lambda: registry)
    attendance = Attendance(desk, book, attended) if attended is not None else None
    with tempfile.TemporaryDirectory(prefix="plantroom-backtest-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'orders.db'}")
        try:
            database.upgrade()
            with database.writing() as session:
                judging = _judged(scans, registry, site_files, rule_files, overrides, workers, progress)
                now_us = 0
                for findings, now_us in judging:  # noqa: B007 - the last one is needed below
                    if findings:
                        (attendance or desk).receive(session, findings)
                if attendance is not None:
                    attendance.work(session, now_us)
            with database.reading() as session:
                return read_results(session, book, now_us)
        finally:
            database.close()


def _judged(
    scans: Iterable[Scan],
    registry: Registry,
    site_files: Mapping[str, str],
    rule_files: Mapping[str, str],
    overrides: Sequence[ParameterOverridden],
    workers: int,
    progress: Callable[[int], None] | None,
) -> Iterator[tuple[list[Finding], int]]:
    """The findings as they come, with the newest event time so far."""
    rule_set, done = RuleSet.load(rule_files), 0
    commits = _commits(scans, registry, site_files, rule_files, rule_set.digest, overrides)
    if not workers:
        engine = Engine(allowance_us=ALLOWANCE_US, listening_gap_us=listening_gap_us(registry))
        for commit in commits:
            yield engine.feed(commit), engine.event_time_us
            done += len(commit.entries)
            if progress is not None:
                progress(done)
        return
    with Parts(registry, rule_set, workers, overrides) as parts:
        for commit in commits:
            parts.feed(commit)
            done += len(commit.entries)
            if progress is not None:
                progress(done)
        for findings in parts.finish():
            yield findings, parts.event_time_us
        yield [], parts.event_time_us


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
    scans: Iterable[Scan],
    registry: Registry,
    site_files: Mapping[str, str],
    rule_files: Mapping[str, str],
    digest: str,
    overrides: Sequence[ParameterOverridden],
) -> Iterator[Commit]:
    """The journal that a replay of these scans would have written, but for its grouping."""
    judge = QualityJudge(registry, JournalClock(), allowance_us=ALLOWANCE_US)
    site = SiteEdited("backtest-site", 0, dict(site_files))
    yield Commit(1, 0, (site, RuleSetActivated("backtest-rules", 0, digest, dict(rule_files)), *overrides))
    stream = iter(scans)
    seq = 1
    while group := list(islice(stream, SCANS_PER_COMMIT)):
        seq += 1
        judged: list[Scan] = []
        for scan in group:
            if (known := judge.judge(scan)) is not None:
                judged += [*judge.take_settled(), known]
        yield Commit(seq, max((scan.at_us for scan in group), default=0), tuple(judged))
