"""The back office and one's own account over real accounts, on both kinds of database, as the admin uses them."""

import re
from datetime import UTC, datetime

import pytest
from asking import Client
from fastapi import FastAPI
from people import hashed
from preview.plant import PreviewPlant, site_text

from dashboards.web.pages import show_denials
from dashboards.web.router import web_router
from facility.clock import JournalClock
from facility.instant import to_us
from facility.site_file import parse_site
from plantroom.accounts import directory, repository
from plantroom.accounts.directory import Actor
from plantroom.accounts.door import AccountDoor
from plantroom.accounts.web_door import WebDoor
from plantroom.database import Database
from plantroom.office_desk import BackOffice
from ticketing.roster_file import parse_roster
from ticketing.webhook import NotDeliveredError

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
HOST = "http://plant.local"
OWN = {"Origin": HOST}
PASSWORD = "a quiet lift is a happy lift"  # noqa: S105 - of made-up people
ROSTER = """
roster: {zone: Asia/Shanghai}
shifts: {day: {hours: {mon-fri: ["08:00-18:00"]}}}
people:
  - {id: li, name: Li Wei, skills: [elevator], roles: [technician], shift: day,
     channels: [{name: chat, address: "json://chat.invalid"}, {name: mail, address: "json://mail.invalid"}],
     certificates: [{name: lift mechanic, class: elevator, until: 2026-12-01}]}
teams: {lifts: [li]}
"""


class Post:
    """Takes messages by chat; the mail is down."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []

    def __call__(self, address: str, subject: str, body: str, key: str = "") -> None:  # noqa: ARG002 - how a courier calls it
        if "mail" in address:
            msg = "the channel did not take it"
            raise NotDeliveredError(msg)
        self.sent.append((address, subject, body))


class Office:
    """The pages with an admin who is signed in."""

    def __init__(self, database: Database, tmp_path: object) -> None:
        self.database, self.clock, self.post = database, JournalClock(to_us(NOW)), Post()
        registry = parse_site(site_text(), "site.yaml")
        with database.writing() as session:
            for name, role in (("chief", "admin"), ("li.wei", "technician")):
                row = directory.add_user(session, Actor("test"), NOW, name=name, role=role)
                row.password_hash = hashed(PASSWORD)
        roster = parse_roster(ROSTER, "roster.yaml", {}, registry)
        back = BackOffice(database, lambda: registry.buildings, lambda: roster, self.clock, self.clock, self.post)
        self.door = AccountDoor(database, "program-token", self.clock, once_file=tmp_path / "once")  # type: ignore[operator]  # a Path
        app = FastAPI()
        show_denials(app)
        app.include_router(
            web_router(PreviewPlant(NOW), WebDoor(self.door, database, self.clock), office=back, own=back)
        )
        self.app = app
        self.admin = self.client("chief")

    def client(self, name: str) -> Client:
        found = Client(self.app, HOST)
        assert found.post("/login", data={"name": name, "password": PASSWORD}, headers=OWN).status_code == 303
        return found


@pytest.fixture
def office(database: Database, tmp_path: object) -> Office:
    return Office(database, tmp_path)


def test_the_admin_adds_somebody_who_sets_her_password_by_the_link(office: Office) -> None:
    form = {"name": "m.chen", "display_name": "Chen <Mei>", "role": "technician"}
    added = office.admin.post("/office/users", data=form, headers=OWN)
    assert added.status_code == 201
    found = re.search(r"http://plant\.local(/password/[\w-]+)", added.text)
    assert found, "the link is shown once"
    assert found[1] not in office.admin.get("/office/users").text
    listed = office.admin.get("/office/users?lang=zh").text
    assert "Chen &lt;Mei&gt;" in listed
    assert "尚未设置密码" in listed
    hers = Client(office.app, HOST)
    words = {"password": PASSWORD, "again": PASSWORD}
    assert hers.post(found[1], data=words, headers=OWN).headers["location"] == "/"
    assert hers.post(found[1], data=words, headers=OWN).status_code == 404, "it worked once"
    assert hers.get("/office/users").status_code == 403


def test_a_wrong_form_keeps_what_was_typed_and_says_so_beside_the_field(office: Office) -> None:
    for form, field, words in (
        ({"name": "a b", "display_name": "Kept", "role": "engineer"}, "e-name", "is no user name"),
        ({"name": "new.one", "display_name": "Kept", "role": "king"}, "e-role", "role"),
        ({"name": "new.one", "display_name": "Kept", "role": "customer"}, "e-buildings", "at least one"),
        ({"name": "LI.WEI", "display_name": "Kept", "role": "engineer"}, "e-name", "already"),
    ):
        answer = office.admin.post("/office/users", data=form, headers=OWN)
        assert answer.status_code == 422
        assert f'id="{field}"' in answer.text, form
        assert words in answer.text
        assert 'value="Kept"' in answer.text
    assert len(office.admin.get("/office/users").text.split("/office/users/")) == 3, "nobody was added"


def test_the_audit_is_told_in_the_readers_language(office: Office) -> None:
    assert "user added" in office.admin.get("/office/audit").text
    chinese = office.admin.get("/office/audit?lang=zh").text
    assert 'value="user added">新增用户' in chinese
    assert '<td class="what">新增用户</td>' in chinese


def test_changes_end_sessions_and_the_last_admin_stays(office: Office) -> None:
    hers = office.client("li.wei")
    assert hers.get("/my").status_code == 200
    path = "/office/users/li.wei"
    assert office.admin.post(f"{path}/change", data={"role": "engineer"}, headers=OWN).status_code == 303
    assert hers.get("/my").status_code == 303, "she has to sign in again"
    hers = office.client("li.wei")
    assert office.admin.post(f"{path}/off", headers=OWN).status_code == 303
    assert hers.get("/my").status_code == 303
    assert "Switched off" in office.admin.get(path).text
    assert office.admin.post(f"{path}/on", headers=OWN).status_code == 303
    office.client("li.wei")
    refused = office.admin.post("/office/users/chief/off", headers=OWN)
    assert (refused.status_code, "last admin" in refused.text) == (422, True)
    assert office.admin.post(f"{path}/off", headers={"Origin": "http://evil.example"}).status_code == 403
    assert office.admin.get("/office/users/nobody").status_code == 404


def test_tokens_are_made_by_their_owner_shown_once_and_revoked_by_her_or_the_admin(office: Office) -> None:
    hers = office.client("li.wei")
    made = hers.post("/me/tokens", data={"label": "wall", "scope": "read", "days": "30"}, headers=OWN)
    (token,) = set(re.findall(r"prt_[\w-]{20,}", made.text))
    assert office.door.by_token(token) is not None
    assert token not in hers.get("/me").text
    (listed,) = set(re.findall(r"/office/tokens/(\w+)/revoke", office.admin.get("/office/tokens").text))
    other = office.client("chief")
    assert other.post(f"/me/tokens/{listed}/revoke", headers=OWN).status_code == 404, "not hers"
    assert office.admin.post(f"/office/tokens/{listed}/revoke", headers=OWN).status_code == 303
    assert office.door.by_token(token) is None
    assert office.admin.post(f"/office/tokens/{listed}/revoke", headers=OWN).status_code == 409
    wrong = hers.post("/me/tokens", data={"label": "kept", "scope": "read", "days": "99999"}, headers=OWN)
    assert (wrong.status_code, 'value="kept"' in wrong.text) == (422, True)


def test_what_a_person_chose_is_hers_on_every_browser(office: Office) -> None:
    hers = office.client("li.wei")
    assert "°C" in hers.get("/assets/zone-12e").text
    assert "data-theme" not in hers.get("/me").text
    chosen = {"language": "zh", "units": "us", "theme": "dark"}
    assert hers.post("/me", data=chosen, headers=OWN).status_code == 303
    elsewhere = office.client("li.wei")
    text = elsewhere.get("/assets/zone-12e", headers={"Accept-Language": "en"}).text
    assert '<html lang="zh-CN" data-theme="dark">' in text, (
        "drawn dark by the server: nothing flashes, no script is needed"
    )
    assert '<meta name="color-scheme" content="dark">' in text
    assert "°F" in text
    assert "°C" not in text
    assert "°C" in office.admin.get("/assets/zone-12e").text, "others read what they chose"
    hers.post("/me", data={"language": "klingon", "units": "cubits", "theme": "plaid"}, headers=OWN)
    text = hers.get("/assets/zone-12e").text
    assert "°C" in text
    assert "data-theme" not in text


def test_channels_are_tried_one_by_one_and_certificates_that_end_are_said(office: Office) -> None:
    text = office.admin.get("/office/people").text
    for words in ("Li Wei", "Elevator", "ends soon", "08:00–18:00", "Try chat", "lifts"):
        assert words in text, words
    assert "chat.invalid" not in text, "addresses are secrets"
    assert (
        "chat took the message"
        in office.admin.post("/office/people/li/test", data={"channel": "chat"}, headers=OWN).text
    )
    ((address, _, body),) = office.post.sent
    assert address == "json://chat.invalid"
    assert "chief" in body
    down = office.admin.post("/office/people/li/test", data={"channel": "mail"}, headers=OWN)
    assert (down.status_code, "did not take it" in down.text) == (409, True)
    assert office.admin.post("/office/people/li/test", data={"channel": "pager"}, headers=OWN).status_code == 409
    audit = office.admin.get("/office/audit?what=channel+tested").text
    assert audit.count("channel tested") >= 2


def test_the_audit_is_found_by_who_what_and_whom_page_by_page(office: Office) -> None:
    with office.database.writing() as session:
        for number in range(120):
            directory.note(session, Actor("robot"), NOW, "counted", f"thing-{number:03}", "100 %")
    first = office.admin.get("/office/audit?who=ROB").text
    assert first.count("thing-") == 50
    assert "thing-119" in first
    assert 'rel="next" href="?page=2&amp;who=ROB' in first
    last = office.admin.get("/office/audit?who=rob&page=3").text
    assert last.count("thing-") == 20
    assert 'rel="next"' not in last
    assert "thing-007" in office.admin.get("/office/audit?about=thing-007").text
    assert "Nothing of this kind" in office.admin.get("/office/audit?about=%25").text, "no wildcard gets in"
    with office.database.reading() as session:
        assert "counted" in repository.audited_kinds(session)
    assert office.admin.get("/office/audit?page=0").status_code == 422


def test_the_other_pages_of_the_office_open_in_both_languages(office: Office) -> None:
    for path in ("/office", "/office/sites", "/office/people", "/office/tokens", "/office/users/chief", "/me"):
        for language in ("en", "zh"):
            office.admin.cookies.pop("plantroom_language", None)
            assert office.admin.get(f"{path}?lang={language}").status_code == 200, path
