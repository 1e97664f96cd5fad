"""Over the table of all routes of ticketing: whoever is limited to another building sees and changes nothing here."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asking import Client
from fastapi import FastAPI
from people import service_book
from pictures import picture

from facility.clock import JournalClock
from facility.finding import Finding
from facility.instant import to_us
from facility.registry import Registry
from plantroom.accounts.caller import Caller
from plantroom.accounts.policy import Access, decide_access
from plantroom.accounts.role import Role
from plantroom.database import Database
from plantroom.once import SAFE
from ticketing.attachment_desk import AttachmentDesk
from ticketing.attachment_store import AttachmentStore
from ticketing.desk import Desk
from ticketing.roster_file import parse_roster
from ticketing.routers import ApiParts, ticketing_routers

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
ROSTER = (Path(__file__).parents[1] / "data/ticketing/roster.yaml").read_text(encoding="utf-8")
SECRETS = {"WANG": "json://a", "LI": "json://b", "CHEN": "json://c", "ERP": "http://e", "ERP_SECRET": "0" * 16}
WORDS = "Only those of the tower know this"
LIMITED = Caller("x", Role.MANAGER, "1", frozenset({"elsewhere"}))
# What each change is asked for with, of things in the tower. A new one needs a line, or the test fails.
BODIES: dict[str, dict[str, Any]] = {
    "/api/work-orders": {"asset_id": "lift-1", "title": "x"},
    "/api/work-orders/{id}/{verb}": {},
    "/api/work-orders/{id}/checklist": {"item": 1, "value": "ok"},
    "/api/assets/{asset_id}/meters/{meter}": {"value": 99.0},
    "/api/dispatch/{id}": {},
    "/api/requests": {"text": "x", "building_id": "tower"},
    "/api/requests/{id}/{verb}": {},
    "/api/complaints": {"text": "x", "building_id": "tower"},
    "/api/complaints/{id}/link": {"order": "1"},
    "/api/complaints/{id}/{verb}": {},
    "/api/surveys/{id}/answers": {"answers": {}},
    "/api/costs": {"order": "1", "kind": "call_out"},
    "/api/quotes": {"order": "1", "lines": [{"kind": "labour"}]},
    "/api/quotes/{id}/{verb}": {},
    "/api/parts": {"id": "rope", "name": "x", "price": "1.00", "currency": "CNY"},
    "/api/parts/{id}/receive": {"quantity": 1},
}
PICTURES = ("attachments", "photos")
NAMED_IN_QUERY = ("/api/costs",)


@dataclass
class Visitor:
    """Whoever asks; None sees every building."""

    may_see: frozenset[str] | None = None
    is_called: str | None = None
    is_manager: bool = True

    def buildings(self) -> frozenset[str] | None:
        return self.may_see

    def name(self) -> str | None:
        return self.is_called

    def manages(self) -> bool:
        return self.is_manager


class Tower:
    """Every route, over one of each thing in the tower; `ids` are what paths name."""

    def __init__(self, database: Database, registry: Registry, folder: Path, finding: NewFinding) -> None:
        self.who, book, clock = Visitor(), service_book(), JournalClock(to_us(AT))
        roster = parse_roster(ROSTER, "roster.yaml", SECRETS, registry)
        pictures = AttachmentDesk(AttachmentStore(folder))
        self.app = FastAPI()
        parts = ApiParts(
            database, clock, book, lambda: registry, lambda: roster, b"s", pictures, asker=self.who
        )  # fmt: skip
        for router in ticketing_routers(parts):
            self.app.include_router(router)
        self.client = Client(self.app)
        with database.writing() as session:
            (order,) = Desk(book, lambda: registry).receive(session, [finding(asset="ahu-1", rule="belt")]).opened
        self.post(f"/api/work-orders/{order}/acknowledge", note=WORDS)
        self.post("/api/assets/ahu-1/meters/run_hours", value=7.0)
        self.post("/api/parts", id="belt", name="Belt", price="1.00", currency="CNY")
        quote = self.post("/api/quotes", order=order, lines=[{"kind": "labour", "quantity": "8"}])
        request = self.post("/api/requests", text=WORDS, building_id="tower")
        complaint = self.post("/api/complaints", text=WORDS, building_id="tower")
        photo = self.client.post(f"/api/work-orders/{order}/attachments", content=picture()).json()
        self.ids = {
            "/api/work-orders/": order, "/api/dispatch/": order, "/api/quotes/": quote["id"], "/api/parts/": "belt",
            "/api/requests/": request["id"], "/api/complaints/": complaint["id"], "/api/attachments/": photo["id"],
            "/api/photos/": photo["id"], "/api/surveys/": "sv_none",
        }  # fmt: skip

    def post(self, path: str, **body: Any) -> Any:  # noqa: ANN401 - any JSON
        answer = self.client.post(path, json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def routes(self) -> Iterator[tuple[str, str]]:
        for route, methods in self.app.openapi()["paths"].items():
            for method in methods:
                yield method.upper(), route

    def path(self, route: str) -> str:
        """The route with what is in the tower in it."""
        verbs = {"/api/quotes/": "approve", "/api/requests/": "accept", "/api/complaints/": "accept"}
        known = next((one for one in self.ids if route.startswith(one)), "")
        values = {"id": self.ids.get(known, ""), "verb": verbs.get(known, "arrive"), "asset_id": "ahu-1"}
        return route.format(**values, meter="run_hours")

    def everything(self) -> list[Any]:
        paths = ("work-orders", "requests", "complaints", "surveys", "parts", "claims", "costs?order=1")
        return [self.client.get(f"/api/{path}").json() for path in paths]


@pytest.fixture
def tower(sqlite_file: Path, registry: Registry, tmp_path: Path, finding: NewFinding) -> Iterator[Tower]:
    with closing(Database(f"sqlite:///{sqlite_file}")) as database:
        yield Tower(database, registry, tmp_path / "attachments", finding)


def test_a_quote_is_taken_back_by_who_made_it_or_a_manager(tower: Tower) -> None:
    path = tower.path("/api/quotes/{id}/withdraw")
    tower.who.is_called, tower.who.is_manager = "zhao", False
    answer = tower.client.post(path, json={"reason": "too dear"})
    assert answer.status_code == 403
    assert "or a manager" in answer.text
    tower.who.is_manager = True
    assert tower.client.post(path, json={"reason": "too dear"}).status_code == 200


def test_whoever_is_limited_to_another_building_sees_and_changes_nothing_here(tower: Tower) -> None:
    before, open_routes, wrong = tower.everything(), 0, []
    for method, route in tower.routes():
        if decide_access(LIMITED, method, route, {"verb": "arrive"}) is not Access.GRANTED:
            continue
        open_routes += 1
        tower.who.may_see = LIMITED.buildings
        if method in SAFE:
            answer = tower.client.get(tower.path(route) + ("?order=1" if route in NAMED_IN_QUERY else ""))
            is_list = "{" not in route and route not in NAMED_IN_QUERY
            told = WORDS in answer.text or "tower" in answer.text
            refused = answer.status_code == 200 and not told if is_list else answer.status_code == 404
        elif route.endswith(PICTURES):
            answer = tower.client.post(tower.path(route), content=picture(shade=1))
            refused = answer.status_code == 404
        else:
            answer = tower.client.post(tower.path(route), json=BODIES[route])
            refused = answer.status_code in (403, 404) or "is not a known asset" in answer.text
        tower.who.may_see = None
        if not refused:
            wrong.append(f"{method} {route}: {answer.status_code} {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)
    assert open_routes > 40, "most routes are open to whoever has buildings of her own"
    assert tower.everything() == before, "nothing was changed"


def test_an_order_of_this_building_is_not_tied_to_one_elsewhere(tower: Tower) -> None:
    order = tower.ids["/api/work-orders/"]
    for verb in ("merge", "link", "parent"):
        tower.who.may_see = frozenset({"elsewhere"})
        answer = tower.client.post(f"/api/work-orders/{order}/{verb}", json={"to": order})
        assert answer.status_code == 404


def test_in_her_own_building_she_works_as_anybody(tower: Tower) -> None:
    tower.who.may_see = frozenset({"tower"})
    assert len(tower.client.get("/api/requests").json()) == 1
    assert len(tower.client.get("/api/complaints").json()) == 1
    assert tower.client.get("/api/costs?order=1").status_code == 200
    assert tower.client.post("/api/work-orders/1/arrive").status_code == 200
    assert tower.client.post("/api/parts", json=BODIES["/api/parts"]).status_code == 403, "the stock is everybody's"
