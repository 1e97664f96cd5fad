"""The embedded series store: Parquet files by event day, written with Polars; any tool can open them.

Readings are taken into a tail in memory. Every few minutes (real time) the tail becomes parts: written beside their
place, synced, renamed; only then does the cursor move. After a kill the follower therefore reads the tail from the
journal again. Small parts are merged, late ones into their day.

A store of another process that only reads keeps a tail too, and lets go of what the writer has made parts of. What it
holds of before a cut of the journal, it holds until the writer has noticed the cut too.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import polars as pl
import structlog

from facility import instant
from facility.errors import RetryableError
from facility.reading import Reading
from ingest.stores.base import DAY_US, END_US, FIRST_US, LAST_US, storable
from ingest.stores.buckets import into_buckets
from ingest.stores.cursor import CursorFile
from ingest.stores.keeping import KeepPolicy, Span
from ingest.stores.parts import day_of
from ingest.stores.shelf import Shelf
from ingest.stores.tail import Tail, newest_wins, to_frame, to_readings, widen

log = structlog.get_logger(__name__)
_LOOK_S = 15.0
_MOST_TAILS = 3


class ParquetStore:
    """A `SeriesStore` in one folder, in which one process writes (`writes`).

    `part_s` (real seconds) and `part_readings` say when the tail becomes parts; parts are merged up to `merge_bytes`
    (about half a million readings a MiB, and 70 bytes each in memory while merging). `elapsed` is a stopwatch in
    seconds. Who only reads asks `in_line` how much of the writer's cursor counts, and gives it what reads the cursor.
    """

    def __init__(
        self,
        folder: Path,
        *,
        part_s: float = 300.0,
        part_readings: int = 500_000,
        merge_bytes: int = 16 * 2**20,
        policy: KeepPolicy | None = None,
        writes: bool = True,
        elapsed: Callable[[], float] = time.monotonic,
        in_line: Callable[[Callable[[], int]], int] = lambda cursor: cursor(),
    ) -> None:
        self._folder, self._writes = folder, writes
        self._part_s, self._part_readings, self._merge_bytes = part_s, part_readings, merge_bytes
        self._elapsed, self._policy, self._in_line = elapsed, policy or KeepPolicy(), in_line
        self._thinned: dict[int, tuple[object, ...]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self._cursor = CursorFile(folder / "cursor")
        self._shelf = Shelf(folder, writes=writes)
        self._lock = threading.Lock()
        self._tails: tuple[Tail, ...] = (Tail(),)
        self._cut_off: tuple[tuple[Tail, int], ...] = ()
        """Only while reading: tails of before a cut, and where it was."""
        self._taken = self._cursor.seq
        self._flushed_at = elapsed()
        self.unstorable = 0
        """Readings left out because no store can keep them (see `storable`)."""

    @property
    def cursor(self) -> int:
        """Up to here every reading is in a part on disk."""
        return self._cursor.seq

    def write(self, first_seq: int, last_seq: int, readings: Sequence[Reading]) -> None:
        """Into the tail; parts are written when it is time. A range taken before changes nothing."""
        if last_seq > self._taken:
            kept = storable(readings)
            with self._lock:
                self._tails[-1].add(first_seq, last_seq, kept)
            self._taken = last_seq
            self.unstorable += len(readings) - len(kept)
        if not self._writes:
            self._look_at_the_writer()
        elif self._tails[-1].rows >= self._part_readings or self._elapsed() - self._flushed_at >= self._part_s:
            self.flush()
            try:
                self.merge()
            except RetryableError as error:
                log.warning("parts are not merged", reason=str(error))  # nothing is lost; the next flush tries again

    def begin_writing(self) -> None:
        """As `SeriesStore.begin_writing` promises. What the tail holds beyond the writer's last part is for the next;
        commits that a part holds already may come into it once more."""
        common = self._in_line(self._cursor.reload)
        self._shelf.begin_writing()
        if common == self._cursor.seq:
            self._drop_written(common)
        with self._errors("write"):
            for tail, seq in self._cut_off:
                self._shelf.write(tail.readings(), tail.first_seq, tail.last_seq)
                self._shelf.cut(seq)
            if common < self._cursor.seq:  # the writer ended before it had noticed a cut
                self._shelf.cut(common)
                self._cursor.rewind(common)
        self._cut_off, self._writes = (), True
        self._taken = max(self._taken, self._cursor.seq)

    def _look_at_the_writer(self) -> None:
        """Now and then, so that what has become parts leaves the memory. Raises RetryableError when it would not hold
        what the writer should have written long ago."""
        if self._elapsed() - self._flushed_at < _LOOK_S and self._tails[-1].rows < self._part_readings:
            return
        self._flushed_at = self._elapsed()
        with self._lock:
            if self._tails[-1].last_seq:
                self._tails = (*self._tails, Tail())
        common = self._in_line(self._cursor.reload)
        self._shelf.look()
        if common == self._cursor.seq:
            self._drop_written(common)
        if sum(tail.rows for tail in self._tails) > _MOST_TAILS * self._part_readings:
            msg = f"nobody writes parts in {self._folder}: is the process that keeps readings stopped?"
            raise RetryableError(msg)

    def _drop_written(self, seq: int) -> None:
        with self._lock:
            left = tuple(tail for tail in self._tails if tail.last_seq > seq)
            self._tails = left or (Tail(),)
            self._cut_off = tuple((tail, cut) for tail, cut in self._cut_off if cut >= seq)  # else it knows of the cut

    def flush(self) -> None:
        """Write the tail as parts and move the cursor. Raises RetryableError; the tail is then still in memory."""
        if not self._writes:
            return
        if self._tails[-1].last_seq:
            with self._lock:
                self._tails = (*self._tails, Tail())
        while len(self._tails) > 1:
            tail = self._tails[0]
            with self._errors("write"):
                self._shelf.write(tail.readings(), tail.first_seq, tail.last_seq)
            self._cursor.move(tail.last_seq)
            with self._lock:
                self._tails = self._tails[1:]
        self._flushed_at = self._elapsed()

    def rewind(self, seq: int) -> None:
        """As `SeriesStore.rewind` promises. Raises RetryableError."""
        if seq < self._taken:
            self.flush()
            if self._writes:
                with self._errors("write"):
                    self._shelf.cut(seq)
                self._cursor.rewind(seq)
            with self._lock:  # no tail holds a number twice
                if not self._writes:
                    self._cut_off += tuple((tail, seq) for tail in self._tails if tail.last_seq)
                    self._tails = ()
                self._tails = (*self._tails, Tail())
            self._taken = seq

    def merge(self) -> int:
        """Merge small parts of each day, late ones into theirs; the number of merges. Raises RetryableError."""
        with self._errors("merge"):
            return self._shelf.merge(self._merge_bytes)

    def thin(self, now_us: int) -> bool:
        """As `SeriesStore.thin` promises; one day at a time, the oldest first."""
        for day in self._shelf.days():
            age_days = (now_us - (day + 1) * DAY_US) // DAY_US
            spans = tuple(keep.span_at(age_days) for keep in self._policy.by_kind.values())
            state = (self._shelf.parts_of(day), spans)
            if not any(span != 0 for span in spans) or self._thinned.get(day) == state:
                continue
            with self._errors("thin"):
                went = self._shelf.thin(day, partial(self._span_at, age_days))
            self._thinned[day] = (self._shelf.parts_of(day), spans)
            log.debug("readings thinned", day=day, went=went)
            return True
        return False

    def roll_up(self, now_us: int) -> bool:  # noqa: ARG002 - the protocol
        """No dashboard reads these files: there is never any."""
        return False

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
        """As `SeriesStore.read` promises; opens only the parts of the days asked for."""
        start_us, end_us = max(from_us, FIRST_US), min(to_us, END_US)
        tail = [reading for reading in self._from_tails(asset_id, point) if start_us <= reading.at_us < end_us]
        days = [day for day in self._shelf.days() if day_of(start_us) <= day <= day_of(end_us - 1)]
        start, end = pl.lit(instant.from_us(start_us)), pl.lit(instant.from_us(end_us))
        of_series = (pl.col("asset") == asset_id) & (pl.col("point") == point)
        parts = self._find(days, of_series & pl.col("at").ge(start) & pl.col("at").lt(end))
        frame = newest_wins(pl.concat([parts, widen(to_frame(tail))]))
        if every_us is not None:
            frame = into_buckets(frame, every_us)
        else:  # where a late reading stands at the start of a mean's span, it speaks for that instant
            frame = frame.unique("at", keep="last", maintain_order=True)
        return to_readings(frame if limit is None else frame.head(limit), asset_id, point)

    def last(self, asset_id: str) -> dict[str, Reading]:
        """As `SeriesStore.last` promises; goes back day by day from the asset's newest reading."""
        found: dict[str, Reading] = {}
        for reading in self._from_tails(asset_id):
            if reading.point not in found or found[reading.point].at_us <= reading.at_us:
                found[reading.point] = reading
        newest = max((reading.at_us for reading in found.values()), default=None)
        for day in reversed(self._shelf.days()):
            if newest is not None and day < day_of(newest - LAST_US):
                break
            rows = newest_wins(self._find([day], pl.col("asset") == asset_id)).group_by("point").last()
            for reading in to_readings(rows, asset_id):
                if reading.point not in found or found[reading.point].at_us < reading.at_us:
                    found[reading.point] = reading
            newest = max((reading.at_us for reading in found.values()), default=None)
        return {
            point: reading for point, reading in found.items() if newest is None or reading.at_us > newest - LAST_US
        }

    def close(self) -> None:
        """Flush; nothing is held open between calls."""
        self.flush()

    def _span_at(self, age_days: int, point: str) -> Span:
        return self._policy.of(point).span_at(age_days)

    def _from_tails(self, asset_id: str, point: str | None = None) -> list[Reading]:
        """Copies, taken before the parts are looked up: what moves to a part meanwhile is seen twice, never missed."""
        with self._lock:
            tails = (*(tail for tail, _ in self._cut_off), *self._tails)
            return [reading for tail in tails for reading in tail.find(asset_id, point)]

    @contextmanager
    def _errors(self, verb: str) -> Iterator[None]:
        try:
            yield
        except (OSError, pl.exceptions.PolarsError) as error:
            msg = f"cannot {verb} parts in {self._folder}: {error}; check space and permissions"
            raise RetryableError(msg) from error

    def _find(self, days: Sequence[int], condition: pl.Expr) -> pl.DataFrame:
        try:
            return self._shelf.find(days, condition)
        except (OSError, pl.exceptions.PolarsError) as error:
            msg = f"cannot read parts in {self._folder}: {error}; a damaged file may be moved aside"
            raise RetryableError(msg) from error
