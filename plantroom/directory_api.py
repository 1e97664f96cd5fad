"""Routes of the directory: sites and assets as the engine knows them."""

from collections.abc import Callable
from datetime import date

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from facility.asset import Asset
from facility.fields import unknown
from facility.registry import Registry


class BuildingAnswer(BaseModel):
    """One building; `zone` is its time zone."""

    id: str
    name: str
    zone: str


class SiteAnswer(BaseModel):
    """One site with its buildings."""

    id: str
    name: str
    zone: str
    buildings: list[BuildingAnswer]


class PointAnswer(BaseModel):
    """One point: unit and validity range as judged, cadence in seconds; `values` for enumerations."""

    name: str
    kind: str
    unit: str
    minimum: float | None
    maximum: float | None
    values: list[str]
    cadence_s: float
    borrowed_from: str | None = None


class AssetAnswer(BaseModel):
    """One asset with its place, its topology and its points."""

    id: str
    name: str
    equipment_class: str
    system: str
    site_id: str
    building_id: str
    space_id: str | None
    parent_id: str | None
    criticality: str
    feeds: list[str]
    controls: list[str]
    accepted_on: date | None
    warranty_until: date | None
    points: list[PointAnswer]


def build_router(registry: Callable[[], Registry]) -> APIRouter:
    """The routes; `registry` gives the directory in force."""
    router = APIRouter(prefix="/api", tags=["directory"])

    @router.get("/sites")
    def sites() -> list[SiteAnswer]:
        """Every site with its buildings."""
        directory = registry()
        return [
            SiteAnswer(
                id=site.id,
                name=site.name,
                zone=site.zone.key,
                buildings=[
                    BuildingAnswer(id=building.id, name=building.name, zone=building.zone.key)
                    for building in directory.buildings.values()
                    if building.site_id == site.id
                ],
            )
            for site in directory.sites.values()
        ]

    @router.get("/assets")
    def assets(
        site: str | None = None, building: str | None = None, equipment_class: str | None = None
    ) -> list[AssetAnswer]:
        """Every asset, or those of a site, building or class."""
        directory = registry()
        found = (_answer(directory, asset) for asset in directory.assets.values())
        return [
            asset
            for asset in found
            if site in (None, asset.site_id)
            and building in (None, asset.building_id)
            and equipment_class in (None, asset.equipment_class)
        ]

    @router.get("/assets/{asset_id}")
    def asset(asset_id: str) -> AssetAnswer:
        """One asset."""
        directory = registry()
        if asset_id not in directory.assets:
            what = unknown("asset", asset_id, directory.assets)
            raise HTTPException(404, {"what": what, "where": "asset", "hint": "GET /api/assets lists them."})
        return _answer(directory, directory.assets[asset_id])

    return router


def _answer(directory: Registry, asset: Asset) -> AssetAnswer:
    names = dict.fromkeys(asset.points) | {name: origin.asset_id for name, origin in asset.borrows.items()}
    points = []
    for name, lender in names.items():
        point = directory.point(asset.id, name)
        if point is not None:
            points.append(
                PointAnswer(
                    name=name,
                    kind=point.type.kind.value,
                    unit=point.unit,
                    minimum=point.minimum,
                    maximum=point.maximum,
                    values=list(point.type.values),
                    cadence_s=point.cadence.total_seconds(),
                    borrowed_from=lender,
                )
            )
    return AssetAnswer(
        id=asset.id,
        name=asset.name,
        equipment_class=asset.equipment_class.name,
        system=asset.equipment_class.system.value,
        site_id=directory.site_of(asset.id).id,
        building_id=asset.building_id,
        space_id=asset.space_id,
        parent_id=asset.parent_id,
        criticality=asset.criticality.value,
        feeds=list(asset.feeds),
        controls=list(asset.controls),
        accepted_on=asset.accepted_on,
        warranty_until=asset.warranty_until,
        points=points,
    )
