"""Tables of assets and technicians as the files they make: checked together with what is known, nothing written."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML

from facility.registry import Registry
from facility.site_file import parse_site
from ticketing.import_assets import read_assets
from ticketing.import_people import read_people
from ticketing.roster_file import parse_roster


@dataclass(frozen=True, slots=True)
class Imported:
    """The text of the file a table makes, and how many of its lines are new and how many replace what was there."""

    text: str
    added: int
    replaced: int = 0


def import_assets(content: bytes, where: str, registry: Registry, out: str) -> Imported:
    """A site file (called `out`) that adds the table's assets to buildings that are known. Raises InputError with all
    that is wrong."""
    data = read_assets(content, where, registry)
    text = _written(YAML(), data)
    Registry.merge([registry, parse_site(text, out)])  # what no single cell shows
    return Imported(text, sum(len(building["assets"]) for building in data["buildings"]))


def import_people(
    content: bytes, where: str, roster: tuple[str, str], registry: Registry, environment: Mapping[str, str]
) -> Imported:
    """The roster (its name and text) with the table's people; they replace those of the same id. Raises InputError with
    all that is wrong."""
    name, before = roster
    yaml = YAML()
    data = yaml.load(before)
    people = read_people(content, where, registry, data.get("shifts", {}))
    new = {one["id"]: one for one in people}
    kept = data.setdefault("people", [])
    there = [one["id"] for one in kept]
    for index, person in enumerate(there):
        kept[index] = new.get(person, kept[index])
    kept.extend(one for one in people if one["id"] not in there)
    text = _written(yaml, data)
    parse_roster(text, name, environment, registry)  # what no single cell shows
    replaced = sum(1 for person in new if person in there)
    return Imported(text, len(new) - replaced, replaced)


def _written(yaml: YAML, data: Any) -> str:  # noqa: ANN401 - what YAML holds
    out = io.StringIO()
    yaml.dump(data, out)
    return out.getvalue()
