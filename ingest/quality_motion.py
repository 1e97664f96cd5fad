"""How a sensor moves: one that no longer does is stuck, a single reading far off its neighbours is a spike.

Causal, by the order and the event time of the readings alone; a reading older than the newest changes nothing.

Stuck: the value has been the same, to the last digit, for `stuck` cadences and at least `LEAST_READINGS` readings.

Spike: a jump of at least `spike` (in the point's unit) and of more than `SPREADS` times the recent spread, which is
the median of the last `WINDOW` changes from reading to reading. Whether it was a spike or a step only the next
reading tells, and readings are judged as they arrive: the jump is called a spike, and if the next reading stands
where it went, that one is good, and the jump is said again, as good (`confirmed`): later words about an instant replace
earlier ones. A true step so costs the wait for the next reading, a spike costs exactly itself. After a gap of
more than `GAP_CADENCES` nothing is a spike: nobody knows what happened meanwhile.
"""

from collections import deque
from statistics import median

from facility.asset import Point
from facility.reading import Quality

LEAST_READINGS = 20
WINDOW = 16
LEAST_CHANGES = 6
SPREADS = 8.0
GAP_CADENCES = 5
_GOOD, _SPIKE, _STUCK = Quality.GOOD, Quality.SPIKE, Quality.STUCK


class Motion:
    """The recent past of one point: at most `WINDOW` changes, whatever arrives."""

    __slots__ = (
        "_at_us", "_changes", "_gap_us", "_jump_us", "_jumped_to", "_last", "_readings", "_since_us", "_spike",
        "_stuck_us", "asset_id", "confirmed", "point",
    )  # fmt: skip

    def __init__(self, point: Point) -> None:
        self.asset_id, self.point = point.asset_id, point.name
        cadence_us = round(point.cadence.total_seconds() * 1e6)
        self._stuck_us, self._gap_us = cadence_us * point.stuck, cadence_us * GAP_CADENCES
        self._spike = point.spike
        self._at_us = self._since_us = self._readings = self._jump_us = 0
        self._last: float | None = None
        self._jumped_to: float | None = None
        self.confirmed: tuple[int, float] | None = None
        """Instant and value of a reading that was called a spike and was a step, as the newest reading shows."""
        self._changes: deque[float] = deque(maxlen=WINDOW)

    def is_spike(self, value: float, at_us: int) -> bool:
        """Whether this reading jumps off all it follows. Asked before `add`, changes nothing."""
        if self._last is None or not self._spike or len(self._changes) < LEAST_CHANGES:
            return False
        if not self._at_us < at_us <= self._at_us + self._gap_us:
            return False
        jump = abs(value - self._last)
        if jump < self._spike or jump <= SPREADS * median(self._changes):
            return False
        return self._jumped_to is None or abs(value - self._jumped_to) > jump / 2

    def is_stuck(self, value: float, at_us: int) -> bool:
        """Whether the sensor has not moved for too long, this reading included. Asked before `add`."""
        return (
            self._stuck_us > 0
            and value == self._last
            and self._readings + 1 >= LEAST_READINGS
            and at_us - self._since_us >= self._stuck_us
        )

    def judge(self, value: float, at_us: int) -> Quality:
        """GOOD, SPIKE or STUCK; the reading is part of the past from now on."""
        last = self._last
        spike = last is not None and 0 < self._spike <= abs(value - last) and self.is_spike(value, at_us)
        stuck = value == last and self.is_stuck(value, at_us)
        self.add(value, at_us, spike=spike)
        return _SPIKE if spike else _STUCK if stuck else _GOOD

    def add(self, value: float, at_us: int, *, spike: bool) -> None:
        """One reading that was judged; one that is not newer than the newest is forgotten."""
        if at_us <= self._at_us:
            return
        self._at_us = at_us
        if spike:
            self._jumped_to, self._jump_us = value, at_us
            return
        if self._jumped_to is not None and self._last is not None:
            stays = abs(value - self._jumped_to) <= abs(value - self._last) / 2
            self.confirmed = (self._jump_us, self._jumped_to) if stays else None
        if self._last is not None and self._jumped_to is None:
            self._changes.append(abs(value - self._last))
        if value != self._last:
            self._since_us, self._readings = at_us, 0
        self._readings += 1
        self._last, self._jumped_to = value, None
