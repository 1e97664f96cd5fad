"""Operating states, what something was before, siblings, the schedule, and what is forgiven."""

import json
from collections.abc import Mapping

import pytest

from facility.errors import InputError
from facility.finding import Finding, FindingState
from facility.reading import Value
from rules.engine import Engine
from rules.rehearsal import Rehearsal, make_scan
from rules.rule_file import parse_rules

START_US = 1_772_416_800_000_000  # Monday, 2 March 2026, 02:00 UTC
MINUTE = 60
HEAD = "rules:\n  - {id: own, class: [ahu, vav], name: {en: Own}, severity: low, advice: Look, "
WARMER = "when: supply_air_temperature > siblings(supply_air_temperature) + 4"
STATES = """
states:
  - id: mode
    parameters: {shut: {value: 1, unit: "%"}, mode_delay: {value: 10, unit: min}}
    states:
      heating: heating_valve_command > shut and cooling_valve_command <= shut
      cooling: cooling_valve_command > shut and heating_valve_command <= shut
    otherwise: resting
    delay: mode_delay
"""


def plant(rule: str, *points: str, states: str = "", assets: int = 1) -> Rehearsal:
    """Air handlers that report every minute, and one rule."""
    known = {name: {"cadence": MINUTE} for name in points}
    handlers = [{"id": f"ahu{number}", "class": "ahu", "points": known} for number in range(assets)]
    occupied = {"mon-fri": ["08:00-18:00"]}
    site = {"site": {"id": "s", "zone": "UTC"}, "buildings": [{"id": "b", "occupied": occupied, "assets": handlers}]}
    return Rehearsal(
        json.dumps(site), {"own.yaml": f"{states}\n{HEAD}{rule}}}\n"}, start_us=START_US, allowance_us=assets - 1
    )


def run(plant: Rehearsal, *values: Mapping[str, Value], first: int = 0, asset: str = "ahu0") -> list[int]:
    """One scan a minute; the minutes at which something was raised (late ones rounded up)."""
    raised = []
    for minute, given in enumerate(values, first):
        changed = plant.scan(minute * MINUTE, asset, **given)  # type: ignore[arg-type]  # values, not a quality
        raised += [_minute(finding) for finding in changed if finding.state is FindingState.ACTIVE]
    return raised


def _minute(finding: Finding) -> int:
    return (finding.raised_us - START_US) // 60_000_000


def valves(heating: float, cooling: float) -> dict[str, Value]:
    return {"heating_valve_command": heating, "cooling_valve_command": cooling}


def test_a_state_counts_once_it_has_held_for_its_delay() -> None:
    engine = plant("when: mode == 'cooling'", *valves(0, 0), states=STATES)
    assert run(engine, *[valves(50, 0)] * 20) == []
    assert run(engine, *[valves(0, 50)] * 5, first=20) == []
    assert run(engine, *[valves(50, 0)] * 20, first=25) == []
    assert run(engine, *[valves(0, 50)] * 15, first=45) == [55]


def test_a_state_is_evidence_and_its_parameters_are_the_rules() -> None:
    engine = plant(
        "when: mode_now == 'resting', parameters: {shut: {value: 30, unit: \"%\"}}", *valves(0, 0), states=STATES
    )
    assert run(engine, valves(20, 20)) == [0]
    (finding,) = engine.engine.active()
    assert ("mode_now", "resting") in {(item.point, item.value) for item in finding.evidence}
    assert ("mode_delay", 10.0) in {(item.point, item.value) for item in finding.evidence}


def test_hunting_is_counted_over_all_states() -> None:
    engine = plant("when: 'switches(mode_now, \"1 h\") > 3'", *valves(0, 0), states=STATES)
    changing = [valves(0, 50) if minute // 3 % 2 else valves(50, 0) for minute in range(20)]
    assert run(engine, *changing) == [12]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "shut and cooling",
            "shuut and cooling",
            r"own.yaml:5:40: states\[0\].*heating: 'shuut' is not",
        ),
        ("id: mode\n", "id: hour\n", r"states\[0\].id: 'hour' is already a point or a function"),
        ("delay: mode_delay", "delay: shut", r"states\[0\].delay: the parameter 'shut' has no unit of time"),
        ("delay: mode_delay", "delay: soon", r"states\[0\].delay: 'soon' is not a duration"),
    ],
)
def test_a_mistake_in_a_state_is_told_with_its_place(old: str, new: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        parse_rules(STATES.lstrip("\n").replace(old, new) + HEAD + "when: mode == 'heating'}\n", "own.yaml")


def test_a_state_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean 'heating'"):
        parse_rules(STATES + HEAD + "when: mode == 'heatin'}\n", "own.yaml")


def test_n_of_m_readings() -> None:
    engine = plant("when: 'of_last(mixed_air_temperature > 30, 5) >= 3'", "mixed_air_temperature")
    warm = [{"mixed_air_temperature": value} for value in (31.0, 20.0, 20.0, 20.0, 31.0, 31.0, 20.0, 31.0)]
    assert run(engine, *warm) == [7]


def test_how_long_a_value_has_held_is_known_to_the_second() -> None:
    engine = plant("when: 'held(supply_fan_status) > 600'", "supply_fan_status")
    run(engine, *[{"supply_fan_status": 1.0}] * 5)
    assert run(engine, *[{"supply_fan_status": 0.0}] * 12, first=5) == [15]
    (finding,) = engine.engine.active()
    assert finding.raised_us == START_US + 900_000_001


def test_an_asset_is_compared_with_its_siblings() -> None:
    engine = plant(WARMER, "supply_air_temperature", assets=4)
    for minute in range(3):
        values = (16.0, 14.0, 15.0, 21.0 if minute else 15.0)
        at_us = engine.at(minute * MINUTE)
        engine.send(*(make_scan(at_us, f"ahu{n}", {"supply_air_temperature": x}) for n, x in enumerate(values)))
    assert [finding.asset_id for finding in engine.engine.active()] == ["ahu3"]


def test_without_siblings_nothing_is_known() -> None:
    engine = plant(WARMER, "supply_air_temperature", assets=2)
    assert run(engine, {"supply_air_temperature": 60.0}) == []


@pytest.mark.parametrize(
    ("condition", "minute"),
    [
        ("until_occupied() <= 3600", 5 * 60),  # hours begin at 08:00, six hours after the start
        ("since_occupied() >= 3600 and hour() > 12", 17 * 60),  # they end at 18:00
        ("weekday() == 1", 22 * 60),
    ],
)
def test_the_schedule_is_known(condition: str, minute: int) -> None:
    engine = plant(f"when: '{condition} and supply_fan_status == 1'", "supply_fan_status")
    assert run(engine, *[{"supply_fan_status": 1.0}] * (24 * 60))[0] == minute


def test_a_lapse_is_forgiven_when_the_rule_says_so() -> None:
    engine = plant("when: mixed_air_temperature > 30, for: 10 min, forgive: 2 min", "mixed_air_temperature")
    warm, cold = {"mixed_air_temperature": 31.0}, {"mixed_air_temperature": 20.0}
    assert run(engine, *[warm] * 8, cold, warm, warm, warm) == [10]


def test_a_longer_lapse_starts_anew_and_one_at_the_end_delays() -> None:
    engine = plant("when: mixed_air_temperature > 30, for: 10 min, forgive: 2 min", "mixed_air_temperature")
    warm, cold = {"mixed_air_temperature": 31.0}, {"mixed_air_temperature": 20.0}
    assert run(engine, *[warm] * 8, cold, cold, cold, *[warm] * 10) == []
    assert run(engine, cold, warm, first=21) == [22]


@pytest.mark.parametrize("stop", range(3, 40, 3))
def test_restored_it_goes_on_as_if_nothing_had_happened(stop: int) -> None:
    rule = (
        'for: 2 min, forgive: 2 min, when: \'mode == "cooling" and held(mode) > 60 or switches(mode_now, "20 min") > 3'
        " or of_last(cooling_valve_command > 40, 4) > 2'"
    )
    straight = plant(rule, *valves(0, 0), states=STATES.replace("value: 10", "value: 3"))
    run(straight, *[valves(0, 50) if minute * 7 % 11 > 5 or minute > 30 else valves(50, 0) for minute in range(45)])
    engine = Engine(allowance_us=0)
    found = [finding for commit in straight.commits[:stop] for finding in engine.feed(commit)]
    engine = Engine.restore(engine.snapshot())
    found += [finding for commit in straight.commits[stop:] for finding in engine.feed(commit)]
    assert found == straight.changes
    assert found
