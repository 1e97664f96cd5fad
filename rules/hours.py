"""Local time of a building: the hour of the day and whether people are expected. Values hold to a known instant."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta

from facility.asset import Building
from facility.instant import from_us, to_us

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
        self._closed_us: int | None = None
        self._opens_us: int | None = None

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

    def since_occupied(self, now_us: int) -> float | None:
        """Seconds since people were last expected, 0 while they are; None when they never are."""
        self._look(now_us)
        if self._expected:
            return 0.0
        return None if self._closed_us is None else (now_us - self._closed_us) / 1e6

    def until_occupied(self, now_us: int) -> float | None:
        """Seconds until people are expected next, 0 while they are; None when they never are."""
        self._look(now_us)
        if self._expected:
            return 0.0
        return None if self._opens_us is None else (self._opens_us - now_us) / 1e6

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
        if not self._expected:
            self._closed_us = max((at for at in self._edges(local, 1) if at <= now_us), default=None)
            self._opens_us = min((at for at in self._edges(local, 0) if at > now_us), default=None)
        self._from_us, self.until_us = now_us, min(quarter, whole + min(edges, default=15) * _MINUTE_US)

    def _edges(self, local: datetime, end: int) -> Iterator[int]:
        """The instants at which hours begin (`end` 0) or end (1), from a week before the local day to a week after."""
        for days in range(-7, 8):
            on = local.date() + timedelta(days=days)
            for span in self._occupied.get(on.weekday(), ()):
                yield to_us(datetime.combine(on, time(), self._zone) + timedelta(minutes=span[end]))
