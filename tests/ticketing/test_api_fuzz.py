"""The API under whatever a client may send: never an error of ours, every answer as /openapi.json says."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from asking import Client, bare_app
from fastapi import FastAPI
from fuzzing import fuzz
from people import service_book

from facility.clock import JournalClock
from facility.finding import Finding, OrderKind
from facility.instant import to_us
from facility.registry import Registry
from plantroom.database import Database
from ticketing.attachment_desk import AttachmentDesk
from ticketing.attachment_store import AttachmentStore
from ticketing.desk import Desk
from ticketing.roster_file import parse_roster
from ticketing.routers import ApiParts, ticketing_routers

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
ROSTER = (Path(__file__).parents[1] / "data/ticketing/roster.yaml").read_text(encoding="utf-8")
SECRETS = {"WANG": "json://a", "LI": "json://b", "CHEN": "json://c", "ERP": "http://e", "ERP_SECRET": "0" * 16}


WRITTEN: list[tuple[str, dict[str, Any]]] = [
    ("/api/requests", {"text": "Hot", "building_id": "tower"}),
    ("/api/complaints", {"text": "Still hot", "building_id": "tower"}),
    ("/api/parts", {"id": "belt", "name": "Fan belt", "price": "85.50", "currency": "CNY"}),
    ("/api/quotes", {"order": "2", "lines": [{"kind": "labour", "quantity": "8"}]}),
]
"""So that numbers the calls hit by chance name something."""


@pytest.fixture
def app(database: Database, registry: Registry, finding: NewFinding, tmp_path: Path) -> FastAPI:
    desk = Desk(service_book(), lambda: registry)
    with database.writing() as session:
        desk.receive(session, [finding(), finding(rule="b", asset="ahu-1", kind=OrderKind.PREVENTIVE)])
    clock, roster = JournalClock(to_us(AT)), parse_roster(ROSTER, "roster.yaml", SECRETS, registry)
    desks = AttachmentDesk(AttachmentStore(tmp_path / "attachments"))
    parts = ApiParts(database, clock, service_book(), lambda: registry, lambda: roster, b"secret", desks)
    made = bare_app(*ticketing_routers(parts))
    client = Client(made)
    for path, body in WRITTEN:
        answer = client.post(path, json=body)
        assert answer.status_code in (200, 201), answer.text
    return made


def sent(app: FastAPI, examples: int) -> int:
    """So many calls to each route; how many routes there are."""
    return fuzz(schemathesis.openapi.from_asgi("/openapi.json", app), examples)


def test_a_few_calls_of_every_kind(app: FastAPI, database: Database) -> None:
    if database.engine.dialect.name == "postgresql":
        pytest.skip("the soak sends to PostgreSQL too")
    assert sent(app, 2) >= 45


@pytest.mark.soak
def test_many_calls_of_every_kind(app: FastAPI) -> None:
    assert sent(app, 300) >= 45
