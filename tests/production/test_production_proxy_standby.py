"""nginx by deploy/nginx/nginx.conf before two processes with pages, of which one has the port: it finds it, also when
the other one has it after a kill."""

import signal
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from judging import Judged
from locks import lock_holder
from production import house_proxy, installed
from running import free_ports, wait_until

from plantroom.database import Database

TOKEN = "t" * 43
ADDRESSES = ("127.0.0.2", "127.0.0.3")
"""Where the two containers with the alias `pages` are."""
pytestmark = pytest.mark.service


@contextmanager
def names() -> Iterator[int]:
    """Docker's name server: every name has both addresses; its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.1)
        over = threading.Event()

        def answer() -> None:
            while not over.is_set():
                try:
                    query, sender = server.recvfrom(512)
                except TimeoutError:
                    continue
                end = query.index(b"\0", 12) + 5
                head = query[:2] + struct.pack(">HHHHH", 0x8180, 1, len(ADDRESSES), 0, 0)
                found = [b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 2, 4) + socket.inet_aton(one) for one in ADDRESSES]
                server.sendto(head + query[12:end] + b"".join(found), sender)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            over.set()
            thread.join()


def test_the_proxy_finds_who_serves_and_who_serves_next(sqlite_file: Path, tmp_path: Path) -> None:
    (folder := tmp_path / "installation").mkdir()
    root = installed(folder)
    (port,) = free_ports(1)
    with (
        closing(Database(f"sqlite:///{sqlite_file}")) as database,
        closing(Judged(tmp_path, database, receiver_port=9)) as plant,
        names() as resolver,
        house_proxy(root, f"pages:{port}", "127.0.0.1:9", f"127.0.0.1:{resolver}") as (https_port, _),
    ):
        started = [
            plant.start("engine,web,jobs", HTTP_HOST=address, HTTP_PORT=str(port), TOKEN=TOKEN) for address in ADDRESSES
        ]
        wait_until(lambda: all(map(plant.is_ready, started)), 180, f"both to be warm: {plant.log()[-3000:]}")
        trusted = ssl.create_default_context(cafile=str(root / "tls/ca.pem"))
        address = f"https://localhost:{https_port}"
        with httpx.Client(base_url=address, verify=trusted, trust_env=False, timeout=10) as client:
            look(client)
            first = lock_holder(plant.var / "run/pages.lock")
            plant.strike(first, signal.SIGKILL)
            wait_until(lambda: client.get("/login").is_success, 60, "the other one to serve")
            assert lock_holder(plant.var / "run/pages.lock") not in (0, first)
            look(client)


def look(client: httpx.Client) -> None:
    """Pages come, and what is sent arrives, whichever address the proxy tries first."""
    assert [client.get("/login").status_code for _ in range(12)] == [200] * 12
    sent = [client.post("/login", data={"token": TOKEN}, headers={"Origin": str(client.base_url).rstrip("/")})
            for _ in range(6)]  # fmt: skip
    assert [answer.status_code for answer in sent] == [303] * 6
