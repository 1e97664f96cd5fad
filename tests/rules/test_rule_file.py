"""Rule files: every refusal names file, line, field and what to do; what is accepted is what was written."""

import json
import re

import pytest

from facility.errors import InputError
from facility.finding import OrderKind, Severity
from facility.reading import Quality
from rules.catalogue import shipped_files
from rules.rule import Group
from rules.rule_file import parse_rules
from rules.rule_set import RuleSet, digest_of
from rules.scenario import find_scenarios, run_scenario
from rules.scenario_file import parse_series

WHOLE = """
rules:
  - id: tank-high
    class: [tank, pump]
    name: {en: Tank high, zh: 水箱高}
    kind: preventive
    severity: high
    parameters:
      limit: {value: 95, unit: "%", note: overflow}
      hold: {value: 5, unit: min}
    let:
      near: tank_level > limit - 5
    when: >
      near and
      tank_level > limit
    for: hold
    clear: tank_level < 80
    clear_for: 2 min
    group: space
    diagnosis: Inlet valve
    advice: Close the inlet.
    checklist: [Valve, Float]
    reference: Handbook
    tests:
      - {name: rises, series: {tank_level: "90x3 96x8"}, expect: [{at: 8 min, state: active}]}
      - {name: falls back, series: {tank_level: "96x7 70x4"}, expect: [{at: 5 min, cleared: 9 min}]}
      - {name: stays low, series: {tank_level: 50x20}, expect: []}
      - {name: no level, points: [water_flow], expect: {not_applicable: [tank_level]}}
"""


def problems(text: str) -> str:
    """Every problem of a file, as text."""
    with pytest.raises(InputError) as caught:
        parse_rules(text, "own.yaml")
    return str(caught.value)


def test_a_rule_is_what_was_written() -> None:
    (rule,) = parse_rules(WHOLE, "own.yaml")
    assert (rule.id, rule.classes, rule.kind, rule.severity) == (
        "tank-high", ("tank", "pump"), OrderKind.PREVENTIVE, Severity.HIGH,
    )  # fmt: skip
    assert rule.name == {"en": "Tank high", "zh": "水箱高"}
    assert (rule.persistence, rule.clear_persistence, rule.group) == ("hold", 120_000_000, Group.SPACE)
    assert rule.when_text == "near and tank_level > limit"
    assert (rule.diagnosis, rule.checklist) == (("Inlet valve",), ("Valve", "Float"))
    assert rule.parameters["limit"].note == "overflow"


def test_its_tests_pass_and_a_wrong_one_says_what_came_instead() -> None:
    files = {"own.yaml": WHOLE}
    assert [run_scenario(scenario, files) for scenario in find_scenarios(files)] == [[], [], [], []]
    wrong = {"own.yaml": WHOLE.replace("at: 8 min, state: active", "at: 9 min")}
    first = next(find_scenarios(wrong))
    assert run_scenario(first, wrong) == ["expected raised at 9 min, but got raised at 8 min, active"]
    assert (first.id, first.where) == ("tank-high: rises", "own.yaml:25")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("id: tank-high", "id: Tank_High", r"own.yaml:3:\d+: rules\[0\].id: .*pattern"),
        ("[tank, pump]", "[tank, pmup]", r"own.yaml:4:\d+: rules\[0\].class\[1\]: .*did you mean 'pump'"),
        ("[tank, pump]", "[tank, any]", r"own.yaml:4:\d+: rules\[0\].class: any already means every class"),
        ("{en: Tank high, zh: 水箱高}", "{zh: 水箱高}", r"own.yaml:5:\d+: .*the English name is missing"),
        ("severity: high", "severity: hgih", r"own.yaml:7:\d+: rules\[0\].severity: .*'hgih'"),
        ("severity: high", "sevrity: high", r"'sevrity' is not a field here. Did you mean 'severity'"),
        ('unit: "%"', "unit: procent", r"own.yaml:9:\d+: .*'procent' is not a unit we know"),
        ("value: 95", "value: .nan", r"own.yaml:9:\d+: .*finite"),
        ("hold: {", "tank_level: {", r"own.yaml:10:\d+: .*'tank_level' is already a point, a function"),
        ("near:", "limit:", r"own.yaml:12:\d+: .*'limit' is already a parameter"),
        ("near:", "Near-by:", r"own.yaml:12:\d+: .*'Near-by' cannot be a name"),
        ("limit - 5", "limt - 5", r"own.yaml:12:.*'limt' is not .*did you mean 'limit'.*at character 14 of"),
        ("tank_level > limit\n", "tank_level > 'x'\n", r"own.yaml:15:7: rules\[0\].when: 'x' is a text and"),
        ("for: hold", "for: limit", r"own.yaml:16:\d+: rules\[0\].for: the parameter 'limit' has no unit of time"),
        ("for: hold", "for: 5 minits", r"own.yaml:16:\d+: .*is not a duration.*Or name a parameter: limit, hold"),
        ("tank_level < 80", "tank_level <", r"own.yaml:17:\d+: rules\[0\].clear: this is not an expression"),
        ("group: space", "group: floor", r"own.yaml:19:\d+: rules\[0\].group: .*'floor'"),
        ("expect: []", "expekt: []", r"own.yaml:27:\d+: .*'expekt' is not a field here. Did you mean 'expect'"),
        ("    advice: Close the inlet.\n", "", r"own.yaml:3:\d+: rules\[0\]: 'advice' is missing"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(old: str, new: str, told: str) -> None:
    assert old in WHOLE
    text = problems(WHOLE.replace(old, new, 1))
    assert re.search(told, text), text


def test_every_mistake_is_told_at_once() -> None:
    text = problems(WHOLE.replace("limit - 5", "limt - 5").replace("for: hold", "for: 5 x").replace("near:", "Near:"))
    assert len(text.splitlines()) == 3


def test_two_rules_of_one_id_are_refused() -> None:
    with pytest.raises(InputError, match=r"b\.yaml: the rule 'tank-high' is in a\.yaml already"):
        RuleSet.load({"a.yaml": WHOLE, "b.yaml": WHOLE})


def test_a_suppressed_rule_must_exist() -> None:
    text = WHOLE.replace("group: space", "suppresses: [tank-hihg]")
    with pytest.raises(InputError, match="'tank-hihg' is not a known rule; did you mean 'tank-high'"):
        RuleSet.load({"a.yaml": text})


def test_the_digest_is_of_names_and_texts() -> None:
    digest = RuleSet.load({"a.yaml": WHOLE}).digest
    assert digest == digest_of({"a.yaml": WHOLE})
    assert digest != digest_of({"b.yaml": WHOLE})
    assert digest != digest_of({"a.yaml": WHOLE + " "})
    assert digest_of({"ab": "c"}) != digest_of({"a": "bc"})


def test_only_what_judges_changes_the_hash_of_a_rule() -> None:
    (rule,) = parse_rules(WHOLE, "own.yaml")
    (told,) = parse_rules(WHOLE.replace("reference: Handbook", "reference: Book"), "own.yaml")
    (other,) = parse_rules(WHOLE.replace("value: 95", "value: 94"), "own.yaml")
    assert rule.text_hash == told.text_hash != other.text_hash


def test_the_shipped_catalogue_loads_and_every_rule_carries_what_it_must() -> None:
    rule_set = RuleSet.load(shipped_files())
    tested = {scenario.rule.id for scenario in find_scenarios(shipped_files())}
    for rule in rule_set.rules.values():
        assert rule.advice, rule.id
        assert rule.reference, rule.id
        assert rule.diagnosis, rule.id
        assert "zh" in rule.name, rule.id
        assert rule.id in tested, rule.id


def test_a_series_is_read_part_by_part() -> None:
    good = Quality.GOOD
    assert parse_series("1x2 _ 2..4x3 'a b'x2 99!x1 7~ open") == [
        (1.0, good), (1.0, good), None, (2.0, good), (3.0, good), (4.0, good), ("a b", good), ("a b", good),
        (99.0, Quality.OUT_OF_RANGE), (7.0, Quality.STUCK), ("open", good),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["1x30000", "'open", "1x2'a'"])
def test_a_series_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"more than 20,000 steps|not a part of a series"):
        parse_series(text)


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ("when: tank_level > 5 and tank_levl > 3", "7:30"),
        ("when: 'tank_level > 5 and tank_levl > 3'", "7:31"),
        ("when: >-\n      tank_level > 5 and\n        tank_levl > 3", "9:9"),
        ("when: tank_level > 5 and\n      tank_levl > 3", "8:7"),
        ("when: |\n      tank_level > 5\n      and tank_levl > 3", "9:11"),
        ("let: {x: tank_level > 5 and tank_levl > 3}\n    when: x", "7:33"),
    ],
)
def test_a_mistake_inside_an_expression_is_told_with_line_and_column(lines: str, place: str) -> None:
    head = "rules:\n  - id: a\n    class: tank\n    name: {en: A}\n    severity: low\n    advice: Look\n    "
    with pytest.raises(InputError, match=rf"own.yaml:{place}: rules.*did you mean 'tank_level'"):
        parse_rules(head + lines + "\n", "own.yaml")


@pytest.mark.parametrize(
    ("when", "what"),
    [
        ("[x for x in (1, 2)] > 0", "ListComp is not allowed"),
        ("tank_levl > 5", "not a known point"),
        ("tank_level > water_pressure", "measure different things"),
        ("tank_level / 0 > 5", "divides by zero"),
        ("door_status > 5", "is a text and 5 is not"),
        (f"tank_level > {'1 + ' * 2500}1", "characters; at most 2,000"),
        ("().__class__.__bases__ == 1", "Attribute is not allowed"),
        ("__import__('os').system('true') == 0", "Attribute is not allowed"),
        ("eval('1') == 1", "not a known function"),
        ("open('/etc/passwd') == 1", "not a known function"),
    ],
)
def test_what_could_hang_or_leave_the_language_is_refused_with_its_place(when: str, what: str) -> None:
    head = "rules:\n  - id: a\n    class: tank\n    name: {en: A}\n    severity: low\n    advice: Look\n    when: "
    with pytest.raises(InputError, match=rf"own.yaml:7:\d+: rules\[0\]\.when: .*{what}"):
        parse_rules(f"{head}{json.dumps(when)}\n", "own.yaml")
