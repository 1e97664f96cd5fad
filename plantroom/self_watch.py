"""The monitor watches itself: where a site file declares an asset of class `monitor`, it sends readings of itself.

They go to the broker and come back like any other, so a monitor that hangs falls silent, and its rules are ordinary
rules with ordinary work orders.
"""

import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from facility.clock import Clock, JournalClock
from facility.instant import format_instant, from_us
from facility.reading import Reading
from facility.registry import Registry
from ingest.dialects.plantroom_json import own_topic
from ingest.latest import IngestCounters

log = structlog.get_logger(__name__)
MONITOR = "monitor"
EVERY_S = 60.0
"""Seconds of the clock between two readings of ourselves; at least one real second."""
SILENT_CADENCES = 10
SILENT_LEAST_US = 30 * 60 * 10**6


class NewestReadings(Protocol):
    """The newest reading of every point, and what ingest counts."""

    @property
    def counters(self) -> IngestCounters:
        """From the newest heartbeat."""

    def of(self, asset_id: str) -> dict[str, Reading]:
        """The newest readings of an asset that ever spoke."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What is looked at. `lags` gives how many commits each follower is behind, `judged_us` the newest event time that
    rules have judged (0: none yet)."""

    registry: Callable[[], Registry]
    latest: NewestReadings
    lags: Callable[[], Sequence[int]]
    judged_us: Callable[[], int]
    folder: Path
    clock: Clock
    skews_us: Callable[[], Sequence[int]] = tuple
    """How far the clocks of the devices are off that are known, ahead of ours positive; in the clock's time."""
    certificates: Callable[[], Mapping[str, float]] = dict
    """Point -> days until the first certificate of its kind ends."""


@dataclass(slots=True)
class SelfWatch:
    """Measures and hands messages to `say` (topic, payload); what it returns says whether they left."""

    watched: Watched
    say: Callable[[str, bytes], bool]
    _before: IngestCounters = field(default_factory=IngestCounters)
    _lost: bool = False

    def run(self, stop: threading.Event) -> None:
        """Every minute of the clock until `stop`. With the journal clock there is no now to speak of: nothing."""
        if isinstance(self.watched.clock, JournalClock):
            stop.wait()
            return
        while not stop.wait(max(1.0, EVERY_S / self.watched.clock.factor)):
            self.report()

    def report(self) -> int:
        """Say it once; how many monitors the site declares."""
        registry = self.watched.registry()
        monitors = [asset for asset in registry.assets.values() if asset.equipment_class.name == MONITOR]
        if not monitors:
            return 0
        values = self.measure(registry)
        at = format_instant(from_us(self.watched.clock.now_us()))
        for asset in monitors:
            own = {name: value for name, value in values.items() if name in asset.points}
            payload = msgspec.json.encode({"at": at, "values": own})
            said = self.say(own_topic(registry.site_of(asset.id).id, asset.id), payload)
            if said is self._lost:
                log.info("readings of myself leave again") if said else log.warning("no broker to tell of myself")
            self._lost = not said
        return len(monitors)

    def measure(self, registry: Registry) -> Mapping[str, float]:
        """Point -> value, in the units of the catalogue."""
        usage = shutil.disk_usage(self.watched.folder)
        return {
            "follower_lag": float(max(self.watched.lags(), default=0)),
            "disk_free": round(100.0 * usage.free / usage.total, 2),
            "silent_devices": float(len(silent_assets(registry, self.watched.latest, self.watched.clock.now_us()))),
            **self._clocks(),
            **self._certificates(),
            **self._messages(),
            **self._delay(),
        }

    def _clocks(self) -> Mapping[str, float]:
        """The worst clock of a device, in real seconds; nothing while none is known."""
        skews = self.watched.skews_us()
        worst_us = max((abs(one) for one in skews), default=0) / self.watched.clock.factor
        return {"device_clock_error": round(worst_us / 1e6, 2)} if skews else {}

    def _certificates(self) -> Mapping[str, float]:
        """Days until the first certificate, and the first authority, ends; nothing where there is none."""
        return {name: round(days, 2) for name, days in self.watched.certificates().items()}

    def _messages(self) -> Mapping[str, float]:
        """Messages a real second since the last look, and the share of them that could not be read, in percent."""
        before, now = self._before, self.watched.latest.counters
        self._before = now
        if now.received < before.received:  # ingest started anew
            before = IngestCounters(before.at_us)
        received = now.received - before.received
        share = round(100.0 * (now.rejected - before.rejected) / received, 2) if received > 0 else 0.0
        seconds = ((now.at_us or 0) - (before.at_us or 0)) / 1e6 / self.watched.clock.factor
        if before.at_us is None or seconds <= 0:
            return {"rejected_rate": share}
        return {"rejected_rate": share, "message_rate": round(received / seconds, 2)}

    def _delay(self) -> Mapping[str, float]:
        judged_us = self.watched.judged_us()
        if judged_us == 0:
            return {}
        late_us = max(0, self.watched.clock.now_us() - judged_us)
        return {"judged_delay": round(late_us / 1e6 / self.watched.clock.factor, 2)}


def silent_assets(registry: Registry, latest: NewestReadings, now_us: int) -> list[tuple[str, int]]:
    """Assets that spoke once and have said nothing for ten cadences, half an hour at least, and when they last did
    (microseconds of event time); the longest silent first. Those that never spoke are another rule's business."""
    found = []
    for asset in registry.assets.values():
        newest = max((reading.at_us for reading in latest.of(asset.id).values()), default=None)
        cadence = min((point.cadence for point in asset.points.values()), default=None)
        if newest is None or cadence is None:
            continue
        limit_us = max(SILENT_LEAST_US, round(SILENT_CADENCES * cadence.total_seconds() * 1e6))
        if now_us - newest > limit_us:
            found.append((asset.id, newest))
    return sorted(found, key=lambda one: (one[1], one[0]))
