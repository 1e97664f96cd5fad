"""One cause, one order: suppression, groups, shelving, maintenance, and what comes back into view afterwards."""

import json

from facility.finding import Finding, FindingState
from facility.reading import MaintenanceDeclared, Shelved
from rules.rehearsal import Rehearsal, make_scan

START_US = 1_772_416_800_000_000
RULES = """
rules:
  - {id: lost, class: gateway, name: {en: Gateway lost}, severity: high, advice: Look, suppresses: [silent, lost],
     downstream: true, when: 'silent("60 s")'}
  - {id: silent, class: [tank, pump, gateway], name: {en: Silent}, severity: low, advice: Look, when: 'silent("60 s")'}
  - {id: high, class: tank, name: {en: High}, severity: high, advice: Look, suppresses: [full], when: tank_level > 95}
  - {id: full, class: tank, name: {en: Full}, severity: low, advice: Look, suppresses: [high], when: tank_level > 90}
  - {id: dark, class: luminaire_circuit, name: {en: Dark}, severity: low, advice: Look, group: space,
     when: circuit_power < 1}
  - {id: cut, class: luminaire_circuit, name: {en: Cut}, severity: low, advice: Look, group: building,
     when: circuit_power < 0.5}
"""


def lamp(name: str, space: str | None) -> dict[str, object]:
    """A lighting circuit in a space."""
    where = {"space": space} if space else {}
    return {"id": name, "class": "luminaire_circuit", "points": ["circuit_power"], **where}


def rehearse(rules: str = RULES) -> Rehearsal:
    """A gateway with a tank and a pump behind it, another tank, and lamps on two floors."""
    assets = [
        {"id": "gateway", "class": "gateway", "points": ["online"]},
        {"id": "tank", "class": "tank", "points": {"tank_level": {"cadence": 60}}, "parent": "gateway"},
        {"id": "pump", "class": "pump", "points": ["run_status"]},
        {"id": "feeder", "class": "gateway", "points": ["online"], "parent": "gateway", "controls": ["pump"]},
        {"id": "other", "class": "tank", "points": ["tank_level"]},
        lamp("lamp-1", "floor-1"), lamp("lamp-2", "floor-1"), lamp("lamp-3", "floor-2"), lamp("lamp-4", None),
    ]  # fmt: skip
    spaces = [{"id": "floor-1"}, {"id": "floor-2"}]
    site = {"site": {"id": "s", "zone": "UTC"}, "buildings": [{"id": "b", "spaces": spaces, "assets": assets}]}
    return Rehearsal(json.dumps(site), {"own.yaml": rules}, start_us=START_US, allowance_us=1)


def now(plant: Rehearsal, rule_id: str, asset_id: str) -> Finding:
    """The newest finding of a rule on an asset."""
    return [item for item in plant.findings.values() if (item.rule_id, item.asset_id) == (rule_id, asset_id)][-1]


def test_a_lost_gateway_explains_the_silence_of_everything_behind_it() -> None:
    plant = rehearse()
    for name, point in (("gateway", "online"), ("feeder", "online"), ("pump", "run_status"), ("tank", "tank_level"),
                        ("other", "tank_level")):  # fmt: skip
        plant.send(make_scan(plant.at(0), name, {point: 1.0}))
    plant.beat(60)
    plant.beat(61)
    lost = now(plant, "lost", "gateway")
    assert lost.suppressed_by is None
    for rule_id, asset_id in (("silent", "tank"), ("silent", "pump"), ("lost", "feeder"), ("silent", "gateway")):
        assert now(plant, rule_id, asset_id).suppressed_by is not None, asset_id
        assert not now(plant, rule_id, asset_id).opens_order
    assert now(plant, "silent", "tank").suppressed_by == lost.id
    assert now(plant, "silent", "other").suppressed_by is None


def test_when_the_explanation_clears_what_is_still_wrong_comes_back_into_view() -> None:
    plant = rehearse()
    plant.scan(0, "gateway", online=1.0)
    plant.scan(0, "tank", tank_level=1.0)
    plant.beat(60)
    plant.scan(90, "gateway", online=1.0)
    changed = plant.beat(91)
    assert now(plant, "lost", "gateway").state is FindingState.CLEARED
    assert now(plant, "silent", "tank") in changed
    assert now(plant, "silent", "tank").opens_order
    assert now(plant, "silent", "tank").raised_us == plant.at(60)


def test_a_release_keeps_explaining_while_what_was_behind_comes_back() -> None:
    plant = rehearse(RULES.replace("downstream: true,", "downstream: true, release: 40 s,"))
    plant.scan(0, "gateway", online=1.0)
    plant.scan(0, "tank", tank_level=1.0)
    plant.scan(0, "feeder", online=1.0)
    plant.beat(60)
    plant.scan(90, "gateway", online=1.0)
    plant.scan(100, "feeder", online=1.0)
    plant.beat(129)
    assert now(plant, "lost", "gateway").state is FindingState.CLEARED
    assert not now(plant, "silent", "tank").opens_order
    assert now(plant, "silent", "feeder").suppressed_by is not None
    assert now(plant, "silent", "feeder").state is FindingState.CLEARED
    plant.beat(130)
    plant.beat(131)
    assert now(plant, "silent", "tank").opens_order


def test_what_recovered_while_it_was_explained_is_cleared() -> None:
    plant = rehearse()
    plant.scan(0, "gateway", online=1.0)
    plant.scan(0, "tank", tank_level=1.0)
    plant.beat(60)
    plant.scan(70, "tank", tank_level=1.0)
    plant.beat(71)
    silent = now(plant, "silent", "tank")
    assert (silent.state, silent.cleared_us) == (FindingState.CLEARED, plant.at(70))
    assert now(plant, "lost", "gateway").state is FindingState.ACTIVE


def test_two_rules_that_explain_each_other_never_hide_each_other() -> None:
    plant = rehearse()
    plant.scan(0, "tank", tank_level=92.0)
    plant.scan(10, "tank", tank_level=97.0)
    plant.beat(11)
    assert now(plant, "full", "tank").opens_order
    assert now(plant, "high", "tank").suppressed_by == now(plant, "full", "tank").id


def test_a_later_finding_takes_over_no_earlier_one_although_a_third_explains_it() -> None:
    flooded = "{id: flooded, class: tank, name: {en: Flooded}, severity: high, advice: Look, suppresses: [high],"
    plant = rehearse(RULES.replace("rules:", f"rules:\n  - {flooded} when: tank_level > 96}}"))
    plant.scan(0, "tank", tank_level=92.0)
    plant.scan(10, "tank", tank_level=97.0)
    plant.beat(11)
    assert now(plant, "high", "tank").suppressed_by is not None
    assert now(plant, "full", "tank").opens_order
    assert [item.opens_order for item in plant.changes if item.rule_id == "full"] == [True]


def test_of_two_that_name_each_other_the_earlier_one_goes_on_explaining_through_its_release() -> None:
    rules = RULES.replace(
        "suppresses: [high], when: tank_level > 90",
        "suppresses: [high], release: 40 s,\n     when: 90 < tank_level < 98",
    )
    plant = rehearse(rules)
    plant.scan(0, "tank", tank_level=92.0)
    plant.scan(10, "tank", tank_level=97.0)
    plant.scan(20, "tank", tank_level=99.0)
    plant.beat(21)
    full = now(plant, "full", "tank")
    assert full.state is FindingState.CLEARED
    assert now(plant, "high", "tank").suppressed_by == full.id
    plant.beat(61)
    plant.beat(62)
    assert now(plant, "high", "tank").opens_order


def test_members_of_a_group_share_one_cause() -> None:
    plant = rehearse()
    for name in ("lamp-1", "lamp-2", "lamp-3", "lamp-4"):
        plant.scan(0, name, circuit_power=0.0)
    plant.beat(1)
    keys = {(item.rule_id, item.asset_id): item.cause_key for item in plant.findings.values()}
    assert keys["dark", "lamp-1"] == keys["dark", "lamp-2"] == "space:floor-1/dark"
    assert keys["dark", "lamp-3"] == "space:floor-2/dark"
    assert keys["dark", "lamp-4"] == "lamp-4/dark"
    assert {key for (rule, _), key in keys.items() if rule == "cut"} == {"building:b/cut"}
    assert len({item.id for item in plant.findings.values()}) == 8


def test_a_shelved_finding_comes_back_at_the_end_and_says_who_shelved_it() -> None:
    plant = rehearse()
    plant.scan(0, "tank", tank_level=92.0)
    plant.beat(1)
    (shelved,) = plant.send(Shelved("e1", plant.at(1), "tank", "full", plant.at(30), "Ann", "known"))
    assert (shelved.shelved_by, shelved.state, shelved.opens_order) == ("Ann", FindingState.ACTIVE, False)
    assert plant.beat(29) == []
    plant.beat(31)
    plant.beat(32)
    assert now(plant, "full", "tank").opens_order


def test_shelving_can_be_taken_back_and_counts_only_for_its_rule_and_asset() -> None:
    plant = rehearse()
    plant.send(Shelved("e1", plant.at(0), "tank", "full", plant.at(3000), "Ann", "known"))
    plant.scan(0, "tank", tank_level=92.0)
    plant.scan(0, "other", tank_level=92.0)
    plant.beat(1)
    assert now(plant, "full", "tank").shelved_by == "Ann"
    assert now(plant, "full", "other").opens_order
    (back,) = plant.send(Shelved("e2", plant.at(1), "tank", "full", plant.at(1), "Ann", "mistake"))
    assert back.opens_order


def test_a_repeated_event_is_ignored() -> None:
    plant = rehearse()
    plant.scan(0, "tank", tank_level=92.0)
    plant.beat(1)
    shelve = Shelved("e1", plant.at(1), "tank", "full", plant.at(3000), "Ann", "known")
    plant.send(shelve)
    plant.send(Shelved("e2", plant.at(1), "tank", "full", plant.at(1), "Ann", "mistake"))
    assert plant.send(shelve) == []
    assert now(plant, "full", "tank").opens_order


def test_maintenance_covers_everything_inside_and_what_is_still_wrong_is_caught_up_at_the_end() -> None:
    plant = rehearse()
    plant.send(MaintenanceDeclared("m1", plant.at(0), "gateway", plant.at(10), plant.at(50), "Bob", "new cable"))
    plant.scan(0, "tank", tank_level=92.0)
    plant.beat(5)
    assert now(plant, "full", "tank").opens_order
    plant.scan(20, "tank", tank_level=92.0)
    plant.beat(21)
    assert now(plant, "full", "tank").shelved_by == "maintenance: Bob"
    plant.beat(49)
    assert not now(plant, "full", "tank").opens_order
    plant.beat(51)
    plant.beat(52)
    assert now(plant, "full", "tank").opens_order
    assert now(plant, "full", "tank").onset_us == plant.at(0)


def test_maintenance_can_end_early() -> None:
    plant = rehearse()
    plant.send(MaintenanceDeclared("m1", plant.at(0), "tank", plant.at(0), plant.at(5000), "Bob", "clean"))
    plant.scan(0, "tank", tank_level=92.0)
    plant.beat(5)
    assert not now(plant, "full", "tank").opens_order
    plant.send(MaintenanceDeclared("m2", plant.at(5), "tank", plant.at(0), plant.at(5), "Bob", "done"))
    assert now(plant, "full", "tank").opens_order
