"""Instants and durations. In values an instant is an aware UTC datetime; in the hot path it is an int.

The int counts microseconds since 1970-01-01T00:00:00Z and is named `*_us`. Nothing here reads a clock.
"""

import re
from datetime import UTC, datetime, timedelta

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_UNITS = {
    "ms": 0.001, "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0,
    "min": 60.0, "minute": 60.0, "minutes": 60.0,
    "h": 3600.0, "hour": 3600.0, "hours": 3600.0,
    "d": 86400.0, "day": 86400.0, "days": 86400.0,
    "week": 604800.0, "weeks": 604800.0,
}  # fmt: skip
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)")


def to_us(at: datetime) -> int:
    """Microseconds since the epoch of an aware instant; exact. A naive datetime raises ValueError."""
    if at.tzinfo is None:
        msg = f"an instant needs its time zone, got the naive {at.isoformat()}"
        raise ValueError(msg)
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND_US + since.microseconds


def from_us(at_us: int) -> datetime:
    """The aware UTC instant of microseconds since the epoch; exact inverse of `to_us`."""
    return EPOCH + timedelta(microseconds=at_us)


def parse_instant(text: str) -> datetime:
    """An ISO 8601 instant with its zone (`Z` or an offset), as aware UTC. Raises ValueError with the reason."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        msg = f"{text!r} is not an ISO 8601 instant such as 2026-11-21T09:00:00Z"
        raise ValueError(msg) from None
    if at.tzinfo is None:
        msg = f"{text!r} has no time zone; write it with Z or an offset, such as 2026-11-21T09:00:00Z"
        raise ValueError(msg)
    return at if at.tzinfo is UTC else at.astimezone(UTC)


def format_instant(at: datetime) -> str:
    """ISO 8601 in UTC with a `Z`; microseconds only when there are any. Inverse of `parse_instant`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_duration(value: str | int | float) -> timedelta:
    """A duration such as `"90 s"`, `"10 min"`, `"1 h 30 min"`; a bare number is seconds.

    Never negative, never a bool. Raises ValueError with the reason.
    """
    hint = "write it like '90 s', '10 min', '1 h 30 min' or '2 days'"
    if isinstance(value, bool):
        msg = f"{value!r} is not a duration; {hint}"
        raise ValueError(msg)
    if isinstance(value, int | float):
        if not 0 <= value < 1e10:
            msg = f"a duration of {value!r} seconds is out of range; {hint}"
            raise ValueError(msg)
        return timedelta(seconds=value)
    text = value.strip().lower()
    position, seconds = 0, 0.0
    while position < len(text):
        match = _DURATION.match(text, position)
        if match is None or match[2] not in _UNITS:
            msg = f"{value!r} is not a duration; {hint}"
            raise ValueError(msg)
        seconds += float(match[1]) * _UNITS[match[2]]
        position = match.end()
    if not text:
        msg = f"an empty text is not a duration; {hint}"
        raise ValueError(msg)
    return timedelta(seconds=seconds)


def format_duration(value: timedelta) -> str:
    """`1 d 2 h 5 min 3 s`, leaving out what is zero; `0 s` for nothing; a minus sign for negative ones."""
    whole = abs(value) // timedelta(seconds=1)
    sign = "-" if value < timedelta(0) and whole else ""
    parts = []
    for size, name in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        amount, whole = divmod(whole, size)
        if amount:
            parts.append(f"{amount} {name}")
    return sign + (" ".join(parts) or "0 s")
