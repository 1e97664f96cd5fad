"""Orders that belong together: merged, linked, parent and children; calls that carry an idempotency key."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from asking import Client, app_of

from facility.clock import JournalClock
from facility.finding import Finding, FindingState, OrderKind
from facility.instant import to_us
from facility.registry import Registry
from plantroom.database import Database
from ticketing.api import build_router
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.opening_api import build_opening_router

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)


@pytest.fixture
def client(database: Database, book: ContractBook, registry: Registry) -> Client:
    clock = JournalClock(to_us(AT))
    opening = build_opening_router(database, clock, book, lambda: registry)
    return Client(app_of(database, build_router(database, clock, book), opening))


@pytest.fixture
def three(database: Database, desk: Desk, finding: NewFinding) -> list[Finding]:
    """The findings of three open orders, WO-000001 to WO-000003."""
    found = [finding(rule="a"), finding(rule="b"), finding(rule="c")]
    with database.writing() as session:
        desk.receive(session, found)
    return found


def act(client: Client, number: int, verb: str, **body: Any) -> httpx.Response:  # noqa: ANN401 - any JSON
    return client.post(f"/api/work-orders/{number}/{verb}", json=body)


def done(client: Client, number: int, verb: str, **body: Any) -> Any:  # noqa: ANN401 - any JSON
    answer = act(client, number, verb, **body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer: httpx.Response) -> str:
    assert answer.status_code == 409, answer.text
    return " | ".join(answer.json()["detail"].values())


def order(client: Client, number: int) -> Any:  # noqa: ANN401 - any JSON
    return client.get(f"/api/work-orders/{number}").json()


def test_a_merged_order_ends_and_the_other_takes_over_its_findings_and_its_cause(
    client: Client, database: Database, desk: Desk, finding: NewFinding, three: list[Finding]
) -> None:
    merged = done(client, 2, "merge", to="WO-000001", by="Li", note="Same motor.")
    assert (merged["status"], merged["merged_into"]) == ("cancelled", "WO-000001")
    assert merged["history"][-1]["note"] == "Into WO-000001. Same motor."
    into = order(client, 1)
    assert (into["merged"], into["findings"]) == (["WO-000002"], sorted([three[0].id, three[1].id]))
    assert "WO-000002 was merged into this order" in into["history"][-1]["note"]
    again = finding(rule="b", at=AT + timedelta(minutes=5))
    with database.writing() as session:
        received = desk.receive(session, [again])
    assert (received.opened, received.joined) == ((), (into["id"],))


@pytest.mark.usefixtures("three")
def test_an_order_is_verified_by_the_findings_merged_into_it_too(
    client: Client, database: Database, desk: Desk, finding: NewFinding
) -> None:
    done(client, 2, "merge", to="1")
    gone = [finding(rule=rule, state=FindingState.CLEARED, cleared_us=to_us(AT) + 1) for rule in "ab"]
    with database.writing() as session:
        desk.receive(session, gone[:1])
    for verb in ("acknowledge", "arrive", "complete"):
        done(client, 1, verb)
    assert "still active by the data" in refused(act(client, 1, "accept"))
    with database.writing() as session:
        assert desk.receive(session, gone).recovered == (order(client, 1)["id"],)
    assert done(client, 1, "accept")["status"] == "accepted"


def test_merging_into_a_merged_order_hands_everything_on(client: Client, three: list[Finding]) -> None:
    done(client, 3, "merge", to="2")
    done(client, 2, "merge", to="1")
    assert order(client, 1)["merged"] == ["WO-000002", "WO-000003"]
    assert len(order(client, 1)["findings"]) == len(three)


@pytest.mark.usefixtures("three")
def test_what_cannot_be_merged_says_why(client: Client, database: Database, desk: Desk, finding: NewFinding) -> None:
    with database.writing() as session:
        desk.receive(session, [finding(rule="visit", kind=OrderKind.PREVENTIVE)])
    for number, to, says in (
        (1, "1", "cannot be related to itself"),
        (1, "77", "there is no work order '77'"),
        (1, "4", "is preventive"),
        (1, "", "merging needs the other order"),
    ):
        assert says in refused(act(client, number, "merge", to=to))
    done(client, 3, "cancel")
    assert "nobody works on it" in refused(act(client, 1, "merge", to="3"))


@pytest.mark.usefixtures("three")
def test_a_parent_waits_for_its_children_unless_a_person_says_why(client: Client) -> None:
    child = done(client, 2, "parent", to="1")
    assert child["parent"] == "WO-000001"
    assert order(client, 1)["children"] == ["WO-000002"]
    assert "is itself part of WO-000001" in refused(act(client, 1, "parent", to="2"))
    for verb in ("acknowledge", "arrive"):
        done(client, 1, verb)
    assert "the work on WO-000002 is not done" in refused(act(client, 1, "complete"))
    done(client, 2, "cancel")
    assert done(client, 1, "complete")["status"] == "completed"


@pytest.mark.usefixtures("three")
def test_an_order_leaves_its_parent(client: Client) -> None:
    done(client, 2, "parent", to="1")
    assert done(client, 2, "parent")["parent"] is None
    assert "part of no other" in refused(act(client, 2, "parent"))
    assert order(client, 1)["children"] == []


@pytest.mark.usefixtures("three")
def test_links_are_seen_from_both_sides_and_made_once(client: Client) -> None:
    assert done(client, 1, "link", to="3", note="Same shaft.")["links"] == ["WO-000003"]
    assert order(client, 3)["links"] == ["WO-000001"]
    assert "linked with WO-000001 already" in refused(act(client, 3, "link", to="1"))


@pytest.mark.usefixtures("three")
def test_triage_dispatch_and_escalation_are_lines_with_their_words(client: Client) -> None:
    assert "Say in `note`" in refused(act(client, 1, "triage"))
    done(client, 1, "triage", note="Bearing, needs two people.")
    assert "Name who is to go" in refused(act(client, 1, "dispatch"))
    found = done(client, 1, "dispatch", to="Wang", by="desk lead")
    assert (found["assignee"], found["status"]) == ("Wang", "open")
    found = done(client, 1, "escalate", to="manager", note="Tenant is waiting.")
    assert [line["verb"] for line in found["history"]] == ["open", "triage", "dispatch", "escalate"]
    assert found["history"][-1]["note"] == "To manager. Tenant is waiting."
    assert done(client, 1, "acknowledge", by="Wang")["assignee"] == "Wang"
    assert "cannot dispatch an order that is acknowledged" in refused(act(client, 1, "dispatch", to="Li"))


@pytest.mark.usefixtures("three")
def test_the_same_call_with_its_key_is_carried_out_once(client: Client) -> None:
    url, key = "/api/work-orders/1/acknowledge", {"Idempotency-Key": "tap-1"}
    first = client.post(url, json={"by": "Li"}, headers=key)
    second = client.post(url, json={"by": "Li"}, headers=key)
    assert (first.status_code, second.status_code, second.json()) == (200, 200, first.json())
    assert (second.headers["idempotent-replayed"], second.headers["etag"]) == ("true", first.headers["etag"])
    other = client.post("/api/work-orders/1/arrive", json={"by": "Li"}, headers=key)
    assert other.status_code == 422
    assert "was used for another call" in other.json()["detail"]["what"]


@pytest.mark.usefixtures("three")
def test_a_refused_call_may_be_tried_again_with_its_key(client: Client) -> None:
    key = {"Idempotency-Key": "tap-2"}
    assert client.post("/api/work-orders/1/arrive", headers=key).status_code == 409
    done(client, 1, "acknowledge")
    assert client.post("/api/work-orders/1/arrive", headers=key).status_code == 200


def test_the_same_key_from_many_at_once_opens_one_order(client: Client) -> None:
    body = {"asset_id": "lift-1", "title": "Handrail loose", "severity": "low", "by": "Zhao"}

    sent = {"json": body, "headers": {"Idempotency-Key": "form-9"}}
    answers = client.at_once([("POST", "/api/work-orders", sent)] * 4)
    assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
    assert {answer.json()["number"] for answer in answers} == {"WO-000001"}
    assert len(client.get("/api/work-orders").json()) == 1


def test_an_order_that_a_person_opens_has_the_contracts_deadlines_and_needs_no_reading(client: Client) -> None:
    opened = client.post("/api/work-orders", json={"asset_id": "lift-1", "title": "Handrail loose"}).json()
    assert (opened["service_level"], opened["response_due_at"]) == ("lift", "2026-03-02T03:00:00Z")
    part = {"asset_id": "ahu-1", "title": "Switch off", "parent": opened["number"]}
    child = client.post("/api/work-orders", json=part)
    assert (child.status_code, child.json()["parent"]) == (201, opened["number"])
    for verb in ("acknowledge", "arrive", "complete", "accept", "close"):
        done(client, 2, verb)
    assert order(client, 2)["status"] == "closed"
    bad = client.post("/api/work-orders", json={"asset_id": "lift-2", "title": "x"})
    assert (bad.status_code, "did you mean 'lift-1'" in bad.json()["detail"]["what"]) == (422, True)
    assert "there is no work order 'x'" in refused(client.post("/api/work-orders", json=part | {"parent": "x"}))
