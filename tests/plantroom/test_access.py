"""The gate of every route: tokens, roles, scopes, and the answers that everybody gets."""

import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import prometheus_client
import pytest
from asking import Client
from fastapi import APIRouter

from facility.clock import RealClock
from facility.errors import InputError, RetryableError
from plantroom.access import Gate, who_calls
from plantroom.accounts.door import AccountDoor
from plantroom.database import Database
from plantroom.http import HttpParts, create_app
from plantroom.once import Once
from plantroom.secret_files import admin_token
from plantroom.settings import load_settings

TOKEN = "t" * 43
SECRET = "what the inside knows"  # noqa: S105 - stands for one


@pytest.fixture
def client(upgraded_sqlite: Path, tmp_path: Path) -> Iterator[Client]:
    with closing(Database(f"sqlite:///{upgraded_sqlite}")) as database:
        yield _client(database, AccountDoor(database, TOKEN, RealClock(), tmp_path / "once"))


def _client(database: Database, door: AccountDoor, reasons: tuple[str, ...] = ()) -> Client:
    router = APIRouter()

    @router.get("/api/thing")
    def read() -> str:
        return "read"

    @router.post("/api/thing")
    def change() -> str:
        return "changed"

    @router.get("/api/away")
    def away() -> str:
        message = "the store is away"
        raise RetryableError(message)

    @router.get("/api/broken")
    def broken() -> None:
        raise ZeroDivisionError(SECRET)

    once = Once(database, RealClock(), who_calls)
    parts = HttpParts(Gate(door), once, [router], [], prometheus_client.CollectorRegistry(), lambda: reasons)
    return Client(create_app(parts))


def test_the_token_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    settings = load_settings(var=tmp_path)
    token = admin_token(settings)
    assert admin_token(settings) == token
    assert len(token) >= 32
    assert stat.S_IMODE(settings.token_file.stat().st_mode) == 0o600


def test_a_damaged_token_file_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("short\n")
    with pytest.raises(InputError, match="Delete the file"):
        admin_token(load_settings(var=tmp_path))


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer wrong", "Bearer prt_wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \u00e9"],
)
def test_without_a_token_nothing_is_answered(client: Client, header: str) -> None:
    answer = client.get("/api/thing", headers={"Authorization": header.encode()} if header else {})
    assert answer.status_code == 401
    assert "var/token" in answer.json()["detail"]["hint"]


def test_with_the_programs_token_everything_is_answered(client: Client) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert client.get("/api/thing", headers=headers).json() == "read"
    assert client.post("/api/thing", headers=headers).json() == "changed"
    assert client.get("/metrics", headers=headers).status_code == 200
    timed = client.get("/metrics", headers=headers).text
    assert 'plantroom_http_request_seconds_count{route="/metrics",status="200"} 1.0' in timed
    assert "/api/thing" in client.get("/openapi.json", headers=headers).json()["paths"]


@pytest.mark.parametrize("path", ["/metrics", "/openapi.json"])
def test_operation_routes_ask_too(client: Client, path: str) -> None:
    assert client.get(path).status_code == 401


def test_health_needs_no_token_and_readiness_says_what_lacks(upgraded_sqlite: Path, tmp_path: Path) -> None:
    with closing(Database(f"sqlite:///{upgraded_sqlite}")) as database:
        door = AccountDoor(database, TOKEN, RealClock(), tmp_path / "once")
        assert _client(database, door).get("/healthz").json()["status"] == "alive"
        assert _client(database, door).get("/readyz").status_code == 200
        answer = _client(database, door, ("database is away",)).get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["database is away"]


def test_what_may_succeed_later_is_said_so(client: Client) -> None:
    answer = client.get("/api/away", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "store is away" in answer.json()["detail"]["what"]


NEEDED = (
    "content-security-policy", "x-content-type-options", "referrer-policy", "permissions-policy",
    "cross-origin-opener-policy",
)  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/healthz", 200), ("GET", "/api/thing", 401), ("GET", "/nowhere", 404), ("DELETE", "/api/thing", 405),
        ("GET", "/api/away", 503), ("GET", "/api/broken", 500), ("GET", "/metrics", 401),
    ],
)  # fmt: skip
def test_every_answer_carries_the_security_headers(client: Client, method: str, path: str, code: int) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"} if code in (503, 500) else {}
    answer = client.ask(method, path, headers=headers)
    assert answer.status_code == code
    assert [name for name in NEEDED if name not in answer.headers] == []
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "strict-transport-security" not in answer.headers, "this one came without TLS"
    assert SECRET not in answer.text


def test_who_came_by_tls_is_told_to_stay_with_it(client: Client) -> None:
    answer = client.get("https://testserver/healthz")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
