"""Of two engines over one database one leads and writes; the other follows, and goes on when the lease is free."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import cast

import prometheus_client
import pytest
from sqlmodel import Session

from facility.clock import JournalClock
from facility.errors import RetryableError
from facility.finding import Finding
from facility.instant import to_us
from facility.reading import Commit
from ingest.journal import JournalCutError
from ingest.runs import Place
from plantroom.database import Database
from plantroom.engine_host import LEASE, EngineHost
from plantroom.engine_metrics import EngineMetrics, HostMetrics
from ticketing import repository
from ticketing.lease import TTL, Lease, LeaseLostError

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)


class Pages:
    """A journal that grows commit by commit, and a desk that nobody has anything for."""

    def __init__(self) -> None:
        self.commits: list[Commit] = []
        self.cut: int | None = None

    def grow(self) -> None:
        self.commits.append(Commit(len(self.commits) + 1, to_us(AT) + len(self.commits), ()))

    def read(self, after_seq: int, limit: int = 500) -> list[Commit]:
        if self.cut is not None and after_seq > self.cut:
            del self.commits[self.cut :]
            msg = "cut back"
            raise JournalCutError(msg, self.cut)
        return self.commits[after_seq : after_seq + limit]

    def last_seq(self) -> int:
        return len(self.commits)

    def first_seq(self) -> int:
        return 1 if self.commits else 0

    def place(self, seq: int) -> Place:
        return Place(seq)

    def common(self, place: Place) -> Place:
        return place

    def receive(self, session: Session, findings: Sequence[Finding]) -> None:
        raise AssertionError((session, findings))


def host(database: Database, pages: Pages, name: str, wall: JournalClock) -> EngineHost:
    """`name` is empty for one that only follows."""
    lease = Lease(database, LEASE, name, wall) if name else None
    metrics = HostMetrics(EngineMetrics(prometheus_client.CollectorRegistry()))
    clock = JournalClock(to_us(AT))
    return EngineHost(pages, database, pages, lease=lease, allowance_us=0, clock=clock, metrics=metrics)


def kept(database: Database) -> int:
    with database.reading() as session:
        return repository.load_engine_state(session).cursor_seq


def later(wall: JournalClock) -> None:
    """The lease that runs now is over."""
    wall.advance(to_us(wall.now() + TTL + timedelta(seconds=1)))


def test_the_engine_that_was_replaced_writes_nothing_when_it_wakes(database: Database) -> None:
    pages, wall = Pages(), JournalClock(to_us(AT))
    pages.grow()
    first = host(database, pages, "first", wall)
    assert first.step() == 1
    assert kept(database) == 1
    second = host(database, pages, "second", wall)
    pages.grow()
    assert second.step() == 0
    assert (second.leads, second.cursor) == (False, 1), "the lease runs: whoever starts waits for it"
    later(wall)
    assert second.step() == 1
    assert second.leads
    pages.grow()
    with pytest.raises(LeaseLostError, match="gone to another process"):
        first.step()
    assert kept(database) == 2, "what it judged was rolled back with its cursor"
    assert first.step() == 0
    assert (first.leads, first.cursor) == (False, 2), "it stands by, with what the other one has kept"
    assert second.step() == 1
    later(wall)
    assert first.step() == 1
    assert first.step() == 0
    assert (first.leads, first.cursor, kept(database)) == (True, 3, 3)
    pages.grow()
    with pytest.raises(LeaseLostError):
        second.step()


def test_one_that_follows_judges_what_is_kept_and_no_more(database: Database) -> None:
    pages, wall = Pages(), JournalClock(to_us(AT))
    leader, page = host(database, pages, "leader", wall), host(database, pages, "", wall)
    for _ in range(3):
        pages.grow()
    assert page.step() == 0, "nobody has judged them: their findings are not kept"
    assert leader.step() == 3
    assert page.step() == 3
    assert (page.cursor, page.kept_cursor, page.leads) == (3, 3, False)
    later(wall)
    assert page.step() == 0
    assert not page.leads, "it has no lease to take"


def test_who_starts_goes_on_at_once_where_another_one_ended_in_order(database: Database) -> None:
    pages, wall, over = Pages(), JournalClock(to_us(AT)), threading.Event()
    pages.grow()
    first = host(database, pages, "first", wall)
    assert first.step() == 1
    over.set()
    first.run(over)
    assert not first.leads
    second = host(database, pages, "second", wall)
    assert second.step() == 0
    assert (second.leads, second.cursor) == (True, 1)


def test_a_lease_given_by_a_clock_that_was_set_back_is_free(database: Database) -> None:
    pages, wall = Pages(), JournalClock(to_us(AT + timedelta(hours=1)))
    assert Lease(database, LEASE, "gone", wall).hold()
    now = JournalClock(to_us(AT))
    second = host(database, pages, "second", now)
    second.step()
    assert second.leads


def test_a_journal_cut_back_is_known_to_who_follows(database: Database) -> None:
    """The leader had judged what was cut away, the other one had not: it begins at the leader's snapshot."""
    pages, wall = Pages(), JournalClock(to_us(AT))
    leader, page = host(database, pages, "leader", wall), host(database, pages, "", wall)
    for _ in range(3):
        pages.grow()
    leader.step()
    page.step()
    before = page.engine
    pages.cut = 2
    assert leader.step() == 0
    assert (kept(database), leader.cursor) == (2, 2), "the cursor says so: no more of this journal is kept"
    page.step()
    assert page.engine is not before
    assert page.cursor == 2
    pages.grow()
    assert (leader.step(), page.step()) == (1, 1)


def test_who_begins_to_lead_brings_the_journal_up_to_the_files_and_tries_again_where_it_cannot(
    database: Database,
) -> None:
    pages, told = Pages(), list[int]()
    one = host(database, pages, "one", JournalClock(to_us(AT)))

    def refuse() -> None:
        msg = "no space left"
        raise OSError(msg)

    one.leveled = refuse
    pages.grow()
    with pytest.raises(RetryableError, match="no space left"):
        one.step()
    assert one.awaits_files()
    one.leveled = lambda: told.append(one.cursor)
    for _ in range(3):
        one.step()
    assert told == [1], "once, when what was waiting is judged"


def test_who_is_never_idle_brings_the_journal_up_to_the_files_too(database: Database) -> None:
    pages, told = Pages(), list[int]()
    one = host(database, pages, "one", JournalClock(to_us(AT)))
    one.leveled = lambda: told.append(one.cursor)
    for _ in range(3):
        pages.grow()
        assert one.step() == 1, "there is always something to judge"
    assert told == [1]


class Away:
    """A database that refuses what it is told, and then what it is asked, as long as it is to."""

    def __init__(self, database: Database) -> None:
        self._database, self.refusals = database, 0

    def _refuse(self) -> None:
        if self.refusals:
            self.refusals -= 1
            msg = "away"
            raise RetryableError(msg)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        self._refuse()
        with self._database.reading() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        self._refuse()
        with self._database.writing() as session:
            yield session


def test_what_was_judged_while_the_database_was_away_is_judged_again(database: Database) -> None:
    """Also when it is still away at the first try to go back to what was kept."""
    pages, wall, away = Pages(), JournalClock(to_us(AT)), Away(database)
    one = host(cast("Database", away), pages, "one", wall)
    assert one.step() == 0
    before = one.engine
    pages.grow()
    away.refusals = 2
    for _ in range(2):
        with pytest.raises(RetryableError, match="away"):
            one.step()
    assert one.step() == 1
    assert one.engine is not before, "the one that had judged it would have found nothing"
    assert kept(database) == 1
