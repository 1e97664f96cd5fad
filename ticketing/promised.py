"""When a limit that is counted from an instant is over. Pure."""

from datetime import datetime

from facility.instant import from_us, to_us
from ticketing.calendar import Calendar
from ticketing.deadline import due_at_us
from ticketing.limit import Limit


def due_at(limit: Limit | None, calendar: Calendar, from_at: datetime) -> datetime | None:
    """The instant (aware UTC); None without a limit."""
    return from_us(due_at_us(limit, calendar, to_us(from_at))) if limit is not None else None
