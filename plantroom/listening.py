"""How long a history may say nothing before that is time nobody listened to: a file has no heartbeats to tell."""

from datetime import timedelta

from facility.registry import Registry
from rules.engine import LISTENING_GAP_US


def listening_gap_us(registry: Registry) -> int:
    """Microseconds: a quarter of an hour, or twice the quickest cadence of any point where all are slower than that."""
    quickest = min(
        (point.cadence for asset in registry.assets.values() for point in asset.points.values()), default=timedelta(0)
    )
    return max(LISTENING_GAP_US, 2 * quickest // timedelta(microseconds=1) + 60_000_000)
