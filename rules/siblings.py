"""Comparison with sibling assets: of the same class in the same place, so weather and season are the same for all."""

from collections.abc import Sequence
from statistics import median

from facility.asset import Asset
from facility.registry import Registry
from rules.memory import BuildingMemory, PointMemory
from rules.program import Known

MIN_SIBLINGS = 2


def sibling_memories(asset: Asset, point: str, registry: Registry, memory: BuildingMemory) -> list[PointMemory]:
    """The point on all other assets of the class in the building: those with the same parent, if there are enough."""
    others = [
        other
        for other in registry.assets.values()
        if other.building_id == asset.building_id
        and other.equipment_class.name == asset.equipment_class.name
        and other.id != asset.id
        and point in other.points
    ]
    near = [other for other in others if other.parent_id == asset.parent_id]
    chosen = near if len(near) >= MIN_SIBLINGS else others
    return [memory.assets[other.id].points[point] for other in chosen if other.id in memory.assets]


class SiblingsTerm:
    """The median of the siblings' newest values; Unknown when fewer than two of them are known now."""

    __slots__ = ("_memories",)

    def __init__(self, memories: Sequence[PointMemory]) -> None:
        self._memories = memories

    def __call__(self, now_us: int) -> Known:
        values = [
            memory.value
            for memory in self._memories
            if isinstance(memory.value, float) and memory.fresh_until_us >= now_us
        ]
        return median(values) if len(values) >= MIN_SIBLINGS else None
