"""The parts on disk: written whole, found by day, merged. Safe for one writing thread and any number of readers."""

import os
import threading
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from pathlib import Path

import polars as pl

from facility.reading import Reading
from ingest.stores.cursor import sync_folder
from ingest.stores.parts import Part, choose_run, day_of, parse_part, part_path, superfluous
from ingest.stores.tail import SCHEMA, newest_wins, to_frame

_ROW_GROUP = 65_536
_TRIES = 8


class Shelf:
    """Every part in a folder. Parts that end later stand later, so the last row of a key is the right one."""

    def __init__(self, folder: Path) -> None:
        """Clears away what a kill left behind: half-written files and parts that a merged one covers."""
        self._folder = folder
        self._lock = threading.Lock()
        for leftover in folder.glob("day=*/*.tmp"):
            leftover.unlink()
        parts = [part for path in folder.glob("day=*/*.parquet") if (part := parse_part(path)) is not None]
        self._days: dict[int, tuple[Part, ...]] = {}
        for day, group in groupby(sorted(parts, key=lambda part: part.day), key=lambda part: part.day):
            of_day = sorted(group)
            covered = superfluous(of_day)
            for part in covered:
                part.path.unlink()
            self._days[day] = tuple(part for part in of_day if part not in covered)

    def days(self) -> list[int]:
        """The event days that have parts, oldest first."""
        with self._lock:
            return sorted(self._days)

    def write(self, readings: Iterable[Reading], first_seq: int, last_seq: int) -> None:
        """One part for each event day; all of them durable on return. Raises OSError or PolarsError."""
        by_day: dict[int, list[Reading]] = {}
        for reading in readings:
            by_day.setdefault(day_of(reading.at_us), []).append(reading)
        for day, of_day in by_day.items():
            self._put(day, first_seq, last_seq, newest_wins(to_frame(of_day)), ())

    def merge(self, limit: int) -> int:
        """Merge small neighbours of each day, up to `limit` bytes together; the number of merges.

        The newest day waits for eight of about a size; in an older day any two are merged. Raises OSError or
        PolarsError, after the other days were merged.
        """
        with self._lock:
            days = {day: parts for day, parts in self._days.items() if len(parts) > 1}
            newest = max(self._days, default=0)
        merges, failure = 0, None
        for day, parts in days.items():
            run = choose_run(parts, 8 if day == newest else 2, limit)
            if run:
                try:
                    self._merge(day, run)
                    merges += 1
                except (OSError, pl.exceptions.PolarsError) as error:
                    failure = failure or error  # the other days go on first
        if failure is not None:
            raise failure
        return merges

    def _merge(self, day: int, run: Sequence[Part]) -> None:
        first, last = min(part.first_seq for part in run), max(part.last_seq for part in run)
        rows = pl.concat([pl.read_parquet(part.path, hive_partitioning=False) for part in run])
        self._put(day, first, last, newest_wins(rows), run)

    def find(self, days: Collection[int], condition: pl.Expr) -> pl.DataFrame:
        """The rows of these days that meet the condition, later parts last; a key may come more than once."""
        for left in reversed(range(_TRIES)):
            with self._lock:
                parts = sorted(part for day in days for part in self._days.get(day, ()))
            if not parts:
                break
            paths = [part.path for part in parts]
            try:
                return pl.scan_parquet(paths, hive_partitioning=False).filter(condition).collect()
            except FileNotFoundError:
                if not left:
                    raise  # not merged away under our eyes, really missing
        return pl.DataFrame(schema=SCHEMA)

    def _put(self, day: int, first_seq: int, last_seq: int, frame: pl.DataFrame, replaced: Iterable[Part]) -> None:
        path = part_path(self._folder, day, first_seq, last_seq)
        made = not path.parent.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        if made:
            sync_folder(self._folder)
        tmp = path.with_name(f"{path.name}.tmp")
        with tmp.open("wb") as file:
            frame.write_parquet(file, row_group_size=_ROW_GROUP)
            file.flush()
            os.fsync(file.fileno())
        tmp.replace(path)
        sync_folder(path.parent)
        gone = set(replaced)
        part = Part(last_seq, first_seq, day, path, path.stat().st_size)
        with self._lock:
            kept = (other for other in self._days.get(day, ()) if other not in gone and other.path != path)
            self._days[day] = tuple(sorted((*kept, part)))
        for other in gone:
            if other.path != path:
                other.path.unlink(missing_ok=True)
