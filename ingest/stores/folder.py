"""A Parquet store's folder, read beside the process that writes it: never changes anything there."""

from collections.abc import Collection, Sequence
from itertools import groupby
from pathlib import Path

import polars as pl

from facility.errors import RetryableError, refuse
from facility.instant import from_us as instant_of
from facility.reading import Reading
from ingest.stores.parts import Part, day_of, parse_part, superfluous
from ingest.stores.shelf import scan_parts
from ingest.stores.tail import KEY, WIDE, newest_wins, to_frame, to_readings, widen

_TRIES = 8


class ParquetFolder:
    """What is on disk, and the store's newest readings, which are in the memory of its writer (`unwritten`)."""

    def __init__(self, folder: Path, newest: Sequence[Reading] = ()) -> None:
        """Raises InputError for a folder that holds no part, without newest readings either."""
        self._folder = folder
        self._newest = widen(to_frame(newest))
        self._newest_days = [day_of(one.at_us) for one in newest]
        if not self._days() and not newest:
            hint = "Name the folder `readings` under the program's var, or wait until the first readings have come."
            raise refuse(str(folder), "holds no readings (day=*/part-*.parquet)", hint)

    def span(self) -> tuple[int, int]:
        """The first and the last event day, counted from 1970-01-01."""
        days = [*self._days(), *self._newest_days]
        return min(days), max(days)

    def between(self, series: Collection[tuple[str, str]], from_us: int, to_us: int) -> list[Reading]:
        """The readings of these series (asset, point) with `from_us` <= at < `to_us`; of one series oldest first.

        Raises RetryableError when a part is damaged.
        """
        assets = sorted({asset for asset, _ in series})
        start, end = pl.lit(instant_of(from_us)), pl.lit(instant_of(to_us))
        wanted = pl.col("asset").is_in(assets) & pl.col("at").ge(start) & pl.col("at").lt(end)
        frame = pl.concat([self._find(day_of(from_us), day_of(to_us - 1), wanted), self._newest.filter(wanted)])
        # Where a late reading stands at the start of a mean's span, it speaks for that instant.
        frame = newest_wins(frame).unique(KEY, keep="last", maintain_order=True)
        known = frozenset(series)
        return [
            reading
            for (asset,), rows in frame.group_by("asset", maintain_order=True)
            for reading in to_readings(rows, str(asset))
            if (reading.asset_id, reading.point) in known
        ]

    def _find(self, first_day: int, last_day: int, condition: pl.Expr) -> pl.DataFrame:
        """Again when the parts changed meanwhile: a folder that is being merged may be listed half old, half new."""
        for left in reversed(range(_TRIES)):
            before = self._paths(first_day, last_day)
            try:
                rows = widen(scan_parts(before).filter(condition).collect()) if before else pl.DataFrame(schema=WIDE)
            except (OSError, pl.exceptions.PolarsError) as error:
                if not left:  # not merged away under our eyes: really damaged
                    msg = f"cannot read parts in {self._folder}: {error}; a damaged file may be moved aside"
                    raise RetryableError(msg) from error
            else:
                if before == self._paths(first_day, last_day) or not left:
                    return rows
        msg = f"{self._folder} changed at every look; try again"
        raise RetryableError(msg)

    def _paths(self, first_day: int, last_day: int) -> list[Path]:
        days = self._days().items()
        return [part.path for day, parts in days if first_day <= day <= last_day for part in parts]

    def _days(self) -> dict[int, list[Part]]:
        """The parts that count, by day, those that end later standing later."""
        parts = []
        for path in self._folder.glob("day=*/*.parquet"):
            try:
                part = parse_part(path)
            except OSError:
                part = None  # merged away since it was listed; the merged one holds its readings
            if part is not None:
                parts.append(part)
        found = {}
        for day, group in groupby(sorted(parts, key=lambda one: (one.day, one)), key=lambda one: one.day):
            of_day = list(group)
            covered = superfluous(of_day)
            found[day] = [part for part in of_day if part not in covered]
        return found
