"""What the pages of rules show, gathered from the engine and the settings; and what a trial of a rule needs."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import lru_cache
from typing import Protocol

from dashboards.web.backtest_report import BacktestReport
from dashboards.web.language import Words
from dashboards.web.rule_view import (
    ExampleRow,
    JudgeState,
    RuleAsset,
    RuleDetail,
    RuleLine,
    RuleParameter,
    Setting,
    TrialView,
    TrialWish,
)
from dashboards.web.standing_view import RuleStanding
from dashboards.web.wording import format_unit
from facility.catalogue import point_types
from facility.clock import Clock
from facility.errors import PermanentError
from facility.finding import Finding
from facility.instant import to_us
from facility.reading import ParameterOverridden
from facility.registry import Registry
from plantroom.backtest_trial import INFLUX
from plantroom.judging import SeenEngine
from plantroom.rule_plot import example_plots, firing_example
from plantroom.rule_standing import rule_standings
from plantroom.rule_trials import NICE, RuleTrials
from plantroom.settings import Settings, StoreKind
from plantroom.trial_process import Ordered
from rules.parameters import Override, resolve
from rules.plan import NotApplicable
from rules.rule import Rule
from rules.rule_file import parse_rule_entries
from rules.scenario_file import ScenarioEntry


class RulesHost(Protocol):
    """Who runs the engine. It is looked at under `lock`; `touch` says that something shown has changed."""

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Held while the engine is looked at."""

    @property
    def engine(self) -> SeenEngine:
        """The engine that judges now."""

    def touch(self) -> None:
        """Whoever watches should look again."""


class ProgramRules:
    """Implements the pages' `RuleDesk` over the engine in force."""

    def __init__(
        self,
        settings: Settings,
        host: RulesHost,
        contracts: Callable[[], Mapping[str, str]],
        clock: Clock,
        *,
        nice: int = NICE,
    ) -> None:
        """`contracts` gives the texts of the contract files in force, by name; `nice` as in `RuleTrials`."""
        self._settings, self._host, self._contracts, self._clock = settings, host, contracts, clock
        self._trials = RuleTrials(settings.var / "trials", settings.environment(), clock, host.touch, nice)

    def clear(self) -> None:
        """Of the trials that a process before this one began, keep nothing."""
        self._trials.clear()

    def close(self) -> None:
        """End the trial that runs."""
        self._trials.close()

    def lines(self, assets: frozenset[str]) -> Sequence[RuleLine]:
        """Every rule of the active set."""
        with self._host.lock:
            rule_set, registry = self._host.engine.rule_set, self._host.engine.registry
            findings, pending = self._host.engine.active(), self._host.engine.pending()
            gaps = self._host.engine.not_applicable()
        active = Counter(one.rule_id for one in findings if one.asset_id in assets and one.opens_order)
        waiting = Counter(one.rule_id for one in pending if one.asset_id in assets)
        without = Counter(rule_id for rule_id, asset_id in {(one.rule_id, one.asset_id) for one in gaps}
                          if asset_id in assets)  # fmt: skip
        return [
            _line(rule, active[rule.id], waiting[rule.id], len(_covered(rule, registry, assets)), without[rule.id])
            for rule in (rule_set.rules.values() if rule_set is not None else ())
        ]

    def detail(self, rule_id: str, assets: frozenset[str]) -> RuleDetail | None:
        """One rule with how it stands on each asset."""
        with self._host.lock:
            rule_set, registry = self._host.engine.rule_set, self._host.engine.registry
            rule = rule_set.rules.get(rule_id) if rule_set is not None else None
            if rule is None or rule_set is None:
                return None
            active = [one for one in self._host.engine.active() if one.rule_id == rule_id]
            pending = [one for one in self._host.engine.pending() if one.rule_id == rule_id]
            gaps = [one for one in self._host.engine.not_applicable() if one.rule_id == rule_id]
            overrides = self._host.engine.overrides
        rows = tuple(
            _asset(asset_id, rule, registry, overrides, active, pending, gaps)
            for asset_id in _covered(rule, registry, assets)
        )
        counts = Counter(row.state for row in rows)
        lacking = counts["not_applicable"]
        return RuleDetail(
            line=_line(rule, counts["active"], counts["pending"], len(rows), lacking),
            let=rule.let_texts,
            when=rule.when_text,
            clear=rule.clear_text or "",
            persistence=rule.persistence,
            clear_persistence=rule.clear_persistence,
            advice=rule.advice,
            diagnosis=rule.diagnosis,
            checklist=rule.checklist,
            reference=rule.reference,
            file=rule.where,
            points=tuple(rule.program.points),
            suppresses=rule.suppresses,
            explained_by=rule_set.suppressors.get(rule_id, ()),
            parameters=tuple(_parameters(rule, registry, overrides, assets)),
            assets=rows,
            chinese=rule.chinese,
        )

    def standings(self, asset_id: str) -> Sequence[RuleStanding]:
        """How the rules stand on one asset."""
        return rule_standings(self._host, asset_id)

    def example(self, rule_id: str, words: Words) -> Sequence[ExampleRow]:
        """The first test of the rule that fires."""
        rule_set = self._host.engine.rule_set
        rule = rule_set.rules.get(rule_id) if rule_set is not None else None
        if rule is None or rule_set is None:
            return ()
        example = firing_example(_tests(tuple(sorted(rule_set.files.items()))).get(rule_id, []))
        if example is None:
            return ()
        return [
            ExampleRow(words.pick(point_types()[one.point].label, one.point), format_unit(one.unit), one.plot)
            for one in example_plots(rule.id, rule.severity, *example, words)
        ]

    def begin(self, wish: TrialWish, by: str) -> TrialView:
        """Start a trial over the last days. Raises PermanentError."""
        with self._host.lock:
            engine = self._host.engine
            rule_set, site_files, overrides = engine.rule_set, engine.site_files, engine.overrides
        rule = rule_set.rules.get(wish.rule_id) if rule_set is not None else None
        if rule is None or rule_set is None:
            msg = f"there is no rule {wish.rule_id!r} in force"
            raise PermanentError(msg)
        now = self._clock.now()
        store = INFLUX if self._settings.store is StoreKind.INFLUX else str(self._settings.var)
        ordered = Ordered(
            site_files=site_files,
            rule_files=dict(rule_set.files),
            contract_files=dict(self._contracts()),
            overrides=[
                ParameterOverridden(f"trial-{index}", 0, one.rule_id, one.parameter, one.scope, one.value)
                for index, one in enumerate(overrides)
            ],
            store=store,
            from_us=to_us(now - timedelta(days=wish.days)),
            to_us=to_us(now),
            rule_id=wish.rule_id,
            tune=wish.parameter if wish.kind == "tune" else "",
            values=_values(wish, rule) if wish.kind == "tune" else (),
        )
        return self._trials.begin(wish, ordered, by)

    def trial(self, trial_id: str) -> TrialView | None:
        """A trial that is kept."""
        return self._trials.trial(trial_id)

    def trials(self, rule_id: str) -> Sequence[TrialView]:
        """Those of a rule."""
        return self._trials.trials(rule_id)

    def report(self, trial_id: str) -> BacktestReport | None:
        """What it found."""
        return self._trials.report(trial_id)


def _line(rule: Rule, active: int, pending: int, covered: int, lacking: int) -> RuleLine:
    own = not rule.where.startswith("catalogue/")
    return RuleLine(rule.id, rule.name, rule.classes, rule.kind, rule.severity, own, active, pending,
                    max(covered - lacking, 0), lacking)  # fmt: skip


def _covered(rule: Rule, registry: Registry, assets: frozenset[str]) -> list[str]:
    return [
        asset.id
        for asset in registry.assets.values()
        if asset.id in assets and asset.points and rule.covers(asset.equipment_class.name)
    ]


def _asset(
    asset_id: str,
    rule: Rule,
    registry: Registry,
    overrides: Sequence[Override],
    active: Sequence[Finding],
    pending: Sequence[Finding],
    gaps: Sequence[NotApplicable],
) -> RuleAsset:
    resolved = resolve(rule, registry.assets[asset_id], registry, overrides)
    values = {name: value for name, value in resolved.items() if value != rule.parameters[name].value}
    for one in active:
        if one.asset_id == asset_id:
            state: JudgeState = "shelved" if one.shelved_by else "suppressed" if one.suppressed_by else "active"
            return RuleAsset(asset_id, state, one.onset_us, one.id, one.shelved_reason, values=values)
    for one in pending:
        if one.asset_id == asset_id:
            return RuleAsset(asset_id, "pending", one.onset_us, values=values)
    missing = [name for gap in gaps if gap.asset_id == asset_id for name in gap.missing]
    if missing:
        return RuleAsset(asset_id, "not_applicable", missing=tuple(dict.fromkeys(missing)), values=values)
    return RuleAsset(asset_id, "quiet", values=values)


def _parameters(
    rule: Rule, registry: Registry, overrides: Sequence[Override], assets: frozenset[str]
) -> list[RuleParameter]:
    found = []
    for parameter in rule.parameters.values():
        settings = [
            Setting(float(value), asset.id, "site")
            for asset in registry.assets.values()
            if asset.id in assets and (value := asset.rule_parameters.get(rule.id, {}).get(parameter.name)) is not None
        ]
        settings += [
            Setting(one.value, one.scope, "running")
            for one in overrides
            if one.rule_id == rule.id and one.parameter == parameter.name and (":" in one.scope or one.scope in assets)
        ]
        found.append(RuleParameter(parameter.name, parameter.value, parameter.unit, parameter.note, tuple(settings)))
    return found


def _values(wish: TrialWish, rule: Rule) -> tuple[float, ...]:
    if wish.parameter not in rule.parameters:
        msg = f"{rule.id} has no parameter {wish.parameter!r}"
        raise PermanentError(msg)
    own = rule.parameters[wish.parameter].value
    low = wish.low if wish.low is not None else min(own * 0.5, own * 1.5)
    high = wish.high if wish.high is not None else max(own * 0.5, own * 1.5)
    if not low < high:
        msg = f"{low:g} to {high:g} is no span; give the lower value first"
        raise PermanentError(msg)
    step = (high - low) / (wish.steps - 1)
    return tuple(round(low + index * step, 9) for index in range(wish.steps))


@lru_cache(maxsize=2)
def _tests(files: tuple[tuple[str, str], ...]) -> dict[str, list[ScenarioEntry]]:
    """The tests of every rule of a set."""
    return {entry.id: entry.tests for name, text in files for entry in parse_rule_entries(text, name)[0].rules}
