"""The shipped catalogue keeps house: every rule can be read, explained, acted on and has the three tests."""

from collections import Counter
from pathlib import Path

import pytest

from facility.catalogue import equipment_classes, point_types
from rules.catalogue import shipped_files
from rules.rule import Rule
from rules.rule_file import RuleEntry, parse_rule_entries
from rules.rule_set import RuleSet
from rules.scenario_file import NotApplicableEntry, ScenarioEntry, parse_series

RULES = RuleSet.load(shipped_files()).rules
ENTRIES = [entry for name, text in shipped_files().items() for entry in parse_rule_entries(text, name)[0].rules]


def _is_missing_data(test: ScenarioEntry) -> bool:
    if isinstance(test.expect, NotApplicableEntry):
        return True
    return any(None in parse_series(series) for series in test.series.values())


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_rule_can_be_read_and_acted_on(rule: Rule) -> None:
    assert set(rule.name) == {"en", "zh"}
    assert rule.diagnosis, "say what it may be, likeliest first"
    assert len(rule.diagnosis) == len(set(rule.diagnosis))
    assert rule.advice.endswith(".")
    assert rule.checklist
    assert rule.reference
    for parameter in rule.parameters.values():
        assert parameter.note, f"{parameter.name} needs a note that says why this value"
        assert parameter.unit, f"{parameter.name} needs a unit"


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_a_rule_says_everything_in_chinese(entry: RuleEntry) -> None:
    chinese = entry.zh
    assert len(chinese.diagnosis) == len(entry.diagnosis)
    assert len(chinese.checklist) == len(entry.checklist)
    assert chinese.advice.endswith("。")
    for text in (*chinese.diagnosis, chinese.advice, *chinese.checklist):
        assert any("\u4e00" <= letter <= "\u9fff" for letter in text), f"{text!r} is not Chinese"


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_a_rule_has_a_firing_a_quiet_and_a_missing_data_test(entry: RuleEntry) -> None:
    firing = [test for test in entry.tests if not isinstance(test.expect, NotApplicableEntry) and test.expect]
    missing = [test for test in entry.tests if _is_missing_data(test)]
    # silence is missing data: rules about it fire on it, and may be quiet in spite of it
    about_silence = any(word in entry.when for word in ("silent(", "never_seen("))
    quiet = [test for test in entry.tests if test.expect == [] and (about_silence or test not in missing)]
    assert firing
    assert missing
    assert quiet


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_a_parameter_is_used(entry: RuleEntry) -> None:
    said = " ".join([entry.when, entry.clear or "", str(entry.for_), str(entry.clear_for), *entry.let.values()])
    words = set("".join(letter if letter.isalnum() or letter == "_" else " " for letter in said).split())
    assert set(entry.parameters) <= words


def test_every_system_is_covered() -> None:
    classes = equipment_classes()
    systems = Counter(classes[rule.classes[0]].system.value for rule in RULES.values() if rule.classes)
    everywhere = sum(not rule.classes for rule in RULES.values())
    assert systems["elevator"] >= 8
    assert systems["hvac"] >= 10
    assert systems["lighting"] >= 5
    assert systems["water"] >= 6
    assert everywhere >= 3


def test_danger_to_people_is_critical_and_at_once() -> None:
    longest_us = 120 * 10**6
    for rule_id in (
        "elevator-entrapment",
        "elevator-safety-chain-open",
        "elevator-power-lost-occupied",
        "elevator-unintended-movement",
        "water-leak-detected",
    ):
        rule = RULES[rule_id]
        held = rule.persistence if isinstance(rule.persistence, int) else rule.parameters[rule.persistence].value * 1e6
        assert rule.severity == "critical", rule_id
        assert held <= longest_us, rule_id


def test_no_rule_suppresses_one_that_is_worse_by_two_steps() -> None:
    order = ["critical", "high", "medium", "low"]
    for rule in RULES.values():
        for other in rule.suppresses:
            assert order.index(rule.severity) - order.index(RULES[other].severity) <= 1, f"{rule.id} -> {other}"


def test_a_preventive_rule_never_hides_a_fault_of_higher_severity() -> None:
    for rule in RULES.values():
        for other in rule.suppresses:
            if rule.kind == "preventive" and RULES[other].kind == "fault":
                assert RULES[other].severity == "low", f"{rule.id} -> {other}"


def test_points_of_the_catalogue_are_used_by_their_own_names() -> None:
    known = point_types()
    for rule in RULES.values():
        assert set(rule.program.points) - {"point"} <= set(known), rule.id


def test_every_rule_stands_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "rules.md").read_text("utf-8")
    listed = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `") and line.count("|") > 5}
    assert listed == set(RULES)
