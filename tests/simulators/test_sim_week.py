"""A week of the demo building with nothing broken: everything stays where a healthy building keeps it."""

from collections import defaultdict
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

from facility.instant import SECOND_US
from simulators.scenario import Scenario, parse_scenario
from simulators.surroundings import World

Series = list[tuple[float, Any]]
WEEK_S = 7 * 86_400


@cache
def demo() -> Scenario:
    return parse_scenario(files("plantroom").joinpath("demo/scenario.yaml").read_text(encoding="utf-8"), "s.yaml")


@cache
def week(plant_id: str) -> dict[str, dict[str, Series]]:
    """Asset -> point -> (hours after local Monday midnight, value) of one plant, from Monday 08:00 on."""
    scenario = demo()
    plan = next(plan for plan in scenario.plants if plan.id == plant_id)
    world = World(scenario.weather, scenario.zone, scenario.seed)
    plant, step = plan.build(f"{scenario.seed}/{plant_id}"), scenario.steps[plant_id]
    series: dict[str, dict[str, Series]] = defaultdict(lambda: defaultdict(list))
    for second in range(step - 3 * 3600, WEEK_S + 1, step):
        samples = plant.step(world.at((scenario.start_us or 0) + second * SECOND_US), float(step))
        for sample in samples if second > 0 else ():
            for point, value in sample.values.items():
                series[sample.asset_id][point].append((8 + second / 3600, value))
    return series


def values(asset: str, point: str) -> list[float]:
    return [value for _, value in of(asset)[point]]


def of(asset: str) -> dict[str, Series]:
    """What one asset said in the week."""
    return week(next(plan.id for plan in demo().plants if asset in plan.faults()))[asset]


def occupied(hours: float, *, after: float = 7.0) -> bool:
    return hours % 168 < 120 and after <= hours % 24 < 19


def test_elevators_rest_at_landings_level_well_and_stay_cool() -> None:
    for car in ("EL-1", "EL-2", "EL-3", "EL-4"):
        assert {mode for _, mode in of(car)["service_mode"]} == {"normal"}
        assert {code for _, code in of(car)["fault_code"]} == {"00"}
        assert max(abs(error) for error in values(car, "levelling_error")) < 10
        assert max(values(car, "motor_temperature")) < 75
        assert max(values(car, "door_close_time")) < 1.1 * min(values(car, "door_close_time")) + 0.3
        reversals, cycles = values(car, "door_reversals"), values(car, "door_cycles")
        assert reversals[-1] - reversals[0] < 0.01 * (cycles[-1] - cycles[0])
        assert cycles[-1] - cycles[0] > 2000
        zones = dict(of(car)["door_zone"])
        for hours, status in of(car)["car_status"]:
            assert zones[hours] == int(status == "stopped")
        alarms = [hours for hours, alarm in of(car)["passenger_alarm"] if alarm]
        tests = [hours for hours, test in of(car)["alarm_test"] if test]
        assert alarms == tests
        assert len({int(hours // 24) for hours in tests}) == 7
    assert max(values("EL-1", "machine_room_temperature")) < 32


def test_air_is_comfortable_in_occupied_hours_and_off_outside_them() -> None:
    for zone in ("ZONE-1-1", "ZONE-1-2", "ZONE-2-1", "ZONE-2-3"):
        warm = [value for hours, value in of(zone)["zone_air_temperature"] if occupied(hours, after=8)]
        assert 20 < min(warm) < max(warm) < 24.5
        assert max(values(zone, "co2")) < 1000
    for unit in ("AHU-1", "AHU-2"):
        for hours, status in of(unit)["supply_fan_status"]:
            assert status == 0 or occupied(hours, after=6.5)
        for hours, opening in of(unit)["outside_air_damper_position"]:
            assert opening == 0 or occupied(hours, after=6.5)
        setpoints = dict(of(unit)["supply_air_temperature_setpoint"])
        for hours, value in of(unit)["supply_air_temperature"]:
            if occupied(hours, after=7.75):
                assert abs(value - setpoints[hours]) < 1.5


def test_light_follows_the_programme_and_its_power_the_level() -> None:
    lamps = {"LC-1": 24, "LC-2": 24, "LC-3": 12, "LC-4": 12, "LC-5": 24, "LC-6": 12}
    for circuit, count in lamps.items():
        levels = dict(of(circuit)["lamp_level"])
        for hours, watts in of(circuit)["circuit_power"]:
            assert abs(watts - count * 36 * levels[hours] / 100) < 18
            assert watts == 0 or occupied(hours) or (circuit in ("LC-3", "LC-6") and occupied(hours - 0.3))
        assert max(values(circuit, "driver_temperature")) < 65


def test_water_keeps_its_level_and_its_balance() -> None:
    level = values("TANK-1", "tank_level")
    assert 45 < min(level) < max(level) < 90
    pressure = values("METER-1", "water_pressure")
    assert 380 < min(pressure) < max(pressure) < 430
    assert min(values("METER-1", "water_flow")) < 0.1
    volume = values("METER-1", "water_volume")
    assert volume == sorted(volume)
    pumped = sum(sum(values(pump, "water_flow")) / 60 for pump in ("PUMP-1", "PUMP-2"))
    stored = 30 * (level[-1] - level[0]) / 100
    assert abs(pumped - (volume[-1] - volume[0]) - stored) < 2.0
    for pump in ("PUMP-1", "PUMP-2"):
        starts = of(pump)["start_count"]
        rises = [after[0] for before, after in pairwise(starts) if after[1] > before[1]]
        assert all(b - a > 1 for a, b in pairwise(rises))
    assert not any(values("LEAK-1", "leak_detected"))
    assert not any(values("LEAK-2", "leak_detected"))
