"""Runs the `tests:` blocks of rule files through the one engine, and says what came out instead."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from facility.catalogue import point_types
from facility.errors import InputError, Problem
from facility.fields import unknown
from facility.finding import Finding, finding_id
from facility.instant import SECOND_US, format_duration, parse_instant, to_us
from facility.reading import (
    Heartbeat,
    ParameterOverridden,
    PointValue,
    Scan,
)
from rules.engine import LISTENING_GAP_US
from rules.rehearsal import Rehearsal
from rules.rule_file import RuleEntry, parse_rule_entries
from rules.rule_set import RuleSet
from rules.scenario_file import ExpectedEntry, NotApplicableEntry, ScenarioEntry, Step, parse_series

ASSET = "asset"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One test of one rule, with where it stands."""

    rule: RuleEntry
    entry: ScenarioEntry
    where: str

    @property
    def id(self) -> str:
        """Rule and name, for reports."""
        return f"{self.rule.id}: {self.entry.name}"


def find_scenarios(files: Mapping[str, str]) -> Iterator[Scenario]:
    """Every test of every rule, in file order. Raises InputError for a file that cannot be read."""
    for name, text in sorted(files.items()):
        file, places = parse_rule_entries(text, name)
        for index, rule in enumerate(file.rules):
            for number, entry in enumerate(rule.tests):
                line = places.find(("rules", index, "tests", number))[1]
                yield Scenario(rule, entry, f"{name}:{line}")


def run_scenario(scenario: Scenario, files: Mapping[str, str]) -> list[str]:
    """What came out otherwise than the test expects: empty when it passed.

    The whole rule set judges; only this rule's findings are compared. Raises InputError for a test that cannot run.
    """
    series = _read(scenario)
    rehearsal = _prepare(scenario, series, files)
    start_us, engine = rehearsal.start_us, rehearsal.engine
    for entries in _entries(scenario.entry, series, start_us):
        rehearsal.send(*entries)
    findings = [finding for finding in rehearsal.findings.values() if finding.rule_id == scenario.rule.id]
    expect = scenario.entry.expect
    missing = next((item.missing for item in engine.not_applicable() if item.rule_id == scenario.rule.id), ())
    if isinstance(expect, NotApplicableEntry):
        if set(missing) == set(expect.not_applicable):
            return []
        return [f"expected not applicable for want of {expect.not_applicable}, but missing is {list(missing)}"]
    if missing:
        return [f"the rule is not applicable: missing {', '.join(missing)}"]
    found = sorted(findings, key=lambda finding: (finding.raised_us, finding.id))
    wanted = sorted(expect, key=lambda item: item.at)
    if len(found) == len(wanted) and all(
        _fits(item, finding, start_us) for item, finding in zip(wanted, found, strict=True)
    ):
        return []
    came = ", ".join(_describe(finding, start_us) for finding in found) or "no finding"
    return [f"expected {', '.join(_spell(item) for item in wanted) or 'no finding'}, but got {came}"]


def orders_of(scenario: Scenario, files: Mapping[str, str]) -> set[str]:
    """The rules whose findings would open an order while the scenario runs, its own among them."""
    series = _read(scenario)
    rehearsal = _prepare(scenario, series, files)
    for entries in _entries(scenario.entry, series, rehearsal.start_us):
        rehearsal.send(*entries)
    return {finding.rule_id for finding in rehearsal.changes if finding.opens_order}


@dataclass(frozen=True, slots=True)
class Tally:
    """How the tests of one file went: how many rules it has, how many of them carry no test, how many tests passed."""

    rules: int
    untested: int
    passed: int


def check_scenarios(files: Mapping[str, str], beside: Mapping[str, str]) -> tuple[dict[str, Tally], list[Problem]]:
    """Run the tests of `files`, judged together with the rules of `beside`; every failure with its file and line.

    Raises InputError when the files do not make one rule set.
    """
    together = {**beside, **files}
    RuleSet.load(together)
    tallies: dict[str, Tally] = {}
    problems: list[Problem] = []
    for name, text in sorted(files.items()):
        rules = parse_rule_entries(text, name)[0].rules
        passed = 0
        for scenario in find_scenarios({name: text}):
            try:
                failures = run_scenario(scenario, together)
            except InputError as error:
                problems += error.problems
                continue
            passed += not failures
            problems += [Problem(scenario.where, f"{scenario.id}: {failure}") for failure in failures]
        tallies[name] = Tally(len(rules), sum(not rule.tests for rule in rules), passed)
    return tallies, problems


def _read(scenario: Scenario) -> dict[str, list[Step]]:
    series: dict[str, list[Step]] = {}
    for name, text in scenario.entry.series.items():
        if name not in point_types():
            raise InputError([Problem(scenario.where, unknown("point", name, point_types()), "", "series")])
        try:
            series[name] = parse_series(text)
        except ValueError as error:
            raise InputError([Problem(scenario.where, str(error), "", f"series.{name}")]) from error
    return series


def _prepare(scenario: Scenario, series: Mapping[str, object], files: Mapping[str, str]) -> Rehearsal:
    """An engine with the rule set and one asset of the rule's class."""
    entry = scenario.entry
    start_us = to_us(parse_instant(entry.start))
    known = RuleSet.load(files).rules[scenario.rule.id]
    cadence = (entry.cadence or entry.step).total_seconds()
    points = {name: {"cadence": cadence} for name in (*series, *entry.points)}
    asset = {
        "id": ASSET,
        "class": entry.class_ or (known.classes[0] if known.classes else "sensor"),
        "points": points,
        "design": entry.design,
    }
    building = {"id": "building", "occupied": entry.occupied, "assets": [asset]}
    site = json.dumps({"site": {"id": "site", "zone": entry.zone}, "buildings": [building]})
    gap_us = max(LISTENING_GAP_US, 2 * _us(entry.step))
    rehearsal = Rehearsal(site, files, start_us=start_us, listening_gap_us=gap_us)
    rehearsal.send(
        *(
            ParameterOverridden(f"parameter {name}", start_us, scenario.rule.id, name, ASSET, value)
            for name, value in entry.parameters.items()
        )
    )
    if rehearsal.engine.errors:
        raise InputError([Problem(scenario.where, "; ".join(rehearsal.engine.errors))])
    return rehearsal


def _entries(
    entry: ScenarioEntry, series: Mapping[str, list[Step]], start_us: int
) -> Iterator[tuple[Scan | Heartbeat, ...]]:
    """Each step's scan and heartbeat, then heartbeats as long as the test lets time pass."""
    step_us = round(entry.step.total_seconds() * SECOND_US)
    steps = max((len(values) for values in series.values()), default=1)
    for index in range(steps + -(-round(entry.go_on.total_seconds() * SECOND_US) // step_us)):
        at_us = start_us + index * step_us
        present = [(name, given[index]) for name, given in series.items() if index < len(given)]
        values = tuple(PointValue(name, step[0], step[1]) for name, step in present if step is not None)
        beat = Heartbeat(at_us)
        yield (Scan(ASSET, at_us, complete=True, values=values), beat) if values else (beat,)


def _fits(item: ExpectedEntry, finding: Finding, start_us: int) -> bool:
    state = "cleared" if item.cleared is not None else item.state
    return (
        finding.raised_us - start_us == _us(item.at)
        and (state is None or finding.state.value == state)
        and (item.point is None or finding.id == _id(finding, item.point))
        and (item.cleared is None or (finding.cleared_us or 0) - start_us == _us(item.cleared))
    )


def _id(finding: Finding, point: str) -> str:
    return finding_id(finding.rule_id, f"{ASSET}/{point}", finding.onset_us)


def _us(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)


def _spell(item: ExpectedEntry) -> str:
    state = f", {item.state}" if item.state else ""
    cleared = f", cleared at {format_duration(item.cleared)}" if item.cleared is not None else ""
    about = f" for {item.point}" if item.point else ""
    return f"raised at {format_duration(item.at)}{about}{state}{cleared}"


def _describe(finding: Finding, start_us: int) -> str:
    cleared = f" at {_since(finding.cleared_us, start_us)}" if finding.cleared_us is not None else ""
    return f"raised at {_since(finding.raised_us, start_us)}, {finding.state.value}{cleared}"


def _since(at_us: int, start_us: int) -> str:
    return format_duration(timedelta(microseconds=at_us - start_us))
