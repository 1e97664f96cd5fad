"""Storms: many findings at once behind one thing share one cause, so that one order has them as its members.

A storm begins when LIMIT findings that would each open an order came into view within WINDOW_US under one root of the
topology (what contains, feeds or controls them all; else their space; else the building). From then on each further one
joins it, until WINDOW_US pass without any. Danger to people is never put into a crowd, and rules that group by
themselves keep their own groups.
"""

from collections.abc import MutableMapping

import msgspec

from facility.asset import Asset
from facility.registry import Registry

LIMIT = 10
WINDOW_US = 5 * 60 * 10**6


class Storm(msgspec.Struct, array_like=True):
    """What came into view lately under one root: instants (at most LIMIT), and the storm's cause while it lasts."""

    times: list[int] = []
    cause_key: str = ""


def root_of(asset: Asset, registry: Registry) -> str:
    """What a storm around this asset is named after."""
    above = list(registry.explainers(asset.id))
    if above:
        return above[-1]
    return f"space:{asset.space_id}" if asset.space_id is not None else f"building:{asset.building_id}"


def join_storm(storms: MutableMapping[str, Storm], root: str, now_us: int) -> str | None:
    """Count a finding that came into view at `now_us`; the storm's cause when it is part of one."""
    storm = storms.setdefault(root, Storm())
    if storm.times and now_us - storm.times[-1] > WINDOW_US:
        storm.cause_key = ""
    lately = [at for at in storm.times if at > now_us - WINDOW_US]
    storm.times = [*lately[1 - LIMIT :], now_us]
    if len(storm.times) >= LIMIT and not storm.cause_key:
        storm.cause_key = f"storm:{root}/{now_us}"
    return storm.cause_key or None
