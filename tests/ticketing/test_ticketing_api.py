"""The routes of ticketing: the documented fields, every refusal with what, where and what to do."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from asking import Client, bare_app

from facility.clock import JournalClock
from facility.finding import Finding, FindingState, OrderKind, Severity
from facility.instant import to_us
from plantroom.database import Database
from ticketing.api import build_router
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
FIELDS = (
    *("id", "number", "kind", "status", "priority", "severity", "asset_id", "rule_id", "finding_id", "title", "advice"),
    *(
        "opened_at",
        "response_due_at",
        "resolution_due_at",
        "acknowledged_at",
        "arrived_at",
        "completed_at",
        "closed_at",
    ),
    *("contract_id", "contract_revision", "service_level", "evidence", "history"),
)
LIFE = ("acknowledge", "arrive", "complete", "accept", "close")


@pytest.fixture
def clock() -> JournalClock:
    return JournalClock(to_us(AT))


@pytest.fixture
def client(database: Database, book: ContractBook, clock: JournalClock) -> Client:
    app = bare_app()
    app.include_router(build_router(database, clock, book))
    return Client(app)


@pytest.fixture
def order(database: Database, desk: Desk, finding: NewFinding) -> str:
    """The id of an open order of a lift, opened at AT at level `lift`."""
    with database.writing() as session:
        return desk.receive(session, [finding()]).opened[0]


def get(client: Client, path: str, **query: object) -> Any:  # noqa: ANN401 - any JSON
    answer = client.get(path, params={name: str(value) for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer: httpx.Response, status: int) -> str:
    """What a refusal says, all in one text."""
    assert answer.status_code == status, answer.text
    detail = answer.json()["detail"]
    assert set(detail) == {"what", "where", "hint"}
    assert all(detail.values())
    return " | ".join(detail.values())


def test_a_work_order_carries_the_documented_fields(client: Client, order: str) -> None:
    (listed,) = get(client, "/api/work-orders")
    assert get(client, f"/api/work-orders/{order}") == get(client, "/api/work-orders/WO-000001") == listed
    assert set(listed) >= set(FIELDS)
    assert (listed["opened_at"], listed["response_due_at"]) == ("2026-03-02T01:00:00Z", "2026-03-02T03:00:00Z")
    assert listed["evidence"] == [
        {
            "asset_id": "lift-1",
            "point": "motor_temperature",
            "at": "2026-03-02T00:59:00Z",
            "value": 96.5,
            "unit": "degC",
            "kind": "reading",
        }
    ]
    (line,) = listed["history"]
    assert (line["at"], line["verb"], line["by"], line["from"], line["to"]) == (
        "2026-03-02T01:00:00Z", "open", "desk", None, "open")  # fmt: skip


def settle(database: Database, desk: Desk, finding: NewFinding) -> None:
    """The data recovers: the condition of the order clears."""
    with database.writing() as session:
        desk.receive(session, [finding(state=FindingState.CLEARED, cleared_us=to_us(AT) + 1)])


def test_a_whole_life_over_the_api(
    client: Client, clock: JournalClock, database: Database, desk: Desk, finding: NewFinding, order: str
) -> None:
    settle(database, desk, finding)
    for minute, verb in enumerate(LIFE, 1):
        clock.advance(to_us(AT + timedelta(minutes=minute)))
        body = {"by": "Li", "note": f"{verb} it"} if minute % 2 else None
        answer = client.post(f"/api/work-orders/{order}/{verb}", json=body)
        assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["status"], found["version"], found["verbs"]) == ("closed", 6, ["reopen"])
    assert [found[f"{name}_at"] for name in ("acknowledged", "arrived", "completed", "accepted", "closed")] == [
        f"2026-03-02T01:0{minute}:00Z" for minute in range(1, 6)
    ]
    assert [(line["verb"], line["by"], line["from"], line["to"]) for line in found["history"][2:4]] == [
        ("acknowledge", "Li", "open", "acknowledged"), ("arrive", "operator", "acknowledged", "arrived")]  # fmt: skip
    assert get(client, "/api/work-orders", status="open") == []
    assert [one["id"] for one in get(client, "/api/work-orders", status="closed")] == [order]


def test_a_wrong_verb_for_the_state_says_what_is_possible(client: Client, order: str) -> None:
    text = refused(client.post(f"/api/work-orders/{order}/complete"), 409)
    assert "cannot complete an order that is open" in text
    assert "Possible now: acknowledge, cancel" in text
    assert order in text


def test_a_stale_version_is_refused_in_the_body_and_in_if_match(client: Client, order: str) -> None:
    url = f"/api/work-orders/{order}"
    tag = client.get(url).headers["etag"]
    assert client.post(f"{url}/acknowledge", headers={"If-Match": tag}).headers["etag"] == '"2"'
    for answer in (
        client.post(f"{url}/arrive", headers={"If-Match": tag}),
        client.post(f"{url}/arrive", json={"version": 1, "by": "Wang"}),
    ):
        assert "changed since version 1: acknowledge by operator" in refused(answer, 409)
    assert client.post(f"{url}/arrive", headers={"If-Match": "*"}).status_code == 200


def test_an_order_that_does_not_exist(client: Client) -> None:
    for path in ("wo_nothing", "WO-000009", "9"):
        for answer in (
            client.get(f"/api/work-orders/{path}"),
            client.get(f"/api/work-orders/{path}/deadline"),
            client.post(f"/api/work-orders/{path}/acknowledge"),
        ):
            assert "GET /api/work-orders lists them" in refused(answer, 404)


BAD_VERBS: list[tuple[str, dict[str, Any], int, str]] = [
    ("aknowledge", {}, 404, "did you mean 'acknowledge'?"),
    ("acknowledge", {"json": {"name": "Li"}}, 422, "name: Extra inputs are not permitted"),
    ("acknowledge", {"json": {"by": ""}}, 422, "by: "),
    ("acknowledge", {"json": {"by": "L\x00"}}, 422, "by: "),
    ("acknowledge", {"json": {"note": 7}}, 422, "note: Input should be a valid string, got 7"),
    ("acknowledge", {"json": {"version": 0}}, 422, "version: "),
    ("acknowledge", {"json": [1]}, 422, "body"),
    ("acknowledge", {"content": "{", "headers": {"Content-Type": "application/json"}}, 422, "the body is no JSON"),
    ("acknowledge", {"headers": {"If-Match": "abc"}}, 422, "If-Match 'abc' is not a version"),
    ("hold", {}, 409, "cannot hold an order that is open"),
    ("hold", {"json": {"reason": "tired"}}, 422, "'tired' is not a known reason"),
]


def test_bad_input_to_a_verb_changes_nothing_and_says_what_is_wrong(client: Client, order: str) -> None:
    for verb, sent, status, says in BAD_VERBS:
        assert says in refused(client.post(f"/api/work-orders/{order}/{verb}", **sent), status)
    assert get(client, f"/api/work-orders/{order}")["version"] == 1


BAD_QUERIES: list[tuple[str, dict[str, Any], str]] = [
    ("work-orders", {"status": "opn"}, "'opn' is not a known status; did you mean 'open'?"),
    ("work-orders", {"kind": "odd"}, "'odd' is not a known kind; known are: fault, preventive"),
    ("work-orders", {"limit": 0}, "limit: "),
    ("work-orders", {"limit": "many"}, "limit: "),
    ("work-orders", {"offset": -1}, "offset: "),
    ("findings", {"active": "perhaps"}, "active: "),
]


def test_bad_input_to_a_list_says_what_is_wrong(client: Client) -> None:
    for path, query, says in BAD_QUERIES:
        assert says in refused(client.get(f"/api/{path}", params=query), 422)


def test_orders_are_filtered_and_come_by_time_left(
    client: Client, database: Database, desk: Desk, finding: NewFinding
) -> None:
    with database.writing() as session:
        desk.receive(session, [
            finding(rule="a"),
            finding(rule="b", severity=Severity.CRITICAL),
            finding(rule="c", asset="ahu-1", kind=OrderKind.PREVENTIVE),
        ])  # fmt: skip

    def rules(**query: object) -> str:
        return "".join(order["rule_id"] for order in get(client, "/api/work-orders", **query))

    assert rules() == rules(status="open") == "bac"  # 30 min, 2 h, 8 open hours
    assert (rules(asset="ahu-1"), rules(kind="preventive"), rules(rule="a"), rules(asset="x")) == ("c", "c", "a", "")
    assert (rules(limit=1), rules(limit=1, offset=1), rules(status="acknowledged")) == ("b", "a", "")
    client.post("/api/work-orders/2/acknowledge")
    client.post("/api/work-orders/2/arrive")
    assert rules() == "abc"  # 4 h to resolve against 2 h to respond
    assert rules(status="arrived") == "b"


def test_findings_say_whether_they_are_active_and_which_order_they_are_in(
    client: Client, database: Database, desk: Desk, finding: NewFinding, order: str
) -> None:
    gone = finding(rule="b", state=FindingState.CLEARED, cleared_us=to_us(AT))
    with database.writing() as session:
        desk.receive(session, [finding(rule="b"), gone])
    assert len(get(client, "/api/findings")) == 2
    (active,) = get(client, "/api/findings", active="true")
    assert (active["state"], active["work_order_id"], active["evidence"][0]["unit"]) == ("active", order, "degC")
    (cleared,) = get(client, "/api/findings", active="false")
    assert (cleared["rule_id"], cleared["cleared_at"]) == ("b", "2026-03-02T01:00:00Z")


def test_the_deadline_is_explained_with_clause_limit_and_pauses(
    client: Client, clock: JournalClock, order: str
) -> None:
    url = f"/api/work-orders/{order}"
    hold = {"reason": "parts", "note": "belt", "proof": "order 88-1 at the supplier"}
    for minutes, verb, body in ((10, "acknowledge", {}), (20, "hold", hold)):
        clock.advance(to_us(AT + timedelta(minutes=minutes)))
        assert client.post(f"{url}/{verb}", json=body).status_code == 200
    clock.advance(to_us(AT + timedelta(minutes=80)))
    found = get(client, f"{url}/deadline")
    assert (found["contract_id"], found["contract_revision"], found["service_level"]) == ("demo-2026", 1, "lift")
    response, resolution = found["response"], found["resolution"]
    assert (response["due_at"], response["limit"], response["paused_by"]) == ("2026-03-02T03:00:00Z", "2 h", None)
    assert (resolution["due_at"], resolution["paused_by"]) == ("2026-03-03T02:00:00Z", "parts")
    assert (resolution["left_seconds"], resolution["breached"]) == (23 * 3600 + 40 * 60, False)
    assert any("clause 3.2" in line for line in resolution["explanation"])
    held = get(client, url)
    assert (held["status"], held["resolution_due_at"]) == ("held", "2026-03-03T02:00:00Z")
    assert held["paused"] == {
        "reason": "parts", "since": "2026-03-02T01:20:00Z", "proof": "order 88-1 at the supplier", "capped_at": None,
    }  # fmt: skip
    assert held["history"][-1]["proof"] == "order 88-1 at the supplier"
    resumed = client.post(f"{url}/resume").json()
    assert (resumed["status"], resumed["resolution_due_at"], resumed["paused"]) == (
        "acknowledged", "2026-03-03T02:00:00Z", None)  # fmt: skip


def test_the_deadline_of_an_order_without_a_contract_is_explained_too(
    client: Client, database: Database, desk: Desk, finding: NewFinding
) -> None:
    with database.writing() as session:
        desk.receive(session, [finding(at=datetime(2020, 1, 1, tzinfo=UTC))])
    found = get(client, "/api/work-orders/1/deadline")
    assert (found["contract_id"], found["default_level"], found["response"]["breached"]) == (None, True, True)
    assert "No contract is in force" in found["level_reason"]
    assert found["response"]["left_seconds"] == 0


def test_a_hold_the_contract_does_not_pause_for_says_so(client: Client, order: str) -> None:
    client.post(f"/api/work-orders/{order}/acknowledge")
    held = client.post(f"/api/work-orders/{order}/hold", json={"reason": "customer"}).json()
    assert "The clocks run on: level lift does not pause for customer" in held["history"][-1]["note"]
    assert held["resolution_due_at"] == "2026-03-03T01:00:00Z"


def test_without_its_contract_an_order_lives_on_and_its_deadline_says_what_is_missing(
    database: Database, clock: JournalClock, order: str
) -> None:
    app = bare_app()
    app.include_router(build_router(database, clock, ContractBook()))
    client = Client(app)
    text = refused(client.get(f"/api/work-orders/{order}/deadline"), 409)
    assert "contract 'demo-2026' revision 1 level 'lift' is not loaded" in text
    for verb in LIFE:
        answer = client.post(f"/api/work-orders/{order}/{verb}", json={"override": "as agreed"})
        assert answer.status_code == 200
        assert answer.json()["response_due_at"] == "2026-03-02T03:00:00Z"


def test_the_reason_of_another_verb_goes_into_the_note(client: Client, order: str) -> None:
    done = client.post(f"/api/work-orders/{order}/cancel", json={"note": "Twice.", "reason": "duplicate"}).json()
    assert done["history"][-1]["note"] == "Twice. Reason: duplicate"
    assert done["cancelled_at"] == "2026-03-02T01:00:00Z"


def test_the_routes_are_documented(client: Client) -> None:
    paths = get(client, "/openapi.json")["paths"]
    assert set(paths) == {
        "/api/findings", "/api/work-orders", "/api/work-orders/{id}", "/api/work-orders/{id}/deadline",
        "/api/work-orders/{id}/{verb}"}  # fmt: skip
    assert all(way["description"] for path in paths.values() for way in path.values())
