"""Every route times every role, on the running program; and what a customer sees of other buildings: nothing."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from running import PLAIN, System

from facility.clock import RealClock
from plantroom.accounts import directory
from plantroom.accounts.caller import Caller
from plantroom.accounts.directory import Actor
from plantroom.accounts.policy import PUBLIC, Access, decide_access, is_listed
from plantroom.accounts.role import Role
from plantroom.database import Database
from plantroom.once import HEADER, SAFE

SITE = """
site: {id: two, zone: UTC}
buildings:
  - id: mine
    assets:
      - {id: tank-mine, class: tank, points: {tank_level: {cadence: 60 s}}}
  - id: theirs
    assets:
      - {id: tank-theirs, class: tank, points: {tank_level: {cadence: 60 s}}}
"""
# Who may: c customer, t technician, e engineer, m manager, a admin. Written by hand, not taken from the policy.
ROUTES = {
    "GET /": "ctema",
    "GET /assets/{asset_id}": "ctema",
    "GET /buildings/{building_id}": "ctema",
    "GET /buildings/{building_id}/stickers": "tema",
    "GET /buildings/{building_id}/floors": "ctema",
    "GET /assets/{asset_id}/siblings": "ctema",
    "GET /assets/{asset_id}/manuals/none": "ctema",
    "GET /findings": "ctema",
    "GET /findings/shelved": "tema",
    "POST /findings/shelved/back": "ea",
    "POST /findings/{finding_id}/shelve": "ea",
    "GET /api/shelves": "tema",
    "DELETE /api/shelves/{asset_id}/x": "ea",
    "POST /api/findings/{id}/shelve": "ea",
    "GET /findings/{finding_id}": "ctema",
    "GET /work-orders": "ctema",
    "GET /work-orders/{order_id}": "ctema",
    "POST /work-orders/{order_id}/complete": "tema",
    "POST /work-orders/{order_id}/accept": "ctema",
    "POST /work-orders/{order_id}/reopen": "ctema",
    "POST /work-orders/{order_id}/quotes/new": "tema",
    "POST /work-orders/{order_id}/quotes/none/approve": "cma",
    "POST /work-orders/{order_id}/quotes/none/reject": "cma",
    "POST /work-orders/{order_id}/quotes/none/withdraw": "tema",
    "GET /my": "tema",
    "GET /devices": "ea",
    "POST /devices/approve": "ea",
    "GET /dead-letters": "ea",
    "GET /rules": "ema",
    "GET /rules/{rule_id}": "ema",
    "POST /rules/{rule_id}/trials": "ema",
    "GET /rules/trials/none": "ema",
    "GET /rules/trials/none/report": "ema",
    "GET /health": "tema",
    "GET /live": "ctema",
    "GET /events?seconds=0": "ctema",
    "GET /me": "ctema",
    "POST /me": "ctema",
    "POST /me/tokens": "ctema",
    "POST /me/tokens/{id}/revoke": "ctema",
    "GET /office": "a",
    "GET /office/users": "a",
    "POST /office/users": "a",
    "GET /office/users/{name}": "a",
    "POST /office/users/{name}/change": "a",
    "POST /office/users/{name}/off": "a",
    "POST /office/users/{name}/on": "a",
    "POST /office/users/{name}/link": "a",
    "GET /office/tokens": "a",
    "POST /office/tokens/{id}/revoke": "a",
    "GET /office/people": "a",
    "POST /office/people/{id}/test": "a",
    "GET /office/sites": "a",
    "GET /office/audit": "a",
    "GET /office/manuals/{asset_id}": "a",
    "POST /office/manuals/{asset_id}": "a",
    "POST /office/manuals/{asset_id}/none/remove": "a",
    "GET /office/files": "a",
    "GET /office/files/{key}": "a",
    "POST /office/files/{key}": "a",
    "GET /manage": "ma",
    "GET /plan": "tema",
    "GET /contracts": "ma",
    "GET /contracts/compare?one=x&other=y": "ma",
    "GET /contracts/{id}": "ma",
    "GET /api/me": "ctema",
    "GET /api/me/tokens": "ctema",
    "GET /api/sites": "ctema",
    "GET /api/assets": "ctema",
    "GET /api/assets/{asset_id}": "ctema",
    "GET /api/readings?asset=tank-mine&point=tank_level": "ctema",
    "GET /api/findings": "ctema",
    "GET /api/work-orders": "ctema",
    "GET /api/work-orders/{id}": "ctema",
    "GET /api/work-orders/{id}/deadline": "ctema",
    "POST /api/work-orders/{id}/acknowledge": "tema",
    "POST /api/work-orders/{id}/accept": "ctema",
    "GET /api/dead-letters": "ea",
    "GET /api/devices": "ea",
    "POST /api/devices/approve": "ea",
    "POST /api/devices/forget": "ea",
    "GET /api/rules": "tema",
    "GET /api/rules/{rule_id}": "tema",
    "GET /api/rules/not-applicable": "tema",
    "GET /api/kpi?period=2026": "ma",
    "GET /api/report?period=2026": "ma",
    "POST /api/import/assets": "a",
    "POST /api/import/technicians": "a",
    "GET /api/contracts": "ma",
    "GET /api/contracts/none": "ma",
    "POST /api/contracts/check": "ma",
    "POST /api/contracts/compare": "ma",
    "GET /api/costs?order={id}": "tema",
    "POST /api/quotes": "tema",
    "POST /api/quotes/none/approve": "cma",
    "POST /api/quotes/none/reject": "cma",
    "POST /api/quotes/none/withdraw": "tema",
    "GET /api/parts": "tema",
    "POST /api/parts": "ma",
    "GET /api/claims": "tema",
    "GET /api/calendars": "a",
    "GET /api/outbox": "ma",
    "GET /api/requests": "tema",
    "POST /api/complaints": "tema",
    "GET /api/surveys": "tema",
    "GET /api/work-orders/{id}/escalations": "tema",
    "GET /api/users": "a",
    "POST /api/users": "a",
    "PUT /api/users/{name}": "a",
    "POST /api/users/{name}/disable": "a",
    "POST /api/users/{name}/link": "a",
    "GET /api/audit": "a",
    "GET /metrics": "ea",
    "GET /openapi.json": "ctema",
}
LETTERS = {"c": Role.CUSTOMER, "t": Role.TECHNICIAN, "e": Role.ENGINEER, "m": Role.MANAGER, "a": Role.ADMIN}


@dataclass(frozen=True)
class Staffed:
    """A running system and a token for each role."""

    system: System
    tokens: dict[Role, str]
    client: httpx.Client

    def ask(self, role: Role | None, method: str, path: str, more: dict[str, str] | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens[role]}"} if role is not None else {}
        headers |= more or {}
        address = f"http://127.0.0.1:{self.system.http_port}"
        headers |= {"Origin": address}
        self.client.cookies.clear()  # who asks is said by the token alone
        return self.client.request(method, address + path, headers=headers)


@pytest.fixture
def staffed(new_system: Callable[..., System], tmp_path: Path) -> Iterator[Staffed]:
    site = tmp_path / "site.yaml"
    site.write_text(SITE, encoding="utf-8")
    system = new_system(site=str(site))
    system.start()
    tokens, now = {}, RealClock().now()
    with closing(Database(f"sqlite:///{system.var / 'plantroom.db'}")) as database, database.writing() as session:
        for role in Role:
            buildings = ["mine"] if role is Role.CUSTOMER else []
            row = directory.add_user(
                session, Actor("test"), now, name=f"a-{role}", role=role, buildings=buildings,
                known_buildings=["mine", "theirs"],
            )  # fmt: skip
            tokens[role] = directory.add_token(session, Actor("test"), now, row, label="t", scope="all", days=None)[1]
    limits = httpx.Limits(keepalive_expiry=2)  # sooner than the server closes it
    with httpx.Client(trust_env=False, verify=PLAIN, timeout=30, limits=limits) as client:
        yield Staffed(system, tokens, client)
    assert system.stop() == 0


def test_every_route_times_every_role(staffed: Staffed) -> None:
    wrong = []
    for line, who in ROUTES.items():
        method, path = line.split(" ")
        path = path.replace("{asset_id}", "tank-mine").replace("{building_id}", "mine").replace("{name}", "nobody")
        path = (
            path.replace("{order_id}", "none")
            .replace("{finding_id}", "none")
            .replace("{id}", "none")
            .replace("{key}", "none")
        )
        path = path.replace("{rule_id}", "none")
        for letter, role in LETTERS.items():
            answer = staffed.ask(role, method, path)
            if (answer.status_code in (401, 403)) == (letter in who) or answer.status_code >= 500:
                wrong.append(f"{line} as {role}: {answer.status_code}")
        nobody = staffed.ask(None, method, path)
        if nobody.status_code not in ((401,) if "/api/" in path or path in ("/metrics", "/openapi.json") else (303,)):
            wrong.append(f"{line} as nobody: {nobody.status_code}")
    assert not wrong, "\n".join(wrong)
    described = staffed.ask(Role.ADMIN, "GET", "/openapi.json").json()["paths"]
    unlisted = [path for path in described if not is_listed(path)]
    assert not unlisted, f"say in plantroom/accounts/policy.py who may use {unlisted}"
    _every_change_takes_an_idempotency_key(staffed, described)
    _a_customer_sees_its_buildings_only(staffed)
    _a_person_acts_under_her_own_name_and_revokes_her_token(staffed)


def _every_change_takes_an_idempotency_key(staffed: Staffed, described: dict[str, Any]) -> None:
    """Whatever the route: a key that is none is refused before anything is done."""
    changes = [
        (method.upper(), path, operation)
        for path, methods in described.items()
        for method, operation in methods.items()
        if path.startswith("/api/") and method.upper() not in SAFE
    ]
    assert len(changes) > 25
    for method, path, operation in changes:
        assert HEADER in [one["name"] for one in operation["parameters"]], f"{method} {path} takes no {HEADER}"
        called = re.sub(r"\{\w+\}", "none", path)
        answer = staffed.ask(Role.ADMIN, method, called, {HEADER: "a b"})
        assert answer.status_code == 422, f"{method} {path}: {answer.text}"
        assert HEADER in answer.text, f"{method} {path}: {answer.text}"


def _a_customer_sees_its_buildings_only(staffed: Staffed) -> None:
    customer = Role.CUSTOMER
    sites = staffed.ask(customer, "GET", "/api/sites").json()
    assert [building["id"] for site in sites for building in site["buildings"]] == ["mine"]
    assert [asset["id"] for asset in staffed.ask(customer, "GET", "/api/assets").json()] == ["tank-mine"]
    assert staffed.ask(customer, "GET", "/api/assets/tank-theirs").status_code == 404
    assert staffed.ask(customer, "GET", "/api/readings?asset=tank-theirs&point=tank_level").status_code in (404, 422)
    assert staffed.ask(customer, "GET", "/assets/tank-theirs").status_code == 404
    assert staffed.ask(customer, "GET", "/buildings/theirs").status_code == 404
    assert "tank-theirs" not in staffed.ask(customer, "GET", "/").text
    assert "/devices" not in staffed.ask(customer, "GET", "/").text
    assert "tank-theirs" in staffed.ask(Role.TECHNICIAN, "GET", "/buildings/theirs").text


def _a_person_acts_under_her_own_name_and_revokes_her_token(staffed: Staffed) -> None:
    me = staffed.ask(Role.ENGINEER, "GET", "/api/me").json()
    assert (me["name"], me["role"], me["buildings"]) == ("a-engineer", "engineer", None)
    (token,) = staffed.ask(Role.ENGINEER, "GET", "/api/me/tokens").json()
    assert token["token"] is None
    assert staffed.ask(Role.MANAGER, "DELETE", f"/api/me/tokens/{token['id']}").status_code == 404
    assert staffed.ask(Role.ENGINEER, "DELETE", f"/api/me/tokens/{token['id']}").status_code == 204
    assert staffed.ask(Role.ENGINEER, "GET", "/api/me").status_code == 401


def test_a_route_nobody_decided_about_is_the_admins_alone() -> None:
    assert not is_listed("/api/something-new")
    assert all(is_listed(route) for route in PUBLIC)


def test_whoever_has_buildings_of_her_own_sees_no_list_of_everything() -> None:
    local = Caller("x", Role.TECHNICIAN, "1", frozenset({"mine"}))
    for route in ("/api/work-orders", "/api/work-orders/{id}/{verb}", "/api/me", "/health"):
        assert decide_access(local, "GET", route, {}) is Access.GRANTED
    manager = Caller("y", Role.MANAGER, "2", frozenset({"mine"}))
    for route in ("/api/rules/not-applicable", "/api/kpi", "/api/outbox"):
        assert decide_access(manager, "GET", route, {}) is Access.BUILDINGS
        assert not decide_access(local, "GET", route, {}).is_allowed


def test_a_customer_without_buildings_cannot_exist() -> None:
    with pytest.raises(ValueError, match="without buildings"):
        Caller("x", Role.CUSTOMER)
