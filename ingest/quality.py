"""How far a reading can be believed, decided as it arrives: out of range, future, duplicate, late, spike, stuck.

First match counts: DUPLICATE (said before: retained copies, redelivery), FUTURE (the device's clock is ahead), what
the dialect said, OUT_OF_RANGE, LATE (older than the newest heartbeat allows), SPIKE and STUCK (`quality_motion`).
Event time throughout; the answer depends on the order of the messages, never on how they were grouped into commits.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from facility.asset import Point
from facility.clock import Clock, JournalClock
from facility.reading import PointValue, Quality, Scan, Value
from facility.registry import Registry
from ingest.quality_motion import Motion

_MEMORY = 1 << 17
_MOVING = (Quality.GOOD, Quality.LATE, Quality.SPIKE, Quality.STUCK)
"""What was measured, believed or not: these readings tell how the sensor moves."""

_GOOD, _DUPLICATE, _FUTURE = Quality.GOOD, Quality.DUPLICATE, Quality.FUTURE
_OUT_OF_RANGE, _LATE = Quality.OUT_OF_RANGE, Quality.LATE
_NEVER = -1
_Limits = tuple[float, float, Motion | None]
_NO_LIMITS: Mapping[str, _Limits] = {}


class RecentHashes:
    """The 64-bit hashes of the recent past, at least `size` and at most twice as many; older ones are forgotten."""

    def __init__(self, size: int = _MEMORY) -> None:
        self._size = size
        self._young: set[int] = set()
        self._old: set[int] = set()

    def add(self, keys: Iterable[int]) -> None:
        """From now on these were here."""
        self._young.update(keys)
        self._turn()

    def is_known(self, key: int) -> bool:
        """Whether this hash was here before; from now on it was."""
        if key in self._young or key in self._old:
            return True
        self._young.add(key)
        self._turn()
        return False

    def _turn(self) -> None:
        if len(self._young) >= self._size:
            self._old, self._young = self._young, set()


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
        self._newest: dict[str, int] = {}
        self._watched: dict[Point, Motion] = {}
        self._settled: list[Scan] = []
        self.use(registry)

    def use(self, registry: Registry) -> None:
        """From here on the points of this registry. What is known of a point that stays as it was is kept."""
        points = [point for asset in registry.assets.values() for point in asset.points.values()]
        moving = (point for point in points if point.stuck or point.spike)
        self._watched = {point: self._watched.get(point) or Motion(point) for point in moving}
        self._limits: dict[str, dict[str, _Limits]] = {}
        for point in points:
            low = -math.inf if point.minimum is None else point.minimum
            high = math.inf if point.maximum is None else point.maximum
            self._limits.setdefault(point.asset_id, {})[point.name] = (low, high, self._watched.get(point))

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
        keys, asset_id = _keys(scan), scan.asset_id
        self._newest[asset_id] = max(self._newest.get(asset_id, _NEVER), scan.at_us)
        self._scans.is_known(hash(keys))
        limits = self._limits.get(asset_id, _NO_LIMITS)
        for key, value in zip(keys, scan.values, strict=True):
            self._recent.is_known(key)
            _low, _high, motion = limits.get(value.point, (0.0, 0.0, None))
            if motion is not None and value.quality in _MOVING and isinstance(value.value, float):
                motion.add(value.value, scan.at_us, spike=value.quality == Quality.SPIKE)
                motion.confirmed = None  # what was said again is in the journal too

    def judge(self, scan: Scan, *, retained: bool = False, now_us: int | None = None) -> Scan | None:
        """The scan with its qualities; None when every value of it is a duplicate.

        `retained` is the broker's flag of a stored copy: one from before the newest heartbeat was seen when it was new.
        `now_us` is the clock's now, for who has just asked it.
        """
        keys = _keys(scan)
        at_us, asset_id = scan.at_us, scan.asset_id
        is_news = at_us > self._newest.get(asset_id, _NEVER) and len({*keys}) == len(keys)
        if is_news:  # nothing of this instant can have been here before
            self._newest[asset_id] = at_us
            self._scans.add((hash(keys),))
            self._recent.add(keys)
        elif self._scans.is_known(hash(keys)):
            return None
        is_late = self._heartbeat_us is not None and at_us < self._heartbeat_us - self._allowance_us
        known = () if is_news else tuple([self._recent.is_known(key) for key in keys])
        if retained and is_late:
            return None
        return self._with_qualities(scan, known, is_future=self._is_future(at_us, now_us), is_late=is_late)

    def _is_future(self, at_us: int, now_us: int | None) -> bool:
        if self._now_us is None:
            return False
        return at_us > (self._now_us() if now_us is None else now_us) + self._ahead_us

    def _with_qualities(self, scan: Scan, known: tuple[bool, ...], *, is_future: bool, is_late: bool) -> Scan | None:
        """`known` says of each value whether it was here before; empty when none was."""
        if known and all(known):
            return None
        limits, values = self._limits.get(scan.asset_id, _NO_LIMITS), scan.values
        changed: list[PointValue] | None = None
        for place, value in enumerate(values):
            said = value.quality
            if known and known[place]:
                quality: int = _DUPLICATE
            elif is_future:
                quality = _FUTURE
            elif said != _GOOD:
                continue
            else:
                quality = self._measured(limits.get(value.point), value.value, scan.at_us, is_late=is_late)
            if quality != said:
                changed = list(values) if changed is None else changed
                changed[place] = PointValue(value.point, value.value, quality)
        return scan if changed is None else Scan(scan.asset_id, scan.at_us, scan.complete, tuple(changed))

    def take_settled(self) -> Sequence[Scan]:
        """Readings that were called spikes and turned out to be steps, once, as good ones of their instants: what
        was judged last has shown it."""
        if not self._settled:
            return ()
        found, self._settled = self._settled, []
        return found

    def _settle(self, motion: Motion) -> None:
        confirmed, motion.confirmed = motion.confirmed, None
        if confirmed is not None:
            at_us, value = confirmed
            values = (PointValue(motion.point, value),)
            self._settled.append(Scan(motion.asset_id, at_us, complete=False, values=values))

    def _measured(self, limits: "_Limits | None", amount: Value, at_us: int, *, is_late: bool) -> Quality:
        """By the limits of the point and the way it moves."""
        if limits is not None and not isinstance(amount, str):
            low, high, motion = limits
            if amount < low or amount > high:
                return _OUT_OF_RANGE
            if motion is not None:
                quality = motion.judge(amount, at_us)
                if motion.confirmed is not None:
                    self._settle(motion)
                if quality and not is_late:
                    return quality
        return _LATE if is_late else _GOOD


def _keys(scan: Scan) -> tuple[int, ...]:
    return tuple([hash((scan.asset_id, value.point, scan.at_us, value.value)) for value in scan.values])
