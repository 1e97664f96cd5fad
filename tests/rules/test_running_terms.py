"""`average`, `sampled` and `cusum`: from the first reading on, exact over a restart, Unknown where readings are."""

import json

import pytest

from rules.rehearsal import Rehearsal

RULE = """
rules:
  - id: probe
    class: sensor
    name: {en: Probe}
    severity: low
    parameters: {limit: {value: 0, unit: K, note: "set by the test"}}
    when: CONDITION
    advice: None.
"""
SITE = {
    "site": {"id": "s", "zone": "UTC"},
    "buildings": [
        {"id": "b", "assets": [{"id": "a", "class": "sensor", "points": {"zone_air_temperature": {"cadence": 60}}}]}
    ],
}


def active(condition: str, values: list[float | None], step_s: int = 60) -> list[bool]:
    """After each reading (None: only a heartbeat) whether the finding stands."""
    rehearsal = Rehearsal(json.dumps(SITE), {"r.yaml": RULE.replace("CONDITION", condition)}, start_us=10**15)
    states = []
    for index, value in enumerate(values):
        if value is not None:
            rehearsal.scan(index * step_s, "a", zone_air_temperature=value)
        rehearsal.beat(index * step_s)
        states.append(any(finding.state == "active" for finding in rehearsal.findings.values()))
    return states


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        # each reading stands for the minute before it: 10 and 20 make 15
        ('average(zone_air_temperature, "1 h") > 14.9', [10, 10, 20, 20], [False, False, True, True]),
        # the window forgets: 10 has left a window of eight minutes
        ('average(zone_air_temperature, "8 min") > 19.9', [10, 10, *[20] * 8], [False] * 9 + [True]),
        # of an expression, and of one average inside another
        ('average(abs(zone_air_temperature - 15), "1 h") > 4.9', [10, 20], [False, True]),
        (
            'average(abs(zone_air_temperature - average(zone_air_temperature, "8 min")), "1 h") > 2.7',
            [10, 10, 20, 10, 20],
            [False, False, False, True, True],
        ),
        # the value of the last full five minutes
        (
            'zone_air_temperature - sampled(zone_air_temperature, "5 min") > 4.5',
            [1, 2, 3, 4, 6, 7],
            [False] * 4 + [True, False],
        ),
        # 2 above its slack, six times over
        ('cusum(zone_air_temperature - 20, "60 s") > 11', [22] * 6, [False] * 5 + [True]),
        # what falls back below starts anew
        ('cusum(zone_air_temperature - 20, "60 s") > 7', [22, 22, 22, 0, 22, 22, 22], [False] * 7),
    ],
)
def test_a_term_is_known_from_the_first_reading_on(
    condition: str, values: list[float | None], expected: list[bool]
) -> None:
    assert active(condition, values) == expected


def test_a_term_is_unknown_while_readings_are_missing_and_leaves_them_out() -> None:
    condition = 'average(zone_air_temperature, "1 h") > 14.9'
    # the reading is believed for three minutes; the seven without one count for nothing
    assert active(condition, [20, 20, *[None] * 9, 20])[-1] is True
    assert active(f"not ({condition})", [20, 20, *[None] * 9])[1:] == [False] * 10


def test_a_starts_term_may_look_at_an_average() -> None:
    condition = 'starts(zone_air_temperature > average(zone_air_temperature, "10 min"), "10 min") >= 2'
    assert active(condition, [10, 20, 10, 20, 10, 20]) == [False, False, False, False, False, True]
