"""What every series store promises. One suite of tests holds all of them to it."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Protocol

from facility.instant import to_us
from facility.reading import Commit, Quality, Reading, Scan


class SeriesReader(Protocol):
    """Readings by asset, point and instant, for any number of readers."""

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
        """The readings with `from_us` <= at < `to_us`, oldest first, at most `limit` of them.

        With `every_us` one reading for each bucket that holds any, at the bucket's start (buckets are counted from
        the epoch): the mean of numbers, the last of texts. A bucket with good readings speaks only of those and is
        good; one without has the mean (or last) of the others and the highest quality code among them.
        Raises RetryableError when the store is away.
        """

    def last(self, asset_id: str) -> dict[str, Reading]:
        """The newest reading of every point, without points that ended 31 days before the asset's newest reading."""


class SeriesStore(SeriesReader, Protocol):
    """Readings by asset, point and instant. One thread writes (a follower of the journal), any number read.

    The key is (asset, point, instant): a reading written twice is there once, and a later one replaces an earlier
    one at the same instant. So anything may be written again after a crash.

    One process writes; a store that was opened with `writes=False` reads what that one keeps, and what it was given by
    `write` on top, until `begin_writing` says that this process is the one now.
    """

    @property
    def cursor(self) -> int:
        """The journal's sequence number up to which everything is durable here; 0 at first."""

    def write(self, first_seq: int, last_seq: int, readings: Sequence[Reading]) -> None:
        """Take the readings of the commits `first_seq` to `last_seq`, oldest first; visible to reads on return.

        They may be durable only later: `cursor` says. Raises RetryableError, after which the same range is written
        again, or PermanentError when this range can never be stored.
        """

    def begin_writing(self) -> None:
        """The process that wrote is gone, and this one writes from here on: the next range begins after `cursor`, or
        after what was given to `write` where that is further. Raises RetryableError."""

    def flush(self) -> None:
        """Make everything taken so far durable. Raises RetryableError."""

    def rewind(self, seq: int) -> None:
        """The journal was cut back to `seq`, and other commits come under the numbers after it: what was taken stays,
        and the next range begins at `seq` + 1. Durable on return. Raises RetryableError."""

    def thin(self, now_us: int) -> bool:
        """Do the next small piece of keeping old readings as long and as finely as the store's policy says (`Keep`), as
        of `now_us`; whether there was any. For the writing thread. Raises RetryableError, after which nothing is lost.

        Across the seam `read` gives single readings where they are kept, means at the start of their span where those
        stand for them, and of states and counters the readings that were kept; a reading that comes late, after its
        span was thinned, is counted in.
        """

    def roll_up(self, now_us: int) -> bool:
        """Do the next small piece of keeping means for dashboards that read this store without us, as of `now_us`;
        whether there was any. For the writing thread. Raises RetryableError, after which nothing is lost."""

    def close(self) -> None:
        """Flush and let go of files and connections."""


DAY_US = 86_400 * 1_000_000
LAST_US = 31 * DAY_US
FIRST_US, END_US = to_us(datetime(1678, 1, 1, tzinfo=UTC)), to_us(datetime(2262, 1, 1, tzinfo=UTC))
"""Every store can tell instants from 1678 up to 2262: what 64 bits of nanoseconds hold."""


def storable(readings: Iterable[Reading]) -> list[Reading]:
    """Those a store can keep: with an instant from 1678 up to 2262 and no infinite or undefined number."""
    return [
        reading
        for reading in readings
        if FIRST_US <= reading.at_us < END_US and (isinstance(reading.value, str) or isfinite(reading.value))
    ]


def readings_of(commits: Iterable[Commit]) -> list[Reading]:
    """Every reading of these commits in their order.

    A duplicate has the key of the reading it repeats, so storing it would only hide the quality of the first: it
    is left out.
    """
    return [
        Reading(entry.asset_id, item.point, entry.at_us, item.value, item.quality)
        for commit in commits
        for entry in commit.entries
        if isinstance(entry, Scan)
        for item in entry.values
        if item.quality != Quality.DUPLICATE
    ]


class SeriesSink:
    """Hands the readings of commits to a store; what a `Follower` writes to."""

    def __init__(self, store: SeriesStore, afterwards: Callable[[], object] | None = None) -> None:
        """`afterwards` is called by the writing thread when a range was written (`Upkeep.look`)."""
        self._store, self._afterwards = store, afterwards

    @property
    def cursor(self) -> int:
        """The store's own cursor."""
        return self._store.cursor

    def take(self, commits: Sequence[Commit]) -> None:
        """Write the readings of consecutive commits. Raises what the store raises."""
        if commits:
            self._store.write(commits[0].seq, commits[-1].seq, readings_of(commits))
            if self._afterwards is not None:
                self._afterwards()

    def rewind(self, seq: int) -> None:
        """The journal was cut back. Raises what the store raises."""
        self._store.rewind(seq)
