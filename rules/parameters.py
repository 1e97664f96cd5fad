"""Which value a rule's parameter has for an asset, and who says so."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from facility.asset import Asset
from facility.registry import Registry
from rules.calls import TIME_UNITS
from rules.rule import Rule


class Override(msgspec.Struct, frozen=True):
    """A value set while running. `scope` is an asset id, `class:NAME` or `site:ID`."""

    rule_id: str
    parameter: str
    scope: str
    value: float


def resolve(rule: Rule, asset: Asset, registry: Registry, overrides: Iterable[Override]) -> dict[str, float]:
    """Every parameter of the rule for this asset: the narrowest scope wins, and in one scope the newest word.

    In order: asset set while running, asset in the site file, class, site, the rule's own default.
    """
    values = {name: parameter.value for name, parameter in rule.parameters.items()}
    for _, _, layer in _layers(rule, asset, registry, overrides):
        values |= {name: float(value) for name, value in layer.items() if name in values}
    return values


@dataclass(frozen=True, slots=True)
class ParameterNow:
    """A parameter as it holds for one asset. `scope` (as an override has it) says who set it, empty for the rule
    itself; `in_file` that the site file did."""

    name: str
    value: float
    unit: str
    own: float
    scope: str = ""
    in_file: bool = False


def parameters_now(
    rule: Rule, asset: Asset, registry: Registry, overrides: Iterable[Override]
) -> tuple[ParameterNow, ...]:
    """Every parameter with its value, and who says so."""
    found = {one.name: ParameterNow(one.name, one.value, one.unit, one.value) for one in rule.parameters.values()}
    for scope, in_file, layer in _layers(rule, asset, registry, overrides):
        for name, value in layer.items():
            if name in found:
                one = found[name]
                found[name] = ParameterNow(name, float(value), one.unit, one.own, scope, in_file)
    return tuple(found.values())


def _layers(
    rule: Rule, asset: Asset, registry: Registry, overrides: Iterable[Override]
) -> Iterator[tuple[str, bool, Mapping[str, float]]]:
    """Scope, whether it is the site file's, and what it sets; the broadest first."""
    layers: dict[str, dict[str, float]] = {}
    for override in overrides:
        if override.rule_id == rule.id:
            layers.setdefault(override.scope, {})[override.parameter] = override.value
    for scope in (f"site:{registry.site_of(asset.id).id}", f"class:{asset.equipment_class.name}"):
        yield scope, False, layers.get(scope, {})
    yield asset.id, True, asset.rule_parameters.get(rule.id, {})
    yield asset.id, False, layers.get(asset.id, {})


def microseconds(rule: Rule, given: int | str, values: dict[str, float]) -> int:
    """A duration in microseconds, from itself or from the parameter it names."""
    if isinstance(given, int):
        return given
    return max(round(values[given] * TIME_UNITS[rule.parameters[given].unit] * 1e6), 0)
