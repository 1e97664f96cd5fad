"""Photos and signatures on orders, requests and complaints: kept once, by content, seen by whom they concern."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asking import Client, bare_app
from people import service_book
from pictures import WORDS, opened, picture
from sqlmodel import select

from facility.clock import JournalClock
from facility.finding import Finding
from facility.instant import to_us
from facility.registry import Registry
from plantroom.database import Database
from ticketing.api import build_router
from ticketing.attachment import MOST, OwnerKind
from ticketing.attachment_api import build_attachment_router
from ticketing.attachment_desk import AttachmentDesk
from ticketing.attachment_store import AttachmentStore, DamagedError
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.service_api import service_routers
from ticketing.tables_service import AttachmentRow

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
NewFinding = Callable[..., Finding]


class Visitor:
    """Somebody whose buildings the test chooses."""

    def __init__(self) -> None:
        self.may_see: frozenset[str] | None = None

    def buildings(self) -> frozenset[str] | None:
        return self.may_see

    def name(self) -> str | None:
        return "Wang" if self.may_see is not None else None

    def manages(self) -> bool:
        return False


class House:
    """The routes over one order, a visitor, and the folder of pictures."""

    def __init__(self, database: Database, registry: Registry, book: ContractBook, folder: Path) -> None:
        self.who, self.folder, clock = Visitor(), folder, JournalClock(to_us(AT))
        app = bare_app()
        desk = AttachmentDesk(AttachmentStore(folder))
        app.include_router(build_attachment_router(database, clock, desk, self.who))
        app.include_router(build_router(database, clock, book, self.who))
        for router in service_routers(database, clock, service_book(), lambda: registry, asker=self.who):
            app.include_router(router)
        self.client = Client(app)


@pytest.fixture
def house(
    database: Database, registry: Registry, book: ContractBook, desk: Desk, finding: NewFinding, tmp_path: Path
) -> House:
    with database.writing() as session:
        desk.receive(session, [finding()])
    return House(database, registry, book, tmp_path / "attachments")


def test_a_photo_of_an_order_is_kept_once_and_shown_with_its_thumbnail(house: House) -> None:
    client, url = house.client, "/api/work-orders/WO-000001/attachments"
    came = picture(size=(800, 600), told=True)
    sent = client.post(f"{url}?by=Wang", content=came)
    assert sent.status_code == 201, sent.text
    photo = sent.json()
    assert (photo["kind"], photo["of"], photo["by"], photo["width"], photo["height"]) == (
        "photo", "work_order", "Wang", 600, 800)  # fmt: skip
    assert client.post(url, content=came).json()["id"] == photo["id"]
    shown = client.get(f"/api/attachments/{photo['id']}")
    assert shown.headers["content-type"] == "image/jpeg"
    assert "immutable" in shown.headers["cache-control"]
    assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    assert shown.headers["content-disposition"] == "inline"
    assert opened(shown.content).size == (600, 800)
    assert WORDS.encode() not in shown.content
    assert client.get(f"/api/photos/{photo['id']}").content == shown.content
    assert opened(client.get(f"/api/attachments/{photo['id']}/thumbnail").content).size == (240, 320)
    signed = client.post(f"{url}?kind=signature", content=picture("PNG")).json()
    there = {one["id"]: one["kind"] for one in client.get(url).json()}
    assert there == {photo["id"]: "photo", signed["id"]: "signature"}
    files = [path for path in house.folder.rglob("*") if path.is_file()]
    assert len(files) == 4, "two pictures and two thumbnails"
    assert not any(WORDS.encode() in path.read_bytes() for path in files)


def test_an_order_shows_the_photos_of_the_requests_it_came_from(house: House) -> None:
    client = house.client
    for shade in (10, 20):
        sent = client.post("/api/requests", json={"text": "Hot", "asset_id": "ahu-1"}).json()
        client.post(f"/api/requests/{sent['id']}/photos", content=picture(shade=shade))
        if shade == 10:
            order = client.post("/api/requests/1/accept", json={"by": "Li"}).json()["work_order_id"]
    assert sent["status"] == "joined"
    shown = client.get(f"/api/work-orders/{order}/attachments").json()
    assert [(one["of"], one["by"]) for one in shown] == [("request", "occupant")] * 2
    complaint = client.post("/api/complaints", json={"text": "Still hot", "building_id": "tower"}).json()
    client.post(f"/api/complaints/{complaint['number']}/attachments", content=picture())
    assert len(client.get("/api/complaints/1").json()["photos"]) == 1


def test_what_is_refused_says_what_and_what_to_do(house: House) -> None:
    client = house.client
    for method, path, content, code in (
        ("POST", "/api/work-orders/1/attachments", b"MZ this is a program", 422),
        ("POST", "/api/work-orders/9/attachments", picture(), 404),
        ("POST", "/api/requests/1/attachments", picture(), 404),
        ("POST", "/api/work-orders/1/attachments?kind=song", picture(), 422),
        ("GET", "/api/attachments/at_0", b"", 404),
        ("GET", "/api/attachments/%00/thumbnail", b"", 404),
        ("GET", "/api/work-orders/%00/attachments", b"", 404),
    ):
        answer = client.ask(method, path, content=content)
        assert answer.status_code == code, (path, answer.text)
        assert answer.json()["detail"]["hint"]


def test_a_request_takes_ten_photos_at_most(house: House) -> None:
    house.client.post("/api/requests", json={"text": "Hot", "building_id": "tower"})
    most = MOST[OwnerKind.REQUEST]
    codes = [
        house.client.post("/api/requests/1/photos", content=picture(shade=20 * number)).status_code
        for number in range(most + 1)
    ]
    assert codes == [201] * most + [409]


def test_whoever_has_other_buildings_sees_and_adds_nothing(house: House) -> None:
    client, url = house.client, "/api/work-orders/1/attachments"
    photo = client.post(url, content=picture()).json()["id"]
    house.who.may_see = frozenset({"elsewhere"})
    for path in (url, f"/api/attachments/{photo}", f"/api/attachments/{photo}/thumbnail", f"/api/photos/{photo}"):
        assert client.get(path).status_code == 404, path
    assert client.post(url, content=picture(shade=1)).status_code == 404
    house.who.may_see = frozenset({"tower"})
    assert client.get(f"/api/attachments/{photo}").status_code == 200
    assert client.post(url, content=picture(shade=2)).json()["by"] == "Wang"


def test_a_file_that_is_gone_or_damaged_is_said_and_is_not_passed_on(house: House) -> None:
    photo = house.client.post("/api/work-orders/1/attachments", content=picture()).json()["id"]
    for path in house.folder.rglob("*"):
        if path.is_file():
            path.write_bytes(b"something else")
    answer = house.client.get(f"/api/attachments/{photo}")
    assert answer.status_code == 404
    assert "does not hold what was kept in it" in answer.json()["detail"]["what"]
    with pytest.raises(DamagedError, match="no SHA-256"):
        AttachmentStore(house.folder).get("../../secret")


def test_a_photo_of_an_older_release_is_shown_without_what_it_tells(house: House, database: Database) -> None:
    photo = house.client.post("/api/work-orders/1/attachments", content=picture()).json()["id"]
    with database.writing() as session:
        row = session.exec(select(AttachmentRow)).one()
        row.content, row.thumbnail_sha256, row.width = picture(told=True), None, None
        session.add(row)
    shown = house.client.get(f"/api/attachments/{photo}")
    assert shown.status_code == 200
    assert WORDS.encode() not in shown.content
    assert house.client.get(f"/api/attachments/{photo}/thumbnail").status_code == 200
