"""The API under whatever a client may send: never an error of ours, every answer as /openapi.json says."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from asking import Client, bare_app
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from people import service_book
from schemathesis.core.result import Ok

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


def fuzz(app: FastAPI, examples: int) -> int:
    """Send so many calls to each route; how many routes there are."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    number = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        number += 1

        @settings(
            max_examples=examples, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def call(case: Any) -> None:  # noqa: ANN401 - schemathesis has its own kinds of cases
            answer = case.call()
            assert answer.status_code < 500, (case.as_curl_command(), answer.text)
            case.validate_response(answer, checks=[schemathesis.checks.not_a_server_error])
            if answer.status_code >= 400 and answer.status_code not in (405, 406, 415):
                assert set(answer.json()["detail"]) == {"what", "where", "hint"}, (case.as_curl_command(), answer.text)

        call()
    return number


def test_a_few_calls_of_every_kind(app: FastAPI, database: Database) -> None:
    if database.engine.dialect.name == "postgresql":
        pytest.skip("the soak sends to PostgreSQL too")
    assert fuzz(app, 2) >= 45


@pytest.mark.soak
def test_many_calls_of_every_kind(app: FastAPI) -> None:
    assert fuzz(app, 300) >= 45
