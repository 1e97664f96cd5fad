"""nginx by deploy/nginx/nginx.conf in front of the real pages: TLS, headers, the stream, limits, who is believed."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import prometheus_client
import pytest
import uvicorn
from fastapi import APIRouter, Request
from preview.plant import PreviewPlant
from production import house_proxy, installed
from running import free_ports, wait_until

from dashboards.web.change_feed import Change, ChangeFeed
from dashboards.web.router import web_router
from facility.clock import RealClock
from plantroom.access import Gate, who_calls
from plantroom.accounts.door import AccountDoor
from plantroom.accounts.web_door import WebDoor
from plantroom.database import Database
from plantroom.http import HttpParts, create_app
from plantroom.once import Once

TOKEN = "t" * 43
pytestmark = pytest.mark.service


@dataclass
class Front:
    """Pages behind the proxy, as a browser on this machine reaches them."""

    https: str
    http: str
    trusted: ssl.SSLContext
    feed: ChangeFeed

    def client(self, **more: str) -> httpx.Client:
        return httpx.Client(base_url=self.https, verify=self.trusted, trust_env=False, timeout=10, headers=more)


@pytest.fixture(scope="module")
def front(upgraded_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    root = installed(tmp_path_factory.mktemp("front"))
    copy = root / "plantroom.db"
    copy.write_bytes(upgraded_sqlite.read_bytes())
    with closing(Database(f"sqlite:///{copy}")) as database:
        door, feed = AccountDoor(database, TOKEN, RealClock(), root / "once"), ChangeFeed()
        pages = web_router(PreviewPlant(RealClock().now()), WebDoor(door, database, RealClock()), feed=feed)
        once = Once(database, RealClock(), who_calls)
        metrics = prometheus_client.CollectorRegistry()
        app = create_app(HttpParts(Gate(door), once, [], [pages, _witness()], metrics, list))
        (port,) = free_ports(1)
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            wait_until(lambda: server.started, 10, "the pages to be served")
            with house_proxy(root, f"127.0.0.1:{port}", "127.0.0.1:9") as (https_port, http_port):
                trusted = ssl.create_default_context(cafile=str(root / "tls/ca.pem"))
                trusted.verify_flags |= ssl.VERIFY_X509_STRICT
                yield Front(f"https://localhost:{https_port}", f"http://localhost:{http_port}", trusted, feed)
        finally:
            feed.close()
            server.should_exit = True
            thread.join(10)


def _witness() -> APIRouter:
    """What the program sees of a request that came through."""
    router = APIRouter()

    @router.get("/witness")
    def witness(request: Request) -> dict[str, str]:
        address = request.client.host if request.client is not None else ""
        return {"scheme": request.url.scheme, "address": address, "host": request.headers["host"]}

    @router.post("/take")
    async def take(request: Request) -> int:
        return len(await request.body())

    return router


def test_the_pages_come_by_tls_with_every_header_once(front: Front) -> None:
    with front.client() as client:
        answer = client.get("/login")
    assert answer.status_code == 200
    headers = answer.headers
    for name in ("strict-transport-security", "content-security-policy", "x-content-type-options", "referrer-policy",
                 "permissions-policy", "cross-origin-opener-policy"):  # fmt: skip
        assert len(headers.get_list(name)) == 1, name
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/grafana/", "/proxy-alive"])
def test_what_the_proxy_answers_itself_has_the_headers_too(front: Front, path: str) -> None:
    with front.client() as client:
        answer = client.get(path)
    assert answer.status_code == (502 if path == "/grafana/" else 200)
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors" in answer.headers["content-security-policy"]
    assert answer.headers["server"] == "nginx", "no version"


def test_without_tls_one_is_sent_to_it_and_old_tls_is_refused(front: Front) -> None:
    sent = httpx.get(f"{front.http}/orders?open=1", trust_env=False)
    assert (sent.status_code, sent.headers["location"]) == (301, "https://localhost/orders?open=1")
    port = int(front.https.rsplit(":", 1)[1])
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.load_verify_locations(cadata=_pem(front))
    with pytest.deprecated_call():
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", port), 5) as plain, pytest.raises(ssl.SSLError):
        old.wrap_socket(plain, server_hostname="localhost")


def _pem(front: Front) -> str:
    return "".join(ssl.DER_cert_to_PEM_cert(one) for one in front.trusted.get_ca_certs(binary_form=True))


def test_the_program_knows_who_asks_and_nobody_can_pretend(front: Front) -> None:
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http", "Forwarded": "for=203.0.113.9"}
    with front.client(**forged) as client:
        seen = client.get("/witness").json()
    assert seen == {"scheme": "https", "address": "127.0.0.1", "host": front.https.removeprefix("https://")}


def test_the_session_is_for_tls_only_and_the_stream_passes_as_it_comes(front: Front) -> None:
    with front.client() as client:
        entered = client.post("/login", data={"token": TOKEN}, headers={"Origin": front.https})
        assert entered.status_code == 303
        assert "Secure" in entered.headers["set-cookie"]
        assert "HttpOnly" in entered.headers["set-cookie"]
        with client.stream("GET", "/events", timeout=httpx.Timeout(10, read=2.5)) as stream:
            lines = stream.iter_lines()
            while not next(lines).startswith("event: pulse"):
                continue
            front.feed.publish([Change("order", "ORD-7", "b1")])
            # The next pulse is three seconds away: what comes before the read times out was not held back.
            assert any("ORD-7" in line for line, _ in zip(lines, range(8), strict=False))


def test_an_upload_has_a_limit_and_the_limit_lets_a_manual_through(front: Front) -> None:
    with front.client() as client:
        assert client.post("/take", content=b"m" * 25_200_000).json() == 25_200_000
        refused = client.post("/take", content=b"m" * 28_000_000)
    assert refused.status_code == 413
    assert refused.headers["x-content-type-options"] == "nosniff"


def test_guessing_at_the_door_is_slowed_by_address(front: Front) -> None:
    with front.client() as client:
        codes = [client.post("/login", data={"name": f"n{n}", "password": "x"}).status_code for n in range(40)]
        assert client.get("/login").status_code == 200, "looking at the page is no guess"
    assert codes[0] != 429
    assert codes[-1] == 429
    assert codes.count(429) <= 10
