"""Lighting circuits: programme, daylight and occupancy, and what each broken part does."""

import itertools
from zoneinfo import ZoneInfo

import pytest

from facility.instant import parse_instant, to_us
from simulators.lighting import CircuitPlan, Lighting, LightingPlant
from simulators.plant import Values
from simulators.surroundings import Weather, World

MIDNIGHT_US = to_us(parse_instant("2026-11-23T00:00:00+08:00"))
WORLD = World(Weather(), ZoneInfo("Asia/Shanghai"), 1)
CIRCUITS = [
    CircuitPlan(asset="SCHEDULE", control="schedule", lamps=20, lamp_power=36),
    CircuitPlan(asset="DAYLIGHT", control="daylight", lamps=20, lamp_power=36, daylight=0.006),
    CircuitPlan(asset="OCCUPANCY", control="occupancy", lamps=10, lamp_power=36),
]


def lights() -> Lighting:
    return LightingPlant(id="light", model="lighting", circuits=CIRCUITS).build("seed")


def run(light: Lighting, begin_h: float, end_h: float) -> dict[str, list[Values]]:
    """What each circuit said between two hours of Monday."""
    said: dict[str, list[Values]] = {circuit.asset: [] for circuit in CIRCUITS}
    for minute in range(round(begin_h * 60) + 1, round(end_h * 60) + 1):
        for sample in light.step(WORLD.at(MIDNIGHT_US + minute * 60_000_000), 60.0):
            said[sample.asset_id].append(sample.values)
    return said


def series(said: dict[str, list[Values]], asset: str, point: str) -> list[float]:
    return [float(values[point]) for values in said[asset]]


def test_power_is_the_lamps_times_their_level_all_day() -> None:
    said = run(lights(), 0, 24)
    for circuit in CIRCUITS:
        for values in said[circuit.asset]:
            signature = circuit.lamps * circuit.lamp_power * float(values["lamp_level"]) / 100
            assert float(values["circuit_power"]) == pytest.approx(signature, abs=0.3 * circuit.lamp_power)


def test_the_programme_switches_at_its_hours_and_the_night_is_dark() -> None:
    said = run(lights(), 0, 24)
    level = series(said, "SCHEDULE", "lamp_command")
    assert (level[6 * 60 + 58], level[7 * 60]) == (0, 100)
    assert (level[18 * 60 + 58], level[19 * 60]) == (100, 0)
    for asset in said:
        assert max(series(said, asset, "circuit_power")[20 * 60 :]) == 0
    saturday = WORLD.at(MIDNIGHT_US + (5 * 24 + 10) * 3_600_000_000)
    light = lights()
    assert all(sample.values["lamp_command"] == 0 for sample in light.step(saturday, 60.0))


def test_daylight_dims_and_the_desk_stays_lit() -> None:
    said = run(lights(), 0, 24)
    level, lux = series(said, "DAYLIGHT", "lamp_level"), series(said, "DAYLIGHT", "illuminance")
    assert level[12 * 60] < level[18 * 60]
    assert min(lux[7 * 60 + 1 : 19 * 60 - 1]) > 450


def test_occupancy_holds_a_quarter_of_an_hour_and_counts_starts() -> None:
    light = lights()
    said = run(light, 0, 24)
    command, seen = series(said, "OCCUPANCY", "lamp_command"), series(said, "OCCUPANCY", "occupancy")
    assert all((on == 100) == (someone == 1) for on, someone in zip(command, seen, strict=True))
    rises = sum(b > a for a, b in itertools.pairwise(command))
    starts = series(said, "OCCUPANCY", "start_count")
    assert starts[-1] - starts[0] == rises >= 1


def test_burnt_out_lamps_take_their_share_of_power_and_light() -> None:
    light = lights()
    run(light, 0, 9)
    light.set_fault("SCHEDULE", "lamps_failed", 0.25)
    values = run(light, 9, 9.2)["SCHEDULE"][-1]
    assert float(values["circuit_power"]) == pytest.approx(15 * 36, rel=0.02)
    assert values["lamp_level"] == 100


def test_an_open_breaker_is_dark_while_commanded_on() -> None:
    light = lights()
    run(light, 0, 9)
    light.set_fault("SCHEDULE", "breaker_tripped", 1.0)
    values = run(light, 9, 9.2)["SCHEDULE"][-1]
    assert (values["lamp_command"], values["circuit_power"], values["lamp_level"]) == (100, 0, 0)


def test_a_manual_override_burns_through_the_night_with_nobody_there() -> None:
    light = lights()
    run(light, 0, 18)
    light.set_fault("OCCUPANCY", "override_on", 1.0)
    values = run(light, 18, 23)["OCCUPANCY"][-1]
    assert (values["lamp_command"], values["occupancy"]) == (100, 0)
    assert float(values["circuit_power"]) > 300


def test_a_stuck_occupancy_sensor_keeps_its_lamps_on() -> None:
    light = lights()
    light.set_fault("OCCUPANCY", "occupancy_sensor_stuck", 1.0)
    assert min(series(run(light, 0, 5), "OCCUPANCY", "lamp_command")) == 100


def test_drivers_that_lose_their_heat_badly_run_hot_and_derate() -> None:
    light = lights()
    run(light, 0, 8)
    light.set_fault("SCHEDULE", "driver_heat_sink", 1.0)
    said = run(light, 8, 12)
    assert max(series(said, "SCHEDULE", "driver_temperature")) > 84
    assert max(series(said, "SCHEDULE", "thermal_derating")) >= 1
    assert min(series(said, "SCHEDULE", "lamp_level")) == 60
    assert max(series(said, "DAYLIGHT", "driver_temperature")) < 60


def test_a_covered_light_sensor_keeps_the_lamps_up_at_noon() -> None:
    whole, broken = lights(), lights()
    broken.set_fault("DAYLIGHT", "light_sensor_covered", 1.0)
    noon = [series(run(light, 11, 12), "DAYLIGHT", "lamp_level")[-1] for light in (whole, broken)]
    assert noon[1] > noon[0] + 15
