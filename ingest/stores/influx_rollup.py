"""Means of five minutes and of an hour beside the readings, for plots of long spans: `NAME_mean_5m`, `NAME_mean_1h`.

Nobody but plots reads them, and they follow from the readings: a span that something is written into is noted, durably,
before the store's cursor moves, and worked out from all its readings once it is over. So a kill at any instant, and a
reading that comes late, leave what the readings say.

Fields: `mean`, `minimum`, `maximum`, `last` and `count` of good numbers, `state` (the last good text), and `doubted`,
how many readings were not good. No field has a name that single readings use: one query asks for either.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from facility.errors import RetryableError, refuse
from facility.instant import DAY_US, HOUR_US
from facility.reading import Reading
from ingest.stores.cursor import write_whole
from ingest.stores.influx_wire import InfluxWire, Row, Series
from ingest.stores.keeping import FIVE_MINUTES_US
from ingest.stores.line_protocol import encode_head

MEANS = {FIVE_MINUTES_US: "_mean_5m", HOUR_US: "_mean_1h"}
"""What a mean stands for, microseconds -> what its bucket is called behind the name of the bucket of readings."""
GRACE_US = 30_000_000
"""So long after its end a span waits for readings that are under way."""
BACK_DAYS = 400
"""So far back means are worked out of readings that are older than this bucket's first mean."""
MOST_HOURS = 20_000
_GOOD = (
    'MEAN("value") AS "mean", MIN("value") AS "minimum", MAX("value") AS "maximum", LAST("value") AS "last", '
    'COUNT("value") AS "count", LAST("text") AS "state"'
)
_DOUBTED = 'COUNT("quality") AS "doubted"'


class InfluxRollup:
    """For the writing thread alone. `beside` is the file of the store's cursor: ours stands next to it."""

    def __init__(self, wire: InfluxWire, bucket: str, beside: Path, raw_days: int) -> None:
        """`raw_days`: until this age every reading is single (0 is for ever); older spans keep the means they have."""
        self._wire, self._bucket, self._raw_days = wire, bucket, raw_days
        self._file = beside.with_suffix(".means")
        self._noted = self._load()

    def reload(self) -> None:
        """Another process noted spans until now, and this one goes on."""
        self._noted = self._load()

    def note(self, readings: Sequence[Reading]) -> None:
        """These are on the server; durable on return. Raises RetryableError."""
        if self._noted is None:
            return  # the first look takes every hour there is
        noted, changed = self._noted, False
        for span in {reading.at_us // FIVE_MINUTES_US for reading in readings}:
            at_us = span * FIVE_MINUTES_US
            hour_us = at_us - at_us % HOUR_US
            if at_us < noted.get(hour_us, at_us + 1):
                noted[hour_us] = at_us
                changed = True
        if not changed:
            return
        for far in sorted(noted)[MOST_HOURS:]:  # devices whose clocks run wild
            del noted[far]
        self._save(noted)

    def roll(self, now_us: int) -> bool:
        """Work out what is over of one hour, the newest first; whether there was any. Raises RetryableError."""
        if self._noted is None:
            self._noted = self._begin(now_us)
            self._save(self._noted)
        over_us = (now_us - GRACE_US) // FIVE_MINUTES_US * FIVE_MINUTES_US
        oldest_us = now_us - self._raw_days * DAY_US if self._raw_days else 0
        for hour_us in sorted(self._noted, reverse=True):
            from_us, end_us = self._noted[hour_us], min(hour_us + HOUR_US, over_us)
            if from_us >= end_us:
                continue
            if hour_us >= oldest_us:
                self._work_out(FIVE_MINUTES_US, from_us, end_us)
            if end_us < hour_us + HOUR_US:
                self._noted[hour_us] = end_us
            else:
                if hour_us >= oldest_us:
                    self._work_out(HOUR_US, hour_us, end_us)
                del self._noted[hour_us]
            self._save(self._noted)
            return True
        return False

    def _work_out(self, span_us: int, start_us: int, end_us: int) -> None:
        during = f"time >= {start_us}u AND time < {end_us}u GROUP BY time({span_us}u), * fill(none)"
        good, doubted = self._wire.query(
            [
                f'SELECT {_GOOD} FROM /.*/ WHERE "quality" = 0 AND {during}',  # noqa: S608 - InfluxQL, numbers of ours
                f'SELECT {_DOUBTED} FROM /.*/ WHERE "quality" > 0 AND {during}',  # noqa: S608 - as above
            ]
        )
        lines = [line for series in (*good, *doubted) for line in _lines(series)]
        self._wire.write(lines, self._bucket + MEANS[span_us])

    def _begin(self, now_us: int) -> dict[int, int]:
        """Every hour that may hold readings, when there are no means yet."""
        (answer,) = self._wire.query(['SELECT FIRST("quality") AS "first" FROM /.*/'])
        firsts = [int(row["time"] or 0) for series in answer for row in series.rows]
        if not firsts:
            return {}
        start_us = max(min(firsts), now_us - BACK_DAYS * DAY_US) // HOUR_US * HOUR_US
        return {hour_us: hour_us for hour_us in range(start_us, now_us, HOUR_US)}

    def _load(self) -> dict[int, int] | None:
        """Hour -> from where in it; None before the first time."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[int, int])
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as error:
            hint = "Move it aside: the means of the last 400 days are then worked out again."
            raise refuse(str(self._file), f"holds no list of hours ({error})", hint) from error

    def _save(self, noted: dict[int, int]) -> None:
        try:
            write_whole(self._file, msgspec.json.encode(noted))
        except OSError as error:
            msg = f"cannot write {self._file}: {error}; check space and permissions"
            raise RetryableError(msg) from error


def _lines(series: Series) -> Iterable[bytes]:
    head = encode_head(series.name, {name: text for name, text in series.tags.items() if text})
    if head is not None:
        yield from (
            head + fields + f" {int(row['time'] or 0)}".encode() for row in series.rows if (fields := _fields(row))
        )


def _fields(row: Row) -> bytes:
    """`mean` and its like are always floats, counts always integers; what is not known is left out."""
    parts = [
        f"{name}={float(row[name] or 0)!r}"
        for name in ("mean", "minimum", "maximum", "last")
        if row.get(name) is not None
    ]
    parts += [f"{name}={int(row[name] or 0)}i" for name in ("count", "doubted") if row.get(name)]
    if (state := row.get("state")) is not None:
        text = str(state).replace("\\", "\\\\").replace('"', '\\"')
        parts.append(f'state="{text}"')
    return ",".join(parts).encode()
