"""Sites, rule sets and parameters change in mid-stream; what is unchanged goes on, what is broken is refused."""

import json

import pytest

from facility.finding import Finding, FindingState
from facility.reading import ParameterOverridden, RuleSetActivated, SiteEdited, VisitRecorded
from rules.plan import NotApplicable
from rules.rehearsal import Rehearsal

START_US = 1_772_416_800_000_000
RULES = """
rules:
  - {id: full, class: tank, name: {en: Full}, severity: high, advice: Look, for: 5 min, when: tank_level > limit,
     parameters: {limit: {value: 95, unit: "%"}}}
  - {id: cold, class: pump, name: {en: Cold}, severity: low, advice: Look, when: outside_air_temperature < 0}
  - {id: slow, class: pump, name: {en: Slow}, severity: low, advice: Look,
     when: water_flow < 0.5 * design("rated_flow") and occupied()}
  - {id: worn, class: pump, name: {en: Worn}, severity: low, kind: preventive, advice: Look,
     when: since_visit(run_hours) > 100}
"""
TANK = {"id": "tank", "class": "tank", "points": {"tank_level": {"cadence": 60}, "outside_air_temperature": {}}}
PUMP = {
    "id": "pump",
    "class": "pump",
    "points": ["run_hours"],
    "borrows": {"outside_air_temperature": {"asset": "tank"}},
}


def site(*assets: object) -> str:
    """The text of a site file."""
    return json.dumps({"site": {"id": "s", "zone": "UTC"}, "buildings": [{"id": "b", "assets": list(assets)}]})


def rehearse() -> Rehearsal:
    """A tank, and a pump that borrows the tank's outdoor thermometer."""
    return Rehearsal(site(TANK, PUMP), {"own.yaml": RULES}, start_us=START_US)


def only(plant: Rehearsal, rule_id: str) -> Finding:
    """The one finding of a rule."""
    (finding,) = (item for item in plant.findings.values() if item.rule_id == rule_id)
    return finding


def edit(plant: Rehearsal, event_id: str, text: str) -> list[Finding]:
    """A new site file."""
    return plant.send(SiteEdited(event_id, plant.start_us, {"site.yaml": text}))


def activate(plant: Rehearsal, event_id: str, text: str) -> list[Finding]:
    """A new rule file."""
    return plant.send(RuleSetActivated(event_id, plant.start_us, "", {"own.yaml": text}))


def test_an_unchanged_rule_keeps_its_elapsed_time_through_edits() -> None:
    plant = rehearse()
    for minute in range(8):
        plant.scan(minute * 60, "tank", tank_level=96.0)
        if minute == 2:
            activate(plant, "r2", RULES.replace("< 0}", "< -5}"))
        if minute == 3:
            edit(plant, "s2", site(TANK, PUMP, {"id": "more", "class": "tank", "points": ["tank_level"]}))
    assert only(plant, "full").raised_us == plant.at(300)


@pytest.mark.parametrize("text", ["rules: [", "rules: [{id: x}]", RULES.replace("tank_level", "tank_levl"), "rules: 3"])
def test_a_broken_rule_set_keeps_the_old_one_and_is_remembered(text: str) -> None:
    plant = rehearse()
    before = plant.engine.rule_set
    for minute in range(7):
        plant.scan(minute * 60, "tank", tank_level=96.0)
        if minute == 3:
            activate(plant, "broken", text)
    assert plant.engine.rule_set is before
    assert only(plant, "full").raised_us == plant.at(300)
    (error,) = plant.engine.errors
    assert "RuleSetActivated broken is refused: own.yaml:" in error


def test_a_broken_site_keeps_the_old_one_and_is_remembered() -> None:
    plant = rehearse()
    edit(plant, "s2", site({**TANK, "class": "tnak"}))
    assert list(plant.engine.registry.assets) == ["tank", "pump"]
    assert "did you mean 'tank'" in plant.engine.errors[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda plant: edit(plant, "s2", site({"id": "other", "class": "tank", "points": ["tank_level"]})),
        lambda plant: edit(plant, "s2", site({**TANK, "points": ["water_flow", "outside_air_temperature"]}, PUMP)),
        lambda plant: activate(plant, "r2", RULES.replace("tank_level > limit", "tank_level > limit + 1")),
        lambda plant: activate(plant, "r2", "rules: []"),
    ],
)
def test_an_active_finding_whose_rule_or_asset_is_gone_clears(change: object) -> None:
    plant = rehearse()
    for minute in range(7):
        plant.scan(minute * 60, "tank", tank_level=96.0)
    assert only(plant, "full").state is FindingState.ACTIVE
    assert callable(change)
    change(plant)
    assert (only(plant, "full").state, only(plant, "full").cleared_us) == (FindingState.CLEARED, plant.at(360))
    assert plant.engine.active() == []


def test_a_parameter_set_while_running_counts_at_once_and_the_narrowest_scope_wins() -> None:
    plant = rehearse()
    plant.scan(0, "tank", tank_level=91.0)
    for number, (scope, value) in enumerate([("site:s", 90.0), ("class:tank", 99.0), ("tank", 90.0)]):
        plant.send(ParameterOverridden(f"o{number}", plant.start_us, "full", "limit", scope, value))
        plant.beat(10 + number)
    assert [item.onset_us for item in plant.engine.pending()] == [plant.at(11)]
    plant.send(ParameterOverridden("o9", plant.start_us, "full", "limit", "tank", None))
    plant.beat(20)
    assert plant.engine.pending() == []


def test_an_override_of_nothing_is_remembered() -> None:
    plant = rehearse()
    plant.send(ParameterOverridden("o1", plant.start_us, "full", "limt", "tank", 3.0))
    assert "there is no full.limt" in plant.engine.errors[0]


def test_a_rule_set_of_another_digest_than_it_says_is_judged_and_remembered() -> None:
    plant = rehearse()
    plant.send(RuleSetActivated("r2", plant.start_us, "0123", {"own.yaml": RULES}))
    assert "digest" in plant.engine.errors[0]


def test_a_borrowed_point_is_judged_for_its_borrower() -> None:
    plant = rehearse()
    plant.scan(0, "tank", outside_air_temperature=-3.0)
    finding = only(plant, "cold")
    assert (finding.asset_id, finding.evidence[0].asset_id) == ("pump", "tank")


def test_what_a_rule_lacks_is_named_and_never_silently_quiet() -> None:
    plant = rehearse()
    missing = ("water_flow", "design: rated_flow", "occupied hours of the building")
    assert plant.engine.not_applicable() == [NotApplicable("slow", "pump", missing)]


def test_a_counter_counts_from_what_it_read_at_the_visit_in_the_logbook() -> None:
    worn = PUMP | {"points": {"run_hours": {"at_last_visit": 3_900}}}
    plant = Rehearsal(site(TANK, worn), {"own.yaml": RULES}, start_us=START_US)
    for hour, hours in enumerate([3_950, 3_999, 4_001]):
        plant.scan(hour * 600, "pump", run_hours=float(hours))
        assert len(plant.findings) == (hour == 2)
    plant.send(VisitRecorded("v1", plant.at(1300), "pump", "Cy"))  # counts more than the logbook from here on
    plant.scan(1800, "pump", run_hours=4_050.0)
    assert only(plant, "worn").state is FindingState.CLEARED


def test_a_visit_starts_the_count_of_a_counter_anew_through_its_reset() -> None:
    plant = rehearse()
    for hour, hours in enumerate([150, 160, 10, 90, 130]):
        plant.scan(hour * 600, "pump", run_hours=float(hours))
        if hour == 0:
            assert only(plant, "worn").state is FindingState.ACTIVE
            plant.send(VisitRecorded("v1", plant.at(0), "pump", "Cy"))
        if hour == 3:
            assert only(plant, "worn").state is FindingState.CLEARED
    worn = [item for item in plant.findings.values() if item.rule_id == "worn"]
    assert [item.onset_us for item in worn] == [plant.at(0), plant.at(2400)]
