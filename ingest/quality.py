"""How far a reading can be believed, decided as it arrives: out of range, future, duplicate, late.

First match counts: DUPLICATE (said before: retained copies, redelivery), FUTURE (the device's clock is ahead), what
the dialect said, OUT_OF_RANGE, LATE (older than the newest heartbeat allows). Event time throughout; the
answer depends on the order of the messages, never on how they were grouped into commits.
"""

from collections.abc import Callable

from facility.clock import Clock, JournalClock
from facility.reading import PointValue, Quality, Scan
from facility.registry import Registry

_MEMORY = 1 << 17


class RecentHashes:
    """The 64-bit hashes of the recent past, at least `size` and at most twice as many; older ones are forgotten."""

    def __init__(self, size: int = _MEMORY) -> None:
        self._size = size
        self._young: set[int] = set()
        self._old: set[int] = set()

    def is_known(self, key: int) -> bool:
        """Whether this hash was here before; from now on it was."""
        if key in self._young or key in self._old:
            return True
        self._young.add(key)
        if len(self._young) >= self._size:
            self._old, self._young = self._young, set()
        return False


class QualityJudge:
    """Judges scans in the order they arrive.

    `allowance_us` and `tolerance_us` in event time (the tolerance before the clock's factor). Memory is bounded by the
    points of the registry and `RecentHashes`: scans are remembered besides their readings, because a redelivered scan
    may be many readings old.
    """

    def __init__(self, registry: Registry, clock: Clock, *, allowance_us: int, tolerance_us: int = 60 * 10**6) -> None:
        self._allowance_us = allowance_us
        self._ahead_us = round(tolerance_us * max(1.0, clock.factor))
        # With the journal clock, now is the newest event: everything new is ahead of it.
        self._now_us: Callable[[], int] | None = None if isinstance(clock, JournalClock) else clock.now_us
        self._recent, self._scans = RecentHashes(), RecentHashes()
        self._heartbeat_us: int | None = None
        self.use(registry)

    def use(self, registry: Registry) -> None:
        """From here on the validity ranges of this registry."""
        self._ranges = {
            (asset.id, name): (point.minimum, point.maximum)
            for asset in registry.assets.values()
            for name, point in asset.points.items()
        }

    @property
    def heartbeat_us(self) -> int | None:
        """The newest heartbeat; None before the first."""
        return self._heartbeat_us

    def advance(self, heartbeat_us: int) -> bool:
        """A heartbeat came by. False, and nothing changes, when it is not newer than the newest."""
        if self._heartbeat_us is not None and heartbeat_us <= self._heartbeat_us:
            return False
        self._heartbeat_us = heartbeat_us
        return True

    def remember(self, scan: Scan) -> None:
        """This scan is in the journal already: if it comes again it is a duplicate."""
        keys = _keys(scan)
        self._scans.is_known(hash(keys))
        for key in keys:
            self._recent.is_known(key)

    def judge(self, scan: Scan, *, retained: bool = False) -> Scan | None:
        """The scan with its qualities; None when every value of it is a duplicate.

        `retained` is the broker's flag of a stored copy: one from before the newest heartbeat was seen when it was new.
        """
        keys = _keys(scan)
        if self._scans.is_known(hash(keys)):
            return None
        at_us, asset_id = scan.at_us, scan.asset_id
        is_future = self._now_us is not None and at_us > self._now_us() + self._ahead_us
        is_late = self._heartbeat_us is not None and at_us < self._heartbeat_us - self._allowance_us
        values, fresh = [], 0
        for key, value in zip(keys, scan.values, strict=True):
            if self._recent.is_known(key) or (retained and is_late):
                quality = Quality.DUPLICATE
            else:
                fresh += 1
                if is_future:
                    quality = Quality.FUTURE
                elif value.quality != Quality.GOOD:
                    quality = Quality(value.quality)
                elif self._is_out_of_range(asset_id, value):
                    quality = Quality.OUT_OF_RANGE
                else:
                    quality = Quality.LATE if is_late else Quality.GOOD
            values.append(value if quality == value.quality else PointValue(value.point, value.value, quality))
        return Scan(asset_id, at_us, scan.complete, tuple(values)) if fresh else None

    def _is_out_of_range(self, asset_id: str, value: PointValue) -> bool:
        if isinstance(value.value, str):
            return False
        low, high = self._ranges.get((asset_id, value.point), (None, None))
        return (low is not None and value.value < low) or (high is not None and value.value > high)


def _keys(scan: Scan) -> tuple[int, ...]:
    return tuple([hash((scan.asset_id, value.point, scan.at_us, value.value)) for value in scan.values])
