"""Where a backtest's readings come from: a wide CSV or a series store, behind one Protocol."""

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Protocol

from facility.errors import refuse
from facility.instant import DAY_US, format_duration, format_instant
from facility.instant import from_us as instant_of
from facility.reading import PointValue, Quality, Reading, Scan
from facility.registry import Registry
from ingest.csv_report import EXAMPLES, GAPS_KEPT
from ingest.stores.base import SeriesStore
from ingest.wide_csv import WideCsv
from plantroom.listening import listening_gap_us

JUDGED_AGAIN = frozenset({Quality.STUCK, Quality.SPIKE, Quality.LATE, Quality.OUT_OF_RANGE})
"""What the quality checks decided when it arrived and decide again in a backtest; in event order nothing is late."""
MOST_AT_ONCE = 500_000
"""Readings of a store held in memory at a time, about."""


class History(Protocol):
    """Readings in event order. `scans` may be called again and begins anew; the rest is about the newest pass."""

    @property
    def name(self) -> str:
        """What it is called on a page."""

    @property
    def total(self) -> int:
        """How much there is to read, in rows of a file or seconds of a store."""

    @property
    def done(self) -> int:
        """How much of it was read."""

    @property
    def span(self) -> tuple[int, int] | None:
        """The first and the last instant with a reading, microseconds; None when there was none."""

    @property
    def gaps(self) -> Sequence[tuple[int, int]]:
        """Spans in which nothing spoke (last instant before, first after): nobody listened, so it is not silence."""

    @property
    def gap_count(self) -> int:
        """How many there were; the first thousand are kept."""

    @property
    def scans_read(self) -> int:
        """How many scans the newest pass gave."""

    def scans(self) -> Iterator[Scan]:
        """Every scan. Raises InputError or RetryableError."""

    def lines(self) -> list[str]:
        """What it held and what was wrong with it, a line a fact."""


class CsvHistory:
    """A wide CSV through its map."""

    def __init__(self, path: Path, table: WideCsv) -> None:
        self._path, self.table = path, table

    @property
    def name(self) -> str:
        """The file's name."""
        return self._path.name

    @property
    def total(self) -> int:
        """Its rows."""
        return self.table.rows

    @property
    def done(self) -> int:
        """Rows read."""
        return self.table.report.rows

    @property
    def span(self) -> tuple[int, int] | None:
        """By its time column."""
        first, last = self.table.report.first_us, self.table.report.last_us
        return (first, last) if first is not None and last is not None else None

    @property
    def gaps(self) -> Sequence[tuple[int, int]]:
        """By the map's `gap`."""
        return self.table.report.gaps

    @property
    def gap_count(self) -> int:
        """All of them."""
        return self.table.report.gap_count

    @property
    def scans_read(self) -> int:
        """As its report counts."""
        return self.table.report.scans

    def scans(self) -> Iterator[Scan]:
        """In the order of the file."""
        return self.table.scans()

    def lines(self) -> list[str]:
        """As the file's report tells it."""
        return self.table.report.lines()


class ReadingsSource(Protocol):
    """A store as far as a backtest reads it."""

    def between(self, series: Collection[tuple[str, str]], from_us: int, to_us: int) -> Sequence[Reading]:
        """The readings of these series (asset, point) with `from_us` <= at < `to_us`; of one series oldest first.

        Raises RetryableError when the store is away.
        """


class StoreSource:
    """Any `SeriesStore`, one question a series."""

    def __init__(self, store: SeriesStore) -> None:
        self._store = store

    def between(self, series: Collection[tuple[str, str]], from_us: int, to_us: int) -> Sequence[Reading]:
        """As `ReadingsSource` promises."""
        return [one for asset, point in series for one in self._store.read(asset, point, from_us, to_us)]


class StoreHistory:
    """The readings of a registry's own points in [from, to), some hours at a time.

    The readings of an asset at one instant make one scan. Qualities that arrival decided are decided again.
    """

    def __init__(
        self, name: str, source: ReadingsSource, registry: Registry, from_us: int, to_us: int, missing: str = ""
    ) -> None:
        """`missing` says what is not there, and why. Raises InputError for a span without time."""
        if to_us <= from_us:
            span = f"{format_instant(instant_of(from_us))} to {format_instant(instant_of(to_us))}"
            raise refuse("--to", f"{span} covers no time", "Give --from an earlier instant than --to.")
        self._name, self._source, self._from_us, self._to_us = name, source, from_us, to_us
        self._missing = [missing] if missing else []
        self._places = {asset_id: index for index, asset_id in enumerate(registry.assets)}
        self._series = [(asset.id, point) for asset in registry.assets.values() for point in asset.points]
        self._step_us = _step_us(registry)
        self._gap_us = listening_gap_us(registry)
        self._begin()

    def _begin(self) -> None:
        self._done_us, self._readings, self._scans = self._from_us, 0, 0
        self._span: tuple[int, int] | None = None
        self._gaps: list[tuple[int, int]] = []
        self._gap_count = 0

    @property
    def name(self) -> str:
        """As it was named."""
        return self._name

    @property
    def total(self) -> int:
        """Seconds."""
        return (self._to_us - self._from_us) // 1_000_000

    @property
    def done(self) -> int:
        """Seconds read."""
        return (self._done_us - self._from_us) // 1_000_000

    @property
    def span(self) -> tuple[int, int] | None:
        """Of the readings that were there."""
        return self._span

    @property
    def gaps(self) -> Sequence[tuple[int, int]]:
        """As long as the engine takes for time nobody listened to."""
        return self._gaps

    @property
    def gap_count(self) -> int:
        """All of them."""
        return self._gap_count

    @property
    def scans_read(self) -> int:
        """All of them."""
        return self._scans

    def scans(self) -> Iterator[Scan]:
        """By instant, and of one instant in the order of the site files."""
        self._begin()
        start_us = self._from_us
        while start_us < self._to_us:
            end_us = min(start_us + self._step_us, self._to_us)
            found = self._source.between(self._series, start_us, end_us)
            ordered = sorted(found, key=lambda one: (one.at_us, self._places[one.asset_id]))
            for (at_us, asset_id), group in groupby(ordered, key=attrgetter("at_us", "asset_id")):
                values = tuple(PointValue(one.point, one.value, _first_quality(one.quality)) for one in group)
                self._note(at_us, len(values))
                yield Scan(asset_id, at_us, complete=True, values=values)
            self._done_us = start_us = end_us

    def lines(self) -> list[str]:
        """How much, from when to when, and the gaps."""
        span = ""
        if self._span is not None:
            span = f", {format_instant(instant_of(self._span[0]))} to {format_instant(instant_of(self._span[1]))}"
        told = [f"{self._scans:,} scans, {self._readings:,} readings{span}", *self._missing]
        for start, end in self._gaps[:EXAMPLES]:
            length = format_duration(timedelta(microseconds=end - start))
            told.append(
                f"gap of {length} after {format_instant(instant_of(start))}; nobody listened, so it is not silence"
            )
        if self._gap_count > EXAMPLES:
            told.append(f"{self._gap_count:,} gaps in all")
        return told

    def _note(self, at_us: int, readings: int) -> None:
        first, last = self._span or (at_us, at_us)
        if at_us - last > self._gap_us:
            self._gap_count += 1
            if len(self._gaps) < GAPS_KEPT:
                self._gaps.append((last, at_us))
        self._span = (first, at_us)
        self._scans += 1
        self._readings += readings


def _first_quality(quality: int) -> int:
    """What the reading came with, before anything was decided about it here."""
    return Quality.GOOD if quality in JUDGED_AGAIN else quality


def _step_us(registry: Registry) -> int:
    """So long that at most about `MOST_AT_ONCE` readings are in it, a quarter of an hour to a day."""
    points = [point for asset in registry.assets.values() for point in asset.points.values()]
    a_day = sum(DAY_US / max(point.cadence / timedelta(microseconds=1), 1e6) for point in points)
    return int(min(DAY_US, max(DAY_US / 96, DAY_US * MOST_AT_ONCE / max(a_day, 1))))
