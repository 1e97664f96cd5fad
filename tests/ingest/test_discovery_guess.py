"""What an unknown device likely is: dialect and key from the topic, points and class from names, units and values."""

import json
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.discovery_guess import guess_device, tokens
from ingest.discovery_shape import MAX_NAME, MAX_VALUE, MAX_VALUES, Named, shape_of

Case = tuple[str, Any, str, str, str, dict[str, str]]
CASES: list[Case] = [
    ("zigbee2mqtt/living room", {"temperature": 21.4, "humidity": 44, "linkquality": 80},
     "zigbee2mqtt/living room", "zigbee2mqtt", "zone",
     {"temperature": "zone_air_temperature", "humidity": "relative_humidity"}),
    ("zigbee2mqtt/leak kitchen", {"water_leak": False, "battery_low": False},
     "zigbee2mqtt/leak kitchen", "zigbee2mqtt", "leak_sensor", {"water_leak": "leak_detected"}),
    ("tele/plug1/SENSOR", {"Time": "2026-11-21T00:00:00", "ENERGY": {"Power": 12, "Voltage": 230}},
     "tele/plug1", "tasmota", "sensor", {"ENERGY.Power": "power"}),
    ("shellyplus1pm-a8/status/switch:0", {"id": 0, "output": True, "apower": 7.8},
     "shellyplus1pm-a8", "shelly", "sensor", {"switch:0.output": "run_status", "switch:0.apower": "power"}),
    ("site/AHU-7/events/pointset",
     {"points": {"supply_air_temperature_sensor": {"present_value": 16},
                 "supply_fan_run_status": {"present_value": True},
                 "outside_air_damper_percentage_command": {"present_value": 20}}},
     "site/AHU-7", "udmi", "ahu",
     {"supply_air_temperature_sensor": "supply_air_temperature", "supply_fan_run_status": "supply_fan_status",
      "outside_air_damper_percentage_command": "outside_air_damper_command"}),
    ("plantroom/demo/PUMP-9/readings", {"at": "z", "values": {"run_status": 1, "water_flow": 3.0}},
     "plantroom/demo/PUMP-9/readings", "plantroom", "pump", {"run_status": "run_status", "water_flow": "water_flow"}),
    ("senml/x", [{"bn": "urn:", "n": "temp", "u": "Cel", "v": 22}, {"n": "hum", "u": "%RH", "v": 40}],
     "senml/x", "senml", "zone", {"urn:temp": "zone_air_temperature", "urn:hum": "relative_humidity"}),
    ("homie/5/pump/main/power", 7, "homie/5/pump", "homie", "pump", {"main/power": "power"}),
    ("bms/f2/co2", {"ts": 1, "CO2": 600, "RoomTemp_C": 22.5, "rh": 40}, "bms/f2/co2", "json", "zone",
     {"CO2": "co2", "RoomTemp_C": "zone_air_temperature", "rh": "relative_humidity"}),
]  # fmt: skip


@pytest.mark.parametrize(("topic", "data", "key", "dialect", "kind", "points"), CASES, ids=[case[0] for case in CASES])
def test_what_a_device_likely_is(
    topic: str, data: object, key: str, dialect: str, kind: str, points: dict[str, str]
) -> None:
    shape = shape_of(topic, json.dumps(data).encode())
    guess = guess_device(shape.words, shape.values)
    assert (shape.key, shape.dialect) == (key, dialect)
    assert {one.name: one.point for one in guess.points} == points
    assert guess.equipment_class == kind


def test_a_unit_that_is_said_is_used_and_one_that_does_not_fit_counts_against() -> None:
    (fahrenheit,) = guess_device("x", [Named("supply_air_temperature", 61.0, "degF")]).points
    assert (fahrenheit.point, fahrenheit.unit) == ("supply_air_temperature", "degF")
    assert guess_device("x", [Named("supply_air_temperature", 61.0, "kWh")]).points == ()


def test_each_point_is_proposed_once() -> None:
    guess = guess_device("x", [Named("temperature", 20.0), Named("zone_air_temperature", 21.0)])
    assert [one.name for one in guess.points if one.point == "zone_air_temperature"] == ["zone_air_temperature"]


def test_names_are_taken_apart_as_people_write_them() -> None:
    assert tokens("SupplyAirTemp_degC") == ["supply", "air", "temperature", "degc"]
    assert tokens("3号水泵") == ["号水泵"]


def test_a_sparkplug_birth_names_its_metrics() -> None:
    def text(number: int, data: bytes) -> bytes:
        return bytes([number << 3 | 2, len(data)]) + data

    metric = text(1, b"Supply/Temperature") + bytes([4 << 3, 9]) + bytes([12 << 3 | 5]) + struct.pack("<f", 7.5)
    shape = shape_of("spBv1.0/Plant/DBIRTH/edge-1/chiller", text(2, metric))
    assert (shape.key, shape.dialect) == ("spBv1.0/Plant/edge-1/chiller", "sparkplug")
    assert shape.values == (Named("Supply/Temperature", 7.5),)
    assert shape_of("spBv1.0/Plant/NBIRTH/edge-1", b"\xff").values == ()


@given(st.text(max_size=60), st.binary(max_size=300))
def test_nothing_a_device_sends_trips_it(topic: str, payload: bytes) -> None:
    shape = shape_of(topic, payload)
    guess_device(shape.words, shape.values)


@settings(deadline=None)
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5), max_leaves=30,
))  # fmt: skip
def test_what_is_kept_of_any_json_is_bounded(data: object) -> None:
    for topic in (
        "a/b",
        "x/events/pointset",
        "zigbee2mqtt/n",
        "homie/5/d/n/p",
        "d/events/rpc",
        "plantroom/a/b/readings",
    ):
        shape = shape_of(topic, json.dumps(data).encode())
        guess_device(shape.words, shape.values)
        assert len(shape.values) <= MAX_VALUES
        for one in shape.values:
            assert 0 < len(one.name) <= MAX_NAME
            assert not isinstance(one.value, str) or len(one.value) <= MAX_VALUE
