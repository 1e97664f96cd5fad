"""The coarser buckets beside the one of single readings: `NAME_5m` and `NAME_1h`, and how readings move there.

One series and one day at a time. What will be written is noted in a file first, then written, then what it stands
for is deleted; a kill at any instant is made good by doing that note again.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import polars as pl

from facility.errors import RetryableError
from facility.instant import DAY_US, HOUR_US
from facility.registry import Registry
from ingest.stores.cursor import CursorFile, write_whole
from ingest.stores.influx_wire import InfluxWire, Row
from ingest.stores.keeping import FIVE_MINUTES_US, GONE, SINGLE_US, Keep, KeepPolicy
from ingest.stores.line_protocol import LineEncoder, measurement_of
from ingest.stores.tail import WIDE, newest_wins
from ingest.stores.thinning import thin

PAGE = 10_000
NAMES = ("value", "text", "quality", "count", "minimum", "maximum", "last")
SUFFIXES = {SINGLE_US: "", FIVE_MINUTES_US: "_5m", HOUR_US: "_1h"}


class _Note(msgspec.Struct, frozen=True):
    """What is to be written into `into`, and which rows of `source` that stands for; `into` empty: they just go."""

    into: str
    lines: tuple[bytes, ...]
    source: str
    measurement: str
    asset_id: str
    point: str
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class _Series:
    asset_id: str
    point: str
    keep: Keep


class InfluxTiers:
    """Reads the coarser buckets, and thins into them. For the writing thread, but for `rows`."""

    def __init__(
        self, wire: InfluxWire, bucket: str, policy: KeepPolicy, registry: Callable[[], Registry], beside: Path
    ) -> None:
        """`beside` is the file of the store's cursor: ours stand next to it."""
        self._wire, self._bucket, self._policy, self._registry = wire, bucket, policy, registry
        self._encoder = LineEncoder(registry)
        self._thinned = CursorFile(beside.with_suffix(".thinned"))
        self._note_file = beside.with_suffix(".thinning")
        self._waiting: deque[_Series] = deque()
        self._looked_day = -1

    @property
    def seam_us(self) -> int:
        """No reading that is younger was ever thinned; 0 when none was."""
        return self._thinned.seq

    def reload(self) -> None:
        """Another process may have thinned since."""
        self._thinned.reload()

    def buckets(self) -> list[str]:
        """The coarser buckets, the finest first; none while nothing was ever thinned."""
        return [self._bucket + suffix for suffix in SUFFIXES.values() if suffix] if self.seam_us else []

    def rows(self, asset_id: str, point: str, start_us: int, end_us: int) -> pl.DataFrame:
        """Everything of a series in a span, of every bucket (`WIDE`, ordered). Raises RetryableError."""
        frames = [self._rows(span, asset_id, point, start_us, end_us) for span in reversed(SUFFIXES)]
        return newest_wins(pl.concat(frames))

    def thin(self, now_us: int) -> bool:
        """As `SeriesStore.thin` promises: one day of one series; every series once a day."""
        self._finish()
        if not self._waiting:
            today = now_us // DAY_US
            if today == self._looked_day:
                return False
            self._looked_day = today
            self._waiting.extend(
                _Series(asset.id, point, keep)
                for asset in self._registry().assets.values()
                for point in asset.points
                if (keep := self._policy.of(point)).raw_days or keep.five_minute_days or keep.hour_days
            )
        if self._waiting and not self._thin_series(self._waiting[0], now_us):
            self._waiting.popleft()
        return bool(self._waiting)

    def _thin_series(self, series: _Series, now_us: int) -> bool:
        """The oldest day that is due; False when none is."""
        keep = series.keep
        for span, days in zip(SUFFIXES, (keep.raw_days, keep.five_minute_days, keep.hour_days), strict=True):
            if not days:
                continue
            due_us = (now_us - days * DAY_US) // DAY_US * DAY_US
            if span != SINGLE_US and self.seam_us == 0:
                continue
            oldest = self._select(span, series.asset_id, series.point, 0, due_us, limit=1)
            if oldest:
                self._thin_day(series, span, int(oldest[0]["time"] or 0) // DAY_US, now_us)
                return True
        return False

    def _thin_day(self, series: _Series, span: int, day: int, now_us: int) -> None:
        asset_id, point, start_us, end_us = series.asset_id, series.point, day * DAY_US, (day + 1) * DAY_US
        wanted = series.keep.span_at((now_us - end_us) // DAY_US)
        lines: Sequence[bytes] = ()
        if wanted is not GONE:
            finer = self._rows(span, asset_id, point, start_us, end_us)
            coarse = self._rows(wanted, asset_id, point, start_us, end_us)
            frame = thin(newest_wins(pl.concat([coarse, finer])), {point: wanted})
            lines = [line for row in frame.iter_rows(named=True) if (line := self._encoder.encode_row(row)) is not None]
        into = self._bucket + SUFFIXES[wanted] if wanted is not GONE else ""
        measurement = measurement_of(self._registry(), asset_id)
        source = self._bucket + SUFFIXES[span]
        note = _Note(into, tuple(lines), source, measurement, asset_id, point, start_us, end_us)
        try:
            write_whole(self._note_file, msgspec.json.encode(note))
        except OSError as error:
            msg = f"cannot write {self._note_file}: {error}; check space and permissions"
            raise RetryableError(msg) from error
        self._finish()

    def _finish(self) -> None:
        """Do what is noted, again if need be: the same lines replace themselves, the same rows are gone already."""
        if not self._note_file.exists():
            return
        note = msgspec.json.decode(self._note_file.read_bytes(), type=_Note)
        self._thinned.move(note.end_us)
        self._wire.write(note.lines, note.into)
        tags = {"_measurement": note.measurement, "asset": note.asset_id, "point": note.point}
        self._wire.delete(tags, note.start_us, note.end_us, note.source)
        self._note_file.unlink()

    def _rows(self, span: int, asset_id: str, point: str, start_us: int, end_us: int) -> pl.DataFrame:
        found: list[Row] = []
        while start_us < end_us:
            page = self._select(span, asset_id, point, start_us, end_us, limit=PAGE)
            found += page
            if len(page) < PAGE:
                break
            start_us = int(page[-1]["time"] or 0) + 1
        return _to_frame(found, asset_id, point, span)

    def _select(self, span: int, asset_id: str, point: str, start_us: int, end_us: int, limit: int) -> list[Row]:
        measurement = as_name(measurement_of(self._registry(), asset_id))
        where = f'"asset" = {as_text(asset_id)} AND "point" = {as_text(point)}'
        where += f" AND time >= {start_us}u AND time < {end_us}u"
        names = ", ".join(map(as_name, NAMES))
        query = f"SELECT {names} FROM {measurement} WHERE {where} ORDER BY time ASC LIMIT {limit}"  # noqa: S608 - InfluxQL, quoted above
        (answer,) = self._wire.query([query], self._bucket + SUFFIXES[span])
        return [row for series in answer for row in series.rows]


def _to_frame(rows: Sequence[Row], asset_id: str, point: str, span: int) -> pl.DataFrame:
    columns = {name: [row.get(name) for row in rows] for name in NAMES}
    at = pl.Series([int(row["time"] or 0) for row in rows], dtype=pl.Int64()).cast(WIDE["at"])
    fixed = {"asset": [asset_id] * len(rows), "point": [point] * len(rows), "span": [span] * len(rows)}
    return pl.DataFrame({**columns, **fixed, "at": at}, schema_overrides=WIDE).select(WIDE.names())


def as_name(text: str) -> str:
    """An identifier of InfluxQL."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def as_text(text: str) -> str:
    """A string of InfluxQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
