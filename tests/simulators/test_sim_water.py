"""The roof tank: the mass balance closes whatever is broken, and each broken part shows where it must."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facility.instant import parse_instant, to_us
from simulators.plant import Values
from simulators.surroundings import Weather, World
from simulators.water import WaterPlant, WaterSystem

MONDAY_US = to_us(parse_instant("2026-11-23T08:00:00+08:00"))
WORLD = World(Weather(), ZoneInfo("Asia/Shanghai"), 1)
PLAN = WaterPlant(id="water", model="water", tank="T", pumps=["P1", "P2"], meter="M", leak_sensors=["L1", "L2"])
FAULTS = [(asset, fault) for asset, names in PLAN.faults().items() for fault in names]


def run(water: WaterSystem, begin_min: int, end_min: int) -> dict[str, list[Values]]:
    said: dict[str, list[Values]] = {}
    for minute in range(begin_min + 1, end_min + 1):
        for sample in water.step(WORLD.at(MONDAY_US + minute * 60_000_000), 60.0):
            said.setdefault(sample.asset_id, []).append(sample.values)
    return said


def series(said: dict[str, list[Values]], asset: str, point: str) -> list[float]:
    return [float(values[point]) for values in said[asset]]


def imbalance(water: WaterSystem, stored_before: float) -> float:
    """What came in less what went out less what is now more in the tank, m3."""
    flow = water.totals
    net = flow["pumped"] + flow["made_up"] - flow["back_flow"] - flow["delivered"] - flow["spilled"]
    return net - (water.stored_m3 - stored_before)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(FAULTS), st.floats(0.1, 1.0)), max_size=4))
def test_the_mass_balance_closes_whatever_is_broken(broken: list[tuple[tuple[str, str], float]]) -> None:
    water = PLAN.build("seed")
    before = water.stored_m3
    for (asset, fault), severity in broken:
        water.set_fault(asset, fault, severity)
    run(water, 0, 600)
    assert imbalance(water, before) == pytest.approx(0, abs=1e-6)
    assert 0 <= water.stored_m3 <= PLAN.volume


def test_a_healthy_day_keeps_level_pressure_and_pumps_in_their_bands() -> None:
    water = PLAN.build("seed")
    said = run(water, 0, 24 * 60)
    level, pressure = series(said, "T", "tank_level"), series(said, "M", "water_pressure")
    assert 50 < min(level) < max(level) < 90
    assert 380 < min(pressure) < max(pressure) < 430
    for pump in ("P1", "P2"):
        flow, running = series(said, pump, "water_flow"), series(said, pump, "run_status")
        assert all((litres > 10) == (on == 1) for litres, on in zip(flow, running, strict=True))
        starts = series(said, pump, "start_count")
        assert 1 <= starts[-1] - starts[0] <= 6
    assert water.totals["spilled"] == water.totals["made_up"] == 0
    assert water.totals["delivered"] == pytest.approx(PLAN.daily_demand, rel=0.1)
    assert not any(series(said, "L1", "leak_detected"))


def test_the_meter_counts_what_was_delivered() -> None:
    water = PLAN.build("seed")
    said = run(water, 0, 300)
    volume = series(said, "M", "water_volume")
    assert volume == sorted(volume)
    assert volume[-1] - 18_000 == pytest.approx(water.totals["delivered"], abs=0.01)


def test_a_parted_coupling_runs_without_flow_until_the_standby_helps() -> None:
    water = PLAN.build("seed")
    water.set_fault("P1", "coupling_broken", 1.0)
    said = run(water, 0, 360)
    running, flow = series(said, "P1", "run_status"), series(said, "P1", "water_flow")
    assert any(running)
    assert max(flow) == 0
    assert max(series(said, "P1", "power")) < 1100
    assert any(series(said, "P2", "run_status"))
    assert 30 < min(series(said, "T", "tank_level")) < 42


def test_a_tripped_starter_is_commanded_and_does_not_run() -> None:
    water = PLAN.build("seed")
    water.set_fault("P1", "motor_trip", 1.0)
    said = run(water, 0, 180)
    assert any(series(said, "P1", "run_command"))
    assert not any(series(said, "P1", "run_status"))


def test_a_burst_draws_flow_and_lowers_the_pressure() -> None:
    water = PLAN.build("seed")
    before = run(water, 0, 60)
    water.set_fault("M", "pipe_burst", 0.9)
    after = run(water, 60, 70)
    assert min(series(after, "M", "water_flow")) > 2.5 * max(series(before, "M", "water_flow")[-10:])
    assert max(series(after, "M", "water_pressure")[1:]) < 0.8 * min(series(before, "M", "water_pressure"))


def test_a_dripping_joint_wets_its_own_sensor_and_dries_after_the_repair() -> None:
    water = PLAN.build("seed")
    water.set_fault("L1", "pipe_leak", 0.8)
    said = run(water, 0, 10)
    assert series(said, "L1", "leak_detected")[-1] == 1
    assert not any(series(said, "L2", "leak_detected"))
    water.set_fault("L1", "pipe_leak", 0.0)
    assert series(run(water, 10, 120), "L1", "leak_detected")[-1] == 0


def test_a_float_valve_that_hangs_open_spills_at_the_top() -> None:
    water = PLAN.build("seed")
    water.set_fault("T", "float_valve_open", 1.0)
    said = run(water, 0, 180)
    assert max(series(said, "T", "tank_level")) > 99
    assert water.totals["spilled"] > 5


def test_a_stuck_level_sensor_repeats_itself_while_the_tank_runs_empty() -> None:
    water = PLAN.build("seed")
    run(water, 0, 60)
    water.set_fault("T", "level_sensor_stuck", 1.0)
    said = run(water, 60, 600)
    assert len(set(series(said, "T", "tank_level"))) == 1
    assert water.level < 40 or water.level > 95


def test_a_leaking_check_valve_lets_the_riser_back() -> None:
    water = PLAN.build("seed")
    water.set_fault("P2", "check_valve_leak", 1.0)
    said = run(water, 0, 400)
    assert min(series(said, "P2", "water_flow")) < -0.5
    assert water.totals["back_flow"] > 0


def test_a_running_toilet_never_lets_the_night_flow_to_nothing() -> None:
    whole, broken = PLAN.build("seed"), PLAN.build("seed")
    broken.set_fault("M", "toilet_runs", 1.0)
    night = [min(series(run(water, 0, 1440), "M", "water_flow")) for water in (whole, broken)]
    assert night[0] < 0.1
    assert night[1] > 0.8
