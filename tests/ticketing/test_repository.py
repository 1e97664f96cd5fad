"""What the database itself enforces, on both kinds, whoever writes to it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import col, select

from facility.finding import Finding
from plantroom.database import Database
from ticketing import repository
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.repository import OrderQuery
from ticketing.tables import EventRow, MemberRow, WorkOrderRow
from ticketing.transition import Act, carry_out
from ticketing.work_order import OPEN_STATUSES, RUNNING_STATUSES, Refused, Status, Verb, Words

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)


@pytest.fixture
def opened(database: Database, desk: Desk, finding: NewFinding) -> str:
    """The id of an open order."""
    with database.writing() as session:
        return desk.receive(session, [finding()]).opened[0]


def _copy(order: WorkOrderRow, **changes: object) -> dict[str, object]:
    return order.model_dump() | {"id": "wo_other", "number": 99} | changes


def test_the_database_refuses_a_second_open_order_for_a_cause(database: Database, opened: str) -> None:
    with database.reading() as session:
        row = repository.find_order(session, opened)
        assert row is not None
        with pytest.raises(IntegrityError):
            session.execute(sa.insert(WorkOrderRow).values(_copy(row, status="held")))


@pytest.mark.parametrize("status", ["closed", "cancelled"])
def test_orders_that_are_over_may_share_a_cause(database: Database, opened: str, status: str) -> None:
    with database.writing() as session:
        row = repository.find_order(session, opened)
        assert row is not None
        session.execute(sa.insert(WorkOrderRow).values(_copy(row, status=status)))


def test_a_finding_is_in_one_order_only(database: Database, opened: str) -> None:
    with database.reading() as session:
        member = session.exec(select(MemberRow)).one()
        with pytest.raises(IntegrityError):
            session.execute(sa.insert(MemberRow).values(finding_id=member.finding_id, work_order_id=opened))


def test_a_member_must_exist(database: Database, opened: str) -> None:
    with database.reading() as session, pytest.raises(IntegrityError):
        session.execute(sa.insert(MemberRow).values(finding_id="unheard of", work_order_id=opened))


@pytest.mark.parametrize(
    "change",
    [
        sa.update(EventRow).values(note="nothing happened"),
        sa.delete(EventRow),
        sa.text("UPDATE work_order_event SET at = at"),
        sa.text("DELETE FROM work_order_event WHERE verb = 'open'"),
    ],
    ids=["update", "delete", "update nothing", "delete one"],
)
def test_history_cannot_be_changed(database: Database, opened: str, change: sa.Executable) -> None:
    with database.reading() as session, pytest.raises(DBAPIError, match="only appended to"):
        session.execute(change)
    with database.reading() as session:
        assert len(repository.histories(session, [opened])[opened]) == 1


@pytest.mark.service
def test_history_cannot_be_truncated(new_postgres: Callable[[], str]) -> None:
    with closing(Database(new_postgres())) as database:
        database.upgrade()
        with database.reading() as session, pytest.raises(DBAPIError, match="only appended to"):
            session.execute(sa.text("TRUNCATE work_order_event"))


@pytest.mark.parametrize(
    ("second", "orders", "joined"),
    [({}, 1, 0), ({"at": AT + timedelta(hours=1)}, 1, 1), ({"rule": "other"}, 2, 0)],
    ids=["the same finding", "another finding of the cause", "another cause"],
)
def test_two_processes_at_once_make_one_order_a_cause(
    database: Database,
    desk: Desk,
    finding: NewFinding,
    second: dict[str, object],
    orders: int,
    joined: int,
) -> None:
    begun = threading.Event()

    def receive_too() -> tuple[int, int]:
        with closing(Database(database.url.render_as_string(hide_password=False))) as other:
            begun.set()
            with other.writing() as session:
                received = desk.receive(session, [finding(**second)])
        return len(received.opened), len(received.joined)

    with ThreadPoolExecutor(1) as pool:
        with database.writing() as session:
            first = desk.receive(session, [finding()])
            waiting = pool.submit(receive_too)
            assert begun.wait(20)
            threading.Event().wait(0.2)  # long enough for the other to have read what is not committed yet
        assert waiting.result(20) == (orders - 1, joined)
    with database.reading() as session:
        rows = session.exec(select(WorkOrderRow).order_by(col(WorkOrderRow.number))).all()
        assert [row.number for row in rows] == list(range(1, orders + 1))
        assert rows[0].id == first.opened[0]
        lines = sum(len(lines) for lines in repository.histories(session, [row.id for row in rows]).values())
    assert lines == orders + joined


def test_of_two_people_at_once_one_is_refused_with_what_changed(
    database: Database, book: ContractBook, opened: str
) -> None:
    def press(who: str) -> bool | str:
        with database.writing() as session:
            row = repository.find_order(session, opened, lock=True)
            assert row is not None
            outcome = carry_out(session, book, row, Act(Verb.ACKNOWLEDGE, who, AT, version=1))
            return outcome.what if isinstance(outcome, Refused) else True

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(press, ["Li", "Wang", "Zhao", "Chen"]))
    assert results.count(True) == 1
    assert all("changed since version 1: acknowledge by" in str(result) for result in results if result is not True)


def test_a_decision_on_an_old_version_writes_nothing(database: Database, opened: str) -> None:
    with database.writing() as session:
        assert repository.advance_order(session, opened, 1, {"status": "acknowledged", "version": 2})
        assert not repository.advance_order(session, opened, 1, {"status": "cancelled", "version": 2})


def test_engine_state_begins_empty_and_keeps_cursor_and_snapshot(database: Database) -> None:
    with database.reading() as session:
        state = repository.load_engine_state(session)
        assert (state.cursor_seq, state.snapshot, state.snapshot_seq) == (0, None, None)
    with database.writing() as session:
        repository.save_cursor(session, 7)
        repository.save_snapshot(session, 5, b"\x00\xffblob")
    with database.reading() as session:
        state = repository.load_engine_state(session)
    assert (state.cursor_seq, state.snapshot, state.snapshot_seq) == (7, b"\x00\xffblob", 5)


def test_a_cursor_and_a_snapshot_are_replaced(database: Database) -> None:
    with database.writing() as session:
        for seq in (3, 9, 4):
            repository.save_cursor(session, seq)
            repository.save_snapshot(session, seq, bytes([seq]))
    with database.reading() as session:
        state = repository.load_engine_state(session)
    assert (state.cursor_seq, state.snapshot, state.snapshot_seq) == (4, b"\x04", 4)


def test_two_engines_keep_apart(database: Database) -> None:
    with database.writing() as session:
        repository.save_cursor(session, 3, "a")
    with database.reading() as session:
        assert repository.load_engine_state(session, "b").cursor_seq == 0


def test_a_naive_instant_is_refused_and_another_zone_comes_back_as_utc(database: Database, opened: str) -> None:
    shanghai = datetime.fromisoformat("2026-03-02T10:00:00.123456+08:00")
    with database.writing() as session:
        repository.advance_order(session, opened, 1, {"arrived_at": shanghai, "version": 2})
    with database.reading() as session:
        row = repository.find_order(session, opened)
        assert row is not None
        assert str(row.arrived_at) == "2026-03-02 02:00:00.123456+00:00"
        with pytest.raises(sa.exc.StatementError, match="needs its time zone"):
            repository.advance_order(session, opened, 2, {"arrived_at": shanghai.replace(tzinfo=None)})


def test_an_order_is_found_by_id_and_any_writing_of_its_number_and_nothing_else(
    database: Database, opened: str
) -> None:
    with database.reading() as session:
        for name in (opened, "WO-000001", "wo-1", "1", "WO-0001"):
            row = repository.find_order(session, name)
            assert row is not None, name
            assert row.id == opened
        for name in ("", "WO-", "WO-2", "9" * 20, "²", "wo_x"):
            assert repository.find_order(session, name) is None, name


def test_pages_of_a_list_hold_every_order_once_by_time_left(
    database: Database, book: ContractBook, desk: Desk, finding: NewFinding
) -> None:
    with database.writing() as session:
        found = [finding(rule=f"rule-{number}", at=AT + timedelta(minutes=-7 * number % 11)) for number in range(8)]
        desk.receive(session, found)
        for number, verbs in enumerate((0, 1, 2, 3, 4, 5, 5), 1):
            row = repository.find_order(session, str(number))
            assert row is not None
            for verb in (Verb.ACKNOWLEDGE, Verb.ARRIVE, Verb.COMPLETE, Verb.ACCEPT, Verb.CLOSE)[:verbs]:
                carry_out(session, book, row, Act(verb, "Li", AT + timedelta(hours=1), Words(override="as agreed")))
    for statuses in (
        frozenset[Status](),
        OPEN_STATUSES,
        frozenset({Status.CLOSED, Status.OPEN}),
        frozenset({Status.OPEN}),
    ):
        with database.reading() as session:
            whole = repository.list_orders(session, OrderQuery(statuses, limit=None))
            for size in (1, 3, 100):
                pages = [
                    repository.list_orders(session, OrderQuery(statuses, limit=size, offset=at))
                    for at in range(0, 9, size)
                ]
                assert [row.id for page in pages for row in page] == [row.id for row in whole]
        assert {row.status for row in whole} <= (statuses or set(Status))
        due = [row.next_due_at for row in whole if row.next_due_at is not None]
        assert due == sorted(due)
        assert [row.next_due_at is not None for row in whole] == [row.status in RUNNING_STATUSES for row in whole]
