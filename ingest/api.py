"""Routes of ingest: readings from the series store, and messages that could not be read."""

import base64
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, NoReturn, Protocol

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel

from facility.clock import Clock
from facility.errors import RetryableError
from facility.fields import unknown
from facility.instant import format_instant, from_us, parse_duration, parse_instant, to_us
from facility.reading import Quality, Value
from facility.registry import Registry
from ingest.stores.base import SeriesReader
from ingest.tables import DeadLetterRow

MAX_READINGS = 10_000
DEFAULT_SPAN = timedelta(days=1)


class DeadLetterSource(Protocol):
    """Where dead letters are kept."""

    def newest(self, limit: int) -> Sequence[DeadLetterRow]:
        """The newest first."""


class ReadingAnswer(BaseModel):
    """One reading; `quality` is good, out_of_range, stuck, spike, stale, future, duplicate, late or substituted."""

    at: str
    value: Value
    quality: str


class ReadingsAnswer(BaseModel):
    """The readings of one point, oldest first, in `unit`."""

    asset_id: str
    point: str
    unit: str
    readings: list[ReadingAnswer]


class DeadLetterAnswer(BaseModel):
    """A message that could not be read. `encoding` says how `payload` is written: utf-8 or base64."""

    id: int
    at: str
    topic: str
    payload: str
    encoding: str
    size: int
    reason: str


def build_router(
    registry: Callable[[], Registry], store: SeriesReader, dead_letters: DeadLetterSource, clock: Clock
) -> APIRouter:
    """The routes; `registry` gives the directory in force. Who may call is decided where they are mounted."""
    router = APIRouter(prefix="/api", tags=["ingest"])

    @router.get("/readings")
    def readings(
        asset: Annotated[str, Query(description="asset id")],
        point: Annotated[str, Query(description="point name, own or borrowed")],
        from_: Annotated[
            str | None, Query(alias="from", description="ISO 8601 instant; default a day before to")
        ] = None,
        to: Annotated[str | None, Query(description="ISO 8601 instant, exclusive; default now")] = None,
        every: Annotated[
            str | None, Query(description="bucket, such as 5 min: means of numbers, last of texts")
        ] = None,
    ) -> ReadingsAnswer:
        """Readings of one point with from <= at < to, at most 10,000."""
        directory = registry()
        found = directory.point(asset, point)
        if asset not in directory.assets:
            _refuse(404, "asset", unknown("asset", asset, directory.assets), "GET /api/assets lists them.")
        if found is None:
            known = {*directory.assets[asset].points, *directory.assets[asset].borrows}
            _refuse(404, "point", unknown(f"point of asset {asset}", point, known), "GET /api/assets lists them.")
        end = _instant("to", to) if to is not None else clock.now()
        start = _instant("from", from_) if from_ is not None else end - DEFAULT_SPAN
        if start >= end:
            what = f"from {format_instant(start)} is not before to {format_instant(end)}"
            _refuse(422, "from", what, "Swap the two, or ask for a longer span.")
        try:
            rows = store.read(
                found.asset_id, found.name, to_us(start), to_us(end), every_us=_bucket(every), limit=MAX_READINGS + 1
            )
        except RetryableError as error:
            _refuse(503, "store", str(error), "Try again; readings are kept in the journal meanwhile.")
        if len(rows) > MAX_READINGS:
            what = f"more than {MAX_READINGS:,} readings between {format_instant(start)} and {format_instant(end)}"
            _refuse(422, "every", what, "Ask for a shorter span, or for means with every, such as every=5 min.")
        return ReadingsAnswer(
            asset_id=asset,
            point=point,
            unit=found.unit,
            readings=[
                ReadingAnswer(
                    at=format_instant(from_us(row.at_us)), value=row.value, quality=Quality(row.quality).name.lower()
                )
                for row in rows
            ],
        )

    @router.get("/dead-letters")
    def letters(limit: Annotated[int, Query(ge=1, le=1_000)] = 100) -> list[DeadLetterAnswer]:
        """Messages that could not be read, newest first."""
        return [_answer(row) for row in dead_letters.newest(limit)]

    return router


def _refuse(status: int, where: str, what: str, hint: str) -> NoReturn:
    raise HTTPException(status, detail={"where": where, "what": what, "hint": hint})


def _instant(name: str, text: str) -> datetime:
    try:
        # a plus sign in an address means a space: 09:00:00 08:00 was meant as 09:00:00+08:00
        return parse_instant(text.replace(" ", "+") if "T" in text else text)
    except (ValueError, OverflowError) as error:
        _refuse(422, name, str(error), "Write it like 2026-11-21T09:00:00Z.")


def _bucket(every: str | None) -> int | None:
    if every is None:
        return None
    try:
        span = parse_duration(every)
    except (ValueError, OverflowError) as error:
        _refuse(422, "every", str(error), "Write it like 5 min.")
    if span < timedelta(seconds=1):
        _refuse(422, "every", f"{every!r} is shorter than a second", "Leave it out to get every reading.")
    return span // timedelta(microseconds=1)


def _answer(row: DeadLetterRow) -> DeadLetterAnswer:
    try:
        payload, encoding = row.payload.decode(), "utf-8"
    except UnicodeDecodeError:
        payload, encoding = base64.b64encode(row.payload).decode("ascii"), "base64"
    return DeadLetterAnswer(
        id=row.id or 0,
        at=format_instant(from_us(row.at_us)),
        topic=row.topic,
        payload=payload,
        encoding=encoding,
        size=row.size,
        reason=row.reason,
    )
