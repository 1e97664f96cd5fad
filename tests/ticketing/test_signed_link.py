"""Acting from a message: signed links, and what became of the messages of an order, over the routes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asking import Client, bare_app

from facility.clock import JournalClock
from facility.finding import Finding
from facility.instant import to_us
from facility.registry import Registry
from plantroom.database import Database
from plantroom.office import act_link, link_secret
from ticketing.api import build_router
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.link_api import build_link_router
from ticketing.outbox_api import build_outbox_router
from ticketing.roster_file import parse_roster
from ticketing.signed_link import GOOD_FOR
from ticketing.watch import Instants, look
from ticketing.work_order import Verb

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
TEXT = (Path(__file__).parents[1] / "data/ticketing/roster.yaml").read_text(encoding="utf-8")
SECRETS = {"WANG": "json://a", "LI": "json://b", "CHEN": "json://c", "ERP": "http://e", "ERP_SECRET": "0" * 16}
BASE = "https://plantroom.example"


class Messages:
    """The routes, a roster, and links that are signed as the program signs them."""

    def __init__(self, database: Database, book: ContractBook, registry: Registry) -> None:
        self.database, self.book, self.clock = database, book, JournalClock(to_us(AT))
        self.roster = parse_roster(TEXT, "roster.yaml", SECRETS, registry)
        secret = link_secret("token")
        app = bare_app()
        app.include_router(build_link_router(database, self.clock, book, lambda: self.roster, secret))
        app.include_router(build_outbox_router(database, self.clock, book))
        app.include_router(build_router(database, self.clock, book))
        self.client, self.link = Client(app), act_link(lambda: self.roster, secret, self.clock)

    def path(self, order: str, person: str = "wang") -> str:
        return self.link(order, Verb.ACKNOWLEDGE, person).removeprefix(BASE)

    def status(self) -> str:
        return str(self.client.get("/api/work-orders/1").json()["status"])


@pytest.fixture
def messages(database: Database, book: ContractBook, registry: Registry) -> Messages:
    return Messages(database, book, registry)


@pytest.fixture
def order(database: Database, desk: Desk, finding: NewFinding) -> str:
    with database.writing() as session:
        return desk.receive(session, [finding(title="Motor <hot>")]).opened[0]


def test_a_link_asks_first_and_its_button_acknowledges_in_the_name_of_its_person(
    messages: Messages, order: str
) -> None:
    path = messages.path(order)
    asked = messages.client.get(path)
    assert (asked.status_code, messages.status()) == (200, "open")
    assert "接单" in asked.text
    assert "Motor &lt;hot&gt;" in asked.text
    done = messages.client.post(path)
    assert (done.status_code, messages.status()) == (200, "acknowledged")
    line = messages.client.get("/api/work-orders/1").json()["history"][-1]
    assert (line["by"], line["note"]) == ("王伟", "By the link in a message.")
    again = messages.client.post(path)
    assert again.status_code == 409
    assert "cannot acknowledge an order that is acknowledged" in again.text


def test_a_link_that_is_damaged_forged_or_too_old_does_nothing(messages: Messages, order: str) -> None:
    path = messages.path(order)
    forged = act_link(lambda: messages.roster, link_secret("another"), messages.clock)(order, Verb.ACKNOWLEDGE, "wang")
    for bad, why in ((path[:-2], "damaged"), (path + "x.y", "damaged"), ("/act/%00", "damaged"),
                     (forged.removeprefix(BASE), "not made by this program")):  # fmt: skip
        for answer in (messages.client.get(bad), messages.client.post(bad)):
            assert answer.status_code == 404
            assert why in answer.text or "not made by this program" in answer.text
    messages.clock.advance(to_us(AT + GOOD_FOR + timedelta(seconds=1)))
    assert "链接已过期" in messages.client.post(path).text
    assert messages.status() == "open"


def test_without_an_address_in_the_roster_there_are_no_links(messages: Messages, registry: Registry) -> None:
    plain = parse_roster(TEXT.replace(f', address: "{BASE}"', ""), "roster.yaml", SECRETS, registry)
    assert act_link(lambda: plain, b"secret", messages.clock)("wo_1", Verb.ACKNOWLEDGE, "wang") == ""


def test_an_order_and_the_outbox_show_what_became_of_each_message(messages: Messages, order: str) -> None:
    with messages.database.writing() as session:
        look(session, messages.book, messages.roster, Instants(AT, AT), messages.link)
    shown = messages.client.get(f"/api/work-orders/{order}").json()["notices"]
    assert {(one["person"], one["event"], one["state"]) for one in shown} == {
        ("chen", "opened", "waiting"), ("erp", "opened", "waiting")}  # fmt: skip
    listed = messages.client.get("/api/outbox", params={"state": "waiting"}).json()
    assert {one["key"] for one in listed} == {one["key"] for one in shown}
    assert all(one["work_order_id"] == order for one in listed)
    assert messages.client.get("/api/outbox", params={"state": "failed"}).json() == []
    assert "is not a state of a message" in messages.client.get("/api/outbox", params={"state": "x"}).text
    assert messages.client.get(f"/api/work-orders/{order}/escalations").json() == []
    assert messages.client.get("/api/work-orders/99/escalations").status_code == 404
