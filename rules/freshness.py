"""How long a reading is believed."""

from facility.asset import Point

FRESH_CADENCES = 3
MIN_FRESH_US = 60_000_000


def fresh_limit(point: Point) -> int:
    """How long a reading of the point is believed, in microseconds: three times its cadence, at least a minute."""
    return max(FRESH_CADENCES * round(point.cadence.total_seconds() * 1e6), MIN_FRESH_US)
