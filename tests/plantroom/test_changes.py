"""Whoever writes a line of an order's history, an open page hears of it; an idle program asks little."""

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import cast

from dashboards.web.change_feed import Change, ChangeFeed
from facility.finding import Finding
from plantroom.changes import ChangeWatch
from plantroom.database import Database
from ticketing import repository
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.transition import Act, carry_out
from ticketing.work_order import Refused, Verb, Words

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)


class Notes:
    """A feed that only remembers."""

    def __init__(self) -> None:
        self.told: list[Change] = []
        self.news = threading.Event()

    def publish(self, changes: Iterable[Change]) -> None:
        self.told += changes
        self.news.set()


def test_lines_are_told_once_with_their_place_and_what_was_there_before_is_not(
    database: Database, desk: Desk, book: ContractBook, finding: Callable[..., Finding]
) -> None:
    notes = Notes()
    watch = ChangeWatch(cast("ChangeFeed", notes), database)
    with database.writing() as session:
        (order,) = desk.receive(session, [finding(at=AT)]).opened
    watch.look()
    assert notes.told == []
    with database.writing() as session:
        row = repository.find_order(session, order, lock=True)
        assert row is not None
        act = Act(Verb.ACKNOWLEDGE, "li", AT, Words(""))
        assert not isinstance(carry_out(session, book, row, act), Refused)
    watch.look()
    watch.look()
    assert notes.told == [Change("order", order, "tower", "lift-1", "acknowledge")]


def test_a_finding_is_told_at_once_and_its_order_without_waiting_for_the_next_look(
    database: Database, desk: Desk, finding: Callable[..., Finding]
) -> None:
    notes = Notes()
    watch = ChangeWatch(cast("ChangeFeed", notes), database)
    watch.look()
    found = finding(at=AT)
    with database.writing() as session:
        (order,) = desk.receive(session, [found]).opened
    watch.found([found])
    watch.look()
    assert [(one.what, one.id, one.asset) for one in notes.told] == [
        ("finding", found.id, "lift-1"), ("order", order, "lift-1")]  # fmt: skip


def test_the_watch_looks_by_itself_and_ends_when_told_to(
    database: Database, desk: Desk, finding: Callable[..., Finding]
) -> None:
    notes, stop = Notes(), threading.Event()
    watch = ChangeWatch(cast("ChangeFeed", notes), database)
    watch.look()
    thread = threading.Thread(target=watch.run, args=(stop,))
    thread.start()
    with database.writing() as session:
        desk.receive(session, [finding(at=AT)])
    assert notes.news.wait(30)
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
