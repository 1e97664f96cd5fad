"""InfluxDB stopped, slow, refusing or answering by half while readings come: nothing is lost, nothing is there twice.

The server is a fake one, and (service) Debian's influxd behind a front that behaves badly on demand.
"""

import gzip
import random
import socket
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from facility.errors import RetryableError
from facility.reading import PointValue, Scan
from facility.registry import Registry
from ingest.follower import Follower
from ingest.journal import JournalReader, JournalWriter
from ingest.stores.base import SeriesSink
from ingest.stores.influx import InfluxStore
from ingest.stores.influx_wire import InfluxAddress

T0 = 1_700_000_000_000_000
MOODS = ("stopped", "slow", "refusing 503", "refusing 429", "refusing 401", "refusing 500", "half", "half taken")


class Front:
    """A server on one port that can be in a bad mood. Without `behind` it keeps the lines itself."""

    def __init__(self, behind: str | None) -> None:
        self.behind, self.mood, self.lines = behind, "well", set[bytes]()
        with socket.create_server(("127.0.0.1", 0)) as one:
            self.port = int(one.getsockname()[1])
        self._server: ThreadingHTTPServer | None = None
        self._slow = threading.Event()

    def start(self) -> None:
        front = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                front.answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base class
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}).start()

    def stop(self) -> None:
        if self._server is not None:
            self._slow.set()
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            self._slow = threading.Event()

    def set(self, mood: str) -> None:
        if self._server is None:
            self.start()
        self.mood = mood
        if mood == "stopped":
            self.stop()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        mood, body = self.mood, request.rfile.read(int(request.headers["Content-Length"]))
        status, answer = 204, b""
        if mood == "slow":
            self._slow.wait(1.0)
        if mood.startswith("refusing"):
            status, answer = int(mood.split()[1]), b'{"message": "not now"}'
        elif mood != "half":
            status = self._take(request, body)
        try:
            if mood.startswith("half"):
                request.wfile.write(b"HTTP/1.1 2")
                request.close_connection = True
                return
            request.send_response(status)
            request.send_header("Content-Length", str(len(answer)))
            request.end_headers()
            request.wfile.write(answer)
        except OSError:
            request.close_connection = True  # it did not wait for us

    def _take(self, request: BaseHTTPRequestHandler, body: bytes) -> int:
        if self.behind is None:
            self.lines.update(gzip.decompress(body).splitlines())
            return 204
        onward = urllib.request.Request(self.behind + request.path, body, method="POST")  # noqa: S310 - loopback
        onward.add_header("Content-Encoding", "gzip")
        with urllib.request.urlopen(onward) as answer:  # noqa: S310 - loopback
            return int(answer.status)


def fill(writer: JournalWriter, count: int) -> None:
    for _ in range(count):
        number = writer.last_seq + 1
        scan = Scan("lift-1", T0 + number, complete=True, values=(PointValue("car_position", float(number)),))
        writer.append(T0 + number, [scan])


def bad_moods(front: Front, folder: Path, address: InfluxAddress, moods: list[str]) -> int:
    """Every mood once while readings come; how many there are."""
    with JournalWriter(folder / "journal") as writer, JournalReader(folder / "journal") as reader:
        store = InfluxStore(address, folder / "cursor", Registry)
        follower = Follower("readings", reader, SeriesSink(store), limit=7)
        for mood in moods:
            front.set(mood)
            fill(writer, 20)
            before = follower.state.durable
            with pytest.raises(RetryableError):
                follower.catch_up()
            assert follower.state.durable == before, f"{mood}: what is not surely there is not passed over"
            front.set("well")
            fill(writer, 5)
            assert follower.catch_up() == 25
            assert follower.state.lag == 0
        store.close()
        return writer.last_seq


@pytest.fixture
def front() -> Iterator[Front]:
    front = Front(None)
    yield front
    front.stop()


def test_no_bad_mood_of_influx_loses_or_doubles_a_reading(front: Front, tmp_path: Path) -> None:
    address = InfluxAddress(f"http://127.0.0.1:{front.port}", "o", "b", SecretStr("t"), timeout_s=0.3)
    count = bad_moods(front, tmp_path, address, random.Random(3).sample(MOODS, len(MOODS)))
    assert len(front.lines) == count


@pytest.mark.service
def test_no_bad_mood_before_a_real_influxd_loses_or_doubles_a_reading(
    influx_address: InfluxAddress, tmp_path: Path
) -> None:
    front = Front(influx_address.url)
    try:
        address = InfluxAddress(
            f"http://127.0.0.1:{front.port}", influx_address.org, influx_address.bucket, SecretStr("t"), timeout_s=0.5
        )
        count = bad_moods(front, tmp_path, address, list(MOODS))
    finally:
        front.stop()
    store = InfluxStore(influx_address, tmp_path / "other", Registry)
    found = store.read("lift-1", "car_position", T0, T0 + 10**6)
    store.close()
    assert [reading.value for reading in found] == [float(number) for number in range(1, count + 1)]
