"""How far a reading can be believed, decided as it arrives: out of range, future, duplicate, late, spike, stuck.

First match counts: DUPLICATE (said before: retained copies, redelivery), FUTURE (the device's clock is ahead), what
the dialect said, OUT_OF_RANGE, LATE (older than the newest heartbeat allows), SPIKE and STUCK (`quality_motion`).
Event time throughout; the answer depends on the order of the messages, never on how they were grouped into commits.
"""

from collections.abc import Callable

from facility.asset import Point
from facility.clock import Clock, JournalClock
from facility.reading import PointValue, Quality, Scan
from facility.registry import Registry
from ingest.quality_motion import Motion

_MEMORY = 1 << 17
_MOVING = (Quality.GOOD, Quality.LATE, Quality.SPIKE, Quality.STUCK)
"""What was measured, believed or not: these readings tell how the sensor moves."""

_UNLIMITED: tuple[float | None, float | None, Motion | None] = (None, None, None)


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
        self._watched: dict[Point, Motion] = {}
        self.use(registry)

    def use(self, registry: Registry) -> None:
        """From here on the points of this registry. What is known of a point that stays as it was is kept."""
        points = [point for asset in registry.assets.values() for point in asset.points.values()]
        moving = (point for point in points if point.stuck or point.spike)
        self._watched = {point: self._watched.get(point) or Motion(point) for point in moving}
        self._limits = {
            (point.asset_id, point.name): (point.minimum, point.maximum, self._watched.get(point)) for point in points
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
        for key, value in zip(keys, scan.values, strict=True):
            self._recent.is_known(key)
            motion = self._limits.get((scan.asset_id, value.point), _UNLIMITED)[2]
            if motion is not None and value.quality in _MOVING and isinstance(value.value, float):
                motion.add(value.value, scan.at_us, spike=value.quality == Quality.SPIKE)

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
                else:
                    quality = self._measured(asset_id, value, at_us, is_late=is_late)
            values.append(value if quality == value.quality else PointValue(value.point, value.value, quality))
        return Scan(asset_id, at_us, scan.complete, tuple(values)) if fresh else None

    def _measured(self, asset_id: str, value: PointValue, at_us: int, *, is_late: bool) -> Quality:
        """By the limits of the point and the way it moves."""
        quality, amount = Quality.LATE if is_late else Quality.GOOD, value.value
        if isinstance(amount, str):
            return quality
        low, high, motion = self._limits.get((asset_id, value.point), _UNLIMITED)
        if (low is not None and amount < low) or (high is not None and amount > high):
            return Quality.OUT_OF_RANGE
        if motion is None:
            return quality
        spike = motion.is_spike(amount, at_us)
        stuck = motion.is_stuck(amount, at_us)
        motion.add(amount, at_us, spike=spike)
        if is_late:
            return quality
        return Quality.SPIKE if spike else Quality.STUCK if stuck else quality


def _keys(scan: Scan) -> tuple[int, ...]:
    return tuple([hash((scan.asset_id, value.point, scan.at_us, value.value)) for value in scan.values])
