"""Routes of the rules: the active set as it judges, and what cannot be judged for want of which points."""

from collections.abc import Sequence
from typing import Annotated, Protocol

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel

from facility.fields import unknown
from facility.finding import OrderKind, Severity
from facility.registry import Registry
from rules.plan import NotApplicable
from rules.rule import Group, Parameter, Rule
from rules.rule_set import RuleSet


class InForce(Protocol):
    """An engine, as far as it is asked what is in force."""

    @property
    def registry(self) -> Registry:
        """The directory."""

    @property
    def rule_set(self) -> RuleSet | None:
        """The rules; None before the first set."""


class RulesHost(Protocol):
    """Who runs the engine. `not_applicable` may be called from any thread."""

    @property
    def engine(self) -> InForce:
        """The engine that judges now."""

    def not_applicable(self) -> Sequence[NotApplicable]:
        """Rules that cannot judge an asset, and what is missing."""


class ParameterView(BaseModel):
    """A number that a class, an asset or a site may set otherwise; `value` is the rule's own default, in `unit`."""

    value: float
    unit: str
    note: str


class RuleView(BaseModel):
    """One rule. `when` and `clear` are in the condition language.

    `for_seconds` is null where a parameter sets it; then `for_parameter` names that. No `classes` means every class.
    """

    id: str
    classes: list[str]
    name: dict[str, str]
    kind: OrderKind
    severity: Severity
    parameters: dict[str, ParameterView]
    let: dict[str, str]
    when: str
    for_seconds: float | None
    for_parameter: str | None
    clear: str
    clear_for_seconds: float | None
    clear_for_parameter: str | None
    suppresses: list[str]
    downstream: bool
    release_seconds: float
    group: Group
    diagnosis: list[str]
    advice: str
    checklist: list[str]
    reference: str
    file: str


class NotApplicableView(BaseModel):
    """A rule meant for the asset's class that cannot judge it: these points or figures are missing."""

    rule_id: str
    asset_id: str
    missing: list[str]


def build_router(host: RulesHost) -> APIRouter:
    """The routes under /api/rules. Authorisation is added by whoever mounts them."""
    router = APIRouter(prefix="/api/rules", tags=["rules"])

    @router.get("")
    def rules(equipment_class: Annotated[str | None, Query(alias="class")] = None) -> list[RuleView]:
        """The active rule set, in the order in which it judges; with `class` only what covers that class."""
        rule_set = host.engine.rule_set
        found = rule_set.rules.values() if rule_set is not None else ()
        return [_view(rule) for rule in found if equipment_class is None or rule.covers(equipment_class)]

    @router.get("/not-applicable")
    def not_applicable(asset: str | None = None, rule: str | None = None) -> list[NotApplicableView]:
        """Which rules cannot judge which assets, and what is missing; never a silence."""
        if asset is not None and asset not in host.engine.registry.assets:
            raise HTTPException(404, unknown("asset", asset, host.engine.registry.assets))
        return [
            NotApplicableView(rule_id=item.rule_id, asset_id=item.asset_id, missing=list(item.missing))
            for item in host.not_applicable()
            if asset in (None, item.asset_id) and rule in (None, item.rule_id)
        ]

    @router.get("/{rule_id}")
    def rule(rule_id: str) -> RuleView:
        """One rule of the active set."""
        rule_set = host.engine.rule_set
        known = rule_set.rules if rule_set is not None else {}
        if rule_id not in known:
            raise HTTPException(404, unknown("rule", rule_id, known))
        return _view(known[rule_id])

    return router


def _view(rule: Rule) -> RuleView:
    return RuleView(
        id=rule.id,
        classes=list(rule.classes),
        name=dict(rule.name),
        kind=rule.kind,
        severity=rule.severity,
        parameters={name: _parameter(parameter) for name, parameter in rule.parameters.items()},
        let=dict(rule.let_texts),
        when=rule.when_text,
        for_seconds=_seconds(rule.persistence),
        for_parameter=rule.persistence if isinstance(rule.persistence, str) else None,
        clear=rule.clear_text or f"not ({rule.when_text})",
        clear_for_seconds=_seconds(rule.clear_persistence),
        clear_for_parameter=rule.clear_persistence if isinstance(rule.clear_persistence, str) else None,
        suppresses=list(rule.suppresses),
        downstream=rule.downstream,
        release_seconds=rule.release_us / 1e6,
        group=rule.group,
        diagnosis=list(rule.diagnosis),
        advice=rule.advice,
        checklist=list(rule.checklist),
        reference=rule.reference,
        file=rule.where,
    )


def _parameter(parameter: Parameter) -> ParameterView:
    return ParameterView(value=parameter.value, unit=parameter.unit, note=parameter.note)


def _seconds(duration: int | str) -> float | None:
    return duration / 1e6 if isinstance(duration, int) else None
