"""How far each device's clock is off: the median distance of its event times from their arrival, learned on the way.

Positive is ahead. What a message spends under way makes a device look late by that much, and a backlog after an
outage by hours: the median over the last `REMEMBERED` scans forgets single ones. Nothing is corrected by it: event
time stays what the device said. It is what an operator is shown beside readings that were judged FUTURE or LATE.
"""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from facility.reading import Commit, Scan

REMEMBERED = 64
LEAST_SCANS = 5
MOST_DEVICES = 20_000
"""Assets beyond that are not learned: a bound, whatever is in the journal."""


@dataclass(frozen=True, slots=True)
class DeviceClock:
    """`skew_us` in the program's clock, positive when the device is ahead; `scans` is how many it was learned from."""

    asset_id: str
    skew_us: int
    scans: int


class DeviceClocks:
    """A follower's sink without a memory of its own: it learns from what comes after its start.

    One thread takes commits, any number ask.
    """

    def __init__(self, after_seq: int = 0) -> None:
        self._cursor = after_seq
        self._lock = threading.Lock()
        self._offsets: dict[str, deque[int]] = {}

    @property
    def cursor(self) -> int:
        """The newest commit taken."""
        return self._cursor

    def take(self, commits: Sequence[Commit]) -> None:
        """Learn from every scan: how far its instant is from the arrival of its commit."""
        with self._lock:
            for commit in commits:
                for entry in commit.entries:
                    if isinstance(entry, Scan):
                        self._learn(entry.asset_id, entry.at_us - commit.arrived_us)
                self._cursor = commit.seq

    def rewind(self, seq: int) -> None:
        """The journal was cut back: other commits come after `seq`. What was learned of the devices still holds."""
        self._cursor = seq

    def of(self, asset_id: str) -> DeviceClock | None:
        """One device's clock; None while too little was heard."""
        with self._lock:
            return self._clock(asset_id, self._offsets.get(asset_id, deque()))

    def all(self) -> list[DeviceClock]:
        """Every device's clock that is known, the worst first."""
        with self._lock:
            known = [self._clock(asset_id, offsets) for asset_id, offsets in self._offsets.items()]
        return sorted((one for one in known if one is not None), key=lambda one: (-abs(one.skew_us), one.asset_id))

    def _learn(self, asset_id: str, offset_us: int) -> None:
        offsets = self._offsets.get(asset_id)
        if offsets is None:
            if len(self._offsets) >= MOST_DEVICES:
                return
            offsets = self._offsets[asset_id] = deque(maxlen=REMEMBERED)
        offsets.append(offset_us)

    @staticmethod
    def _clock(asset_id: str, offsets: "deque[int]") -> DeviceClock | None:
        if len(offsets) < LEAST_SCANS:
            return None
        return DeviceClock(asset_id, round(median(offsets)), len(offsets))
