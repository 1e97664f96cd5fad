"""What only the Influx store promises: its schema, and what it does when the server fails in every way we know."""

import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import SecretStr

from facility.errors import PermanentError, RetryableError
from facility.reading import Quality, Reading
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.stores.influx import InfluxStore
from ingest.stores.influx_wire import InfluxAddress, InfluxWire
from ingest.stores.line_protocol import LineEncoder

T0 = 1_700_000_000_000_000
SITE = """
site: {id: demo, name: Demo, zone: Asia/Shanghai}
buildings:
  - id: tower
    assets:
      - {id: ahu-1, class: ahu, points: [supply_air_temperature]}
      - {id: lift-1, class: elevator, points: [door_status]}
"""


class FakeInflux(BaseHTTPRequestHandler):
    """Answers by script: each request takes the next of `script` (the last one stays) and is kept in `seen`."""

    script: ClassVar[list[tuple[int, bytes, str]]]
    seen: ClassVar[list[bytes]]

    def _answer(self) -> None:
        size = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(size)
        self.seen.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
        status, answer, manner = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if manner == "slow":
            threading.Event().wait(1.4)
        if manner == "by line" and b"bad" not in self.seen[-1]:
            status, answer = 204, b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer) + (100 if manner == "half" else 0)))
        self.end_headers()
        self.wfile.write(answer)
        self.close_connection = manner == "half"

    do_GET = do_POST = _answer  # noqa: N815 - named by the base class

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base class
        """Quiet."""


class Fake:
    """A running fake server and a store that talks to it."""

    def __init__(self, folder: Path) -> None:
        class Handler(FakeInflux):
            script: ClassVar = [(204, b"", "")]
            seen: ClassVar = list[bytes]()

        self.handler = Handler
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        self.address = InfluxAddress(
            f"http://127.0.0.1:{self.server.server_port}", "org", "bucket", SecretStr("secret"), timeout_s=1.0
        )
        self.store = InfluxStore(self.address, folder / "cursor", Registry)

    def answer(self, *script: tuple[int, bytes, str]) -> None:
        self.handler.script = list(script)

    def close(self) -> None:
        self.store.close()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[Fake]:
    server = Fake(tmp_path)
    yield server
    server.close()


GOOD = [Reading("ahu-1", "supply_air_temperature", T0, 12.5)]


def test_lines_follow_the_schema() -> None:
    registry = parse_site(SITE, "site.yaml")
    encoder = LineEncoder(lambda: registry)
    assert encoder.encode(Reading("ahu-1", "supply_air_temperature", 5, 12, Quality.LATE)) == (
        b"ahu,asset=ahu-1,building=tower,point=supply_air_temperature,site=demo value=12.0,quality=7i 5"
    )
    assert encoder.encode(Reading("lift-1", "door_status", 6, 'say "x\\"')) == (
        b'elevator,asset=lift-1,building=tower,point=door_status,site=demo text="say \\"x\\\\\\"",quality=0i 6'
    )
    assert encoder.encode(Reading("a b,c", "p=q", 7, 1e-7)) == (
        b"unknown,asset=a\\ b\\,c,building=unknown,point=p\\=q,site=unknown value=1e-07,quality=0i 7"
    )
    assert encoder.encode(Reading("", "co2", 7, 1.0)) is None
    assert encoder.encode(Reading("two\nlines", "co2", 7, 1.0)) is None


def test_a_new_site_file_changes_the_tags_from_then_on() -> None:
    registries = [Registry(), parse_site(SITE, "site.yaml")]
    encoder = LineEncoder(lambda: registries[0])
    assert b"unknown,asset=ahu-1" in (encoder.encode(GOOD[0]) or b"")
    registries.pop(0)
    assert b"ahu,asset=ahu-1" in (encoder.encode(GOOD[0]) or b"")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((503, b"busy", ""), "503 busy"),
        ((500, b"", ""), "500"),
        ((429, b"slow down", ""), "429"),
        ((401, b"no", ""), "check token"),
        ((403, b"no", ""), "check token"),
        ((404, b"no", ""), "no bucket 'bucket'"),
        ((204, b"", "slow"), "timed out"),
    ],
)
def test_what_may_pass_is_retryable_and_the_cursor_stays(fake: Fake, answer: tuple[int, bytes, str], says: str) -> None:
    fake.answer(answer)
    with pytest.raises(RetryableError, match=says):
        fake.store.write(1, 3, GOOD)
    assert fake.store.cursor == 0
    fake.answer((204, b"", ""))
    fake.store.write(1, 3, GOOD)
    assert fake.store.cursor == 3


def test_a_server_that_is_not_there_is_retryable(tmp_path: Path, free_port: int) -> None:
    address = InfluxAddress(f"http://127.0.0.1:{free_port}", "org", "bucket", SecretStr("x"))
    store = InfluxStore(address, tmp_path / "cursor", Registry)
    with pytest.raises(RetryableError, match="cannot write to InfluxDB"):
        store.write(1, 1, GOOD)
    with pytest.raises(RetryableError, match="cannot read from InfluxDB"):
        store.read("ahu-1", "supply_air_temperature", 0, T0)
    store.close()


def test_a_server_that_accepts_and_says_nothing_times_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = InfluxAddress(f"http://127.0.0.1:{mute.getsockname()[1]}", "org", "b", SecretStr("x"), timeout_s=0.2)
        store = InfluxStore(address, tmp_path / "cursor", Registry)
        started = time.monotonic()
        with pytest.raises(RetryableError):
            store.write(1, 1, GOOD)
        assert time.monotonic() - started < 5
        store.close()


@pytest.mark.parametrize("manner", ["half", ""])
def test_half_an_answer_to_a_query_is_retryable(fake: Fake, manner: str) -> None:
    fake.answer((200, b'{"results":[{"series":[{"columns":["time"', manner))
    with pytest.raises(RetryableError):
        fake.store.read("ahu-1", "supply_air_temperature", 0, T0)


def test_a_query_the_server_refuses_is_permanent(fake: Fake) -> None:
    fake.answer((200, json.dumps({"results": [{"error": "no such thing"}]}).encode(), ""))
    with pytest.raises(PermanentError, match="no such thing"):
        fake.store.last("ahu-1")
    fake.answer((400, b'{"error":"parse"}', ""))
    with pytest.raises(PermanentError, match="400"):
        fake.store.last("ahu-1")


def test_one_bad_point_does_not_take_its_neighbours_with_it(fake: Fake) -> None:
    fake.answer((400, b'{"code":"invalid","message":"unable to parse"}', "by line"))
    readings = [Reading(f"a{n}" if n != 5 else "bad", "co2", T0 + n, 1.0) for n in range(12)]
    fake.store.write(1, 1, readings)
    assert fake.store.cursor == 1
    assert fake.store.refused == 1
    taken = {line for body in fake.handler.seen if b"bad" not in body for line in body.split(b"\n")}
    assert len(taken) == 11


def test_a_partial_write_is_counted_and_not_sent_again(fake: Fake) -> None:
    fake.answer((400, b'{"message":"partial write: field type conflict dropped=2"}', ""))
    fake.store.write(1, 1, GOOD * 5)
    assert (fake.store.refused, fake.store.cursor, len(fake.handler.seen)) == (2, 1, 1)


def test_the_token_is_not_shown() -> None:
    assert "secret" not in repr(InfluxAddress("http://x", "o", "b", SecretStr("secret")))


@pytest.mark.service
def test_the_real_server_keeps_one_type_per_field_and_refuses_another(influx_address: InfluxAddress) -> None:
    wire = InfluxWire(influx_address)
    wire.write([b"ahu,asset=a,point=p value=1.0,quality=0i 1000000"])
    wire.write([b"ahu,asset=a,point=p value=2.0,quality=0i 2000000", b'ahu,asset=a,point=p value="x" 3000000'])
    (answer,) = wire.query(['SELECT "value" FROM "ahu"'])
    assert [row["value"] for series in answer for row in series.rows] == [1.0, 2.0]
    assert wire.refused == 1
    wire.close()


@pytest.mark.service
def test_long_series_come_in_pages(influx_address: InfluxAddress, tmp_path: Path) -> None:
    registry = parse_site(SITE, "site.yaml")
    store = InfluxStore(influx_address, tmp_path / "cursor", lambda: registry)
    store.write(1, 1, [Reading("ahu-1", "supply_air_temperature", T0 + n, float(n)) for n in range(20_500)])
    found = store.read("ahu-1", "supply_air_temperature", T0, T0 + 30_000)
    assert [reading.value for reading in found] == [float(n) for n in range(20_500)]
    assert len(store.read("ahu-1", "supply_air_temperature", T0, T0 + 30_000, limit=10_001)) == 10_001
    store.close()
