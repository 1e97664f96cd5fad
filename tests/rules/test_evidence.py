"""What a finding keeps: the readings that led to it, what every part of its condition came to, and its neighbours."""

import json
from itertools import pairwise

from facility.finding import Evidence, EvidenceKind, Finding
from facility.reading import PointValue, Scan
from rules.catalogue import shipped_files
from rules.memory import TermMemory
from rules.rehearsal import Rehearsal
from rules.rule_set import RuleSet

POINTS = ("supply_air_temperature", "supply_fan_status", "heating_valve_command")
SITE = json.dumps({
    "site": {"id": "site", "zone": "UTC"},
    "buildings": [{
        "id": "building",
        "assets": [{"id": "unit", "class": "ahu", "points": {name: {"cadence": 60} for name in POINTS}}],
    }],
})  # fmt: skip


def rule(name: str, when: str) -> dict[str, object]:
    """A rule of two lines."""
    return {
        "id": name, "class": "ahu", "name": {"en": name, "zh": name}, "kind": "fault", "severity": "low",
        "parameters": {"limit": {"value": 30, "unit": "degC"}}, "when": when, "for": "2 min",
        "diagnosis": ["d"], "advice": "a", "checklist": ["c"], "reference": "r", "tests": [],
    }  # fmt: skip


RULES = [
    rule("hot", 'supply_fan_status == 1 and mean(supply_air_temperature, "5 min") > limit'),
    rule("hot-heating", "heating_valve_command > 50 and supply_air_temperature > limit"),
    rule("hot-and-off", "supply_air_temperature > limit and supply_fan_status == 0"),
    rule("pending-too", "supply_air_temperature > 39 and supply_fan_status == 1"),
]


def found() -> Finding:
    """The air warms up by a degree a minute from 20 degC on."""
    rehearsal = Rehearsal(SITE, {"r.yaml": json.dumps({"rules": RULES})}, start_us=1_760_000_000_000_000)
    for minute in range(60):
        values = {"supply_air_temperature": 20.0 + minute, "supply_fan_status": float(minute > 1)}
        readings = tuple(PointValue(*each) for each in values.items())
        scan = Scan("unit", rehearsal.at(60 * minute), complete=True, values=readings)
        for finding in rehearsal.send(scan):
            if finding.rule_id == "hot":
                return finding
    msg = "nothing was found"
    raise AssertionError(msg)


def of(finding: Finding, kind: EvidenceKind) -> list[Evidence]:
    """The evidence of one kind."""
    return [item for item in finding.evidence if item.kind is kind]


def test_every_part_of_the_condition_is_kept_with_its_value_and_unit() -> None:
    finding = found()
    parts = {item.point: (item.value, item.unit) for item in of(finding, EvidenceKind.PART)}
    mean = (finding.raised_us - 1_760_000_000_000_000) / 60e6 + 18
    assert parts["supply_fan_status == 1"] == (1.0, "bool")
    assert parts["mean(supply_air_temperature, '5 min') > limit"] == (1.0, "bool")
    assert parts["mean(supply_air_temperature, '5 min')"] == (mean, "degC")


def test_readings_before_the_moment_are_kept_numbers_thinned_and_states_at_their_changes() -> None:
    finding = found()
    before = of(finding, EvidenceKind.BEFORE)
    air = [(item.at_us, item.value) for item in before if item.point == "supply_air_temperature"]
    assert len(air) <= 9
    assert all(late[0] - early[0] == 300_000_000 for early, late in pairwise(air))
    assert all(at_us < finding.raised_us for at_us, _ in air)
    assert [item.value for item in before if item.point == "supply_fan_status"] == [0.0, 1.0]


def test_neighbour_rules_say_why_they_found_nothing() -> None:
    verdicts = {item.point: (item.unit, item.value) for item in of(found(), EvidenceKind.NEIGHBOUR)}
    assert verdicts["hot-and-off"] == ("false", "supply_fan_status == 0")
    assert verdicts["hot-heating"] == ("unknown", "heating_valve_command > 50") or "hot-heating" not in verdicts
    assert verdicts["pending-too"][0] in ("pending", "false")


def test_the_parts_of_every_shipped_rule_need_nothing_that_is_not_bound() -> None:
    for shipped in RuleSet.load(shipped_files()).rules.values():
        program = shipped.program
        needs = (program.slots, program.constants, program.terms)
        steps = program.steps()
        assert 1 <= steps.parts <= len(steps.texts), shipped.id
        assert (program.slots, program.constants, program.terms) == needs
        values = [None] * len(program.slots)
        constants = [1.0] * len(program.constants)
        assert len(steps.values(values, constants, [_Nothing()] * len(program.terms), 0)) == len(steps.texts)


class _Nothing:
    memory = TermMemory()

    def __call__(self, now_us: int) -> None:
        del now_us

    def until(self, limit: float | None, now_us: int) -> None:
        """As of a trend."""
        del limit, now_us
