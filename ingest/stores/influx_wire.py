"""The wire to InfluxDB: line protocol in over /api/v2/write, InfluxQL out over /query, failures by kind.

Writing is SYNCHRONOUS: the client's batching mode drops points without a word while the server is away.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from pydantic import SecretStr
from urllib3.exceptions import HTTPError

from facility.errors import PermanentError, RetryableError
from facility.instant import format_instant, from_us

log = structlog.get_logger(__name__)

_MICROSECONDS: Any = WritePrecision.US  # the client declares its own constants as another type
_BATCH = 5_000
_TRIES = 64
_DROPPED = re.compile(r"dropped[= ](\d+)")
Row = dict[str, float | str | None]


@dataclass(frozen=True, slots=True)
class InfluxAddress:
    """Where InfluxDB is. `url` without a path; `timeout_s` for each request, real seconds."""

    url: str
    org: str
    bucket: str
    token: SecretStr
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an answer: its tags, rows by column, and measurement."""

    tags: dict[str, str]
    rows: list[Row]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """One series of an answer as it came: a list for each row, in the order of `columns`."""

    tags: dict[str, str]
    columns: list[str]
    values: list[list[Any]]
    name: str = ""


class InfluxWire:
    """A connection pool; safe for any number of threads."""

    def __init__(self, address: InfluxAddress) -> None:
        self._address = address
        self._client = InfluxDBClient(
            url=address.url,
            org=address.org,
            token=address.token.get_secret_value(),
            timeout=round(address.timeout_s * 1000),
            enable_gzip=True,
        )
        self._write_api = self._client.write_api(write_options=SYNCHRONOUS)
        self.refused = 0
        """Points the server will never take (a field of another type, older than the retention)."""

    def write(self, lines: Sequence[bytes], bucket: str | None = None) -> None:
        """Everything is on the server on return, but for points it refuses for good: those are counted and logged.

        Raises RetryableError when the server is away, busy or does not let us in: after that nothing is certain.
        """
        for start in range(0, len(lines), _BATCH):
            self._write_batch(lines[start : start + _BATCH], bucket or self._address.bucket)

    def delete(self, tags: Mapping[str, str], start_us: int, end_us: int, bucket: str) -> None:
        """Nothing with these tags (`_measurement` among them) is left in the span on return. Raises RetryableError or
        PermanentError."""
        predicate = " AND ".join(f"{name}={_quoted(value)}" for name, value in tags.items())
        start, last = (format_instant(from_us(at_us)) for at_us in (start_us, end_us - 1))
        try:
            self._client.delete_api().delete(start, last, predicate, bucket, self._address.org)
        except (ApiException, HTTPError, OSError) as error:
            raise self._failure("delete from", error, bucket) from error

    def query(self, statements: Sequence[str], bucket: str | None = None) -> list[list[Series]]:
        """The answer to each InfluxQL statement, instants in microseconds. Raises RetryableError or PermanentError."""
        return [[_with_names(series) for series in answer] for answer in self.ask(statements, bucket)]

    def ask(self, statements: Sequence[str], bucket: str | None = None) -> list[list[Answered]]:
        """As `query`, for who wants many rows."""
        parameters = [("db", bucket or self._address.bucket), ("q", ";".join(statements)), ("epoch", "u")]
        try:
            response = self._client.api_client.call_api(  # type: ignore[no-untyped-call]  # the client's own lower half
                "/query",
                "GET",
                query_params=parameters,
                header_params={"Accept": "application/json"},
                _preload_content=False,
                _return_http_data_only=True,
            )
            answer = json.loads(response.data)
        except (ApiException, HTTPError, OSError) as error:
            raise self._failure("read from", error, bucket) from error
        except ValueError as error:
            msg = f"InfluxDB at {self._address.url} gave half an answer: {error}; it is asked again"
            raise RetryableError(msg) from error
        return [_parse(result) for result in answer.get("results", [])]

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()  # type: ignore[no-untyped-call]  # the client has no types here

    def _write_batch(self, lines: Sequence[bytes], bucket: str) -> None:
        """Send; when the server finds fault with some, halve until the good ones are in (at most 64 requests)."""
        left, tries = [lines], 0
        while left:
            batch, tries = left.pop(), tries + 1
            try:
                self._write_api.write(bucket=bucket, record=b"\n".join(batch), write_precision=_MICROSECONDS)
            except ApiException as error:
                if error.status not in (400, 413, 422):
                    raise self._failure("write to", error, bucket) from error
                took_rest = error.status == 422 or "partial write" in _reason(error)
                if took_rest or len(batch) == 1 or tries >= _TRIES:
                    self._note_refusal(batch, error, took_rest=took_rest)
                else:
                    half = len(batch) // 2
                    left += [batch[half:], batch[:half]]
            except (InfluxDBError, HTTPError, OSError) as error:
                raise self._failure("write to", error, bucket) from error

    def _note_refusal(self, batch: Sequence[bytes], error: ApiException, *, took_rest: bool) -> None:
        reason = _reason(error)
        dropped = _DROPPED.search(reason) if took_rest else None
        count = int(dropped[1]) if dropped else 1 if took_rest else len(batch)
        self.refused += count
        log.error("points refused by InfluxDB", count=count, reason=reason[:300], first=batch[0][:200])

    def _failure(self, verb: str, error: Exception, bucket: str | None) -> RetryableError | PermanentError:
        where, status = f"InfluxDB at {self._address.url}", getattr(error, "status", None)
        if status in (401, 403):
            return RetryableError(f"cannot {verb} {where}: it does not accept our token; check token and rights")
        if status == 404:
            return RetryableError(
                f"cannot {verb} {where}: it has no bucket {bucket or self._address.bucket!r}; "
                "make it with `plantroom db upgrade`"
            )
        if isinstance(error, ApiException) and status is not None and 400 <= status < 500 and status not in (408, 429):
            return PermanentError(f"cannot {verb} {where}: {status} {_reason(error)}")
        what = f"{status} {_reason(error)}" if isinstance(error, ApiException) else str(error)
        return RetryableError(f"cannot {verb} {where}: {what}; it is tried again")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _reason(error: ApiException) -> str:
    return " ".join(str(error.body or error.reason or "").split())


def _with_names(one: Answered) -> Series:
    return Series(one.tags, [dict(zip(one.columns, row, strict=True)) for row in one.values], one.name)


def _parse(result: dict[str, object]) -> list[Answered]:
    if "error" in result:
        msg = f"InfluxDB refused a query: {result['error']}"
        raise PermanentError(msg)
    series = result.get("series", [])
    assert isinstance(series, list)  # noqa: S101 - InfluxDB's documented answer
    return [
        Answered(item.get("tags", {}), item["columns"], item.get("values", []), item.get("name", "")) for item in series
    ]
