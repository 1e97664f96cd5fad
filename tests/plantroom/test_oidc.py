"""Signing in through an identity provider that runs beside the test: in, and every way of not getting in."""

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from asking import Client as Browser
from fastapi import FastAPI
from identity import CLIENT, SECRET, Identity, identity_provider
from preview.plant import PreviewPlant

from dashboards.web.pages import show_denials
from dashboards.web.router import web_router
from facility.clock import JournalClock
from facility.errors import InputError
from facility.instant import to_us
from plantroom.accounts import directory, repository
from plantroom.accounts.directory import Actor
from plantroom.accounts.door import AccountDoor
from plantroom.accounts.oidc_claims import OidcMapping, parse_roles
from plantroom.accounts.oidc_provider import Client, Provider
from plantroom.accounts.oidc_routes import build_oidc_router
from plantroom.accounts.web_door import WebDoor
from plantroom.database import Database
from plantroom.settings import load_settings

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
HOST = "http://plant.local"
ROLES = "plant-admins=admin, lift-crew=technician, tenants=customer"


class House:
    """Pages with an identity provider."""

    def __init__(self, database: Database, provider: Identity, folder: Path) -> None:
        self.database, self.provider, self.clock = database, provider, JournalClock(to_us(NOW))
        door = AccountDoor(database, "program-token", self.clock, folder / "once")
        mapping = OidcMapping(parse_roles(ROLES), buildings_claim="buildings")
        client = Client(provider.issuer, CLIENT, SECRET, HOST)
        self.app = FastAPI()
        show_denials(self.app)
        plant = PreviewPlant(NOW)
        there = Provider(client, self.clock)
        web = WebDoor(door, database, self.clock)
        self.app.include_router(web_router(plant, web, provider="Company login", leave=there.leave))
        self.app.include_router(
            build_oidc_router(there, mapping, door, database, lambda: plant.registry().buildings, self.clock)
        )
        provider.person = {"sub": "s-1", "preferred_username": "li.wei", "name": "Li Wei", "groups": ["lift-crew", "x"]}

    def browser(self) -> Browser:
        return Browser(self.app, HOST)

    def go(self, browser: Browser, wanted: str = "/my") -> httpx.Response:
        """To the provider and back."""
        return browser.get(self.there(browser, wanted))

    def there(self, browser: Browser, wanted: str = "/my") -> str:
        """To the provider, which signs in at once: the path it sends back to."""
        browser.cookies.pop("plantroom_oidc", None)
        sent = browser.get(f"/oidc/login?next={wanted}")
        assert sent.status_code == 303
        asked = dict(parse_qsl(urlsplit(sent.headers["location"]).query))
        return self.provider.authorize(asked).removeprefix(HOST)

    def user(self, name: str = "li.wei") -> Any:  # noqa: ANN401 - a row, or None
        with self.database.reading() as session:
            return repository.find_user(session, name)


@pytest.fixture
def house(tmp_path: Path, upgraded_sqlite: Path) -> Iterator[House]:
    path = tmp_path / "plantroom.db"
    path.write_bytes(upgraded_sqlite.read_bytes())
    with identity_provider(int(NOW.timestamp())) as provider:
        database = Database(f"sqlite:///{path}")
        yield House(database, provider, tmp_path)
        database.close()


def leaves(browser: Browser) -> httpx.Response:
    """By the button on every page."""
    return browser.post("/logout", headers={"Origin": HOST})


def test_who_came_through_the_provider_is_signed_out_there_too_and_comes_back(house: House) -> None:
    browser = house.browser()
    cookie = house.go(browser).headers.get_list("set-cookie")
    kept = next(one for one in cookie if one.startswith("plantroom_hint="))
    assert "Path=/logout" in kept
    assert "HttpOnly" in kept
    assert "SameSite=strict" in kept
    assert browser.get("/my").status_code == 200
    out = leaves(browser)
    assert out.status_code == 200, "a page goes on: our own policy for forms would hold a redirect back"
    address = html.unescape(re.findall(r'content="0;url=([^"]+)"', out.text)[0])
    assert address.startswith(f"{house.provider.issuer}/end?")
    assert house.provider.end(dict(parse_qsl(urlsplit(address).query))) == f"{HOST}/login"
    assert browser.get("/my").status_code == 303
    gone = next(one for one in out.headers.get_list("set-cookie") if one.startswith("plantroom_hint="))
    assert "Max-Age=0" in gone
    assert "Path=/logout" in gone


def test_without_a_place_to_sign_out_there_one_is_signed_out_here(house: House) -> None:
    house.provider.signs_out = False
    browser = house.browser()
    house.go(browser)
    assert leaves(browser).headers["location"] == "/login"
    assert browser.get("/my").status_code == 303


def test_a_token_too_long_for_a_cookie_is_left_out_and_one_signs_out_all_the_same(house: House) -> None:
    house.provider.person["about"] = "x" * 4_000
    browser = house.browser()
    house.go(browser)
    address = html.unescape(re.findall(r'content="0;url=([^"]+)"', leaves(browser).text)[0])
    assert set(parse_qsl(urlsplit(address).query)) == {
        ("client_id", CLIENT), ("post_logout_redirect_uri", f"{HOST}/login"),
    }  # fmt: skip


def test_somebody_of_a_known_group_comes_in_with_its_role_and_stays_herself(house: House) -> None:
    browser = house.browser()
    assert "Company login" in browser.get("/login").text
    entered = house.go(browser)
    assert entered.status_code == 200
    assert 'content="0;url=/my"' in entered.text, "a page of ours goes on: the strict cookie goes with it"
    assert "SameSite=strict" in str(entered.headers.get_list("set-cookie"))
    assert browser.get("/my").status_code == 200
    assert browser.get("/office/users").status_code in (403, 404)
    row = house.user()
    assert (row.role, row.display_name, row.password_hash) == ("technician", "Li Wei", None)
    assert (
        "Name and password"
        in browser.post("/login", data={"name": "li.wei", "password": ""}, headers={"Origin": HOST}).text
    ), "she has no password to guess"
    house.provider.person |= {"groups": "plant-admins", "preferred_username": "another.name"}
    assert house.go(house.browser()).status_code == 200
    assert (house.user().role, house.user("another.name")) == ("admin", None), "her subject counts, not her name"
    assert browser.get("/my").status_code == 303, "another role ends the sessions of the old one"


def test_a_customer_sees_the_buildings_her_claim_names(house: House) -> None:
    house.provider.person |= {"groups": ["tenants"], "buildings": ["tower-a", "elsewhere"]}
    assert house.go(house.browser()).status_code == 200
    assert house.user().buildings == ["tower-a"]
    house.provider.person |= {"sub": "s-2", "preferred_username": "other", "buildings": []}
    assert house.go(house.browser()).headers["location"] == "/login?oidc=buildings"


@pytest.mark.parametrize(
    ("bend", "why"),
    [({"iss": "https://evil.example"}, "forged"), ({"aud": "another"}, "forged"),
     ({"aud": [CLIENT, "another"]}, "forged"), ({"nonce": "replayed"}, "forged"), ({"nonce": None}, "forged"),
     ({"exp": int(NOW.timestamp()) - 600}, "forged"), ({"exp": None}, "forged"),
     ({"iat": int(NOW.timestamp()) + 900}, "forged"), ({"sub": ""}, "forged"), ({"groups": ["strangers"]}, "role"),
     ({"groups": None}, "role"), ({"groups": {"a": 1}}, "role"), ({"preferred_username": None}, "name"),
     ({"preferred_username": "a <b>"}, "name")],
)  # fmt: skip
def test_what_does_not_fit_lets_nobody_in(house: House, bend: dict[str, Any], why: str) -> None:
    house.provider.bend = bend
    browser = house.browser()
    answer = house.go(browser)
    assert answer.headers["location"] == f"/login?oidc={why}"
    assert 'role="alert"' in browser.get(answer.headers["location"]).text
    assert browser.get("/my").status_code == 303
    assert house.user() is None


@pytest.mark.parametrize("sign", ["none", "shared", "other"])
def test_only_the_providers_own_key_pair_signs(house: House, sign: str) -> None:
    house.provider.sign = sign
    assert house.go(house.browser()).headers["location"] == "/login?oidc=forged"
    assert house.user() is None


def test_the_way_back_belongs_to_the_browser_that_went_and_works_once(house: House) -> None:
    hers, other = house.browser(), house.browser()
    back = house.there(hers)
    assert other.get(back).headers["location"] == "/login?oidc=stale", "another browser cannot finish it"
    house.there(other)
    assert other.get(back).headers["location"] == "/login?oidc=forged", "nor with a way of its own"
    assert hers.get(back).status_code == 200
    assert hers.get(back).headers["location"] == "/login?oidc=stale", "once"
    late = house.browser()
    back = house.there(late)
    house.clock.advance(to_us(NOW) + 601_000_000)
    assert late.get(back).headers["location"] == "/login?oidc=stale", "ten minutes are enough"


def test_a_stolen_code_is_worth_nothing_without_the_verifier(house: House) -> None:
    back = house.there(house.browser())
    thief = house.browser()
    own = dict(parse_qsl(urlsplit(house.there(thief)).query))
    stolen = dict(parse_qsl(urlsplit(back).query))["code"]
    assert thief.get(f"/oidc/callback?code={stolen}&state={own['state']}").headers["location"] == "/login?oidc=refused"


def test_the_provider_may_refuse_be_away_or_come_back_under_another_name(house: House) -> None:
    browser = house.browser()
    state = dict(parse_qsl(urlsplit(house.there(browser)).query))["state"]
    refused = browser.get(f"/oidc/callback?error=access_denied&state={state}")
    assert refused.headers["location"] == "/login?oidc=refused"
    state = dict(parse_qsl(urlsplit(house.there(browser)).query))["state"]
    mixed = browser.get(f"/oidc/callback?code=x&state={state}&iss=https://evil.example")
    assert mixed.headers["location"] == "/login?oidc=forged"
    assert house.go(house.browser(), "//evil.example").text.count("evil") == 0, "never to another site"


def test_a_provider_that_does_not_answer_is_said(tmp_path: Path, house: House) -> None:
    house.provider.lives = False
    fresh = House(house.database, house.provider, tmp_path)
    assert fresh.browser().get("/oidc/login").headers["location"] == "/login?oidc=away"


def test_a_local_user_of_the_same_name_is_not_taken_over(house: House) -> None:
    with house.database.writing() as session:
        row = directory.add_user(session, Actor("test"), NOW, name="li.wei", role="admin")
        directory.set_password(session, Actor("test"), NOW, row, "a quiet lift is a happy lift")
    assert house.go(house.browser()).headers["location"] == "/login?oidc=taken"
    with house.database.writing() as session:
        directory.add_user(session, Actor("test"), NOW, name="made.before", role="technician")
    house.provider.person |= {"sub": "s-9", "preferred_username": "made.before"}
    assert house.go(house.browser()).status_code == 200, "one without a password waits for its owner"
    with house.database.writing() as session:
        found = repository.find_user(session, "made.before")
        assert found is not None
        directory.disable_user(session, Actor("test"), NOW, found)
    assert house.go(house.browser()).headers["location"] == "/login?oidc=disabled"


def test_settings_say_what_is_missing_and_wrong(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="oidc_client_id, oidc_client_secret_file, oidc_address, oidc_roles"):
        load_settings(var=tmp_path, oidc_issuer="https://id.example")
    with pytest.raises(InputError, match="king"):
        parse_roles("crew=king")
    with pytest.raises(InputError, match="maps nothing"):
        parse_roles("crew")
    with pytest.raises(InputError, match="https"):
        Client("http://id.example", "a", "b", HOST)
