"""A call that carries an Idempotency-Key is carried out once, whatever route it is, whoever calls, whatever breaks."""

from collections.abc import Callable
from typing import Any

import pytest
from asking import Client, app_of
from fastapi import APIRouter, HTTPException, Request
from sqlmodel import select

from facility.clock import RealClock
from plantroom.database import Database
from plantroom.once import HEADER, MOST_BYTES
from ticketing.kept_answer_rows import claim, find_kept
from ticketing.tables_outbox import KeptAnswerRow
from ticketing.tables_service import PartRow

KEY = {HEADER: "tap-1"}


class Counter:
    """Routes that count how often they were carried out, each in another way; and who calls."""

    def __init__(self, database: Database) -> None:
        self.times, self.caller = 0, "li"
        router = APIRouter(prefix="/api")

        @router.post("/written", status_code=201)
        def written(body: dict[str, str]) -> dict[str, Any]:
            with database.writing() as session:
                self._count(session.add)
            return {"times": self.times, "said": body}

        @router.post("/broken")
        def broken() -> None:
            with database.writing() as session:
                self._count(session.add)
                message = "it broke before the end"
                raise ValueError(message)

        @router.post("/refused-late")
        def refused_late() -> None:
            with database.writing() as session:
                self._count(session.add)
            raise HTTPException(409, {"what": "the second half is refused", "where": "", "hint": ""})

        @router.delete("/elsewhere", status_code=204)
        def elsewhere() -> None:
            self.times += 1

        @router.post("/streamed")
        async def streamed(request: Request) -> int:
            self.times += 1
            return sum([len(part) async for part in request.stream()])

        @router.get("/read")
        def read() -> int:
            self.times += 1
            return self.times

        self.client = Client(app_of(database, router, name=lambda: self.caller))

    def _count(self, add: Callable[[PartRow], None]) -> None:
        self.times += 1
        add(PartRow(id=f"p{self.times}", name="n", unit="u", price_cents=1, currency="CNY"))


@pytest.fixture
def counter(database: Database) -> Counter:
    return Counter(database)


def rows(database: Database, table: type[PartRow | KeptAnswerRow]) -> int:
    with database.reading() as session:
        return len(session.exec(select(table)).all())


def test_the_same_call_gets_the_first_answer_and_does_nothing(counter: Counter, database: Database) -> None:
    first, second = (counter.client.post("/api/written", json={"a": "b"}, headers=KEY) for _ in range(2))
    assert (first.status_code, second.status_code, second.json()) == (201, 201, first.json())
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert (counter.times, rows(database, PartRow)) == (1, 1)
    other = counter.client.post("/api/written", json={"a": "c"}, headers=KEY)
    assert other.status_code == 422
    assert "was used for another call" in other.json()["detail"]["what"]
    assert counter.client.post("/api/written", json={"a": "b"}).json()["times"] == 2, "without a key it is another call"


def test_of_many_at_once_one_is_carried_out(counter: Counter, database: Database) -> None:
    sent = {"json": {"a": "b"}, "headers": KEY}
    answers = counter.client.at_once([("POST", "/api/written", sent)] * 8)
    assert [answer.json()["times"] for answer in answers] == [1] * 8
    assert rows(database, PartRow) == 1


def test_what_breaks_or_is_refused_is_not_kept_unless_it_was_carried_out(counter: Counter, database: Database) -> None:
    assert [counter.client.post("/api/broken", headers=KEY).status_code for _ in range(2)] == [500, 500]
    assert (counter.times, rows(database, PartRow), rows(database, KeptAnswerRow)) == (2, 0, 0)
    late = [counter.client.post("/api/refused-late", headers=KEY) for _ in range(2)]
    assert [answer.status_code for answer in late] == [409, 409]
    assert rows(database, PartRow) == 1, "half of it was carried out, once"


def test_a_call_that_writes_nothing_in_the_database_is_kept_too(counter: Counter) -> None:
    answers = [counter.client.ask("DELETE", "/api/elsewhere", headers=KEY) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [204] * 3
    assert counter.times == 1


def test_a_body_that_is_read_in_parts_arrives_whole(counter: Counter) -> None:
    for _ in range(2):
        assert counter.client.post("/api/streamed", content=b"x" * 300_000, headers=KEY).json() == 300_000
    assert counter.times == 1
    too_long = counter.client.post("/api/streamed", content=bytes(MOST_BYTES + 1), headers=KEY)
    assert too_long.status_code == 413
    assert too_long.json()["detail"]["hint"]


def test_two_callers_with_one_key_are_two_calls(counter: Counter) -> None:
    assert counter.client.post("/api/written", json={}, headers=KEY).json()["times"] == 1
    counter.caller = "wang"
    assert counter.client.post("/api/written", json={}, headers=KEY).json()["times"] == 2


def test_looking_needs_no_key_and_is_never_kept(counter: Counter, database: Database) -> None:
    assert [counter.client.get("/api/read", headers=KEY).json() for _ in range(2)] == [1, 2]
    assert rows(database, KeptAnswerRow) == 0
    described = counter.client.get("/openapi.json").json()["paths"]
    named = {
        path: [one["name"] for operation in methods.values() for one in operation.get("parameters", [])]
        for path, methods in described.items()
    }
    assert (named["/api/read"], named["/api/written"]) == ([], [HEADER])


def test_a_call_whose_answer_was_lost_with_the_program_is_not_carried_out_again(
    counter: Counter, database: Database
) -> None:
    counter.client.post("/api/written", json={}, headers=KEY)
    with database.writing() as session:
        (row,) = session.exec(select(KeptAnswerRow))
        key, fingerprint = row.key, row.fingerprint
        session.delete(row)
        session.flush()
        assert claim(session, key, fingerprint, RealClock().now())  # as it is when the program dies before its answer
        assert not claim(session, key, fingerprint, RealClock().now())
    again = counter.client.post("/api/written", json={}, headers=KEY)
    assert again.status_code == 409
    assert "stopped before it had answered" in again.json()["detail"]["what"]
    assert counter.times == 1
    with database.reading() as session:
        assert find_kept(session, "nobody/x") is None


@pytest.mark.parametrize("key", ["", "a b", "x" * 121, "é"])
def test_a_key_that_is_none_is_refused(counter: Counter, key: str) -> None:
    answer = counter.client.post("/api/written", json={}, headers={HEADER: key.encode("latin-1")})
    assert answer.status_code == 422
    assert counter.times == 0
