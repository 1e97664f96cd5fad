"""One runner of jobs among several processes: a lease with an epoch, on both databases."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from facility.clock import JournalClock
from facility.instant import to_us
from plantroom.database import Database, parse_url
from ticketing.lease import Lease, LeaseLostError

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)


@pytest.fixture
def wall() -> JournalClock:
    return JournalClock(to_us(AT))


@pytest.fixture
def other(database: Database) -> Iterator[Database]:
    """Another process's connection to the same database."""
    with closing(Database(database.url.render_as_string(hide_password=False))) as second:
        yield second


def later(wall: JournalClock, seconds: float) -> None:
    wall.advance(wall.now_us() + int(seconds * 1e6))


def note(session: Session, name: str) -> None:
    session.execute(sa.text("INSERT INTO engine_state (name, cursor_seq) VALUES (:name, 1)"), {"name": name})


def notes(database: Database) -> set[str]:
    with database.reading() as session:
        return {str(name) for (name,) in session.execute(sa.text("SELECT name FROM engine_state"))}


def test_one_holds_it_and_the_other_waits_until_it_runs_out(
    database: Database, other: Database, wall: JournalClock
) -> None:
    one, two = Lease(database, "jobs", "one", wall), Lease(other, "jobs", "two", wall)
    assert (one.hold(), two.hold()) == (True, False)
    later(wall, 1.5)
    assert (one.hold(), two.hold()) == (True, False)  # kept
    later(wall, 2.5)
    assert two.hold()
    assert (one.hold(), one.epoch) == (False, None)
    assert two.epoch == 2


def test_what_is_given_back_is_taken_at_once(database: Database, other: Database, wall: JournalClock) -> None:
    one, two = Lease(database, "jobs", "one", wall), Lease(other, "jobs", "two", wall)
    assert one.hold()
    one.let_go()
    assert two.hold()


def test_a_stopped_leader_that_wakes_writes_nothing(database: Database, other: Database, wall: JournalClock) -> None:
    one, two = Lease(database, "jobs", "one", wall), Lease(other, "jobs", "two", wall)
    assert one.hold()
    with one.writing() as session:
        note(session, "first")
    later(wall, 10)  # `one` stands still, and its lease runs out
    assert two.hold()
    with pytest.raises(LeaseLostError, match="epoch 1"), one.writing() as session:
        note(session, "never")
    with two.writing() as session:
        note(session, "second")
    assert notes(database) == {"first", "second"}


def test_a_leader_stopped_within_its_transaction_writes_nothing_either(
    database: Database, other: Database, wall: JournalClock
) -> None:
    one, two = Lease(database, "jobs", "one", wall), Lease(other, "jobs", "two", wall)
    assert one.hold()
    if database.engine.dialect.name == "sqlite":  # one writer at a time: nobody can take the lease meanwhile
        with one.writing() as session:
            note(session, "only")
        assert notes(database) == {"only"}
        return

    def stop_within() -> None:
        with one.writing() as session:
            note(session, "never")
            later(wall, 10)
            assert two.hold()

    with pytest.raises(LeaseLostError):
        stop_within()
    assert notes(database) == set()


def test_a_late_leader_keeps_it_while_nobody_else_wants_it(database: Database, wall: JournalClock) -> None:
    one = Lease(database, "jobs", "one", wall)
    assert one.hold()
    later(wall, timedelta(hours=1).total_seconds())
    assert one.hold()
    assert one.epoch == 1
    with one.writing() as session:
        note(session, "still")
    assert notes(database) == {"still"}


def test_nothing_is_written_without_the_lease(database: Database, wall: JournalClock) -> None:
    with pytest.raises(LeaseLostError), Lease(database, "jobs", "one", wall).writing() as session:
        note(session, "never")
    assert notes(database) == set()


@pytest.mark.service
def test_who_was_stopped_in_the_middle_of_a_transaction_keeps_no_rows(
    new_postgres: Callable[..., str], upgraded_postgres: str, wall: JournalClock
) -> None:
    url = parse_url(new_postgres(upgraded_postgres))
    slept = sa.create_engine(url, connect_args={"application_name": "sleeper"})
    with closing(Database(url.render_as_string(hide_password=False))) as database:
        with database.writing() as session:
            session.execute(sa.text(f"ALTER DATABASE {url.database} SET lock_timeout = '2s'"))
        database.close()  # the next sessions wait for a row no longer than that
        assert Lease(database, "jobs", "sleeper", wall).hold()
        with slept.connect() as stopped:
            stopped.execute(sa.text("SELECT * FROM lease FOR UPDATE"))
            two = Lease(database, "jobs", "two", wall)
            assert not two.hold(), "it runs: nobody's session ends"
            stopped.execute(sa.text("SELECT 1"))
            later(wall, 2.5)
            assert two.hold()
            with pytest.raises(sa.exc.DBAPIError):
                stopped.execute(sa.text("SELECT 1"))
            stopped.invalidate()
    slept.dispose()
