"""Assets from a table, as the text of a site file that adds them to the buildings that are known. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from facility.asset import Criticality
from facility.catalogue import equipment_classes, point_types
from facility.registry import Registry
from ticketing.import_table import Row, Table, read_table

COLUMNS = (
    "id", "name", "class", "building", "space", "parent", "criticality", "accepted_on", "warranty_until", "points",
)  # fmt: skip
NEEDED = ("id", "class", "building")
_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")


def read_assets(content: bytes, where: str, registry: Registry) -> dict[str, Any]:
    """The data of a site file (`addition: true`) with every asset of the table. Raises InputError with all that is
    wrong, each with row, column and what to do. Nothing is written."""
    table = read_table(content, where, COLUMNS, NEEDED)
    table.unique("id")
    own = {row.cells.get("id", "") for row in table.rows}
    buildings: dict[str, list[dict[str, Any]]] = {}
    for row in table.rows:
        building = table.needed(row, "building", registry.buildings)
        buildings.setdefault(building, []).append(_asset(table, row, registry, building, own))
    sites = {registry.buildings[name].site_id for name in buildings if name in registry.buildings}
    if len(sites) > 1 and not table.problems:
        what = f"the buildings are of several sites: {', '.join(sorted(sites))}"
        table.refuse(table.rows[0], "building", what, "Import each site on its own.")
    table.finish()
    site = registry.sites[sites.pop()]
    return {
        "addition": True,
        "site": {"id": site.id, "zone": site.zone.key},
        "buildings": [{"id": name, "assets": assets} for name, assets in buildings.items()],
    }


def _asset(table: Table, row: Row, registry: Registry, building: str, own: set[str]) -> dict[str, Any]:
    name = table.needed(row, "id")
    if name and not _ID.match(name):
        table.refuse(row, "id", f"{name!r} is no id", "Use up to 64 letters, digits, dots, dashes and underscores.")
    if name in registry.assets:
        known = registry.assets[name]
        what = f"{name!r} is in the site files already, in building {known.building_id!r}"
        table.refuse(row, "id", what, "Take the line out, or give it another id.")
    classes = equipment_classes()
    kind = table.needed(row, "class", classes, noun="equipment class")
    spaces = [one.id for one in registry.spaces.values() if one.building_id == building]
    accepted, until = table.day(row, "accepted_on"), table.day(row, "warranty_until")
    if accepted is not None and until is not None and until < accepted:
        what = f"the warranty ends on {until}, before the acceptance on {accepted}"
        table.refuse(row, "warranty_until", what, "Correct one of the two dates.")
    values: Mapping[str, Any] = {
        "id": name,
        "name": table.word(row, "name"),
        "class": kind,
        "space": table.word(row, "space", spaces, noun=f"space of building {building!r}"),
        "parent": table.word(row, "parent", [*registry.assets, *sorted(own - {name})], noun="asset"),
        "criticality": table.word(row, "criticality", list(Criticality), default="normal"),
        "accepted_on": accepted,
        "warranty_until": until,
        "points": table.words(row, "points", point_types(), noun="point"),
    }
    return {key: value for key, value in values.items() if value}
