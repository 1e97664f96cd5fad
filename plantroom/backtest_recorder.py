"""A second pass through a history for its report: how well each point is covered, and the readings of the plots."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from facility.catalogue import PointKind
from facility.reading import Quality, Scan, Value
from facility.registry import Registry
from rules.freshness import fresh_limit

MOST_IN_A_WINDOW = 4_000


@dataclass(slots=True)
class Window:
    """The readings of one point in [from, until). With `every_us` one a bucket and belief: numbers as their mean, of
    states every change besides."""

    asset_id: str
    point: str
    from_us: int
    until_us: int
    every_us: int = 0
    is_state: bool = False
    readings: list[tuple[int, Value, int]] = field(default_factory=list)
    _bucket: dict[bool, tuple[int, float, int, int]] = field(default_factory=dict)
    _last: Value | None = None

    def add(self, at_us: int, value: Value, quality: int) -> None:
        """Take a reading; of one point in the order of time."""
        if not self.from_us <= at_us < self.until_us:
            return
        if not self.every_us or isinstance(value, str) or self.is_state:
            changed = value != self._last
            if self.every_us and not changed and self.readings and at_us - self.readings[-1][0] < self.every_us:
                return
            if len(self.readings) < MOST_IN_A_WINDOW:
                self.readings.append((at_us, value, quality))
            self._last = value
            return
        start_us, is_good = at_us - at_us % self.every_us, quality == Quality.GOOD
        at, total, count, worst = self._bucket.get(is_good, (start_us, 0.0, 0, 0))
        if at != start_us and count:
            self.readings.append((max(at, self.from_us), total / count, worst))
            at, total, count, worst = start_us, 0.0, 0, 0
        self._bucket[is_good] = (start_us, total + value, count + 1, max(worst, quality))

    def finished(self) -> list[tuple[int, Value, int]]:
        """All of it, by time."""
        for at, total, count, worst in self._bucket.values():
            if count:
                self.readings.append((max(at, self.from_us), total / count, worst))
        self._bucket = {}
        self.readings.sort(key=lambda one: one[0])
        return self.readings


@dataclass(slots=True)
class Coverage:
    """How much of the time one point's readings speak for: each until the next, but not longer than it is believed."""

    limit_us: int
    readings: int = 0
    bad: int = 0
    covered_us: int = 0
    _last_us: int | None = None

    def add(self, at_us: int, quality: int) -> None:
        """Take a reading."""
        self.readings += 1
        self.bad += quality != Quality.GOOD
        if self._last_us is not None and at_us > self._last_us:
            self.covered_us += min(at_us - self._last_us, self.limit_us)
        self._last_us = max(at_us, self._last_us or at_us)


def record(scans: Iterable[Scan], registry: Registry, windows: Iterable[Window]) -> dict[tuple[str, str], Coverage]:
    """Fill the windows and tell how each point of the registry is covered. Borrowed points are in no scan: a window is
    for the asset that measures."""
    wanted: dict[tuple[str, str], list[Window]] = defaultdict(list)
    for window in windows:
        wanted[window.asset_id, window.point].append(window)
    found = {
        (asset.id, name): Coverage(fresh_limit(point)) for asset in registry.assets.values()
        for name, point in asset.points.items()
    }  # fmt: skip
    for scan in scans:
        for item in scan.values:
            key = (scan.asset_id, item.point)
            if (coverage := found.get(key)) is not None:
                coverage.add(scan.at_us, item.quality)
            for window in wanted.get(key, ()):
                window.add(scan.at_us, item.value, item.quality)
    return found


def is_state(registry: Registry, asset_id: str, name: str) -> bool:
    """Whether a point says states and not measurements."""
    point = registry.point(asset_id, name)
    return point is not None and (point.type.is_text or point.unit == "bool" or point.type.kind is PointKind.STATUS)
