"""The list of orders page by page: each order once, whatever happens between two pages."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asking import Client, bare_app

from facility.clock import JournalClock
from facility.finding import Finding
from facility.instant import to_us
from plantroom.database import Database
from ticketing.api import build_router
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.order_query import Place, parse_place

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture
def client(database: Database, book: ContractBook) -> Client:
    return Client(bare_app(build_router(database, JournalClock(to_us(AT + timedelta(hours=1))), book)))


def open_orders(database: Database, desk: Desk, finding: NewFinding, *numbers: int, at: datetime = AT) -> None:
    with database.writing() as session:
        desk.receive(session, [finding(rule=f"rule-{number}", at=at) for number in numbers])


def pages(client: Client, path: str) -> tuple[list[str], str | None]:
    """The numbers of the orders on a page, and where the next page is."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    link = answer.headers.get("link")
    assert link is None or link.endswith('>; rel="next"')
    return [one["number"][-2:] for one in answer.json()], link and link.split(">")[0][1:]


def test_pages_follow_each_other_over_orders_that_run_and_orders_that_are_done(
    client: Client, database: Database, desk: Desk, finding: NewFinding
) -> None:
    open_orders(database, desk, finding, 1, 2, 3, 4)
    for number in (1, 3):
        assert client.post(f"/api/work-orders/{number}/cancel", json={"note": "no fault"}).status_code == 200
    assert pages(client, "/api/work-orders")[0] == ["02", "04", "03", "01"]
    found, following = pages(client, "/api/work-orders?limit=1")
    for _ in range(3):
        assert following is not None
        page, following = pages(client, following)
        found += page
    assert found == ["02", "04", "03", "01"]
    assert following is not None
    assert pages(client, following) == ([], None)


def test_an_order_that_is_opened_between_two_pages_moves_nothing(
    client: Client, database: Database, desk: Desk, finding: NewFinding
) -> None:
    open_orders(database, desk, finding, 1, 2, 3)
    first, following = pages(client, "/api/work-orders?limit=2&status=open&offset=0")
    open_orders(database, desk, finding, 4, at=AT - timedelta(minutes=30))  # due earlier: it would be first now
    assert following is not None
    assert "offset" not in following
    assert (first, pages(client, following)[0]) == (["01", "02"], ["03"])


@pytest.mark.parametrize("text", ["", "x", "1", ".", "1.x", "1.99999999999", "-1.2", "99999999999999999.1"])
def test_what_is_no_cursor_is_refused(client: Client, text: str) -> None:
    answer = client.get("/api/work-orders", params={"cursor": text})
    assert answer.status_code == 422
    assert answer.json()["detail"]["where"] == "?cursor="


@pytest.mark.parametrize("place", [Place(AT, 7), Place(None, 7)])
def test_a_place_is_read_as_it_was_written(place: Place) -> None:
    assert parse_place(str(place)) == place


def test_without_its_history_an_order_says_all_the_rest(
    client: Client, database: Database, desk: Desk, finding: NewFinding
) -> None:
    open_orders(database, desk, finding, 1)
    for verb, body in (("acknowledge", {}), ("hold", {"reason": "parts"})):
        assert client.post(f"/api/work-orders/1/{verb}", json=body).status_code == 200
    with database.writing() as session:
        desk.receive(session, [finding(rule="other", cause_key="lift-1/rule-1")])
    (whole,) = client.get("/api/work-orders").json()
    (brief,) = client.get("/api/work-orders?history=none").json()
    assert [line["verb"] for line in whole["history"]] == ["open", "acknowledge", "hold", "join"]
    assert brief == whole | {"history": []}
    answer: Any = client.get("/api/work-orders?history=some")
    assert answer.json()["detail"]["where"] == "query history"
