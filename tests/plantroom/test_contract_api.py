"""Contracts by the API: in a list, in words, a file checked, and two over the orders kept."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asking import Client, bare_app

from facility.clock import JournalClock
from facility.finding import Finding
from facility.instant import to_us
from facility.registry import Registry
from plantroom.contract_api import build_contracts_router
from plantroom.database import Database
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 9, tzinfo=UTC)
TEXT = (Path(__file__).parents[1] / "data/ticketing/contract.yaml").read_text(encoding="utf-8")
STRICT = TEXT.replace('response: "2 h"', 'response: "10 min"')


@pytest.fixture
def client(database: Database, book: ContractBook, desk: Desk, registry: Registry, finding: NewFinding) -> Client:
    with database.writing() as session:
        desk.receive(session, [finding(), finding(asset="ahu-1")])
    return Client(bare_app(build_contracts_router(database, JournalClock(to_us(AT)), book, lambda: registry)))


def compare(client: Client, status: int = 200, **body: Any) -> Any:  # noqa: ANN401 - any JSON
    answer = client.post("/api/contracts/compare", json={"one": "demo-2026", **body})
    assert answer.status_code == status, answer.text
    return answer.json()


def test_the_contracts_in_force_in_a_list_and_in_words(client: Client) -> None:
    (one,) = client.get("/api/contracts").json()
    assert (one["id"], one["zone"]) == ("demo-2026", "Asia/Shanghai")
    assert [revision["in_force"] for revision in one["revisions"]] == [True, False], "the second holds from July on"
    assert "lift" in one["revisions"][0]["levels"]
    for language, words in (("en", "Contract demo-2026"), ("zh", "合同 demo-2026")):
        told = client.get(f"/api/contracts/demo-2026?language={language}").json()
        assert told["lines"][0].startswith(words), told["lines"][:2]
    missing = client.get("/api/contracts/demo-2062")
    assert (missing.status_code, "did you mean 'demo-2026'" in missing.text) == (404, True)


def test_a_file_is_checked_and_nothing_comes_into_force(client: Client, book: ContractBook) -> None:
    before = [one.id for one in book.contracts]
    good = client.post("/api/contracts/check", json={"text": TEXT.replace("demo-2026", "demo-2027")})
    assert (good.status_code, good.json()["id"]) == (200, "demo-2027")
    assert [one.id for one in book.contracts] == before
    broken = client.post("/api/contracts/check", json={"text": TEXT.replace('response: "2 h"', 'response: "2 hats"')})
    assert broken.status_code == 422
    assert "hats" in broken.text
    elsewhere = client.post("/api/contracts/check", json={"text": TEXT.replace("sites: [demo]", "sites: [nowhere]")})
    assert (elsewhere.status_code, "nowhere" in elsewhere.text) == (422, True)


def test_two_contracts_over_the_orders_kept(client: Client) -> None:
    habit: dict[str, Any] = {"arrives": "1 h", "completes": "2 h"}
    found = compare(client, text=STRICT, **habit)
    rows = {row["name"]: (row["one"], row["other"]) for row in found["rows"]}
    assert (found["orders"], rows["orders"], rows["breaches"]) == (2, ("2", "2"), ("0", "1"))
    assert [(one["number"], one["one"], one["other"]) for one in found["different"]] == [("WO-000001", "lift", "lift")]
    assert compare(client, other="demo-2026", **habit)["different"] == []
    assert compare(client, other="demo-2026", since="2026-03-08")["orders"] == 0
    for body, says in (({}, "one other contract"), ({"other": "demo-2026", "text": TEXT}, "one other contract"),
                       ({"other": "demo-2026", "arrives": "soon"}, "soon")):  # fmt: skip
        assert says in str(compare(client, 422, **body)["detail"])
    assert "did you mean" in str(compare(client, 404, other="demo-2025")["detail"])
