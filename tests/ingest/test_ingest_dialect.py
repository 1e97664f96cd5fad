"""The own dialect and UDMI beyond their golden cases: limits, state, any payload at all."""

import json
from typing import Any

import msgspec
import pytest
from golden import GOLDEN, Player
from hypothesis import given
from hypothesis import strategies as st

from facility.errors import InputError
from facility.instant import format_instant, from_us
from facility.reading import Quality, Scan
from facility.site_file import parse_site
from ingest.payload import MAX_PAYLOAD_BYTES
from ingest.routing import Router

LIFT = "plantroom/demo/lift-1/readings"
AHU = "/devices/AHU-1/events/pointset"


def make_router() -> Router:
    return Player("site.yaml").router


def decode(router: Router, topic: str, payload: bytes) -> tuple[tuple[Scan, ...], str]:
    player = Player("site.yaml")
    player.router = router
    return player.play({"topic": topic, "hex": payload.hex()})


def test_a_problem_names_the_topic_the_field_and_the_way_out() -> None:
    _, said = decode(make_router(), LIFT, b'{"at": "2026-11-21T09:00:00Z", "values": {"door_status": "opn"}}')
    assert said == f"{LIFT}: values.door_status: 'opn' is not a value of door_status. Did you mean 'open'?"


def test_too_large_is_refused_before_it_is_parsed() -> None:
    _, said = decode(make_router(), LIFT, b"[" + b" " * MAX_PAYLOAD_BYTES)
    assert "at most 262,144 are read" in said


def test_deep_nesting_is_refused() -> None:
    scans, said = decode(make_router(), LIFT, b'{"x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}")
    assert scans == ()
    assert "not JSON" in said


def test_bytes_that_are_not_utf8_are_refused() -> None:
    scans, said = decode(make_router(), LIFT, b'{"at": "2026-11-21T09:00:00Z", "values": {"fault_code": "\xff"}}')
    assert scans == ()
    assert "not JSON" in said


@pytest.mark.parametrize(
    ("point_state", "quality"),
    [
        ({"value_state": "overridden"}, Quality.SUBSTITUTED),
        ({"value_state": "failure"}, Quality.STALE),
        ({"value_state": "applied"}, Quality.GOOD),
        ({"status": {"level": 500, "message": "no answer"}}, Quality.STALE),
        ({"status": {"level": 300}}, Quality.GOOD),
    ],
)
def test_udmi_state_says_how_far_a_point_is_believed(point_state: dict[str, Any], quality: Quality) -> None:
    router = make_router()
    state = {"timestamp": "2026-11-21T09:00:00Z", "pointset": {"points": {"supply_fan_status": point_state}}}
    decode(router, "/devices/AHU-1/state", json.dumps(state).encode())
    payload = b"""{"timestamp": "2026-11-21T09:00:10Z", "points": {"supply_fan_status": {"present_value": 1},
        "supply_air_temperature_sensor": {"present_value": 50}}}"""
    (scan,), _ = decode(router, AHU, payload)
    assert {value.point: value.quality for value in scan.values} == {
        "supply_fan_status": quality,
        "supply_air_temperature": Quality.GOOD,
    }


json_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
near_miss = st.fixed_dictionaries(
    {},
    optional={
        "at": json_value | st.just("2026-11-21T09:00:00Z"),
        "timestamp": json_value | st.just("2026-11-21T09:00:00Z"),
        "values": json_value
        | st.dictionaries(st.sampled_from(["car_position", "door_status"]), json_value, max_size=2),
        "points": json_value | st.dictionaries(st.just("supply_fan_status"), json_value, max_size=1),
    },
)


@given(payload=st.binary(max_size=80) | json_value.map(msgspec.json.encode) | near_miss.map(msgspec.json.encode))
def test_any_payload_is_read_or_refused_and_nothing_else(payload: bytes) -> None:
    router = make_router_once()
    for topic in (LIFT, AHU, "/devices/AHU-1/state"):
        scans, said = decode(router, topic, payload)
        assert all(isinstance(value.value, str) or abs(value.value) < float("inf") for s in scans for value in s.values)
        assert said == "" or topic in said


_routers: list[Router] = []


def make_router_once() -> Router:
    if not _routers:
        _routers.append(make_router())
    return _routers[0]


@given(
    at_us=st.integers(min_value=0, max_value=4_102_444_800_000_000),
    position=st.floats(allow_nan=False, allow_infinity=False),
)
def test_what_is_written_is_what_is_read(at_us: int, position: float) -> None:
    body = {"at": format_instant(from_us(at_us)), "values": {"car_position": position}}
    scans, said = decode(make_router_once(), LIFT, msgspec.json.encode(body))
    assert said == ""
    assert [(scan.at_us, scan.values[0].value) for scan in scans] == [(at_us, position)]


def test_two_assets_on_one_topic_are_refused() -> None:
    text = (GOLDEN / "site.yaml").read_text(encoding="utf-8").replace("works/pumps/1", "plantroom/demo/lift-1/readings")
    with pytest.raises(InputError, match="'lift-1' and 'pump-1' both publish on 'plantroom/demo/lift-1/readings'"):
        Router(parse_site(text, "site.yaml"))
