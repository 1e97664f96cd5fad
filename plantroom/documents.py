"""Every kind of file people write, told apart by its first key: what to check it with and its JSON Schema."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from facility.document import load_yaml
from facility.errors import refuse
from facility.registry import Registry
from facility.site_file import SiteFile, parse_site
from ingest.map_file import MapFile, parse_map
from rules.rule_file import RuleFile, parse_rules
from simulators.scenario import ScenarioFile, parse_scenario
from ticketing.contract_check import check_contract
from ticketing.contract_file import ContractFile
from ticketing.contract_load import parse_contract
from ticketing.roster_file import RosterFile, parse_roster


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """A kind of file: the key that marks it, a check that raises InputError, and its JSON Schema."""

    name: str
    key: str
    check: Callable[[str, str, Registry | None], object]
    schema: Callable[[], dict[str, Any]]


def _check_contract(text: str, where: str, registry: Registry | None) -> object:
    contract = parse_contract(text, where)
    if registry is not None:
        check_contract(contract, registry)
    return contract


def _check_map(text: str, where: str, registry: Registry | None) -> object:
    if registry is None:
        raise refuse(
            where, "can only be checked against a site", "Give the site file too: plantroom check site.yaml map.yaml"
        )
    return parse_map(text, where, registry)


class _AnyEnvironment(dict[str, str]):
    """Every `env:` name is taken as set: whether it is shows at start."""

    def __missing__(self, name: str) -> str:
        return f"env:{name}".ljust(16, ".")

    def __contains__(self, name: object) -> bool:
        return True


def _check_roster(text: str, where: str, registry: Registry | None) -> object:
    return parse_roster(text, where, _AnyEnvironment(), registry)


KINDS: Mapping[str, DocumentKind] = {
    kind.name: kind
    for kind in (
        DocumentKind("site", "site", lambda text, where, _: parse_site(text, where), SiteFile.model_json_schema),
        DocumentKind("contract", "contract", _check_contract, ContractFile.model_json_schema),
        DocumentKind("rules", "rules", lambda text, where, _: parse_rules(text, where), RuleFile.model_json_schema),
        DocumentKind(
            "scenario", "scenario", lambda text, where, _: parse_scenario(text, where), ScenarioFile.model_json_schema
        ),
        DocumentKind("roster", "roster", _check_roster, RosterFile.model_json_schema),
        DocumentKind("map", "columns", _check_map, MapFile.model_json_schema),
    )
}


def kind_of(text: str, where: str) -> DocumentKind:
    """Which kind of file this is. Raises InputError when no first key says so."""
    data, _ = load_yaml(text, where)
    keys = set(data) if isinstance(data, dict) else set()
    for kind in KINDS.values():
        if kind.key in keys:
            return kind
    expected = ", ".join(f"{kind.key!r} ({kind.name} file)" for kind in KINDS.values())
    raise refuse(where, "is no file of Plantroom", f"Expected one of these keys at the top: {expected}.")
