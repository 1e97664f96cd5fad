"""Where a number is going: days left until a limit, and how sure that is."""

import json
import random
from collections.abc import Callable

import pytest

from rules.rehearsal import Rehearsal

START_US = 1_772_416_800_000_000
HOUR = 3_600
DAY = 24 * HOUR


def told(term: str, value: Callable[[float], float], days: int) -> float | None:
    """What the term says after so many days of readings every six hours; None while it is Unknown."""
    asset = {"id": "ahu", "class": "ahu", "points": {"filter_differential_pressure": {"cadence": 6 * HOUR}}}
    site = {"site": {"id": "s", "zone": "UTC"}, "buildings": [{"id": "b", "assets": [asset]}]}
    term = term.replace("dp", "filter_differential_pressure")
    rules = f"""
rules:
  - {{id: now, class: ahu, name: {{en: Now}}, severity: low, advice: Look, kind: preventive, let: {{term: '{term}'}},
     when: 'filter_differential_pressure > -1000'}}
"""
    plant = Rehearsal(json.dumps(site), {"own.yaml": rules}, start_us=START_US, listening_gap_us=DAY * 10**6)
    for step in range(days * 4):
        plant.scan(step * 6 * HOUR, "ahu", filter_differential_pressure=value(step / 4))
    (finding,) = plant.engine.active()
    again = plant.engine.restore(plant.engine.snapshot())
    assert again.not_applicable() == plant.engine.not_applicable()
    plant.scan(days * DAY, "ahu", filter_differential_pressure=-2000.0)
    plant.scan(days * DAY + 1, "ahu", filter_differential_pressure=value(days))
    (finding,) = plant.engine.active()
    return next((float(item.value) for item in finding.evidence if item.point == "term"), None)


def clogging(day: float, seed: int = 5) -> float:
    """A filter that begins at 80 Pa and gains 2 Pa a day, read with 5 Pa of noise."""
    return 80 + 2 * day + random.Random(day * 977 + seed).gauss(0, 5)


def test_a_filter_that_clogs_says_how_many_days_are_left() -> None:
    left = told("days_to_limit(dp, 250)", clogging, 40)
    assert left == pytest.approx((250 - 80) / 2 - 40, abs=5)
    assert told("trend(dp)", clogging, 40) == pytest.approx(2, abs=0.2)
    sure = told("rising_confidence(dp)", clogging, 40)
    assert sure == pytest.approx(100, abs=1)


def test_it_needs_a_third_of_its_window() -> None:
    assert told("days_to_limit(dp, 250)", clogging, 18) is None
    assert told("days_to_limit(dp, 250)", clogging, 22) is not None
    assert told('days_to_limit(dp, 250, train="21 d")', clogging, 9) is not None


def test_noise_alone_never_reaches_a_limit() -> None:
    def still(day: float) -> float:
        return 100 + random.Random(day * 31).gauss(0, 5)

    assert told("days_to_limit(dp, 250)", still, 60) == 3650
    assert told("days_to_floor(dp, 20)", still, 60) == 3650


def test_wild_days_do_not_move_the_line() -> None:
    def wild(day: float) -> float:
        return 900.0 if int(day) in (11, 25, 33) else clogging(day)

    assert told("trend(dp)", wild, 40) == pytest.approx(2, abs=0.3)


def test_falling_is_told_from_rising() -> None:
    assert told("days_to_floor(dp, 20)", lambda day: 100 - day, 50) == pytest.approx(30, abs=2)
    assert told("days_to_limit(dp, 250)", lambda day: 100 - day, 50) == 3650
    assert told("days_to_limit(dp, 250)", lambda day: 240 + day, 40) == 0


def test_a_new_filter_begins_a_new_line() -> None:
    def changed(day: float) -> float:
        return clogging(day if day < 45 else day - 45)

    assert told("days_to_limit(dp, 250)", changed, 55) is None
    assert told("trend(dp)", changed, 70) == pytest.approx(2, abs=0.4)


def test_a_preventive_finding_says_how_many_days_are_left_and_how_sure_that_is() -> None:
    asset = {"id": "ahu", "class": "ahu", "points": {"filter_differential_pressure": {"cadence": 6 * HOUR}}}
    site = {"site": {"id": "s", "zone": "UTC"}, "buildings": [{"id": "b", "assets": [asset]}]}
    rules = """
rules:
  - {id: clogs, class: ahu, name: {en: Clogs}, severity: low, advice: Change it, kind: preventive,
     parameters: {lead: {value: 21, unit: d, note: what the contract needs to plan a visit}},
     when: 'days_to_limit(filter_differential_pressure, 250) < lead'}
"""
    plant = Rehearsal(json.dumps(site), {"own.yaml": rules}, start_us=START_US, listening_gap_us=DAY * 10**6)
    for step in range(80 * 4):
        plant.scan(step * 6 * HOUR, "ahu", filter_differential_pressure=clogging(step / 4))
    (finding,) = plant.findings.values()
    assert finding.raised_us < START_US + 70 * DAY * 10**6  # two weeks before the limit
    assert finding.days_left == pytest.approx(20, abs=1.5)
    assert finding.confidence == pytest.approx(100, abs=1)


def test_looking_at_how_a_trend_stands_changes_nothing_of_what_is_remembered() -> None:
    asset = {"id": "ahu", "class": "ahu", "points": {"filter_differential_pressure": {"cadence": 6 * HOUR}}}
    site = {"site": {"id": "s", "zone": "UTC"}, "buildings": [{"id": "b", "assets": [asset]}]}
    rules = """
rules:
  - {id: clogs, class: ahu, name: {en: Clogs}, severity: low, advice: Change it, kind: preventive,
     when: 'filter_differential_pressure > 165 or days_to_limit(filter_differential_pressure, 250, train="21 d") < 1'}
"""
    looked, alone = (
        Rehearsal(json.dumps(site), {"own.yaml": rules}, start_us=START_US, listening_gap_us=DAY * 10**6)
        for _ in range(2)
    )
    for step in range(50 * 4):
        for plant in (looked, alone):
            plant.scan(step * 6 * HOUR, "ahu", filter_differential_pressure=clogging(step / 4))
        assert looked.engine.standings("ahu")
    assert looked.findings == alone.findings
    assert looked.findings
    assert looked.engine.snapshot() == alone.engine.snapshot()
