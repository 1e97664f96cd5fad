"""Which value a rule's parameter has for an asset, and who says so."""

from collections.abc import Iterable

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
    layers: dict[str, dict[str, float]] = {}
    for override in overrides:
        if override.rule_id == rule.id:
            layers.setdefault(override.scope, {})[override.parameter] = override.value
    scopes = (f"site:{registry.site_of(asset.id).id}", f"class:{asset.equipment_class.name}")
    for layer in (*(layers.get(scope, {}) for scope in scopes), asset.rule_parameters.get(rule.id, {}),
                  layers.get(asset.id, {})):  # fmt: skip
        values |= {name: float(value) for name, value in layer.items() if name in values}
    return values


def microseconds(rule: Rule, given: int | str, values: dict[str, float]) -> int:
    """A duration in microseconds, from itself or from the parameter it names."""
    if isinstance(given, int):
        return given
    return max(round(values[given] * TIME_UNITS[rule.parameters[given].unit] * 1e6), 0)
