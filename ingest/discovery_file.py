"""From a device of the inbox to a site file that adds it: the proposal, and the text once a person has approved it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from typing import Any, get_args

from ruamel.yaml import YAML

from facility.catalogue import equipment_classes, point_types
from facility.errors import InputError, refuse
from facility.fields import unknown
from facility.registry import Registry
from facility.site_file import parse_site
from facility.source_entry import Dialect
from ingest.discovery import Stranger
from ingest.discovery_guess import Guess, guess_device
from ingest.routing import Router

_ID = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an inbox device would be in the site file."""

    asset_id: str
    building_id: str
    guess: Guess


@dataclass(frozen=True, slots=True)
class Approval:
    """What a person decided. `points` maps the device's names to points; empty takes the proposal's."""

    asset_id: str
    equipment_class: str
    building_id: str = ""
    name: str = ""
    points: Mapping[str, str] = field(default_factory=dict)


def propose(stranger: Stranger, registry: Registry) -> Proposal:
    """Id, building, class and points for this device."""
    guess = guess_device(stranger.words, list(stranger.values.values()))
    words = _ID.sub("-", stranger.words).strip("-._")[-48:].strip("-._")
    asset_id, number = words or "device", 2
    while asset_id in registry.assets:
        asset_id, number = f"{words}-{number}", number + 1
    return Proposal(stranger.asset_id or asset_id, _building(stranger, registry), guess)


def _building(stranger: Stranger, registry: Registry) -> str:
    if stranger.asset_id in registry.assets:
        return registry.assets[stranger.asset_id].building_id
    parts = stranger.key.split("/")
    site = parts[1] if stranger.dialect == "plantroom" and len(parts) > 1 else ""
    in_site = [building.id for building in registry.buildings.values() if building.site_id == site]
    return next(iter([*in_site, *registry.buildings]), "")


def addition_text(stranger: Stranger, approval: Approval, registry: Registry) -> str:
    """A site file that adds the device. Raises InputError with what is wrong with the approval."""
    proposal = propose(stranger, registry)
    building_id = approval.building_id or proposal.building_id
    _check(stranger, approval, building_id, registry)
    wires = {one.name: (one.point, one.unit) for one in proposal.guess.points}
    if approval.points:
        units = {one.name: one.unit for one in proposal.guess.points if approval.points.get(one.name) == one.point}
        wires = {name: (point, units.get(name, "")) for name, point in approval.points.items()}
    building = registry.buildings[building_id]
    asset: dict[str, Any] = {"id": approval.asset_id, "name": approval.name or approval.asset_id}
    asset |= {"class": approval.equipment_class, "points": sorted({point for point, _ in wires.values()})}
    site_id = building.site_id
    if stranger.key != f"plantroom/{site_id}/{approval.asset_id}/readings" or any(
        name != point for name, (point, _) in wires.items()
    ):
        source: dict[str, Any] = {"dialect": stranger.dialect, "topic": stranger.key}
        if stranger.dialect == "json" and stranger.time:
            source["time"] = stranger.time
        source["points"] = {
            name: {"point": point} | ({"unit": unit} if unit else {}) for name, (point, unit) in wires.items()
        }
        asset["source"] = source
    zone = registry.sites[site_id].zone.key
    text = StringIO()
    text.write("# Approved in the device inbox. Edit it like any site file, or move the asset into your own.\n")
    yaml = YAML()
    yaml.width = 120
    yaml.dump(
        {
            "addition": True,
            "site": {"id": site_id, "zone": zone},
            "buildings": [{"id": building_id, "assets": [asset]}],
        },
        text,
    )
    added = parse_site(text.getvalue(), f"{approval.asset_id}.yaml")
    whole = Registry.merge([registry, added])
    if Router(whole).find(stranger.topics[0] if stranger.topics else stranger.key) is None:
        what = f"{stranger.key!r} would still belong to no asset"
        raise refuse(f"{approval.asset_id}.yaml", what, "Describe it in your own site file; see docs/devices.md.")
    return text.getvalue()


def _check(stranger: Stranger, approval: Approval, building_id: str, registry: Registry) -> None:
    problems = []
    where = f"device {stranger.key}"
    if stranger.asset_id:
        what = f"its asset {stranger.asset_id!r} is in your site file already; only points are missing there"
        problems.append(refuse(where, what, "Add the points to that asset; see docs/devices.md."))
    if stranger.dialect not in get_args(Dialect):
        what = f"it is not clear which dialect it speaks ({stranger.dialect or 'none known'})"
        problems.append(refuse(where, what, "Describe it in your own site file; see docs/devices.md."))
    if approval.asset_id in registry.assets:
        problems.append(refuse(where, f"there is an asset {approval.asset_id!r} already", "Choose another id."))
    if building_id not in registry.buildings:
        problems.append(refuse(where, unknown("building", building_id, registry.buildings), "Choose one of these."))
    if approval.equipment_class not in equipment_classes():
        what = unknown("equipment class", approval.equipment_class, equipment_classes())
        problems.append(refuse(where, what, "Choose one of these."))
    problems += [
        refuse(where, unknown("point", point, point_types()), "Choose one of these.")
        for point in approval.points.values()
        if point not in point_types()
    ]
    if problems:
        raise InputError([problem for error in problems for problem in error.problems])
