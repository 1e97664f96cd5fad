"""What requests and complaints say goes out through the outbox: once, in the reader's language, after quiet hours."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from people import service_book
from sqlmodel import select

from facility.clock import JournalClock
from facility.instant import to_us
from facility.registry import Registry
from plantroom.database import Database
from ticketing.complaint_desk import Grievance
from ticketing.request import Entry
from ticketing.roster import Channel, Person, Quiet, Roster
from ticketing.service_desks import ServiceDesks
from ticketing.service_outbox import OutboxTeller
from ticketing.tables_outbox import OutboxRow

NIGHT = datetime(2026, 3, 2, 15, tzinfo=UTC)  # 23:00 in Shanghai
MORNING = datetime(2026, 3, 2, 23, tzinfo=UTC)
MAIL = (Channel("mail", "mailto://example.org"),)
QUIET = Quiet(time(22), time(7))
WANG = Person("wang", "Wang", "zh", frozenset({"dispatcher", "manager"}), channels=MAIL, quiet=QUIET)
ROSTER = Roster(ZoneInfo("Asia/Shanghai"), {"wang": WANG}, address="https://plant.example.org")


@pytest.fixture
def desks(registry: Registry) -> ServiceDesks:
    return ServiceDesks(service_book(), lambda: registry, OutboxTeller(lambda: ROSTER, JournalClock(to_us(NIGHT))))


def messages(database: Database) -> list[OutboxRow]:
    with database.reading() as session:
        return list(session.exec(select(OutboxRow).order_by(OutboxRow.key)))


def test_a_request_waits_for_the_morning_and_is_told_in_chinese(database: Database, desks: ServiceDesks) -> None:
    with database.writing() as session:
        desks.requests.receive(session, Entry("tower", "Lamp out", "lighting"), NIGHT)
    (message,) = messages(database)
    assert (message.person, message.language, message.subject) == ("wang", "zh", "RQ-000001：待审核")
    assert (message.due_at, message.state) == (MORNING, "waiting")


def test_an_urgent_complaint_does_not_wait_and_is_told_once(database: Database, desks: ServiceDesks) -> None:
    with database.writing() as session:
        desks.complaints.receive(session, Grievance("Water", building_id="tower", urgent=True), NIGHT)
    for minutes in (1, 2):
        with database.writing() as session:
            desks.step(session, NIGHT + timedelta(minutes=minutes))
    (message,) = messages(database)
    assert (message.due_at, message.urgent, message.body) == (NIGHT, True, "Water")


def test_somebody_the_roster_does_not_know_leaves_a_message_that_says_so(
    database: Database, registry: Registry
) -> None:
    teller = OutboxTeller(lambda: Roster(ZoneInfo("UTC")), JournalClock(to_us(NIGHT)))
    with database.writing() as session:
        ServiceDesks(service_book(), lambda: registry, teller).requests.receive(session, Entry("tower", "Hot"), NIGHT)
    (message,) = messages(database)
    assert (message.state, message.error) == ("failed", "the roster knows no person, team or role 'dispatcher'")
