"""Buckets, retention and DBRP mappings, set up in a fake InfluxDB 2 that keeps what it is told.

The fake follows the paths and bodies of InfluxDB 2's documented API; no InfluxDB 2 ran here.
"""

import json
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from facility.catalogue import PointKind
from facility.errors import PermanentError, RetryableError
from ingest.stores.influx_setup import missing_buckets, set_up
from ingest.stores.influx_wire import InfluxAddress
from ingest.stores.keeping import Keep, KeepPolicy

ORG_ID = "0123456789abcdef"
DAY_S = 86_400
NAMES = ["plant", "plant_5m", "plant_1h", "plant_mean_5m", "plant_mean_1h"]
POLICY = KeepPolicy({kind: Keep(raw_days=90, five_minute_days=400) for kind in PointKind})


class FakeInflux2:
    """Organisations, buckets and mappings; `status` other than 0 answers everything with it."""

    def __init__(self) -> None:
        self.buckets: dict[str, dict[str, Any]] = {}
        self.mappings: list[dict[str, Any]] = []
        self.status = 0
        self.missing_is_404 = False
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                size = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(size) or b"{}")
                asked = urllib.parse.urlsplit(self.path)
                query = dict(urllib.parse.parse_qsl(asked.query))
                status, answer = fake.answer(self.command, asked.path, query, body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = _serve  # noqa: N815 - named by the base class

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base class
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        url = f"http://127.0.0.1:{self.server.server_port}"
        self.address = InfluxAddress(url, "acme", "plant", SecretStr("t"), 2.0)

    def answer(self, verb: str, path: str, query: dict[str, str], body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.status:
            return self.status, {"code": "x", "message": "not today"}
        if path == "/api/v2/orgs":
            return 200, {"orgs": [{"id": ORG_ID, "name": "acme"}] if query.get("org") == "acme" else []}
        return self._bucket(verb, path, query, body) if "/buckets" in path else self._mapping(verb, path, query, body)

    def _bucket(self, verb: str, path: str, query: dict[str, str], body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if verb == "GET":
            found = [bucket for bucket in self.buckets.values() if bucket["name"] == query["name"]]
            if not found and self.missing_is_404:
                return 404, {"code": "not found", "message": "bucket not found"}
            return 200, {"buckets": found}
        if verb == "POST":
            assert body["orgID"] == ORG_ID
            made = {**body, "id": f"{len(self.buckets):016x}"}
            self.buckets[made["id"]] = made
            return 201, made
        bucket = self.buckets[path.rsplit("/", 1)[1]]
        bucket["retentionRules"] = body["retentionRules"]
        return 200, bucket

    def _mapping(self, verb: str, path: str, query: dict[str, str], body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if verb == "GET":
            return 200, {"content": [one for one in self.mappings if one["database"] == query["db"]]}
        assert (verb, path) == ("POST", "/api/v2/dbrps")
        assert body["org"] == "acme"
        self.mappings.append({**body, "orgID": ORG_ID, "id": f"{len(self.mappings):016x}", "virtual": False})
        return 201, self.mappings[-1]

    def kept_days(self) -> dict[str, float]:
        """Days each bucket keeps; 0 is for ever."""
        return {
            bucket["name"]: sum(rule["everySeconds"] for rule in bucket["retentionRules"]) / DAY_S
            for bucket in self.buckets.values()
        }


@pytest.fixture
def fake() -> Iterator[FakeInflux2]:
    fake = FakeInflux2()
    yield fake
    fake.server.shutdown()
    fake.server.server_close()
    fake.thread.join()


@pytest.mark.parametrize("missing_is_404", [False, True])
def test_it_makes_buckets_with_their_retention_and_maps_each_for_influxql(
    fake: FakeInflux2, *, missing_is_404: bool
) -> None:
    fake.missing_is_404 = missing_is_404
    said = set_up(fake.address, POLICY)
    assert fake.kept_days() == dict(zip(NAMES, (120.0, 430.0, 0.0, 430.0, 0.0), strict=True))
    assert [(one["database"], one["retention_policy"], one["default"]) for one in fake.mappings] == [
        (name, "autogen", True) for name in NAMES
    ]
    assert {one["bucketID"] for one in fake.mappings} == set(fake.buckets)
    assert said[0] == "bucket plant: made, keeps 120 days; for InfluxQL database plant was mapped"
    assert said[2] == "bucket plant_1h: made, keeps for ever; for InfluxQL database plant_1h was mapped"


def test_a_second_time_changes_nothing_and_another_policy_corrects_the_retention(fake: FakeInflux2) -> None:
    assert missing_buckets(fake.address) == NAMES
    set_up(fake.address, POLICY)
    assert missing_buckets(fake.address) == []
    again = set_up(fake.address, POLICY)
    assert len(fake.buckets) == len(fake.mappings) == 5
    assert again[0] == "bucket plant: is there, keeps 120 days; for InfluxQL database plant is mapped"
    longer = KeepPolicy({**POLICY.by_kind, PointKind.COUNTER: Keep(raw_days=500, five_minute_days=600)})
    corrected = set_up(fake.address, longer)
    assert fake.kept_days() == dict(zip(NAMES, (530.0, 630.0, 0.0, 630.0, 0.0), strict=True))
    assert "kept 120 days, corrected, keeps 530 days" in corrected[0]
    set_up(fake.address, KeepPolicy())
    assert fake.kept_days() == dict.fromkeys(NAMES, 0.0), "for ever when a kind is"


def test_a_mapping_that_the_server_only_pretends_is_made_real(fake: FakeInflux2) -> None:
    set_up(fake.address, POLICY)
    for one in fake.mappings:
        one["virtual"] = True
    set_up(fake.address, POLICY)
    assert [one["virtual"] for one in fake.mappings].count(False) == 5


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (401, PermanentError, "token that may write buckets"),
        (404, PermanentError, "cannot find organization"),
        (503, RetryableError, "try again"),
    ],
)
def test_what_it_cannot_do_it_says(fake: FakeInflux2, status: int, error: type[Exception], says: str) -> None:
    fake.status = status
    with pytest.raises(error, match=says):
        set_up(fake.address, POLICY)


def test_an_organisation_that_is_not_there_and_a_server_that_is_not_there(fake: FakeInflux2, free_port: int) -> None:
    other = InfluxAddress(fake.address.url, "nobody", "plant", SecretStr("t"), 2.0)
    with pytest.raises(PermanentError, match="organization with name: 'nobody'"):
        set_up(other, POLICY)
    away = InfluxAddress(f"http://127.0.0.1:{free_port}", "acme", "plant", SecretStr("t"), 2.0)
    with pytest.raises(RetryableError, match="cannot be reached"):
        set_up(away, POLICY)
