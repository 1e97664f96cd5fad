"""The directory of buildings and assets in the database: as the site files in force have it."""

from sqlmodel import select

from facility.registry import Registry
from facility.site_file import parse_site
from plantroom.database import Database
from ticketing.plant_rows import keep_plant
from ticketing.tables_plant import AssetRow, BuildingRow

SITE = """
site: {{id: park, name: Park, zone: Asia/Shanghai}}
buildings:
  - id: a
    {place}
    spaces: [{{id: roof, name: Roof}}]
    assets: [{assets}]
"""
LIFT = "{id: lift-1, name: Lift, class: elevator, space: roof, criticality: key}"
TANK = "{id: tank-1, class: tank}"


def site(place: str, *assets: str) -> Registry:
    return parse_site(SITE.format(place=place, assets=", ".join(assets)), "site.yaml")


def kept(database: Database) -> tuple[list[BuildingRow], list[AssetRow]]:
    with database.reading() as session:
        return list(session.exec(select(BuildingRow))), list(session.exec(select(AssetRow).order_by(AssetRow.id)))


def keep(database: Database, registry: Registry) -> int:
    with database.writing() as session:
        return keep_plant(session, registry)


def test_buildings_and_assets_are_kept_changed_and_taken_away(database: Database) -> None:
    assert keep(database, site("latitude: 31.2\n    longitude: 121.5", LIFT, TANK)) == 3
    buildings, assets = kept(database)
    assert [one.model_dump() for one in buildings] == [
        {"id": "a", "name": "a", "site_id": "park", "site_name": "Park", "zone": "Asia/Shanghai", "latitude": 31.2,
         "longitude": 121.5}
    ]  # fmt: skip
    assert assets[0].model_dump() == {
        "id": "lift-1", "name": "Lift", "equipment_class": "elevator", "system": "elevator", "building_id": "a",
        "space": "Roof", "criticality": "key",
    }  # fmt: skip
    assert assets[1].space == ""
    assert keep(database, site("zone: UTC", LIFT)) == 2
    buildings, assets = kept(database)
    assert (buildings[0].zone, buildings[0].latitude, [one.id for one in assets]) == ("UTC", None, ["lift-1"])


def test_the_same_directory_again_and_one_not_known_yet_change_nothing(database: Database) -> None:
    keep(database, site("zone: UTC", LIFT))
    before = kept(database)
    assert keep(database, site("zone: UTC", LIFT)) == 0
    assert keep(database, Registry()) == 0
    assert kept(database) == before
