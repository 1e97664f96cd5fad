"""The routes of requests, photos, complaints and surveys; every refusal says what, where and what to do."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asking import Client, app_of, bare_app
from people import service_book
from pictures import picture

from facility.clock import JournalClock
from facility.instant import to_us
from facility.registry import Registry
from plantroom.database import Database
from ticketing.attachment_api import build_attachment_router
from ticketing.attachment_desk import AttachmentDesk
from ticketing.attachment_store import AttachmentStore
from ticketing.service_api import service_routers

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)


@pytest.fixture
def client(database: Database, registry: Registry, tmp_path: Path) -> Client:
    clock, desk = JournalClock(to_us(AT)), AttachmentDesk(AttachmentStore(tmp_path / "attachments"))
    routers = service_routers(database, clock, service_book(), lambda: registry)
    return Client(app_of(database, build_attachment_router(database, clock, desk), *routers))


def post(client: Client, path: str, expected: int = 201, **body: Any) -> Any:  # noqa: ANN401 - any JSON
    answer = client.post(path, json=body)
    assert answer.status_code == expected, answer.text
    return answer.json()


def test_a_request_with_a_photo_becomes_an_order(client: Client) -> None:
    sent = post(client, "/api/requests", text="Too hot", asset_id="ahu-1", category="air_conditioning")
    assert (sent["number"], sent["building_id"], sent["status"]) == ("RQ-000001", "tower", "received")
    assert sent["review_due_at"] == "2026-03-03T01:00:00Z"
    photo = client.post(f"/api/requests/{sent['id']}/photos", content=picture()).json()
    assert [one["id"] for one in client.get("/api/requests/1").json()["photos"]] == [photo["id"]]
    accepted = post(client, "/api/requests/1/accept", 200, by="Wang", version=1)
    assert accepted["status"] == "accepted"
    assert accepted["work_order_id"]
    assert [one["id"] for one in client.get("/api/requests", params={"status": "accepted"}).json()] == [sent["id"]]


def test_an_idempotency_key_makes_one_request_and_one_complaint(client: Client) -> None:
    for path in ("/api/requests", "/api/complaints"):
        body = {"text": "Too hot", "building_id": "tower"}
        first, second = (client.post(path, json=body, headers={"Idempotency-Key": path}).json() for _ in range(2))
        assert first["id"] == second["id"]


def test_a_complaint_shows_its_clocks(client: Client) -> None:
    sent = post(client, "/api/complaints", text="Nobody came", building_id="tower")
    assert sent["clocks"]["accept"] == {"due_at": "2026-03-02T03:00:00Z", "stopped_at": None, "breached": False}
    assert sent["clocks"]["tell"]["due_at"] is None
    assert post(client, f"/api/complaints/{sent['id']}/accept", 200)["status"] == "accepted"
    assert client.get("/api/complaints").json()[0]["number"] == "CP-000001"


@pytest.mark.parametrize(
    ("path", "body", "code", "what"),
    [
        ("/api/requests", {"text": "Hot", "building_id": "towr"}, 422, "did you mean 'tower'?"),
        ("/api/requests", {"text": "Hot", "asset_id": "ahu-7"}, 422, "not a known building"),
        ("/api/requests", {"text": "Hot", "building_id": "tower", "category": "smell"}, 422, "is no category"),
        ("/api/requests", {"text": "  ", "building_id": "tower"}, 422, "text"),
        ("/api/requests", {"text": "Hot", "building_id": "tower", "colour": "red"}, 422, "colour"),
        ("/api/requests/77/accept", {}, 404, "there is no request '77'"),
        ("/api/requests/1/paint", {}, 422, "verb"),
        ("/api/complaints", {"text": "Bad", "order": "WO-000099"}, 422, "there is no work order 'WO-000099'"),
        ("/api/complaints", {"text": "Bad"}, 422, "not a known building"),
        ("/api/complaints/9/accept", {}, 404, "there is no complaint '9'"),
        ("/api/surveys/sv_1/answers", {"answers": {}}, 404, "there is no survey 'sv_1'"),
    ],
)
def test_a_refusal_says_what_where_and_what_to_do(
    client: Client, path: str, body: dict[str, Any], code: int, what: str
) -> None:
    detail = post(client, path, code, **body)["detail"]
    assert what in detail["what"]
    assert detail["where"]
    assert detail["hint"]


def test_a_step_that_is_not_possible_says_which_are(client: Client) -> None:
    post(client, "/api/complaints", text="Nobody came", building_id="tower")
    refused = post(client, "/api/complaints/1/resolve", 409, note="done")["detail"]
    assert refused["what"] == "cannot resolve a complaint that is received"
    assert refused["hint"] == "Possible now: accept, withdraw."
    assert post(client, "/api/complaints/1/accept", 409, version=7)["detail"]["what"].startswith("the complaint is at")


def test_a_request_that_nobody_reviewed_is_overdue(database: Database, registry: Registry) -> None:
    book, views = service_book(), []
    for at in (AT, AT + timedelta(hours=24), AT + timedelta(hours=25)):
        app = bare_app()
        for router in service_routers(database, JournalClock(to_us(at)), book, lambda: registry):
            app.include_router(router)
        if at == AT:
            post(Client(app), "/api/requests", text="Hot", building_id="tower")
        views.append(Client(app).get("/api/requests/1").json()["overdue"])
    assert views == [False, False, True]


NUL = "%00"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/api/requests/{NUL}"),
        ("POST", f"/api/requests/{NUL}/accept"),
        ("GET", f"/api/complaints/a{NUL}"),
        ("GET", f"/api/complaints?order={NUL}"),
        ("GET", f"/api/surveys/{NUL}"),
        ("GET", f"/api/surveys?order={NUL}"),
        ("GET", f"/api/photos/{NUL}"),
        ("GET", f"/api/costs?order={NUL}"),
        ("POST", f"/api/quotes/{NUL}/approve"),
        ("POST", f"/api/parts/{NUL}/receive"),
        ("GET", "/api/requests/99999999999999999999"),
        ("GET", "/api/complaints/999999999"),
    ],
)
def test_a_name_that_cannot_be_is_refused_and_no_fault_of_ours(client: Client, method: str, path: str) -> None:
    body = {"json": {"quantity": 1}} if path.endswith("receive") else {}
    answer = client.ask(method, path, **body)
    assert answer.status_code in (404, 422), answer.text
    assert answer.json()["detail"]["hint"]


def test_many_at_once_get_numbers_of_their_own_and_one_key_is_one_request(client: Client) -> None:
    def send(number: int) -> tuple[str, str, dict[str, Any]]:
        path = "/api/requests" if number % 2 else "/api/complaints"
        headers = {"Idempotency-Key": f"key-{number % 3}{path}"}
        return "POST", path, {"json": {"text": "Hot", "building_id": "tower"}, "headers": headers}

    calls = [send(number) for number in range(12)]
    answers = client.at_once(calls)
    assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
    found = {(call[1], answer.json()["number"]) for call, answer in zip(calls, answers, strict=True)}
    assert sorted(found) == [(path, f"{kind}-00000{number}") for path, kind in (
        ("/api/complaints", "CP"), ("/api/requests", "RQ")) for number in (1, 2, 3)]  # fmt: skip
