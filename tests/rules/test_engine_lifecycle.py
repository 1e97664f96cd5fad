"""Pending, active, cleared: exact in event time, whatever arrives in between and however it is batched."""

import json

import pytest

from facility.finding import EvidenceKind, Finding, FindingState, finding_id
from facility.reading import Commit, Heartbeat, Quality
from rules.engine import Engine
from rules.rehearsal import Rehearsal, make_scan

START_US = 1_772_416_800_000_000
TANK = {"id": "tank", "class": "tank", "points": {"tank_level": {"cadence": 60}, "water_flow": {"cadence": 60}}}


def rehearse(rule: str, *assets: object, allowance_us: int = 0) -> Rehearsal:
    """An engine with one rule and a building of these assets (a tank with level and flow when there are none)."""
    site = {"site": {"id": "s", "zone": "UTC"}, "buildings": [{"id": "b", "assets": list(assets) or [TANK]}]}
    text = f"rules:\n  - {{id: full, class: any, name: {{en: Full}}, severity: high, advice: Look, {rule}}}\n"
    return Rehearsal(json.dumps(site), {"own.yaml": text}, start_us=START_US, allowance_us=allowance_us)


def seconds(at_us: int | None) -> float | None:
    """Seconds since the start."""
    return None if at_us is None else (at_us - START_US) / 1e6


def story(rehearsal: Rehearsal) -> list[tuple[float | None, float | None]]:
    """(raised, cleared) of every finding, in seconds."""
    return [(seconds(finding.raised_us), seconds(finding.cleared_us)) for finding in rehearsal.findings.values()]


def test_without_persistence_it_is_raised_at_once_and_cleared_by_the_first_false_reading() -> None:
    plant = rehearse("when: tank_level > 95")
    plant.scan(0, "tank", tank_level=90.0)
    (raised,) = plant.scan(60, "tank", tank_level=96.0)
    assert (raised.state, raised.onset_us, raised.raised_us) == (FindingState.ACTIVE, plant.at(60), plant.at(60))
    assert raised.id == finding_id("full", "tank", plant.at(60))
    assert plant.scan(120, "tank", tank_level=97.0) == []
    (cleared,) = plant.scan(180, "tank", tank_level=95.0)
    assert (cleared.id, cleared.state, cleared.cleared_us) == (raised.id, FindingState.CLEARED, plant.at(180))


def test_a_change_of_value_device_that_says_nothing_more_still_fires_at_the_exact_instant() -> None:
    plant = rehearse('when: tank_level > 95, for: "2 min 30 s"')
    plant.scan(0.25, "tank", tank_level=96.0)
    for beat in range(1, 200):
        plant.beat(beat)
    (finding,) = plant.findings.values()
    assert (seconds(finding.onset_us), seconds(finding.raised_us)) == (0.25, 150.25)


def test_it_does_not_fire_on_values_that_grew_stale() -> None:
    plant = rehearse('when: tank_level > 95, for: "4 min"')
    plant.scan(0, "tank", tank_level=96.0)
    for beat in range(1, 400):
        plant.beat(beat)
    plant.scan(400, "tank", tank_level=96.0)
    assert story(plant) == []
    assert [seconds(finding.raised_us) for finding in plant.engine.pending()] == [640.0]


@pytest.mark.parametrize("broken", [{"tank_level": 10.0}, {"tank_level": float("nan")}, {"tank_level": "full"}])
def test_one_false_or_unknown_reading_discards_the_elapsed_persistence(broken: dict[str, float | str]) -> None:
    plant = rehearse('when: tank_level > 95, for: "5 min"')
    for minute in range(12):
        plant.scan(minute * 60, "tank", **(broken if minute == 4 else {"tank_level": 96.0}))
    assert story(plant) == [(600.0, None)]


def test_a_reading_out_of_range_is_missing_and_not_false() -> None:
    plant = rehearse("when: tank_level > 95")
    plant.scan(0, "tank", tank_level=96.0)
    plant.scan(60, "tank", Quality.OUT_OF_RANGE, tank_level=-5.0)
    assert story(plant) == [(0.0, None)]
    plant.scan(120, "tank", tank_level=50.0)
    assert story(plant) == [(0.0, 120.0)]


def test_hysteresis_clears_by_its_own_condition_held_for_its_own_time() -> None:
    plant = rehearse('when: tank_level > 95, clear: tank_level < 90, clear_for: "2 min"')
    for minute, level in enumerate([96, 93, 89, 91, 89, 88, 88, 88]):
        plant.scan(minute * 60, "tank", tank_level=float(level))
    assert story(plant) == [(0.0, 360.0)]


def test_the_clear_time_runs_on_heartbeats_too_and_an_unknown_reading_discards_it() -> None:
    plant = rehearse('when: tank_level > 95, clear_for: "90 s"')
    plant.scan(0, "tank", tank_level=96.0)
    plant.scan(60, "tank", tank_level=50.0)
    plant.scan(120, "tank", Quality.SPIKE, tank_level=50.0)
    plant.scan(130, "tank", tank_level=50.0)
    for beat in range(131, 300):
        plant.beat(beat)
    assert story(plant) == [(0.0, 220.0)]


def test_persistence_may_be_a_parameter_that_an_asset_sets_otherwise() -> None:
    rule = "when: tank_level > limit, for: hold, parameters: {hold: {value: 10, unit: min}, limit: {value: 95}}"
    own = {**TANK, "id": "small", "rule_parameters": {"full": {"hold": 1, "limit": 50}}}
    plant = rehearse(rule, TANK, own, allowance_us=1)
    for minute in range(12):
        plant.scan(minute * 60, "tank", tank_level=96.0)
        plant.scan(minute * 60, "small", tank_level=60.0)
    found = {finding.asset_id: seconds(finding.raised_us) for finding in plant.findings.values()}
    assert found == {"small": 60.0, "tank": 600.0}


def test_two_equal_readings_make_one_finding() -> None:
    plant = rehearse("when: tank_level > 95")
    plant.send(*[make_scan(plant.at(0) + offset, "tank", {"tank_level": 96.0}) for offset in (0, 0, 1, 1_000)])
    assert story(plant) == [(0.0, None)]


def test_the_same_stream_in_one_commit_or_in_many_gives_the_same_findings() -> None:
    plant = rehearse('when: tank_level > 95, for: "90 s"')
    for minute, level in enumerate([96, 96, 96, 10, 96, 96, 96, 10]):
        plant.scan(minute * 60, "tank", tank_level=float(level))
        plant.beat(minute * 60 + 1)
    engine = Engine(allowance_us=0)
    entries = tuple(entry for commit in plant.commits for entry in commit.entries)
    assert engine.feed(Commit(1, START_US, entries)) == plant.changes
    assert story(plant) == [(90.0, 180.0), (330.0, 420.0)]


def test_a_silent_device_raises_and_its_return_clears() -> None:
    plant = rehearse('when: silent("5 min")')
    plant.scan(0, "tank", tank_level=96.0)
    for beat in range(1, 400):
        plant.beat(beat)
    plant.scan(400, "tank", tank_level=96.0)
    (finding,) = plant.findings.values()
    assert story(plant) == [(300.0, 400.0)]
    assert finding.evidence[0].point == "tank_level"
    assert finding.evidence[0].at_us == plant.at(0)


def test_silence_is_told_by_point() -> None:
    plant = rehearse("when: 'silent(point, 300)', for_each: point", allowance_us=1)
    for minute in range(10):
        plant.scan(minute * 60, "tank", tank_level=96.0)
        if minute < 2:
            plant.scan(minute * 60, "tank", water_flow=1.0)
    (finding,) = plant.findings.values()
    assert finding.title == "Full: tank (water_flow)"
    assert story(plant) == [(360.0, None)]
    assert finding.cause_key == "tank/full"


def test_a_device_that_was_never_seen_is_told_and_its_first_word_clears() -> None:
    plant = rehearse('when: never_seen("5 min")')
    for beat in range(7, 400):
        plant.beat(beat)
    plant.scan(400, "tank", tank_level=1.0)
    assert story(plant) == [(307.0, 400.0)]


def test_time_nobody_listened_to_is_nobodys_silence_and_holds_no_persistence() -> None:
    plant = rehearse('when: tank_level > 95 or silent("10 min"), for: "2 min"')
    plant.scan(0, "tank", tank_level=96.0)
    plant.beat(60)
    plant.beat(60 + 901)
    for beat in range(962, 962 + 540):
        plant.beat(beat)
    assert story(plant) == []
    for beat in range(1502, 1502 + 130):
        plant.beat(beat)
    assert story(plant) == [(901 + 600 + 120.0, None)]


def test_an_active_finding_survives_time_nobody_listened_to() -> None:
    plant = rehearse("when: tank_level > 95")
    plant.scan(0, "tank", tank_level=96.0)
    plant.beat(90_000)
    assert story(plant) == [(0.0, None)]
    plant.scan(90_060, "tank", tank_level=9.0)
    assert story(plant) == [(0.0, 90_060.0)]


def test_evidence_holds_readings_terms_and_parameters_with_units() -> None:
    terms = "let: {room: 100 - tank_level, wet: water_flow > 1}"
    rule = f"{terms}, when: room < least and wet, parameters: {{least: {{value: 5, unit: '%'}}}}"
    plant = rehearse(rule)
    plant.scan(0, "tank", tank_level=97.5, water_flow=2.0)
    finding: Finding = next(iter(plant.findings.values()))
    told = {(item.point, item.value, item.unit, seconds(item.at_us))
            for item in finding.evidence if item.kind is not EvidenceKind.PART}  # fmt: skip
    assert told == {
        ("tank_level", 97.5, "%", 0.0),
        ("water_flow", 2.0, "m3/h", 0.0),
        ("room", 2.5, "", 0.0),
        ("wet", 1.0, "bool", 0.0),
        ("least", 5.0, "%", 0.0),
    }


def test_a_pending_finding_says_when_it_will_be_raised() -> None:
    plant = rehearse('when: tank_level > 95, for: "5 min"')
    plant.scan(30, "tank", tank_level=96.0)
    (pending,) = plant.engine.pending()
    assert (pending.state, seconds(pending.onset_us), seconds(pending.raised_us)) == (FindingState.PENDING, 30.0, 330.0)
    assert plant.engine.active() == []


def test_the_end_of_data_is_not_judged() -> None:
    plant = rehearse("when: tank_level > 95", allowance_us=2_000_000)
    plant.scan(0, "tank", tank_level=96.0)
    plant.beat(1.999)
    assert plant.changes == []
    plant.send(Heartbeat(plant.at(2)))
    assert story(plant) == [(0.0, None)]
