"""How rules stand on one asset now, taken from the running engine for an asset's page."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from dashboards.web.standing_view import ParameterRow, RuleStanding, StandState, TermRow
from plantroom.judging import SeenEngine
from rules.explain import Shelf
from rules.parameters import ParameterNow
from rules.standing import Stand, Standing, TermNow


class StandingHost(Protocol):
    """Who runs the engine. It is looked at under `lock`, which the engine wants back soon."""

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Held while the engine is looked at."""

    @property
    def engine(self) -> SeenEngine:
        """The engine that judges now."""


def rule_standings(host: StandingHost, asset_id: str) -> Sequence[RuleStanding]:
    """Every rule meant for the asset's class; empty for an unknown asset.

    The engine is held up for some milliseconds at most: what takes long is compiled before, and once.
    """
    with host.lock:
        rules = host.engine.rules_on(asset_id)
    for rule in rules:
        rule.program.steps()
    with host.lock:
        found = host.engine.standings(asset_id)
        shelves = host.engine.shelves()
        event_us = host.engine.event_time_us
    kept = {one.rule_id: one for one in shelves if one.asset_id == asset_id and event_us < one.until_us}
    return [_row(one, kept.get(one.rule.id)) for one in found]


def _row(one: Standing, shelf: Shelf | None) -> RuleStanding:
    finding, rule = one.finding, one.rule
    return RuleStanding(
        rule_id=rule.id,
        name=rule.name,
        severity=rule.severity,
        state=_state(one, shelf),
        point=one.point or "",
        since_us=one.since_us,
        until_us=one.until_us,
        finding_id=finding.id if finding is not None else "",
        explained_by=(finding.suppressed_by or "") if finding is not None else "",
        latched=finding is not None and finding.latched,
        shelved_by=shelf.by if shelf is not None else (finding.shelved_by or "") if finding is not None else "",
        shelved_until_us=shelf.until_us if shelf is not None else finding.shelved_until_us if finding else None,
        note=shelf.reason if shelf is not None else finding.shelved_reason if finding is not None else "",
        decides=one.decides,
        missing=one.missing,
        terms=tuple(_term(term, rule.let_texts) for term in one.terms),
        parts=tuple(TermRow(part.text, part.value, part.unit, is_whole=part.is_whole) for part in one.parts),
        parameters=tuple(map(_parameter, one.parameters)),
        persistence_us=one.persistence_us,
        clear_persistence_us=one.clear_persistence_us,
    )


def _state(one: Standing, shelf: Shelf | None) -> StandState:
    """What is out of view comes before why it found something, and after why it cannot judge at all."""
    if one.state in (Stand.LACKING, Stand.LEARNING):
        return "lacking" if one.state is Stand.LACKING else "learning"
    if shelf is not None or (one.finding is not None and one.finding.shelved_by):
        return "shelved"
    if one.finding is not None and one.finding.suppressed_by:
        return "suppressed"
    return _STATES[one.state]


_STATES: dict[Stand, StandState] = {
    Stand.ACTIVE: "active", Stand.PENDING: "pending", Stand.UNKNOWN: "unknown", Stand.RESTING: "resting",
    Stand.QUIET: "quiet",
}  # fmt: skip


def _term(term: TermNow, texts: Mapping[str, str]) -> TermRow:
    return TermRow(" ".join(texts[term.text].split()), term.value, term.unit, term.text)


def _parameter(one: ParameterNow) -> ParameterRow:
    source = "" if not one.scope else "site" if one.in_file else "running"
    return ParameterRow(one.name, one.value, one.unit, one.own, one.scope, source)
