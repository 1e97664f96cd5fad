"""Scenario files: what is refused, with its line, and what comes out of a good one."""

from importlib.resources import files

import jsonschema
import pytest

from facility.document import load_yaml
from facility.errors import InputError
from facility.site_file import parse_site
from simulators.scenario import parse_scenario, scenario_schema

GOOD = """
scenario: {site: demo, zone: Asia/Shanghai, seed: 7, start: "2026-11-23T08:00:00+08:00", factor: 60}
plants:
  - {id: lifts, model: elevator, cars: [EL-1, EL-2]}
  - {id: water, model: water, tank: T, pumps: [P1, P2], meter: M, leak_sensors: [L]}
faults:
  - {at: "00:20:00", asset: EL-1, fault: motor_fan, severity: 0.5, until: "30:00:00"}
  - {at: "00:10:00", asset: T, fault: float_valve_open}
"""


def demo(name: str) -> str:
    return files("plantroom").joinpath("demo", name).read_text(encoding="utf-8")


def test_events_come_in_the_order_of_their_time() -> None:
    scenario = parse_scenario(GOOD, "s.yaml")
    hours = [(event.after_us / 3.6e9, event.asset_id, event.severity) for event in scenario.events]
    assert hours == [(pytest.approx(1 / 6), "T", 1.0), (pytest.approx(1 / 3), "EL-1", 0.5), (30.0, "EL-1", 0.0)]
    assert scenario.steps == {"lifts": 10, "water": 60}
    assert scenario.assets == ("EL-1", "EL-2", "T", "M", "P1", "P2", "L")


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("model: elevator", "model: elevatr", 4, "elevatr"),
        ("model: water", "modle: water", 5, "model"),
        ("fault: motor_fan", "fault: motor_fun", 7, "did you mean 'motor_fan'"),
        ("fault: motor_fan", "fault: float_valve_open", 7, "not a known fault of EL-1"),
        ("asset: EL-1, fault", "asset: EL-9, fault", 7, "did you mean 'EL-2'"),
        ('at: "00:20:00"', 'at: "twenty past"', 7, "'00:20:00'"),
        ('at: "00:20:00"', 'at: "00:75:00"', 7, "'00:20:00'"),
        ('at: "00:20:00"', "at: 20", 7, "in quotes"),
        ('until: "30:00:00"', 'until: "00:10:00"', 7, "ends before it begins"),
        ("severity: 0.5", "severity: 1.5", 7, "less than or equal to 1"),
        ("severity: 0.5", "severity: .nan", 7, "1"),
        ("zone: Asia/Shanghai", "zone: Asia/Atlantis", 2, "not a time zone"),
        ("start: ", "strat: ", 2, "Did you mean 'start'"),
        ("+08:00", "", 2, "no time zone"),
        ("factor: 60", "factor: 0", 2, "greater than 0"),
        ("[EL-1, EL-2]", "[EL-1, T]", 5, "simulated twice"),
        ("id: water", "id: lifts", 5, "two plants have the id"),
        ("cars: [EL-1, EL-2]", "cars: [EL-1, EL-2], step: 7.5", 4, "whole seconds"),
        ("pumps: [P1, P2]", "pumps: [P1]", 5, "at least 2"),
    ],
)
def test_a_mistake_is_refused_with_its_line_and_a_way_out(old: str, new: str, line: int, words: str) -> None:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    with pytest.raises(InputError) as caught:
        parse_scenario(text, "s.yaml")
    problem = caught.value.problems[0]
    assert (problem.where, problem.line) == ("s.yaml", line)
    assert words in str(problem)


def test_every_problem_is_reported_at_once() -> None:
    text = GOOD.replace("motor_fan", "motor_fun").replace("asset: T", "asset: TT")
    with pytest.raises(InputError) as caught:
        parse_scenario(text, "s.yaml")
    assert [problem.field for problem in caught.value.problems] == ["faults[0].fault", "faults[1].asset"]


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        ("{asset: X, dialect: udmi, topic: /x}", "asset of this scenario"),
        ("{asset: T, dialect: bacnet, topic: /x}", "udmi"),
        ("{asset: T, dialect: udmi, topic: /x, points: {tank_levle: {name: l}}}", "did you mean 'tank_level'"),
        ("{asset: T, dialect: udmi, topic: /x, points: {tank_level: {name: l, unit: degF}}}", "different things"),
    ],
)
def test_a_dialect_that_cannot_be_spoken_is_refused(dialect: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_scenario(GOOD + f"dialects:\n  - {dialect}\n", "s.yaml")


def test_the_schema_accepts_the_demo_and_refuses_an_unknown_model() -> None:
    schema = scenario_schema()
    data, _ = load_yaml(demo("scenario.yaml"), "scenario.yaml")
    jsonschema.validate(data, schema)
    data["plants"][0]["model"] = "escalator"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema)


def test_the_demo_scenario_simulates_the_demo_site() -> None:
    registry, scenario = parse_site(demo("site.yaml"), "site.yaml"), parse_scenario(demo("scenario.yaml"), "s.yaml")
    plant = {name for name, asset in registry.assets.items() if asset.equipment_class.name != "monitor"}
    assert set(scenario.assets) == plant, "all but the monitor, which speaks for itself"
    assert scenario.site_id in registry.sites
    assert scenario.factor == 60
    assert {event.asset_id for event in scenario.events} <= set(registry.assets)


def test_the_demo_breaks_every_system_in_its_first_hour_and_leaves_some_assets_whole() -> None:
    registry, scenario = parse_site(demo("site.yaml"), "site.yaml"), parse_scenario(demo("scenario.yaml"), "s.yaml")
    early = {
        registry.assets[event.asset_id].equipment_class.system.value
        for event in scenario.events
        if event.after_us < 3_600_000_000 and event.severity > 0
    }
    assert early == {"elevator", "hvac", "lighting", "water"}
    whole = set(registry.assets) - {event.asset_id for event in scenario.events}
    assert {"EL-4", "ZONE-1-1", "ZONE-2-2", "LC-1", "LC-6", "LEAK-2"} <= whole
