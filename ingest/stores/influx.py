"""The series store for production: InfluxDB 2.7 or later, written in line protocol and read in InfluxQL.

InfluxQL because 1.8, 2.x and 3 all speak it. The cursor is a small file here and moves after the server took the
points; a range that comes again after a crash replaces itself.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from facility.reading import Reading
from facility.registry import Registry
from ingest.stores.base import END_US, FIRST_US, LAST_US, storable
from ingest.stores.buckets import into_buckets
from ingest.stores.cursor import CursorFile
from ingest.stores.influx_rollup import InfluxRollup
from ingest.stores.influx_tiers import InfluxTiers, as_name, as_text
from ingest.stores.influx_wire import InfluxAddress, InfluxWire, Row
from ingest.stores.keeping import KeepPolicy
from ingest.stores.line_protocol import LineEncoder, measurement_of
from ingest.stores.tail import to_readings

_PAGE = 10_000
_FIELDS = '"value", "text", "quality"'
_MEANS = 'MEAN("value") AS "value", LAST("text") AS "text"'


class InfluxStore:
    """A `SeriesStore` in one bucket. `cursor` is a file; `registry` gives the directory in force.

    Assets in no site file are kept under the measurement `unknown`.
    """

    def __init__(
        self,
        address: InfluxAddress,
        cursor: Path,
        registry: Callable[[], Registry],
        policy: KeepPolicy | None = None,
        *,
        writes: bool = True,
    ) -> None:
        self._writes = writes
        self._wire = InfluxWire(address)
        policy = policy or KeepPolicy()
        self._tiers = InfluxTiers(self._wire, address.bucket, policy, registry, cursor)
        self._rollup = InfluxRollup(self._wire, address.bucket, cursor, policy.raw_days)
        self._cursor = CursorFile(cursor)
        self._registry = registry
        self._encoder = LineEncoder(registry)
        self.unstorable = 0
        """Readings left out because no store can keep them (see `storable`), or their names fit into no tag."""

    @property
    def cursor(self) -> int:
        """Up to here the server has every reading."""
        return self._cursor.seq

    @property
    def refused(self) -> int:
        """Points the server refused for good."""
        return self._wire.refused

    def write(self, first_seq: int, last_seq: int, readings: Sequence[Reading]) -> None:  # noqa: ARG002 - the protocol
        """On the server on return; nothing when another process writes. Raises RetryableError."""
        if not self._writes:
            return
        kept = storable(readings)
        lines = [line for reading in kept if (line := self._encoder.encode(reading)) is not None]
        self._wire.write(lines)
        self._rollup.note(kept)
        self.unstorable += len(readings) - len(lines)
        self._cursor.move(last_seq)

    def begin_writing(self) -> None:
        """As `SeriesStore.begin_writing` promises: after the cursor that was left."""
        self._cursor.reload()
        self._tiers.reload()
        self._rollup.reload()
        self._writes = True

    def flush(self) -> None:
        """Nothing is held back."""

    def rewind(self, seq: int) -> None:
        """As `SeriesStore.rewind` promises."""
        self._cursor.rewind(seq)

    def thin(self, now_us: int) -> bool:
        """As `SeriesStore.thin` promises, into the buckets for five minutes and for hours."""
        return self._tiers.thin(now_us)

    def roll_up(self, now_us: int) -> bool:
        """As `SeriesStore.roll_up` promises, into the buckets of means."""
        return self._rollup.roll(now_us)

    def read(
        self,
        asset_id: str,
        point: str,
        from_us: int,
        to_us: int,
        *,
        every_us: int | None = None,
        limit: int | None = None,
    ) -> list[Reading]:
        """As `SeriesStore.read` promises. Single readings are fetched in pages of 10,000."""
        start_us, end_us = max(from_us, FIRST_US), min(to_us, END_US)
        if not self._writes:
            self._tiers.reload()
        seam_us = min(self._tiers.seam_us, end_us)
        if every_us is not None:  # a bucket lies on one side
            seam_us = min(-(-seam_us // every_us) * every_us, end_us)
        if start_us < seam_us:
            old = self._thinned(asset_id, point, (start_us, seam_us), every_us)[:limit]
            left = None if limit is None else limit - len(old)
            if left == 0:
                return old
            return old + self.read(asset_id, point, seam_us, end_us, every_us=every_us, limit=left)
        if every_us is not None:
            return self._means(asset_id, point, (start_us, end_us), every_us, limit)
        found: list[Reading] = []
        while start_us < end_us and (limit is None or len(found) < limit):
            size = _PAGE if limit is None else min(_PAGE, limit - len(found))
            where = self._where(asset_id, point, start_us, end_us)
            (answer,) = self._wire.query([f"SELECT {_FIELDS} {where} ORDER BY time ASC LIMIT {size}"])
            page = [_reading(asset_id, point, row) for series in answer for row in series.rows]
            found += page
            if len(page) < size:
                break
            start_us = page[-1].at_us + 1
        return found

    def last(self, asset_id: str) -> dict[str, Reading]:
        """As `SeriesStore.last` promises."""
        measurement = as_name(measurement_of(self._registry(), asset_id))
        where = f'FROM {measurement} WHERE "asset" = {as_text(asset_id)}'
        query = f'SELECT {_FIELDS} {where} GROUP BY "point" ORDER BY time DESC LIMIT 1'
        (answer,) = self._wire.query([query])
        newest = [_reading(asset_id, series.tags["point"], row) for series in answer for row in series.rows]
        for bucket in self._tiers.buckets() if not newest else ():
            (answer,) = self._wire.query([query], bucket)
            newest = newest or [_reading(asset_id, one.tags["point"], row) for one in answer for row in one.rows]
        edge_us = max((reading.at_us for reading in newest), default=0) - LAST_US
        return {reading.point: reading for reading in newest if reading.at_us > edge_us}

    def close(self) -> None:
        """Let go of the connections."""
        self._wire.close()

    def _thinned(self, asset_id: str, point: str, span: tuple[int, int], every_us: int | None) -> list[Reading]:
        frame = self._tiers.rows(asset_id, point, *span)
        if every_us is not None:
            frame = into_buckets(frame, every_us)
        else:  # where a late reading stands at the start of a mean's span, it speaks for that instant
            frame = frame.unique("at", keep="last", maintain_order=True)
        return to_readings(frame, asset_id, point)

    def _means(
        self, asset_id: str, point: str, span: tuple[int, int], every_us: int, limit: int | None
    ) -> list[Reading]:
        where = self._where(asset_id, point, *span)
        end = f"GROUP BY time({every_us}u) fill(none)" + (f" LIMIT {limit}" if limit is not None else "")
        good, other = self._wire.query(
            [
                f'SELECT {_MEANS} {where} AND "quality" = 0 {end}',
                f'SELECT {_MEANS}, MAX("quality") AS "quality" {where} AND "quality" > 0 {end}',
            ]
        )
        buckets = {
            reading.at_us: reading
            for answer in (other, good)
            for series in answer
            for row in series.rows
            if (reading := _reading(asset_id, point, row))
        }
        return [buckets[at_us] for at_us in sorted(buckets)[:limit]]

    def _where(self, asset_id: str, point: str, start_us: int, end_us: int) -> str:
        measurement = as_name(measurement_of(self._registry(), asset_id))
        tags = f'"asset" = {as_text(asset_id)} AND "point" = {as_text(point)}'
        return f"FROM {measurement} WHERE {tags} AND time >= {start_us}u AND time < {end_us}u"


def _reading(asset_id: str, point: str, row: Row) -> Reading:
    value, text, quality = row.get("value"), row.get("text"), row.get("quality")
    at_us = int(row["time"] or 0)
    if value is None:
        return Reading(asset_id, point, at_us, str(text), int(quality or 0))
    return Reading(asset_id, point, at_us, float(value), int(quality or 0))
