"""Debian's InfluxDB 1.x behind a shim that gives it the write interface of 2.x."""

import json
import os
import re
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from running import free_ports

from bench.influx_config import write_influx_config

_TAG = re.compile(r'(\w+)="([^"]*)"')


class _Shim(BaseHTTPRequestHandler):
    """/api/v2/write?bucket&precision becomes /write?db&precision; /query goes through as it is."""

    behind = ""

    def do_POST(self) -> None:
        asked = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(asked.query))
        if asked.path == "/api/v2/delete":
            self._delete(query["bucket"])
            return
        assert asked.path == "/api/v2/write"
        precision = {"us": "u"}.get(query["precision"], query["precision"])
        body = self.rfile.read(int(self.headers["Content-Length"]))
        target = f"/write?{urllib.parse.urlencode({'db': query['bucket'], 'precision': precision})}"
        self._pass(urllib.request.Request(self.behind + target, body, method="POST"))  # noqa: S310 - loopback

    def _delete(self, bucket: str) -> None:
        """2.x deletes by a predicate, 1.x by a statement of InfluxQL; the last instant counts in."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        tags = dict(_TAG.findall(asked["predicate"]))
        where = " AND ".join(f"{name} = '{value}'" for name, value in tags.items() if name != "_measurement")
        span = f"time >= '{asked['start']}' AND time <= '{asked['stop']}'"
        statement = f'DELETE FROM "{tags["_measurement"]}" WHERE {where} AND {span}'  # noqa: S608 - a test's own
        target = f"/query?{urllib.parse.urlencode({'db': bucket, 'q': statement})}"
        with urllib.request.urlopen(urllib.request.Request(self.behind + target, method="POST")) as answer:  # noqa: S310 - loopback
            assert b"error" not in answer.read()
        self.send_response(204)
        self.end_headers()

    def do_GET(self) -> None:
        self._pass(urllib.request.Request(self.behind + self.path))  # noqa: S310 - loopback

    def _pass(self, request: urllib.request.Request) -> None:
        if "Content-Encoding" in self.headers:
            request.add_header("Content-Encoding", self.headers["Content-Encoding"])
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                status, body = error.code, error.read()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base class
        """Quiet."""


@contextmanager
def influx(folder: Path) -> Iterator[str]:
    """A server with its data in `folder`; the address of the shim. Skips where it is not installed."""
    program = shutil.which("influxd")
    if program is None:
        reason = "influxd is not installed; on Debian: apt-get install influxdb"
        if os.environ.get("PLANTROOM_REQUIRE_REAL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    port, rpc = free_ports(2)
    config = write_influx_config(folder, port, rpc)
    behind = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log, subprocess.Popen([program, "-config", str(config)], stderr=log) as server:
        try:
            _await(f"{behind}/ping", server)
            shim = ThreadingHTTPServer(("127.0.0.1", 0), type("Shim", (_Shim,), {"behind": behind}))
            thread = threading.Thread(target=shim.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            try:
                yield f"http://127.0.0.1:{shim.server_port}"
            finally:
                shim.shutdown()
                shim.server_close()
                thread.join()
        finally:
            server.kill()


def create(url: str, databases: Iterable[str]) -> None:
    """Make databases."""
    for name in databases:
        query = urllib.parse.urlencode({"q": f"CREATE DATABASE {name}"})
        urllib.request.urlopen(f"{url}/query?{query}").close()  # noqa: S310 - loopback


def _await(url: str, server: "subprocess.Popen[bytes]") -> None:
    deadline, waiting = time.monotonic() + 20, threading.Event()
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(url).close()  # noqa: S310 - loopback
        except OSError:
            waiting.wait(0.05)
        else:
            return
    pytest.fail(f"influxd did not come up: exit code {server.poll()}")
