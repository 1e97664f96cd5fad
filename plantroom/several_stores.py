"""The series stores of several shards as if there were one.

A building that was moved has its past in the store of one shard and its present in that of another.
"""

from collections.abc import Collection, Sequence
from math import fsum
from pathlib import Path

from facility.reading import Quality, Reading
from ingest.stores.base import LAST_US, SeriesReader
from ingest.stores.folder import ParquetFolder
from plantroom.several import newest_of


class SeveralStores:
    """Reads several stores as one. A reading that several have is there once."""

    def __init__(self, stores: Sequence[SeriesReader]) -> None:
        self._stores = tuple(stores)

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
        """As `SeriesReader.read`."""
        found = [one.read(asset_id, point, from_us, to_us, every_us=every_us, limit=limit) for one in self._stores]
        found = [rows for rows in found if rows]
        if len(found) < 2:
            return found[0] if found else []
        merged: dict[int, Reading] = {}
        shared: set[int] = set()
        for rows in found:
            shared |= merged.keys() & {row.at_us for row in rows}
            merged |= {row.at_us: row for row in rows}
        if every_us is not None:
            for at_us in shared:
                span = (max(at_us, from_us), min(at_us + every_us, to_us))
                merged[at_us] = _bucket(self.read(asset_id, point, *span), at_us)
        return [merged[at_us] for at_us in sorted(merged)][:limit]

    def last(self, asset_id: str) -> dict[str, Reading]:
        """As `SeriesReader.last`."""
        points = newest_of(one.last(asset_id) for one in self._stores)
        edge_us = max((row.at_us for row in points.values()), default=0) - LAST_US
        return {name: row for name, row in points.items() if row.at_us >= edge_us}


class SeveralFolders:
    """Parquet folders read beside the processes that write them. A reading that several have is there once."""

    def __init__(self, folders: Sequence[ParquetFolder]) -> None:
        self._folders = tuple(folders)

    def span(self) -> tuple[int, int]:
        """The first and the last event day, counted from 1970-01-01."""
        spans = [folder.span() for folder in self._folders]
        return min(first for first, _ in spans), max(last for _, last in spans)

    def between(self, series: Collection[tuple[str, str]], from_us: int, to_us: int) -> list[Reading]:
        """As `ParquetFolder.between`."""
        if len(self._folders) == 1:
            return self._folders[0].between(series, from_us, to_us)
        found = {
            (one.asset_id, one.point, one.at_us): one
            for folder in self._folders
            for one in folder.between(series, from_us, to_us)
        }
        return [found[key] for key in sorted(found)]


def holds_parts(readings: Path) -> bool:
    """Whether a store has written anything there."""
    return any(readings.glob("day=*/*.parquet"))


def _bucket(rows: Sequence[Reading], at_us: int) -> Reading:
    """What `SeriesReader.read` says of a bucket, of its single readings."""
    good = [row for row in rows if row.quality == Quality.GOOD]
    chosen = good or rows
    numbers = [float(row.value) for row in chosen if not isinstance(row.value, str)]
    value = fsum(numbers) / len(numbers) if numbers else chosen[-1].value
    quality = Quality.GOOD if good else max(row.quality for row in rows)
    return Reading(rows[0].asset_id, rows[0].point, at_us, value, quality)
