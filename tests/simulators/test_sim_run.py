"""The simulation: same seed, same messages; restart is invisible; truth comes beside; the demo fits its site."""

from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
import pytest

from facility.instant import SECOND_US, parse_instant, to_us
from facility.registry import Registry
from facility.site_file import parse_site
from simulators.dialect import Message
from simulators.run import REPLAYED_US, Simulation
from simulators.scenario import Scenario, parse_scenario

HOUR_US = 3600 * SECOND_US


@cache
def demo() -> Scenario:
    return parse_scenario(files("plantroom").joinpath("demo/scenario.yaml").read_text(encoding="utf-8"), "s.yaml")


@cache
def site() -> Registry:
    return parse_site(files("plantroom").joinpath("demo/site.yaml").read_text(encoding="utf-8"), "site.yaml")


def start() -> int:
    assert demo().start_us is not None
    return demo().start_us or 0


@cache
def first_hours() -> tuple[Message, ...]:
    return tuple(Simulation(demo()).advance(start() + 4 * HOUR_US))


def body(message: Message) -> dict[str, Any]:
    return msgspec.json.decode(message.payload, type=dict[str, Any])


def at_us(message: Message) -> int:
    said = body(message)
    return to_us(parse_instant(said.get("at") or said["timestamp"]))


def is_truth(message: Message) -> bool:
    return message.topic.startswith("simulation/")


def test_the_same_seed_says_the_same_in_pieces_of_any_size() -> None:
    simulation, pieces = Simulation(demo()), []
    for part in (1, 59, 60, 61, 3600, 7777):
        pieces += simulation.advance(simulation.at_us + part * SECOND_US)
    pieces += simulation.advance(start() + 4 * HOUR_US)
    assert tuple(pieces) == first_hours()
    other = Simulation(replace(demo(), seed=1)).advance(start() + HOUR_US)
    assert other != [message for message in first_hours() if at_us(message) <= start() + HOUR_US]


def test_a_restart_continues_as_if_nothing_had_happened() -> None:
    later = start() + 2 * HOUR_US + 25 * SECOND_US
    restarted = Simulation(demo(), later)
    assert restarted.at_us <= later < restarted.next_us
    rest = [message for message in first_hours() if at_us(message) > restarted.at_us and not is_truth(message)]
    again = restarted.advance(start() + 4 * HOUR_US)
    assert [message for message in again if not is_truth(message)] == rest


def test_a_restart_after_months_is_bounded_and_keeps_the_lasting_faults() -> None:
    progress: list[float] = []
    months = start() + 91 * 24 * HOUR_US  # a Monday
    light = tuple(plan for plan in demo().plants if plan.id == "light")
    failure = tuple(event for event in demo().events if event.asset_id == "LC-2")
    quick = replace(demo(), plants=light, steps={"light": 60}, dialects=(), events=failure)
    simulation = Simulation(quick, months, progress.append)
    assert len(progress) == REPLAYED_US // HOUR_US
    assert progress == sorted(progress)
    said = {message.topic: body(message) for message in simulation.advance(months + 4 * HOUR_US)}
    assert said["plantroom/demo/LC-1/readings"]["values"]["burn_hours"] > 12_000 + 60 * 12
    office, lobby = (said[f"plantroom/demo/{circuit}/readings"]["values"] for circuit in ("LC-2", "LC-1"))
    assert lobby["circuit_power"] == pytest.approx(24 * 36, rel=0.02)
    assert office["circuit_power"] == pytest.approx(18 * 36 * office["lamp_level"] / 100, rel=0.02)


def test_without_a_start_it_begins_when_it_is_asked_to() -> None:
    scenario = replace(demo(), start_us=None)
    simulation = Simulation(scenario, start() + 7 * SECOND_US)
    assert simulation.start_us == start() + 7 * SECOND_US
    with pytest.raises(ValueError, match="from_us"):
        Simulation(scenario)


def test_truth_names_what_broke_at_its_instant() -> None:
    truths = [body(message) for message in first_hours() if is_truth(message)]
    assert truths[0] == {
        "at": "2026-11-23T00:03:00Z", "asset": "LC-2", "fault": "lamps_failed", "component": "lamps", "on": True,
        "severity": 0.25,
    }  # fmt: skip
    due = [event for event in demo().events if event.after_us < 4 * HOUR_US]
    assert [(t["asset"], t["fault"], t["severity"]) for t in truths] == [
        (event.asset_id, event.fault, event.severity) for event in due
    ]


def test_messages_are_in_order_and_sixty_times_real_time_is_a_bearable_load() -> None:
    instants = [at_us(message) for message in first_hours()]
    assert instants == sorted(instants)
    a_minute = len(first_hours()) / 240
    assert 25 < a_minute < 60


def test_every_value_is_a_point_of_its_asset_inside_its_range() -> None:
    seen: dict[str, set[str]] = {asset: set() for asset in site().assets}
    for message in first_hours():
        parts = message.topic.split("/")
        if is_truth(message) or parts[1] == "devices":
            continue
        asset = site().assets[parts[2]]
        for name, value in body(message)["values"].items():
            point = asset.points[name]
            seen[asset.id].add(name)
            if point.type.is_text:
                assert not point.type.values or value in point.type.values
            else:
                assert point.minimum is None or value >= point.minimum
                assert point.maximum is None or value <= point.maximum
    for name, points in seen.items():
        if name != "AHU-1" and site().assets[name].equipment_class.name != "monitor":
            assert points == set(site().assets[name].points), name


def test_the_first_air_handler_speaks_udmi_in_its_own_units() -> None:
    source = site().assets["AHU-1"].source
    assert source is not None
    message = next(message for message in first_hours() if message.topic == f"{source.topic}/events/pointset")
    said = body(message)
    assert set(said) == {"version", "timestamp", "points"}
    assert set(said["points"]) == set(source.points)
    assert {wire.point for wire in source.points.values()} == set(site().assets["AHU-1"].points)
    fahrenheit = said["points"]["supply_air_temperature_sensor"]["present_value"]
    assert source.points["supply_air_temperature_sensor"].unit == "degF"
    assert 60 < fahrenheit < 70
    assert 0.9 < said["points"]["supply_air_static_pressure_sensor"]["present_value"] < 1.1


def test_a_fault_changes_nothing_before_its_time() -> None:
    whole = Simulation(replace(demo(), events=())).advance(start() + 6 * 60 * SECOND_US)
    broken = [m for m in first_hours() if at_us(m) <= start() + 6 * 60 * SECOND_US and not is_truth(m)]
    different = {message.topic for message, other in zip(broken, whole, strict=True) if message != other}
    assert different == {"plantroom/demo/LC-2/readings"}
