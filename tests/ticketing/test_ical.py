"""The calendar of a technician: a file that calendar programs take, at an address that only she has."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from asking import Client, bare_app

from facility.clock import JournalClock
from facility.finding import Finding, OrderKind
from facility.instant import to_us
from plantroom.database import Database
from ticketing import repository
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.ical import Event, write_calendar
from ticketing.ical_api import build_calendar_router, build_feed_router
from ticketing.roster import OnCall, Person, Roster
from ticketing.transition import Act, carry_out
from ticketing.work_order import Verb, Words

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
SECRET = b"secret of this test"
ROSTER = Roster(
    ZoneInfo("Asia/Shanghai"),
    {"li": Person("li", "李工"), "wang": Person("wang", "Wang")},
    on_call=(OnCall("night", "li", AT + timedelta(hours=10), AT + timedelta(hours=22)),),
    address="https://plant.example.org",
)


def unfolded(text: str) -> list[str]:
    return text.replace("\r\n ", "").split("\r\n")


@pytest.fixture
def client(database: Database, book: ContractBook, desk: Desk, finding: NewFinding) -> Client:
    """One fault and one visit of Li, one fault of nobody."""
    visit = finding(rule="plan.month", kind=OrderKind.PREVENTIVE, cause_key="visit")
    with database.writing() as session:
        opened = desk.receive(session, [finding(), visit], planned={visit.id: datetime(2026, 3, 4, 16, tzinfo=UTC)})
        desk.receive(session, [finding(rule="other")])
    for order in opened.opened:
        with database.writing() as session:
            row = repository.find_order(session, order, lock=True)
            assert row is not None
            carry_out(session, book, row, Act(Verb.REASSIGN, "Wang", AT, Words(to="li")))
    app = bare_app()
    app.include_router(build_feed_router(database, JournalClock(to_us(AT)), lambda: ROSTER, SECRET))
    app.include_router(build_calendar_router(lambda: ROSTER, SECRET))
    return Client(app)


def test_a_technician_follows_her_orders_and_turns(client: Client) -> None:
    addresses = {one["person"]: one["address"] for one in client.get("/api/calendars").json()}
    path = addresses["li"].removeprefix("https://plant.example.org")
    answer = client.get(path)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    lines = unfolded(answer.text)
    assert lines.count("BEGIN:VEVENT") == 3
    assert "X-WR-CALNAME:Plantroom: 李工" in lines
    assert "SUMMARY:WO-000001 Motor hot" in lines
    assert "DTEND:20260302T030000Z" in lines  # two hours to respond
    assert "DTSTART;VALUE=DATE:20260304" in lines  # the visit's day, in Shanghai
    assert "SUMMARY:On call: night" in lines
    assert "TRIGGER:-PT15M" in lines
    other = client.get(addresses["wang"].removeprefix("https://plant.example.org"))
    assert "BEGIN:VEVENT" not in other.text


@pytest.mark.parametrize("path", ["/calendar/li/AAAA.ics", "/calendar/nobody/AAAA.ics"])
def test_another_address_gives_nothing(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_address_of_one_person_does_not_open_anothers(client: Client) -> None:
    address = client.get("/api/calendars").json()[0]["address"]
    path = address.removeprefix("https://plant.example.org").replace("/li/", "/wang/")
    assert client.get(path).status_code == 404


def test_lines_are_folded_between_characters_and_texts_are_escaped() -> None:
    event = Event("u1", "电梯困人；" * 20, "a,b;c\\d\nEND:VEVENT", AT, 3, day=date(2026, 3, 2))
    text = write_calendar("N", [event], AT)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    lines = unfolded(text)
    assert f"SUMMARY:{'电梯困人；' * 20}" in lines
    assert "DESCRIPTION:a\\,b\\;c\\\\d\\nEND:VEVENT" in lines
    assert lines.count("END:VEVENT") == 1
    assert "\n" not in text.replace("\r\n", "")


def test_an_event_has_either_a_day_or_two_instants() -> None:
    with pytest.raises(ValueError, match="either of a whole day"):
        Event("u", "t", "x", AT, 1)
    with pytest.raises(ValueError, match="from an instant to a later one"):
        Event("u", "t", "x", AT, 1, from_at=AT, until_at=AT - timedelta(hours=1))
