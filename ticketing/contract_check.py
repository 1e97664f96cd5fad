"""A contract against the building it is for: nothing it names may be missing there, and nothing there unpromised."""

from collections.abc import Iterable, Mapping

from facility.asset import Asset
from facility.errors import InputError, Problem
from facility.fields import unknown
from facility.finding import OrderKind, Severity
from facility.registry import Registry
from ticketing.contract import Contract, Revision
from ticketing.level import LevelFacts, covers, spaces_around


def check_contract(contract: Contract, registry: Registry, rule_ids: Iterable[str] | None = None) -> None:
    """Raises InputError with every problem: an unknown site, building, space or (when `rule_ids` are given) rule, and
    a class of the assets in scope that some severity finds no level for while there is no default level."""
    problems = list(_scope(contract, registry))
    for revision in contract.revisions:
        problems += _names(contract, revision, registry, frozenset(rule_ids) if rule_ids is not None else None)
        problems += _gaps(contract, revision, registry)
    if problems:
        raise InputError(problems)


def _scope(contract: Contract, registry: Registry) -> Iterable[Problem]:
    groups: tuple[tuple[str, frozenset[str], Mapping[str, object]], ...] = (
        ("site", contract.sites, registry.sites),
        ("building", contract.buildings, registry.buildings),
    )
    for noun, named, known in groups:
        for name in sorted(named - set(known)):
            yield Problem(contract.where, unknown(noun, name, known), field=f"contract.{noun}s")


def _names(
    contract: Contract, revision: Revision, registry: Registry, rule_ids: frozenset[str] | None
) -> Iterable[Problem]:
    for level in revision.levels:
        known_by: tuple[tuple[str, frozenset[str], Iterable[str]], ...] = (
            ("building", level.match.buildings, registry.buildings),
            ("space", level.match.spaces, registry.spaces),
            ("rule", level.match.rules, rule_ids if rule_ids is not None else level.match.rules),
        )
        for noun, named, known in known_by:
            for name in sorted(named - set(known)):
                what = f"level {level.id!r}: {unknown(noun, name, known)}"
                yield Problem(contract.where, what, field=f"match.{noun}", line=level.line)


def _gaps(contract: Contract, revision: Revision, registry: Registry) -> Iterable[Problem]:
    if revision.default_level is not None:
        return
    gaps: dict[tuple[str, str], list[str]] = {}
    for asset in registry.assets.values():
        site = registry.site_of(asset.id)
        if not contract.covers(site.id, asset.building_id):
            continue
        for severity in Severity:
            kinds = [kind for kind in OrderKind if not _promised(revision, asset, severity, kind, registry)]
            if kinds:
                gaps.setdefault((asset.equipment_class.name, severity), []).append(asset.id)
    by_class: dict[str, list[str]] = {}
    for equipment_class, name in gaps:
        by_class.setdefault(equipment_class, []).append(name)
    for equipment_class, severities in sorted(by_class.items()):
        example = gaps[equipment_class, severities[0]][0]
        what = (
            f"revision {revision.number} has no level for class {equipment_class!r} at severity "
            f"{', '.join(severities)} (asset {example!r}) and no default_level"
        )
        yield Problem(contract.where, what, "Add a level that matches the class, or a default_level.")


def _promised(revision: Revision, asset: Asset, severity: Severity, kind: OrderKind, registry: Registry) -> bool:
    facts = LevelFacts(
        severity=severity,
        kind=kind,
        site_id=registry.site_of(asset.id).id,
        building_id=asset.building_id,
        spaces=spaces_around(asset.space_id, registry),
        equipment_class=asset.equipment_class.name,
        system=asset.equipment_class.system,
        criticality=asset.criticality,
    )
    return any(covers(level.match, facts) for level in revision.levels)
