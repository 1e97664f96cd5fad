"""Local time of a building: the hour of the day and whether people are expected. Values hold to a known instant."""

from datetime import datetime

from facility.asset import Building
from facility.instant import from_us

_MINUTE_US = 60_000_000
_QUARTER_US = 15 * _MINUTE_US


class Hours:
    """Answers for one building, kept until the next quarter hour or edge of the hours, whichever is first.

    Offsets of every time zone change on quarter hours of UTC only, so inside one the local clock runs straight.
    """

    def __init__(self, building: Building) -> None:
        self._zone, self._occupied = building.zone, building.occupied
        self._from_us, self.until_us = 0, 0
        self._hour, self._expected = 0.0, False
        self._weekday, self._day = 0, 0

    @property
    def known(self) -> bool:
        """Whether the site file says when people are expected."""
        return bool(self._occupied)

    def hour(self, now_us: int) -> float:
        """Local hour of the day, 0 to 23."""
        self._look(now_us)
        return self._hour

    def weekday(self, now_us: int) -> int:
        """Local day of the week, 0 is Monday."""
        self._look(now_us)
        return self._weekday

    def day(self, now_us: int) -> int:
        """Number of the local day, counted without gaps."""
        self._look(now_us)
        return self._day

    def occupied(self, now_us: int) -> bool:
        """Whether people are expected now."""
        self._look(now_us)
        return self._expected

    def _look(self, now_us: int) -> None:
        if self._from_us <= now_us < self.until_us:
            return
        local: datetime = from_us(now_us).astimezone(self._zone)
        minute = local.hour * 60 + local.minute
        spans = self._occupied.get(local.weekday(), ())
        self._hour = float(local.hour)
        self._weekday, self._day = local.weekday(), local.toordinal()
        self._expected = any(first <= minute < last for first, last in spans)
        edges = [edge - minute for span in spans for edge in span if edge > minute]
        whole = now_us - now_us % _MINUTE_US
        quarter = now_us - now_us % _QUARTER_US + _QUARTER_US
        self._from_us, self.until_us = now_us, min(quarter, whole + min(edges, default=15) * _MINUTE_US)
