"""The conformance kit: what each aspect makes of a good and of a bad device."""

import json
from itertools import count

import pytest

from facility.instant import format_instant, from_us
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.conformance import Mark, Verdict, of_device, worst
from ingest.conformance_examine import examine, matches
from ingest.conformance_listen import Heard

S = 10**6
START = 1_795_000_000 * S
TOPIC = "plantroom/demo/Z-1/readings"
SITE = """
site: {id: demo, zone: UTC}
buildings:
  - id: tower
    assets:
      - {id: Z-1, class: zone, points: {zone_air_temperature: {cadence: 60 s}, relative_humidity: {cadence: 60 s}}}
"""


def site() -> Registry:
    return parse_site(SITE, "site.yaml")


def message(
    at_us: int, *, arrived_us: int | None = None, qos: int = 1, retained: bool = False, **values: float
) -> Heard:

    given = values or {"zone_air_temperature": 21.0 + at_us % 7 / 10, "relative_humidity": 40.0}
    payload = json.dumps({"at": format_instant(from_us(at_us)), "values": given}).encode()
    return Heard(arrived_us if arrived_us is not None else at_us, TOPIC, payload, qos, retained)


def minutes(number: int) -> list[int]:
    return [START + minute * 60 * S for minute in range(number)]


def mark(marks: list[Mark], aspect: str, point: str = "") -> Mark:
    return next(one for one in marks if (one.aspect, one.point) == (aspect, point))


def judged(heard: list[Heard], span_s: int = 600) -> list[Mark]:
    return examine(heard, [TOPIC], site(), span_us=span_s * S)


def test_a_good_device_passes_and_what_was_not_shown_is_said() -> None:
    marks = judged([message(at_us) for at_us in minutes(10)])
    assert worst(marks) is Verdict.PASS
    assert {one.aspect for one in marks if one.verdict is Verdict.UNSEEN} == {"last will", "reconnect"}
    assert mark(marks, "cadence", "relative_humidity").said == "every 1 min, expected every 1 min"


@pytest.mark.parametrize(
    ("heard", "aspect", "verdict"),
    [
        ([message(at, arrived_us=at - 8 * 3600 * S) for at in minutes(5)], "clock", Verdict.FAIL),
        ([message(at, arrived_us=at + 20 * S) for at in minutes(5)], "clock", Verdict.WARN),
        ([message(at, arrived_us=START) for at in reversed(minutes(5))], "order", Verdict.FAIL),
        ([message(at, qos=0) for at in minutes(5)], "qos", Verdict.WARN),
        ([message(START, retained=True), *(message(at) for at in minutes(5))], "retained", Verdict.FAIL),
        ([message(at) for at in minutes(5) for _ in range(2)], "repeated", Verdict.FAIL),
        ([Heard(START, TOPIC, b'{"at": "2026-11-21T09:00:00", "values": {}}', 1, False)], "payload", Verdict.FAIL),
    ],
)
def test_a_bad_habit_is_named_with_advice(heard: list[Heard], aspect: str, verdict: Verdict) -> None:
    found = mark(judged(heard), aspect)
    assert found.verdict is verdict
    assert found.advice


@pytest.mark.parametrize(
    ("step_s", "span_s", "verdict"),
    [(60, 600, Verdict.PASS), (90, 600, Verdict.PASS), (100, 600, Verdict.WARN), (200, 600, Verdict.FAIL)],
)
def test_cadence_is_held_against_the_site_file(step_s: int, span_s: int, verdict: Verdict) -> None:
    heard = [message(START + number * step_s * S) for number in range(span_s // step_s)]
    assert mark(judged(heard, span_s), "cadence", "relative_humidity").verdict is verdict


def test_a_point_that_never_came_fails_when_it_was_listened_for_long_enough() -> None:
    heard = [message(at, zone_air_temperature=21.0) for at in minutes(2)]
    assert mark(judged(heard, 120), "cadence", "relative_humidity").verdict is Verdict.UNSEEN
    assert mark(judged(heard, 180), "cadence", "relative_humidity").verdict is Verdict.FAIL


def test_values_in_another_unit_are_recognised() -> None:
    marks = judged([message(at, zone_air_temperature=71.6, relative_humidity=0.4) for at in minutes(5)])
    assert mark(marks, "range", "zone_air_temperature").verdict is Verdict.FAIL
    assert "degF" in mark(marks, "unit", "zone_air_temperature").said
    assert mark(marks, "unit", "relative_humidity").verdict is Verdict.WARN


def test_after_a_gap_it_shows_whether_readings_were_kept() -> None:
    before, after = minutes(3), [START + 3600 * S + number * 60 * S for number in range(3)]
    lost = judged([message(at) for at in before + after], 4000)
    assert mark(lost, "reconnect").verdict is Verdict.WARN
    kept = [message(at) for at in before]
    kept += [message(START + at * 60 * S, arrived_us=after[0]) for at in range(3, 60)]
    kept += [message(at) for at in after]
    assert mark(judged(kept, 4000), "reconnect").verdict is Verdict.PASS


def test_a_last_will_is_seen() -> None:
    from_device = [
        Heard(START, "zigbee2mqtt/room/availability", b'{"state": "online"}', 1, True),
        *(Heard(at, "zigbee2mqtt/room", b'{"temperature": 21.5, "humidity": 40}', 1, False) for at in minutes(5)),
    ]
    marks = examine(from_device, ["zigbee2mqtt/#"], site(), span_us=600 * S)
    assert mark(marks, "last will").verdict is Verdict.PASS
    assert mark(marks, "mapping").verdict is Verdict.WARN
    assert mark(of_device(marks, "room"), "range", "zone_air_temperature").verdict is Verdict.PASS


def test_a_device_of_no_site_file_is_examined_by_the_proposed_mapping() -> None:
    numbers = count(20)
    heard = [
        Heard(at, "bms/room", json.dumps({"RoomTemp_C": next(numbers), "x": "?"}).encode(), 1, False)
        for at in minutes(5)
    ]
    marks = examine(heard, ["bms/room"], None, span_us=600 * S)
    assert worst(marks) is Verdict.WARN
    assert {one.point for one in marks} == {"", "zone_air_temperature"}


def test_silence_and_nonsense_fail() -> None:
    assert worst(judged([])) is Verdict.FAIL
    nonsense = examine([Heard(START, "a/b", b"\xff", 1, False)], ["a/b"], None, span_us=S)
    assert [one.aspect for one in nonsense] == ["mapping"]
    assert worst(nonsense) is Verdict.FAIL


@pytest.mark.parametrize(
    ("topic_filter", "topic", "taken"),
    [("a/b", "a/b", True), ("a/+", "a/b", True), ("a/#", "a/b/c", True), ("#", "a", True), ("a/+", "a/b/c", False),
     ("a/b", "a", False), ("a", "a/b", False), ("a/#", "b", False), ("a/#", "a", True)],
)  # fmt: skip
def test_filters_take_what_mqtt_says(topic_filter: str, topic: str, taken: bool) -> None:
    assert matches(topic_filter, topic) is taken


def test_a_mark_that_is_not_good_needs_advice() -> None:
    with pytest.raises(ValueError, match="without advice"):
        Mark("a", "", "qos", Verdict.FAIL, "x")
