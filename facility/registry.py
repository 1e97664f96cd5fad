"""Every site, building, space and asset by id, and how they hang together (contains, feeds, controls)."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from facility.asset import Asset, Borrowed, Building, Point, Site, Space
from facility.errors import InputError, Problem

Item = TypeVar("Item", Site, Building, Space, Asset)


class Registry:
    """An immutable directory. Ids are unique in the whole installation; a second one is refused by name.

    An addition holds assets for a building that another part describes: site, building and spaces are said there.
    """

    def __init__(
        self,
        sites: Iterable[Site] = (),
        buildings: Iterable[Building] = (),
        spaces: Iterable[Space] = (),
        assets: Iterable[Asset] = (),
        *,
        where: str = "site files",
        is_addition: bool = False,
    ) -> None:
        self.is_addition, self.where = is_addition, where
        self.sites: Mapping[str, Site] = _by_id(sites, "site", where)
        self.buildings: Mapping[str, Building] = _by_id(buildings, "building", where)
        self.spaces: Mapping[str, Space] = _by_id(spaces, "space", where)
        self.assets: Mapping[str, Asset] = _by_id(assets, "asset", where)
        self._children: dict[str, list[str]] = {}
        self._upstream: dict[str, list[str]] = {}
        self._borrowers: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for asset in self.assets.values():
            if asset.parent_id is not None:
                self._children.setdefault(asset.parent_id, []).append(asset.id)
            for downstream in (*asset.feeds, *asset.controls):
                self._upstream.setdefault(downstream, []).append(asset.id)
            for name, origin in asset.borrows.items():
                self._borrowers.setdefault((origin.asset_id, origin.point), []).append((asset.id, name))

    @classmethod
    def merge(cls, parts: Iterable["Registry"]) -> "Registry":
        """One registry of several site files. Raises InputError when they share an id, or add to what is not there."""
        every = list(parts)
        whole = [part for part in every if not part.is_addition]
        known = {building for part in whole for building in part.buildings}
        problems = [
            Problem(part.where, f"adds to the building {name!r}, which no site file describes", "Correct its id.")
            for part in every
            if part.is_addition
            for name in part.buildings
            if name not in known
        ]
        if problems:
            raise InputError(problems)
        return cls(
            (site for part in whole for site in part.sites.values()),
            (building for part in whole for building in part.buildings.values()),
            (space for part in whole for space in part.spaces.values()),
            (asset for part in every for asset in part.assets.values()),
        )

    def within(self, buildings: frozenset[str]) -> "Registry":
        """Only these buildings with their sites, spaces and assets; what hangs together across them is cut."""
        assets = {asset.id: asset for asset in self.assets.values() if asset.building_id in buildings}
        kept = [_cut(asset, assets) for asset in assets.values()]
        houses = [building for building in self.buildings.values() if building.id in buildings]
        sites = {building.site_id for building in houses}
        return Registry(
            (site for site in self.sites.values() if site.id in sites),
            houses,
            (space for space in self.spaces.values() if space.building_id in buildings),
            kept,
        )

    def point(self, asset_id: str, name: str) -> Point | None:
        """The point an asset has or borrows under this name; None when it has no such point."""
        asset = self.assets.get(asset_id)
        if asset is None:
            return None
        if name in asset.points:
            return asset.points[name]
        origin: Borrowed | None = asset.borrows.get(name)
        return self.assets[origin.asset_id].points[origin.point] if origin is not None else None

    def borrowers(self, asset_id: str, point: str) -> tuple[tuple[str, str], ...]:
        """Which assets borrow this point, and under which name: (asset id, point name)."""
        return tuple(self._borrowers.get((asset_id, point), ()))

    def children(self, asset_id: str) -> tuple[str, ...]:
        """The assets directly inside this one."""
        return tuple(self._children.get(asset_id, ()))

    def upstream(self, asset_id: str) -> tuple[str, ...]:
        """The assets that directly feed or control this one."""
        return tuple(self._upstream.get(asset_id, ()))

    def explainers(self, asset_id: str) -> Iterator[str]:
        """Every asset whose fault may explain this one's, nearest first: containers, feeders, controllers."""
        seen, queue = {asset_id}, [asset_id]
        while queue:
            current = self.assets[queue.pop(0)]
            above = [current.parent_id] if current.parent_id else []
            for other in (*above, *self.upstream(current.id)):
                if other not in seen:
                    seen.add(other)
                    queue.append(other)
                    yield other

    def top_space(self, space_id: str | None) -> str:
        """The outermost space around a space, such as its floor; empty for none. A circle ends where it began."""
        space, seen = self.spaces.get(space_id or ""), set[str]()
        while space is not None and space.parent_id in self.spaces and space.id not in seen:
            seen.add(space.id)
            space = self.spaces[space.parent_id or ""]
        return space.id if space is not None else ""

    def site_of(self, asset_id: str) -> Site:
        """The site an asset belongs to. Raises KeyError for an unknown asset."""
        return self.sites[self.buildings[self.assets[asset_id].building_id].site_id]

    def siblings(self, asset_id: str) -> tuple[str, ...]:
        """The other assets of the same class in the same building, in file order."""
        own = self.assets[asset_id]
        return tuple(
            other.id
            for other in self.assets.values()
            if other.id != asset_id
            and other.building_id == own.building_id
            and other.equipment_class.name == own.equipment_class.name
        )


def _cut(asset: Asset, assets: Container[str]) -> Asset:
    """The asset without what hangs together with others than these; most have nothing of the kind."""
    lent = (origin.asset_id for origin in asset.borrows.values())
    above = () if asset.parent_id is None else (asset.parent_id,)
    if all(other in assets for other in (*above, *asset.feeds, *asset.controls, *lent)):
        return asset
    return replace(
        asset,
        parent_id=asset.parent_id if asset.parent_id in assets else None,
        feeds=tuple(other for other in asset.feeds if other in assets),
        controls=tuple(other for other in asset.controls if other in assets),
        borrows={name: origin for name, origin in asset.borrows.items() if origin.asset_id in assets},
    )


def _by_id(items: Iterable[Item], noun: str, where: str) -> Mapping[str, Item]:
    found: dict[str, Item] = {}
    for item in items:
        if item.id in found:
            hint = f"Give one {noun} another id; ids are unique in the whole installation."
            raise InputError([Problem(where, f"two {noun}s have the id {item.id!r}", hint)])
        found[item.id] = item
    return MappingProxyType(found)
