"""The newest reading of every point, in memory, for pages that show the building as it is."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from facility.reading import Commit, Heartbeat, Reading
from ingest.stores.base import readings_of


@dataclass(frozen=True, slots=True)
class IngestCounters:
    """What ingest said of itself in its newest heartbeat: totals since it started. `at_us` is None before the first."""

    at_us: int | None = None
    received: int = 0
    rejected: int = 0


class LatestValues:
    """A follower's sink without a memory of its own: after a start it is seeded from the store, then follows on.

    One thread takes commits, any number read. A late reading never replaces a newer one.
    """

    def __init__(self, after_seq: int = 0) -> None:
        self._lock = threading.Lock()
        self._cursor = after_seq
        self._assets: dict[str, dict[str, Reading]] = {}
        self._counters = IngestCounters()

    @property
    def cursor(self) -> int:
        """The newest commit taken."""
        return self._cursor

    @property
    def counters(self) -> IngestCounters:
        """From the newest heartbeat."""
        return self._counters

    def seed(self, readings: Iterable[Reading]) -> None:
        """Readings known from elsewhere; newer ones win as always."""
        with self._lock:
            self._add(readings)

    def take(self, commits: Sequence[Commit]) -> None:
        """Note what is newer than what is known."""
        beats = [entry for commit in commits for entry in commit.entries if isinstance(entry, Heartbeat)]
        with self._lock:
            self._add(readings_of(commits))
            if beats:
                self._counters = IngestCounters(beats[-1].at_us, beats[-1].received, beats[-1].rejected)
            if commits:
                self._cursor = commits[-1].seq

    def rewind(self, seq: int) -> None:
        """The journal was cut back: other commits come after `seq`. What was read is still the newest known."""
        self._cursor = seq

    def of(self, asset_id: str) -> dict[str, Reading]:
        """The newest reading of every point of an asset that ever spoke; a copy."""
        with self._lock:
            return dict(self._assets.get(asset_id, {}))

    def find(self, asset_id: str, point: str) -> Reading | None:
        """The newest reading of one point."""
        with self._lock:
            return self._assets.get(asset_id, {}).get(point)

    def _add(self, readings: Iterable[Reading]) -> None:
        for reading in readings:
            points = self._assets.setdefault(reading.asset_id, {})
            known = points.get(reading.point)
            if known is None or known.at_us <= reading.at_us:
                points[reading.point] = reading
