"""The API under whatever a client may send: never an error of ours, every answer as /openapi.json says."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok

from facility.clock import JournalClock
from facility.finding import Finding, OrderKind
from facility.instant import to_us
from facility.registry import Registry
from plantroom.database import Database
from ticketing.api import build_router
from ticketing.checklist_api import build_checklist_router
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.dispatch_api import build_dispatch_router
from ticketing.opening_api import build_opening_router
from ticketing.outbox_api import build_outbox_router
from ticketing.roster_file import parse_roster

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
ROSTER = (Path(__file__).parents[1] / "data/ticketing/roster.yaml").read_text(encoding="utf-8")
SECRETS = {"WANG": "json://a", "LI": "json://b", "CHEN": "json://c", "ERP": "http://e", "ERP_SECRET": "0" * 16}


@pytest.fixture
def app(database: Database, book: ContractBook, registry: Registry, desk: Desk, finding: NewFinding) -> FastAPI:
    with database.writing() as session:
        desk.receive(session, [finding(), finding(rule="b", asset="ahu-1", kind=OrderKind.PREVENTIVE)])
    clock, roster = JournalClock(to_us(AT)), parse_roster(ROSTER, "roster.yaml", SECRETS, registry)
    made = FastAPI()
    for router in (
        build_checklist_router(database, clock, book, lambda: registry),
        build_router(database, clock, book),
        build_opening_router(database, clock, book, lambda: registry),
        build_outbox_router(database, clock, book),
        build_dispatch_router(database, clock, book, roster, lambda: registry),
    ):
        made.include_router(router)
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
    assert fuzz(app, 2) >= 15


@pytest.mark.soak
def test_many_calls_of_every_kind(app: FastAPI) -> None:
    assert fuzz(app, 300) >= 15
