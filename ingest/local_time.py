"""Instants of who writes local time: which ones do not exist, and which of two a repeated one is."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from facility.instant import EPOCH, from_us, to_us
from ingest.map_file import ISO, UNIX_MS, UNIX_S, WideMap


class TimeFlaw(StrEnum):
    """Why a text gives no instant, or how it was chosen."""

    NONE = "none"
    UNREADABLE = "unreadable"
    NONEXISTENT = "nonexistent"
    AMBIGUOUS = "ambiguous"


def local_instants(local: datetime, zone: ZoneInfo) -> tuple[int, ...]:
    """Microseconds since the epoch of a naive local time: none when the clocks skipped it, two when it came twice.

    Raises OverflowError at the ends of the calendar.
    """
    first_us, second_us = (to_us(local.replace(tzinfo=zone, fold=fold).astimezone(UTC)) for fold in (0, 1))
    if first_us == second_us:
        return (first_us,)
    if from_us(first_us).astimezone(zone).replace(tzinfo=None) != local:
        return ()
    return first_us, second_us


class TimeReader:
    """Turns the texts of one time column, in file order, into instants.

    A local time that the clocks skipped gives none. One that comes twice (clocks set back) is the earlier instant,
    unless the file has already passed that.
    """

    def __init__(self, wide_map: WideMap) -> None:
        self._format, self._zone = wide_map.time_format, wide_map.zone
        self._newest_us: int | None = None

    def read(self, text: str) -> tuple[int | None, TimeFlaw]:
        """Microseconds since the epoch, or None and why."""
        at_us: int | None
        try:
            at = self._parse(text)
            if at.tzinfo is not None:
                at_us, flaw = to_us(at), TimeFlaw.NONE
            elif self._zone is None:
                return None, TimeFlaw.UNREADABLE
            else:
                at_us, flaw = self._resolve(at, self._zone)
        except (ValueError, OverflowError):
            return None, TimeFlaw.UNREADABLE
        if at_us is None:
            return None, flaw
        if self._newest_us is None or at_us > self._newest_us:
            self._newest_us = at_us
        return at_us, flaw

    def _parse(self, text: str) -> datetime:
        if self._format == ISO:
            return datetime.fromisoformat(text)
        if self._format in (UNIX_S, UNIX_MS):
            return EPOCH + timedelta(milliseconds=float(text) * (1000.0 if self._format == UNIX_S else 1.0))
        return datetime.strptime(text, self._format)  # noqa: DTZ007 - the zone follows in _resolve

    def _resolve(self, local: datetime, zone: ZoneInfo) -> tuple[int | None, TimeFlaw]:
        instants = local_instants(local, zone)
        if not instants:
            return None, TimeFlaw.NONEXISTENT
        if len(instants) == 1:
            return instants[0], TimeFlaw.NONE
        passed = self._newest_us is not None and self._newest_us >= instants[0]
        return instants[1 if passed else 0], TimeFlaw.AMBIGUOUS
