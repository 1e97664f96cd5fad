"""Windows, rates and counts: the same as counting over the whole history by hand."""

import itertools
import json
import math
import statistics
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facility.reading import Quality
from rules.rehearsal import Rehearsal

START_US = 1_772_416_800_000_000
History = list[tuple[int, float]]
WINDOW = 300


def told(term: str, readings: History, *, points: dict[str, object] | None = None, lets: str = "") -> float | None:
    """The value of a term after these readings (seconds, level), by way of the evidence of a finding."""
    own = points or {"tank_level": {"cadence": 60}}
    asset = {"id": "tank", "class": "tank", "points": own}
    site = {"site": {"id": "s", "zone": "UTC"}, "buildings": [{"id": "b", "assets": [asset]}]}
    rules = f"""
rules:
  - {{id: now, class: tank, name: {{en: Now}}, severity: low, advice: Look, when: 'water_flow > 0',
     let: {{ {lets} term: '{term}'}}}}
"""
    site["buildings"][0]["assets"][0]["points"] = {**own, "water_flow": {"cadence": 60}}  # type: ignore[index]  # json
    plant = Rehearsal(json.dumps(site), {"own.yaml": rules}, start_us=START_US)
    name = next(iter(own))
    for at, value in readings[:-1]:
        plant.scan(at, "tank", **{name: value}, water_flow=0.0)  # type: ignore[arg-type]  # values, not a quality
    at, value = readings[-1]
    plant.scan(at, "tank", **{name: value}, water_flow=1.0)  # type: ignore[arg-type]  # values, not a quality
    (finding,) = plant.findings.values()
    return next((float(item.value) for item in finding.evidence if item.point == "term"), None)


def within(readings: History) -> list[float]:
    """The values in the window that ends with the last reading."""
    end = readings[-1][0]
    return [value for at, value in readings if end - WINDOW < at <= end]


def before(readings: History) -> float:
    """The value in force at the window's start."""
    start = readings[-1][0] - WINDOW
    return [value for at, value in readings if at <= start][-1]


def changes(readings: History) -> float:
    """How often the value changed inside the window."""
    end = readings[-1][0]
    pairs = itertools.pairwise(readings)
    return float(sum(one[1] != two[1] and end - WINDOW < two[0] <= end for one, two in pairs))


HISTORIES = st.lists(
    st.tuples(st.integers(5, 90), st.sampled_from([10.0, 20.0, 20.5, 33.25])), min_size=70, max_size=90
).map(lambda steps: [(sum(gap for gap, _ in steps[: index + 1]), value) for index, (_, value) in enumerate(steps)])


@pytest.mark.parametrize(
    ("term", "by_hand"),
    [
        ('mean(tank_level, "5 min")', lambda rows: statistics.fmean(within(rows))),
        ('lowest(tank_level, "5 min")', lambda rows: min(within(rows))),
        ('highest(tank_level, "5 min")', lambda rows: max(within(rows))),
        ('total(tank_level, "5 min")', lambda rows: sum(within(rows))),
        ('deviation(tank_level, "5 min")', lambda rows: statistics.pstdev(within(rows))),
        ('delta(tank_level, "5 min")', lambda rows: rows[-1][1] - before(rows)),
        ('rate(tank_level, "5 min")', lambda rows: (rows[-1][1] - before(rows)) * 12),
        ('ago(tank_level, "5 min")', before),
        ('changes(tank_level, "5 min")', changes),
        ('count(tank_level > 15, "5 min")', lambda rows: float(sum(value > 15 for value in within(rows)))),
    ],
)
@settings(max_examples=10, deadline=None)
@given(HISTORIES)
def test_a_window_is_what_counting_by_hand_gives(
    term: str, by_hand: Callable[[History], float], readings: History
) -> None:
    assert told(term, readings) == pytest.approx(by_hand(readings), abs=1e-9)


def steady(minutes: int, *, until: float = 0.0) -> History:
    """A reading a minute, 1 until that minute and 2 afterwards."""
    return [(minute * 60, 1.0 if minute < until else 2.0) for minute in range(minutes + 1)]


def test_a_window_is_unknown_until_it_is_full_and_a_count_is_not() -> None:
    assert told('mean(tank_level, "5 min")', steady(4)) is None
    assert told('mean(tank_level, "5 min")', steady(5)) == 2.0
    assert told('changes(tank_level, "5 min")', steady(2, until=1)) == 1.0


def test_a_window_with_a_hole_of_more_than_a_quarter_is_unknown() -> None:
    whole = steady(70)
    small = [row for row in whole if not 600 <= row[0] <= 1200]
    large = [row for row in whole if not 600 <= row[0] <= 1800]
    assert told('mean(tank_level, "1 h")', small) is not None
    assert told('mean(tank_level, "1 h")', large) is None


def test_windows_begin_anew_after_time_nobody_listened_to() -> None:
    rows = [*steady(30), *[(at + 90_000, value) for at, value in steady(4)]]
    assert told('lowest(tank_level, "5 min")', rows) is None


def test_a_counter_goes_on_through_reset_and_roll_over_but_may_run_backward() -> None:
    points: dict[str, object] = {"water_volume": {"cadence": 60}}
    rising = [(minute * 60, 990.0 + minute) for minute in range(6)]
    reset = [*rising, (360, 1.0), (420, 3.0)]
    assert told('delta(water_volume, "6 min")', reset, points=points) == pytest.approx(7.0)
    backward = [*rising, (360, 994.0), (420, 990.0)]
    assert told('delta(water_volume, "5 min")', backward, points=points) == pytest.approx(-2.0)


def test_since_counts_the_seconds_without_a_break() -> None:
    assert told("since(tank_level == 2)", steady(9, until=4)) == 300.0
    assert told("since(tank_level == 1)", steady(9, until=4)) == 0.0


def test_starts_counts_becoming_true() -> None:
    rows = [(minute * 60, float(minute % 2)) for minute in range(10)]
    assert told('starts(tank_level == 1, "1 h")', rows) == 5.0
    assert told('starts(tank_level == 1, "4 min")', rows) == 2.0


def test_a_long_window_of_many_readings_stays_small_and_right() -> None:
    rows = [(second, 20.0 + math.sin(second / 100)) for second in range(0, 8000, 2)]
    end = rows[-1][0]
    inside = [value for at, value in rows if end - 7200 < at <= end]
    assert told('mean(tank_level, "2 h")', rows) == pytest.approx(statistics.fmean(inside), abs=0.01)
    assert told('deviation(tank_level, "2 h")', rows) == pytest.approx(statistics.pstdev(inside), abs=0.01)


def rehearse(when: str, zone: str = "UTC", occupied: object = None) -> Rehearsal:
    """A tank and one rule with this condition."""
    asset = {"id": "tank", "class": "tank", "points": {"tank_level": {"cadence": 60}, "water_flow": {}}}
    building = {"id": "b", "occupied": occupied or {}, "assets": [asset]}
    site = {"site": {"id": "s", "zone": zone}, "buildings": [building]}
    rule = {"id": "it", "class": "tank", "name": {"en": "It"}, "severity": "low", "advice": "Look", "when": when}
    return Rehearsal(json.dumps(site), {"own.yaml": json.dumps({"rules": [rule]})}, start_us=START_US)


def test_since_wakes_the_rule_exactly_when_it_crosses_its_limit() -> None:
    plant = rehearse("since(tank_level > 5) >= 90.5 and since(tank_level > 5) < 100")
    plant.scan(0, "tank", tank_level=6.0)
    for beat in range(7, 120, 7):
        plant.beat(beat)
    (finding,) = plant.findings.values()
    assert (finding.onset_us, finding.cleared_us) == (plant.at(90.5), plant.at(100))


def test_the_hours_of_the_building_wake_the_rule_exactly() -> None:
    # the start is Monday 02:00 UTC, which is 10:00 in Shanghai
    plant = rehearse("tank_level > 5 and not occupied()", "Asia/Shanghai", {"mon-fri": ["08:00-10:07"]})
    plant.scan(0, "tank", tank_level=6.0)
    for beat in range(13, 600, 13):
        plant.beat(beat)
        plant.scan(beat + 1, "tank", tank_level=6.0)
    (finding,) = plant.findings.values()
    assert finding.onset_us == plant.at(420)


def test_the_hour_is_local() -> None:
    plant = rehearse("tank_level > 5 and hour() == 10", "Asia/Shanghai")
    plant.scan(0, "tank", tank_level=6.0)
    assert [item.onset_us for item in plant.findings.values()] == [plant.at(0)]


def test_a_flag_is_told_by_rules_about_quality() -> None:
    plant = rehearse("out_of_range(tank_level)")
    plant.scan(0, "tank", tank_level=6.0)
    plant.scan(60, "tank", Quality.OUT_OF_RANGE, tank_level=600.0)
    (finding,) = plant.findings.values()
    assert (finding.onset_us, finding.evidence[0].value) == (plant.at(60), 600.0)
    plant.scan(120, "tank", tank_level=6.0)
    assert next(iter(plant.findings.values())).cleared_us == plant.at(120)
