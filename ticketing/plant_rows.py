"""Keeps the directory of buildings and assets in the database as the site files in force have it."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from sqlmodel import Session, SQLModel, select

from facility.registry import Registry
from ticketing.tables_plant import AssetRow, BuildingRow

Row = TypeVar("Row", BuildingRow, AssetRow)


def keep_plant(session: Session, registry: Registry) -> int:
    """Write what differs, take away what is gone; how many rows changed. Nothing commits here.

    An empty directory is one that is not known yet: it changes nothing.
    """
    if not registry.buildings:
        return 0
    return _keep(session, BuildingRow, _buildings(registry)) + _keep(session, AssetRow, _assets(registry))


def _keep(session: Session, table: type[Row], wanted: Mapping[str, Row]) -> int:
    found = {row.id: row for row in session.exec(select(table))}
    gone = [row for name, row in found.items() if name not in wanted]
    changed = [row for name, row in wanted.items() if name not in found or not _same(row, found[name])]
    for old in gone:
        session.delete(old)
    for new in changed:
        session.merge(new)
    return len(gone) + len(changed)


def _same(one: SQLModel, other: SQLModel) -> bool:
    return one.model_dump() == other.model_dump()


def _buildings(registry: Registry) -> dict[str, BuildingRow]:
    return _by_id(
        BuildingRow(
            id=one.id,
            name=one.name,
            site_id=one.site_id,
            site_name=registry.sites[one.site_id].name,
            zone=one.zone.key,
            latitude=one.latitude,
            longitude=one.longitude,
        )
        for one in registry.buildings.values()
    )


def _assets(registry: Registry) -> dict[str, AssetRow]:
    return _by_id(
        AssetRow(
            id=one.id,
            name=one.name,
            equipment_class=one.equipment_class.name,
            system=one.equipment_class.system.value,
            building_id=one.building_id,
            space=space.name if (space := registry.spaces.get(one.space_id or "")) is not None else "",
            criticality=one.criticality.value,
        )
        for one in registry.assets.values()
    )


def _by_id(rows: Iterable[Row]) -> dict[str, Row]:
    return {row.id: row for row in rows}
