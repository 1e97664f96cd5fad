"""The admin token and who gets in."""

import stat
from pathlib import Path

import prometheus_client
import pytest
from asking import Client
from fastapi import APIRouter

from facility.errors import InputError, RetryableError
from plantroom.access import Access
from plantroom.door import TokenDoor
from plantroom.http import HttpParts, create_app
from plantroom.secret_files import admin_token, make_once_code
from plantroom.settings import load_settings

TOKEN = "t" * 43


def _client(reasons: tuple[str, ...] = ()) -> Client:
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

    parts = HttpParts(Access(TOKEN), [router], [], prometheus_client.CollectorRegistry(), lambda: reasons)
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
    "header", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \u00e9"]
)
def test_without_the_token_nothing_is_answered(header: str) -> None:
    answer = _client().get("/api/thing", headers={"Authorization": header.encode()} if header else {})
    assert answer.status_code == 401
    assert "var/token" in answer.json()["detail"]["hint"]


def test_with_the_token_everything_is_answered() -> None:
    client = _client()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert client.get("/api/thing", headers=headers).json() == "read"
    assert client.post("/api/thing", headers=headers).json() == "changed"
    assert client.get("/metrics", headers=headers).status_code == 200
    timed = client.get("/metrics", headers=headers).text
    assert 'plantroom_http_request_seconds_count{route="/metrics",status="200"} 1.0' in timed
    assert "/api/thing" in client.get("/openapi.json", headers=headers).json()["paths"]


def test_a_session_is_open_until_it_ends_or_is_closed(tmp_path: Path) -> None:
    door = TokenDoor(Access(TOKEN), TOKEN, tmp_path / "once")
    assert door.open_session("wrong") is None
    session = door.open_session(TOKEN)
    assert session is not None
    assert TOKEN not in session
    assert door.who(session) == "admin"
    assert TokenDoor(Access(TOKEN), TOKEN, tmp_path / "once").who(session) == "admin"
    nonce, until, signature = session.split(".")
    for forged in (
        f"{nonce}.{int(until) + 1}.{signature}",
        f"x.{until}.{signature}",
        f"{nonce}.1.{signature}",
        "",
        ".",
    ):
        assert door.who(forged) is None
    assert TokenDoor(Access("u" * 43), "u" * 43, tmp_path / "once").who(session) is None
    door.close_session(session)
    assert door.who(session) is None


def test_the_one_time_link_works_once(tmp_path: Path) -> None:
    once = tmp_path / "once"
    door = TokenDoor(Access(TOKEN), TOKEN, once)
    assert door.use_once("") is None
    code = make_once_code(once)
    assert stat.S_IMODE(once.stat().st_mode) == 0o600
    assert door.use_once(code + "x") is None
    assert door.use_once(code) is not None
    assert door.use_once(code) is None


@pytest.mark.parametrize("path", ["/metrics", "/openapi.json"])
def test_operation_routes_ask_too(path: str) -> None:
    assert _client().get(path).status_code == 401


def test_health_needs_no_token_and_readiness_says_what_lacks() -> None:
    assert _client().get("/healthz").json()["status"] == "alive"
    assert _client().get("/readyz").status_code == 200
    answer = _client(("database is away",)).get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["database is away"]


def test_what_may_succeed_later_is_said_so() -> None:
    answer = _client().get("/api/away", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "store is away" in answer.json()["detail"]["what"]


def test_every_answer_carries_the_security_headers() -> None:
    headers = _client().get("/healthz").headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
