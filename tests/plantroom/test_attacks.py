"""Sessions, tokens and signed links as somebody tries them who should not come in, over the real accounts."""

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asking import Client
from fastapi import Depends, FastAPI
from people import hashed
from preview.plant import PreviewPlant

from dashboards.web.pages import SESSION, show_denials
from dashboards.web.router import web_router
from facility.clock import JournalClock
from facility.instant import to_us
from plantroom.access import Gate
from plantroom.accounts import directory, repository
from plantroom.accounts.api import build_router as accounts_router
from plantroom.accounts.api_tokens import token_router
from plantroom.accounts.directory import Actor
from plantroom.accounts.door import GRACE, IDLE, LONGEST, ROTATE, AccountDoor
from plantroom.accounts.web_door import WebDoor, enter_router
from plantroom.database import Database
from plantroom.office_desk import BackOffice
from ticketing.roster import NOBODY
from ticketing.signed_link import Errand, read_errand, sign_errand
from ticketing.work_order import Verb

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
HOST = "http://plant.local"
OWN = {"Origin": HOST}
PASSWORD = "a quiet lift is a happy lift"  # noqa: S105 - of a made-up person


class House:
    """Pages and API over a database with one technician and one admin."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.clock = database, JournalClock(to_us(NOW))
        with database.writing() as session:
            for name, role in (("li.wei", "technician"), ("chief", "admin")):
                row = directory.add_user(session, Actor("test"), NOW, name=name, role=role)
                row.password_hash = hashed(PASSWORD)
        self.door = AccountDoor(database, "the program's own token", self.clock, folder / "once")
        (folder / "once").write_text("right-code", encoding="ascii")
        plant = PreviewPlant(NOW)
        back = BackOffice(
            database, lambda: plant.registry().buildings, lambda: NOBODY, self.clock, self.clock, lambda *_: None
        )
        self.app = FastAPI()
        show_denials(self.app)
        gate = [Depends(Gate(self.door).require)]
        self.app.include_router(accounts_router(database, plant.registry, self.clock), dependencies=gate)
        self.app.include_router(token_router(database, self.clock), dependencies=gate)
        self.app.include_router(web_router(plant, WebDoor(self.door, database, self.clock), office=back, own=back))
        self.app.include_router(enter_router(self.door))

    def browser(self, cookie: str = "") -> Client:
        found = Client(self.app, HOST)
        if cookie:
            found.cookies[SESSION] = cookie
        return found

    def signed_in(self, name: str = "li.wei") -> Client:
        found = self.browser()
        answer = found.post("/login", data={"name": name, "password": PASSWORD}, headers=OWN)
        assert answer.status_code == 303
        return found

    def later(self, span: timedelta) -> None:
        self.clock.advance(self.clock.now_us() + span // timedelta(microseconds=1))

    def audited(self, what: str) -> list[str]:
        with self.database.reading() as session:
            return [row.detail for row in repository.list_audit(session, limit=500) if row.what == what]


@pytest.fixture
def house(tmp_path: Path, upgraded_sqlite: Path) -> Iterator[House]:
    path = tmp_path / "plantroom.db"
    path.write_bytes(upgraded_sqlite.read_bytes())
    with closing(Database(f"sqlite:///{path}")) as database:
        yield House(database, tmp_path)


def test_a_session_somebody_planted_is_never_the_one_that_signs_in(house: House) -> None:
    attacker = house.signed_in().cookies[SESSION]
    for planted, name in (("chosen-by-the-attacker", "li.wei"), (attacker, "chief")):
        victim = house.browser()
        headers = OWN | {"Cookie": f"{SESSION}={planted}"}
        answer = victim.post("/login", data={"name": name, "password": PASSWORD}, headers=headers)
        assert answer.status_code == 303
        assert victim.cookies[SESSION] != planted
    assert house.browser("chosen-by-the-attacker").get("/my").status_code == 303
    assert house.browser(attacker).get("/office/users").status_code == 403, "it is still only the attacker's"


def test_a_cookie_is_worth_nothing_after_signing_out(house: House) -> None:
    browser = house.signed_in()
    cookie = browser.cookies[SESSION]
    assert house.browser(cookie).get("/my").status_code == 200
    assert browser.post("/logout", headers=OWN).status_code == 303
    assert house.browser(cookie).get("/my").status_code == 303
    assert house.browser(cookie).get("/api/me").status_code == 401


def test_a_cookie_ends_with_its_time_and_a_replaced_one_ends_the_session(house: House) -> None:
    idle = house.signed_in().cookies[SESSION]
    house.later(IDLE + timedelta(seconds=1))
    assert house.browser(idle).get("/my").status_code == 303
    browser = house.signed_in()
    copied = browser.cookies[SESSION]
    house.later(ROTATE + timedelta(seconds=1))
    fresh = house.door.visit(copied)
    assert fresh is not None
    assert fresh.fresh not in ("", copied), "the session has another name now"
    assert house.browser(copied).get("/my").status_code == 200, "requests on their way still count"
    house.later(GRACE + timedelta(seconds=1))
    assert house.browser(copied).get("/my").status_code == 303, "the copy is used"
    assert house.browser(fresh.fresh).get("/my").status_code == 303, "and ends it for both"
    assert house.audited("session ended")
    used = house.signed_in()
    for _ in range(5):
        house.later(LONGEST / 4)
        visit = house.door.visit(used.cookies[SESSION])
        if visit is None:
            break
        used.cookies[SESSION] = visit.fresh or used.cookies[SESSION]
    assert house.door.visit(used.cookies[SESSION]) is None, "used every day, it ends all the same"


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Referer": "http://evil.example/plant.local"},
     {"Origin": HOST, "Sec-Fetch-Site": "cross-site"}, {"Origin": HOST + ".evil.example"},
     {"Origin": HOST, "Sec-Fetch-Site": "same-site"}],
)  # fmt: skip
def test_no_form_of_another_site_changes_anything(house: House, headers: dict[str, str]) -> None:
    admin = house.signed_in("chief")
    forms: tuple[tuple[str, dict[str, str]], ...] = (
        ("/office/users", {"name": "evil", "role": "admin"}),
        ("/office/users/li.wei/off", {}),
        ("/office/users/li.wei/link", {}),
        ("/office/users/li.wei/change", {"role": "admin"}),
        ("/me/tokens", {"label": "evil", "scope": "all"}),
        ("/me", {"units": "us"}),
        ("/logout", {}),
    )
    for path, form in forms:
        assert admin.post(path, data=form, headers=headers).status_code == 403, path
    assert admin.post("/api/users", json={"name": "evil", "role": "admin"}, headers=headers).status_code == 401
    assert admin.post("/login", data={"name": "li.wei", "password": PASSWORD}, headers=headers).status_code == 403
    names = [user["name"] for user in admin.get("/api/users").json()]
    assert names == ["chief", "li.wei"]
    assert admin.get("/api/me").json()["role"] == "admin", "still signed in, as herself"


def test_a_name_is_locked_longer_each_time_and_says_no_more_of_itself_than_that(house: House) -> None:
    browser = house.browser()

    def tried(password: str, name: str = "li.wei") -> str:
        answer = browser.post("/login", data={"name": name, "password": password}, headers=OWN)
        found = re.search(r'role="alert" id="refused">([^<]*)<', answer.text)
        return found[1] if found else str(answer.status_code)

    unknown = tried("wrong", "nobody.here")
    assert [tried(f"wrong {n}") for n in range(5)] == [unknown] * 5, "an unknown name and a wrong password look alike"
    assert "locked" in tried(PASSWORD), "now even the right one is refused"
    house.later(timedelta(minutes=1, seconds=1))
    assert tried("wrong again") == unknown
    house.later(timedelta(minutes=1, seconds=1))
    assert "locked" in tried(PASSWORD), "two minutes this time"
    house.later(timedelta(minutes=2))
    assert tried(PASSWORD) == "303"
    assert len(house.audited("sign-in refused")) >= 8, "every try is in the audit"
    assert house.signed_in("chief").get("/my").status_code == 200, "others are not locked"


def test_a_stolen_token_ends_with_its_day_its_owner_and_its_scope(house: House) -> None:
    hers = house.signed_in("chief")
    made = hers.post("/api/me/tokens", json={"label": "t", "scope": "read", "days": 1}, headers=OWN).json()
    bearer = {"Authorization": f"Bearer {made['token']}"}
    thief = house.browser()
    assert thief.get("/api/me", headers=bearer).status_code == 200
    assert thief.get("/api/users", headers=bearer).status_code == 403, "its scope is to look at the plant"
    assert thief.post("/api/me/tokens", json={"label": "x", "scope": "all"}, headers=bearer).status_code == 403
    assert thief.post("/login", data={"token": made["token"]}, headers=OWN).status_code == 401, "it opens no session"
    for bent in (made["token"][:-1], made["token"] + "x", made["token"].upper(), "prt_", "", made["hint"]):
        assert thief.get("/api/me", headers={"Authorization": f"Bearer {bent}"}).status_code == 401
    house.later(timedelta(days=1, seconds=1))
    assert thief.get("/api/me", headers=bearer).status_code == 401
    with house.database.writing() as session:
        row = repository.find_user(session, "li.wei")
        assert row is not None
        _, text = directory.add_token(session, Actor("t"), house.clock.now(), row, label="t", scope="all", days=None)
    assert house.door.by_token(text) is not None
    with house.database.writing() as session:
        row = repository.find_user(session, "li.wei")
        assert row is not None
        directory.disable_user(session, Actor("t"), house.clock.now(), row)
    assert house.door.by_token(text) is None, "who is switched off has no token"


def test_one_time_links_work_once_and_not_when_bent(house: House) -> None:
    for code in ("wrong-code", "right-codE", "right-code%00", "..%2fonce"):
        assert house.browser().get(f"/enter/{code}").headers.get("location", "/login") == "/login", code
    first = house.browser()
    assert first.get("/enter/right-code").headers["location"] == "/"
    assert house.browser().get("/enter/right-code").headers["location"] == "/login"
    with house.database.writing() as session:
        row = repository.find_user(session, "li.wei")
        assert row is not None
        code = directory.make_link(session, Actor("t"), house.clock.now(), row)
    form = {"password": "another long sentence", "again": "another long sentence"}
    assert house.browser().post(f"/password/{code[:-1]}", data=form, headers=OWN).status_code == 404
    assert house.browser().post(f"/password/{code}", data=form).status_code == 403, "not by another site's form"
    kept = house.signed_in()
    assert house.browser().post(f"/password/{code}", data=form, headers=OWN).status_code == 303
    assert kept.get("/my").status_code == 303, "a new password ends what the old one opened"
    assert house.browser().post(f"/password/{code}", data=form, headers=OWN).status_code == 404
    with house.database.writing() as session:
        row = repository.find_user(session, "li.wei")
        assert row is not None
        late = directory.make_link(session, Actor("t"), house.clock.now(), row)
    house.later(timedelta(days=1, seconds=1))
    assert house.browser().post(f"/password/{late}", data=form, headers=OWN).status_code == 404


def test_a_signed_link_cannot_be_bent_to_another_order_verb_or_person() -> None:
    secret = b"the secret of this installation"
    errand = Errand("wo_1", Verb.ACKNOWLEDGE, "li", NOW + timedelta(hours=1))
    token = sign_errand(secret, errand)
    assert read_errand(secret, token, NOW) == errand
    for bent in (
        token[:-1], token + "A", token[1:], token.swapcase(), "", ".", "..", token.replace(".", ""),
        sign_errand(b"another secret", errand),
        sign_errand(secret, Errand("wo_2", Verb.CANCEL, "boss", errand.until)).split(".")[0]
        + "." + token.split(".")[-1],
    ):  # fmt: skip
        assert not isinstance(read_errand(secret, bent, NOW), Errand), bent
    assert not isinstance(read_errand(secret, token, NOW + timedelta(hours=2)), Errand)
