"""Every fault of every plant shows in what its asset says, a slight one too, and slight is not the whole."""

from functools import cache
from zoneinfo import ZoneInfo

import pytest

from facility.instant import parse_instant, to_us
from simulators.air_handler import AirHandlerPlant
from simulators.air_handler_zone import ZonePlan
from simulators.elevator import ElevatorPlant
from simulators.lighting import CircuitPlan, LightingPlant
from simulators.plant import Values
from simulators.scenario import PlantPlan
from simulators.surroundings import Weather, World
from simulators.water import WaterPlant

MIDNIGHT_US = to_us(parse_instant("2026-07-13T00:00:00+08:00"))
WORLD = World(Weather(mean=16.0, season=12.0), ZoneInfo("Asia/Shanghai"), 3)
CIRCUITS = [
    CircuitPlan(asset="L1", control="schedule", lamps=20, lamp_power=36),
    CircuitPlan(asset="L2", control="daylight", lamps=20, lamp_power=36, daylight=0.004),
    CircuitPlan(asset="L3", control="occupancy", lamps=10, lamp_power=36),
]
PLANTS: dict[str, PlantPlan] = {
    "air": AirHandlerPlant(
        id="air", model="air_handler", asset="A", zones=[ZonePlan(asset="Z1"), ZonePlan(asset="Z2")]
    ),
    "lifts": ElevatorPlant(id="lifts", model="elevator", cars=["E1", "E2"], population=300),
    "light": LightingPlant(id="light", model="lighting", circuits=CIRCUITS),
    "water": WaterPlant(id="water", model="water", tank="T", pumps=["P1", "P2"], meter="M", leak_sensors=["K"]),
}
HOURS = {"air": 2, "lifts": 2, "light": 13, "water": 14}
ASSETS = {"air": ("A", "Z1"), "lifts": ("E1",), "light": ("L2", "L3"), "water": ("T", "P1", "M", "K")}
# A dimmed circuit reports its occupancy sensor too, but the day is busy enough to hide what it makes up.
USELESS = {("L2", "occupancy_sensor_stuck")}
SLIGHT = {"outside_damper_leak": 0.6, "door_lock_contact": 0.1}
"""A gap matters once it is wider than the least opening; a contact that opens on every tenth trip comes later."""
FAULTS = [
    (plant, asset, fault)
    for plant, plan in PLANTS.items()
    for asset in ASSETS[plant]
    for fault in plan.faults()[asset]
    if (asset, fault) not in USELESS
]


@cache
def said(plant: str, asset: str, fault: str, severity: float) -> tuple[Values, ...]:
    """What an asset says between 07:00 and the end of the plant's hours, one part broken from 08:00 on."""
    plan = PLANTS[plant]
    model, step = plan.build("seed"), int(plan.step or 60)
    found = []
    for second in range(7 * 3600 + step, (7 + HOURS[plant]) * 3600 + 1, step):
        if second == 8 * 3600 and fault:
            model.set_fault(asset, fault, severity)
        samples = model.step(WORLD.at(MIDNIGHT_US + second * 1_000_000), float(step))
        found += [sample.values for sample in samples if sample.asset_id == asset]
    return tuple(found)


@cache
def healthy(plant: str, asset: str) -> tuple[Values, ...]:
    return said(plant, asset, "", 0.0)


@pytest.mark.parametrize(("plant", "asset", "fault"), FAULTS)
def test_a_fault_shows_and_a_slight_one_is_not_the_whole(plant: str, asset: str, fault: str) -> None:
    whole, slight = said(plant, asset, fault, 1.0), said(plant, asset, fault, SLIGHT.get(fault, 0.2))
    assert whole != healthy(plant, asset)
    assert slight != healthy(plant, asset)
    assert slight != whole


@pytest.mark.parametrize("plant", PLANTS)
def test_each_system_has_six_faults_and_more_and_each_names_its_part(plant: str) -> None:
    kinds = {name: kind for names in PLANTS[plant].faults().values() for name, kind in names.items()}
    assert len(kinds) >= 6
    for kind in kinds.values():
        assert len(kind.what) > 20
        assert kind.component


def test_the_year_has_its_seasons_on_both_sides_of_the_equator() -> None:
    def mean(latitude: float, day: str) -> float:
        world = World(Weather(mean=15.0, season=10.0, wander=0.0, latitude=latitude), ZoneInfo("UTC"), 1)
        noon_us = to_us(parse_instant(f"{day}T00:00:00Z"))
        return sum(world.at(noon_us + hour * 3_600_000_000).outside_c for hour in range(24)) / 24

    assert mean(31.0, "2027-07-20") == pytest.approx(25.0, abs=0.3)
    assert mean(31.0, "2027-01-19") == pytest.approx(5.0, abs=0.3)
    assert mean(-31.0, "2027-01-19") == pytest.approx(25.0, abs=0.3)


def test_nothing_comes_from_outside_while_the_empty_building_warms_up() -> None:
    plan = AirHandlerPlant(id="air", model="air_handler", asset="A", zones=[ZonePlan(asset="Z1")], warm_up=2.0)
    air, world = plan.build("seed"), World(Weather(mean=0.0), ZoneInfo("Asia/Shanghai"), 3)
    warming = []
    for minute in range(1, 8 * 60):
        (sample, *_) = air.step(world.at(MIDNIGHT_US + minute * 60_000_000), 60.0)
        if sample.values["supply_fan_command"] and not sample.values["occupied_mode"]:
            warming.append(sample.values)
    assert warming
    assert {values["outside_air_damper_command"] for values in warming} == {0.0}
