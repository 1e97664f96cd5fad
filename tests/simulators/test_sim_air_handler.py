"""The air handler: comfort and control in every season, energy balances, and what each broken part does."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from facility.instant import parse_instant, to_us
from simulators.air_handler import AirHandler, AirHandlerPlant
from simulators.air_handler_zone import AIR_J_PER_M3K, ZonePlan
from simulators.control import Command, Loop
from simulators.plant import Values
from simulators.surroundings import Surroundings, Weather, World

ZONES = [ZonePlan(asset="Z1", people=14), ZonePlan(asset="Z2", people=12, facade=1.15)]


def unit(warm_up: float = 0.4) -> AirHandler:
    return AirHandlerPlant(id="air", model="air_handler", asset="A", zones=ZONES, warm_up=warm_up).build("seed")


def live(
    air: AirHandler, mean: float, day: str, begin_h: float, end_h: float
) -> Iterator[tuple[Surroundings, dict[str, Values]]]:
    """Minute by minute from one hour after a local midnight to another."""
    world = World(Weather(mean=mean), ZoneInfo("Asia/Shanghai"), 3)
    midnight_us = to_us(parse_instant(f"{day}T00:00:00+08:00"))
    for minute in range(round(begin_h * 60) + 1, round(end_h * 60) + 1):
        around = world.at(midnight_us + minute * 60_000_000)
        yield around, {sample.asset_id: sample.values for sample in air.step(around, 60.0)}


def last(air: AirHandler, begin_h: float, end_h: float) -> dict[str, Values]:
    """What was said last between two hours of an autumn Monday."""
    return [said for _, said in live(air, 12.5, "2026-11-23", begin_h, end_h)][-1]


def number(values: Values, point: str) -> float:
    return float(values[point])


SEASONS = [(1.0, "2026-01-12"), (12.5, "2026-11-23"), (20.0, "2026-05-11"), (28.0, "2026-07-13")]


@pytest.mark.parametrize(("mean", "day"), SEASONS)
def test_two_working_days_of_any_season_are_comfortable_and_controlled(mean: float, day: str) -> None:
    air = unit(warm_up=2.0)
    for around, said in live(air, mean, day, 0, 48):
        values = said["A"]
        if not values["occupied_mode"]:
            continue
        for zone in ("Z1", "Z2"):
            assert number(said[zone], "co2") < 1000
            if around.hour > 7.6:
                assert 19.5 < number(said[zone], "zone_air_temperature") < 24.5
        if around.hour > 7.8:
            off = number(values, "supply_air_temperature") - number(values, "supply_air_temperature_setpoint")
            assert abs(off) < 1.0
            assert number(values, "supply_air_static_pressure") == pytest.approx(250, abs=25)
        assert not (number(values, "heating_valve_command") > 0 and number(values, "cooling_valve_command") > 0)


def test_the_stages_do_not_flutter() -> None:
    changes, state = 0, None
    for around, said in live(unit(), 6.0, "2026-02-02", 0, 24):
        values = said["A"]
        now = tuple(number(values, point) > 0 for point in ("heating_valve_command", "cooling_valve_command"))
        now += (number(values, "outside_air_damper_command") > 25.5,)
        if 7.5 < around.hour < 19:
            changes += state is not None and now != state
            state = now
    assert changes <= 10


def test_coils_and_fan_account_for_the_supply_temperature() -> None:
    air = unit()
    last(air, 0, 11)
    air.set_fault("A", "heating_valve_leak", 0.5)
    last(air, 11, 13)
    heat = air.heating_w - air.cooling_w + air.fan_w
    assert heat > 0
    assert AIR_J_PER_M3K * air.flow / 3600 * (air.supply_c - air.mixed_c) == pytest.approx(heat, rel=0.06)
    assert sum(zone.flow for zone in air.zones) == pytest.approx(air.flow)


def test_the_night_is_off_with_the_damper_shut() -> None:
    values = last(unit(), 0, 3)["A"]
    assert (values["supply_fan_command"], values["supply_fan_status"], values["air_flow"]) == (0, 0, 0)
    assert (values["outside_air_damper_command"], values["outside_air_damper_position"]) == (0, 0)


def test_a_leaking_heating_valve_warms_the_stream_and_free_cooling_works_against_it() -> None:
    whole, broken = unit(), unit()
    broken.set_fault("A", "heating_valve_leak", 1.0)
    healthy, leaking = (last(air, 0, 12)["A"] for air in (whole, broken))
    assert leaking["heating_valve_command"] == 0
    rise = number(leaking, "supply_air_temperature") - number(leaking, "mixed_air_temperature")
    normal = number(healthy, "supply_air_temperature") - number(healthy, "mixed_air_temperature")
    effort = number(leaking, "cooling_valve_command") + number(leaking, "outside_air_damper_command")
    assert effort > number(healthy, "cooling_valve_command") + number(healthy, "outside_air_damper_command") + 20
    assert broken.heating_w > 3 * broken.fan_w
    assert rise > normal - 8


def test_a_stuck_outdoor_damper_takes_the_outdoor_temperature_in() -> None:
    air = unit()
    last(air, 0, 8)
    air.set_fault("A", "outside_damper_stuck", 1.0)
    values = last(air, 8, 9)["A"]
    assert number(values, "outside_air_damper_position") > 98
    assert number(values, "outside_air_damper_command") < 30
    assert number(values, "mixed_air_temperature") < number(values, "return_air_temperature") - 8
    assert number(values, "heating_valve_command") > 5


def test_a_broken_belt_is_commanded_and_moves_no_air() -> None:
    air = unit()
    last(air, 0, 9)
    air.set_fault("A", "supply_fan_belt", 1.0)
    said = last(air, 9, 10)
    values = said["A"]
    assert (values["supply_fan_command"], values["supply_fan_status"], values["air_flow"]) == (1, 0, 0)
    assert values["supply_fan_speed_command"] == 100
    assert said["Z1"]["air_flow"] == 0
    assert number(said["Z1"], "co2") > 700


def test_a_biased_supply_sensor_keeps_its_reading_and_chills_the_air() -> None:
    whole, broken = unit(), unit()
    broken.set_fault("A", "supply_sensor_bias", 1.0)
    for air in (whole, broken):
        values = last(air, 0, 12)["A"]
        off = number(values, "supply_air_temperature") - number(values, "supply_air_temperature_setpoint")
        assert abs(off) < 1
    assert broken.supply_c < whole.supply_c - 3


def test_a_stuck_cooling_valve_chills_the_stream_and_shows_on_its_feedback() -> None:
    air = unit()
    last(air, 0, 9)
    air.set_fault("A", "cooling_valve_stuck", 0.6)
    values = last(air, 9, 10)["A"]
    assert number(values, "cooling_valve_position") == pytest.approx(60, abs=2)
    assert values["cooling_valve_command"] == 0
    assert air.cooling_w > 1000


def test_a_leaking_cooling_valve_takes_heat_out_while_shut() -> None:
    air = unit()
    air.set_fault("A", "cooling_valve_leak", 1.0)
    assert last(air, 0, 9)["A"]["cooling_valve_command"] == 0
    assert air.cooling_w > 1000


def test_a_clogged_filter_costs_pressure_and_fan_speed() -> None:
    whole, broken = unit(), unit()
    broken.set_fault("A", "filter_clogged", 1.0)
    healthy, clogged = (last(air, 0, 10)["A"] for air in (whole, broken))
    assert number(clogged, "filter_differential_pressure") > 10 * number(healthy, "filter_differential_pressure")
    assert number(clogged, "supply_fan_speed_command") > number(healthy, "supply_fan_speed_command") + 8


def test_a_silent_controller_leaves_its_zones_talking() -> None:
    air = unit()
    air.set_fault("A", "controller_silent", 1.0)
    assert set(last(air, 0, 1)) == {"Z1", "Z2"}


def test_a_stuck_box_starves_its_zone_only() -> None:
    air = unit()
    last(air, 0, 9)
    air.set_fault("Z1", "damper_stuck", 0.05)
    said = last(air, 9, 10)
    assert number(said["Z1"], "air_flow") < 0.4 * number(said["Z1"], "air_flow_setpoint")
    assert number(said["Z2"], "air_flow") == pytest.approx(number(said["Z2"], "air_flow_setpoint"), rel=0.15)


def test_a_leaking_reheat_valve_and_a_biased_room_sensor_warm_and_cool_the_room() -> None:
    whole, leaking, biased = unit(), unit(), unit()
    leaking.set_fault("Z1", "reheat_valve_leak", 1.0)
    biased.set_fault("Z1", "temperature_sensor_bias", 1.0)
    for air in (whole, leaking, biased):
        last(air, 0, 14)
    assert leaking.zones[0].reheat_w > whole.zones[0].reheat_w + 500
    assert biased.zones[0].air_c < whole.zones[0].air_c - 0.5
    assert biased.zones[0].measured_c > biased.zones[0].air_c + 4


def test_a_loop_stops_at_its_limits_and_recovers_at_once() -> None:
    loop = Loop(gain=1.0, reset_s=10.0, low=0.0, high=100.0)
    for _ in range(1000):
        assert 0 <= loop.step(50.0, 1.0) <= 100
    assert loop.step(-10.0, 1.0) < 100


def test_a_command_ignores_tiny_changes_but_reaches_its_ends() -> None:
    command = Command(band=1.0, opening=3.0)
    assert [command.follow(wish) for wish in (2.9, 3.0, 3.5, 5.0, 4.2, 0.4, 0.0, 2.0)] == [0, 3, 3, 5, 5, 0.4, 0, 0]
