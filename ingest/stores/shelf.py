"""The parts on disk: written whole, found by day, merged. Safe for one writing thread and any number of readers."""

import os
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import groupby
from pathlib import Path

import polars as pl

from facility.reading import Reading
from ingest.stores.cursor import sync_folder
from ingest.stores.keeping import Span
from ingest.stores.parts import Part, choose_run, day_of, parse_part, part_path, superfluous
from ingest.stores.tail import SCHEMA, WIDE, newest_wins, to_frame, widen
from ingest.stores.thinning import thin

_ROW_GROUP = 65_536
_TRIES = 8
_ASSETS_AT_ONCE = 32


class Shelf:
    """Every part in a folder. Parts that end later stand later, so the last row of a key is the right one."""

    def __init__(self, folder: Path, *, writes: bool = True) -> None:
        """A writer clears away what a kill left behind: half-written files and parts that a merged one covers."""
        self._folder, self._writes = folder, writes
        self._lock = threading.Lock()
        self._days: dict[int, tuple[Part, ...]] = {}
        self.look()

    def look(self) -> None:
        """See what is in the folder; for one who reads what another process writes."""
        if self._writes:
            for leftover in self._folder.glob("day=*/*.tmp"):
                leftover.unlink()
        parts = []
        for path in self._folder.glob("day=*/*.parquet"):
            try:
                part = parse_part(path)
            except FileNotFoundError:
                continue  # the writer has just merged it into another one
            parts += [part] if part is not None else []
        days: dict[int, tuple[Part, ...]] = {}
        for day, group in groupby(sorted(parts, key=lambda part: part.day), key=lambda part: part.day):
            of_day = sorted(group)
            covered = superfluous(of_day)
            for part in covered if self._writes else ():
                part.path.unlink()
            days[day] = tuple(part for part in of_day if part not in covered)
        with self._lock:
            self._days = days

    def begin_writing(self) -> None:
        """Nobody else writes any more."""
        self._writes = True
        self.look()

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
        rows = widen(scan_parts([part.path for part in run]).collect())
        self._put(day, first, last, newest_wins(rows), run)

    def cut(self, seq: int) -> None:
        """Commits after `seq` come again under their numbers, with other readings. What parts hold of the old ones
        stays, as if said by `seq`: else a part of new ones would lie inside an old one, and seem superfluous. Raises
        OSError or PolarsError."""
        with self._lock:
            days = dict(self._days)
        for day, parts in days.items():
            beyond = [part for part in parts if part.last_seq >= seq]
            if any(part.last_seq > seq for part in beyond):
                rows = newest_wins(widen(scan_parts([part.path for part in sorted(beyond)]).collect()))
                self._put(day, min(seq, *(part.first_seq for part in beyond)), seq, rows, beyond)

    def find(self, days: Collection[int], condition: pl.Expr) -> pl.DataFrame:
        """The rows of these days that meet the condition, later parts last; a key may come more than once."""
        for left in reversed(range(_TRIES)):
            with self._lock:
                parts = sorted(part for day in days for part in self._days.get(day, ()))
            if not parts:
                break
            paths = [part.path for part in parts]
            try:
                return widen(scan_parts(paths).filter(condition).collect())
            except (FileNotFoundError, pl.exceptions.PolarsError):
                if not left:
                    raise  # not merged or thinned away under our eyes, really missing or damaged
                if not self._writes:
                    self.look()
        return pl.DataFrame(schema=WIDE)

    def parts_of(self, day: int) -> tuple[Part, ...]:
        """The parts of a day as they are now."""
        with self._lock:
            return self._days.get(day, ())

    def thin(self, day: int, wanted: Callable[[str], Span]) -> int:
        """Keep of a day what `wanted` (by point) says, as one part; how many rows went. Raises OSError or PolarsError.

        Asset by asset, so that memory holds the result and a few assets. The part covers those it replaces, so a kill
        at any instant leaves the old ones or the new one.
        """
        parts = self.parts_of(day)
        if not parts:
            return 0
        rows = scan_parts([part.path for part in parts])
        before = rows.select(pl.len()).collect().item()
        assets = rows.select(pl.col("asset").unique().sort()).collect().get_column("asset").to_list()
        thinned = [pl.DataFrame(schema=WIDE)]
        for start in range(0, len(assets), _ASSETS_AT_ONCE):
            some = newest_wins(
                widen(rows.filter(pl.col("asset").is_in(assets[start : start + _ASSETS_AT_ONCE])).collect())
            )
            thinned.append(thin(some, {point: wanted(point) for point in some.get_column("point").unique()}))
        kept = pl.concat(thinned)
        if kept.is_empty():
            self._remove(day, parts)
        elif len(kept) < before or len(parts) > 1:
            first, last = min(part.first_seq for part in parts), max(part.last_seq for part in parts)
            self._put(day, first, last, kept, parts)
        return int(before) - len(kept)

    def _remove(self, day: int, parts: Sequence[Part]) -> None:
        with self._lock:
            self._days = {other: of_day for other, of_day in self._days.items() if other != day}
        for part in parts:
            part.path.unlink(missing_ok=True)
        parts[0].path.parent.rmdir()

    def _put(self, day: int, first_seq: int, last_seq: int, frame: pl.DataFrame, replaced: Iterable[Part]) -> None:
        path = part_path(self._folder, day, first_seq, last_seq)
        made = not path.parent.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        if made:
            sync_folder(self._folder)
        tmp = path.with_name(f"{path.name}.tmp")
        if "span" in frame.columns and (frame.get_column("span") == 0).all():
            frame = frame.select(SCHEMA.names())  # single readings alone: nothing else to say
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


def scan_parts(paths: list[Path]) -> pl.LazyFrame:
    """Parts in their order; those of single readings lack the wide columns."""
    return pl.scan_parquet(paths, schema=WIDE, missing_columns="insert", hive_partitioning=False)
