"""The elevator group: kinematics, service, heat, and what each broken part does to them."""

import itertools
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.instant import parse_instant, to_us
from simulators.elevator import CAR_FAULTS, ElevatorGroup, ElevatorPlant
from simulators.elevator_motion import Trip
from simulators.plant import Values
from simulators.surroundings import Surroundings, Weather, World

MONDAY_US = to_us(parse_instant("2026-11-23T08:00:00+08:00"))
WORLD = World(Weather(), ZoneInfo("Asia/Shanghai"), 1)
CARS = ["EL-1", "EL-2"]


def group() -> ElevatorGroup:
    plan = ElevatorPlant(id="lifts", model="elevator", cars=CARS, floors=12, population=250)
    return plan.build("seed")


def at(seconds: float) -> Surroundings:
    return WORLD.at(MONDAY_US + round(seconds * 1e6))


def run(lifts: ElevatorGroup, begin_s: int, end_s: int) -> dict[str, list[Values]]:
    """Everything each car reported from one second after Monday 08:00 to another."""
    said: dict[str, list[Values]] = {name: [] for name in CARS}
    for second in range(begin_s + 10, end_s + 1, 10):
        for sample in lifts.step(at(second), 10.0):
            said[sample.asset_id].append(sample.values)
    return said


@given(st.floats(0.5, 300), st.floats(0.3, 10), st.floats(0.2, 1.5), st.floats(0, 1))
def test_a_trip_covers_its_distance_and_never_exceeds_its_speed(
    metres: float, rated: float, acceleration: float, share: float
) -> None:
    trip = Trip(metres, rated, acceleration)
    covered, speed = trip.at(trip.duration * share)
    assert 0 <= covered <= metres + 1e-6
    assert -1e-9 <= speed <= rated + 1e-9
    assert trip.at(trip.duration)[0] == pytest.approx(metres)
    half, _ = trip.at(trip.duration / 2)
    assert half == pytest.approx(metres / 2)


def test_the_morning_peak_is_served_and_a_healthy_car_stops_only_at_landings() -> None:
    lifts = group()
    said = run(lifts, 0, 3600)
    for name in CARS:
        for values in said[name]:
            assert values["door_zone"] == int(values["car_status"] == "stopped")
            assert values["fault_code"] == "00"
            if values["car_status"] == "running":
                assert values["door_status"] == "closed"
        slow = [values for values in said[name] if "run_count" in values]
        assert float(slow[-1]["run_count"]) - float(slow[0]["run_count"]) > 60
    assert sum(len(car.waiting) for car in lifts.cars.values()) < 15


def test_a_car_is_heard_of_every_half_minute_also_at_rest() -> None:
    lifts = group()
    night_s = 16 * 3600
    heard: dict[str, list[int]] = {name: [] for name in CARS}
    for second in range(night_s, night_s + 1800, 10):
        for sample in lifts.step(at(second), 10.0):
            heard[sample.asset_id].append(second)
    for seconds in heard.values():
        assert max(b - a for a, b in itertools.pairwise(seconds)) <= 30
        assert len(seconds) < 120


def test_an_open_lock_contact_stops_a_loaded_car_between_floors_until_it_is_mended() -> None:
    lifts = group()
    run(lifts, 0, 600)
    lifts.set_fault("EL-1", "door_lock_contact", 1.0)
    trapped = run(lifts, 600, 1500)["EL-1"][-1]
    assert trapped["car_status"] == "stopped"
    assert (trapped["door_zone"], trapped["door_status"]) == (0, "closed")
    assert (trapped["passenger_present"], trapped["passenger_alarm"]) == (1, 1)
    assert (trapped["safety_chain_closed"], trapped["service_mode"]) == (0, "normal")
    assert lifts.cars["EL-1"].height % 1 == pytest.approx(0.5)
    lifts.set_fault("EL-1", "door_lock_contact", 0.0)
    freed = run(lifts, 1500, 1620)["EL-1"]
    assert any(values["door_status"] == "open" for values in freed)
    assert all(values["passenger_alarm"] == 0 for values in freed[3:])


def test_an_obstructed_door_reverses_and_blocks_and_the_other_car_takes_the_calls() -> None:
    lifts = group()
    run(lifts, 0, 600)
    before = lifts.cars["EL-2"].counters.door_reversals
    lifts.set_fault("EL-2", "door_obstruction", 1.0)
    blocked = run(lifts, 600, 1500)["EL-2"][-1]
    assert blocked["door_status"] == "blocked"
    assert blocked["fault_code"] == "02"
    assert lifts.cars["EL-2"].counters.door_reversals >= before + 3
    assert not lifts.cars["EL-2"].waiting
    assert lifts.cars["EL-1"].counters.run_count > 0


def test_a_dragging_door_closes_more_slowly() -> None:
    lifts = group()
    run(lifts, 0, 600)
    lifts.set_fault("EL-1", "door_drag", 0.8)
    run(lifts, 600, 1800)
    assert lifts.cars["EL-1"].last.door_close_s > 1.5 * 3.0
    assert lifts.cars["EL-2"].last.door_close_s < 1.1 * 3.0


def test_a_motor_without_its_fan_gets_hotter_than_its_twin_on_the_same_losses() -> None:
    whole, broken = group(), group()
    for lifts in (whole, broken):
        run(lifts, 0, 600)
    broken.set_fault("EL-1", "motor_fan", 1.0)
    for lifts in (whole, broken):
        run(lifts, 600, 3 * 3600)
    assert whole.cars["EL-1"].counters == broken.cars["EL-1"].counters
    assert broken.cars["EL-1"].motor_c > whole.cars["EL-1"].motor_c + 15
    assert whole.cars["EL-1"].motor_c < 75


def test_a_slipping_encoder_misses_the_landing_and_a_worn_shoe_shakes() -> None:
    lifts = group()
    run(lifts, 0, 600)
    lifts.set_fault("EL-1", "levelling_encoder", 1.0)
    lifts.set_fault("EL-2", "guide_shoe", 1.0)
    before = lifts.cars["EL-2"].last.vibration[0]
    run(lifts, 600, 1500)
    assert lifts.cars["EL-1"].last.levelling_mm > 20
    assert abs(lifts.cars["EL-2"].last.levelling_mm) < 10
    assert lifts.cars["EL-2"].last.vibration[0] > 2 * before


def test_lost_mains_stop_the_car_where_it_is_and_it_comes_back() -> None:
    lifts = group()
    run(lifts, 0, 600)
    trips = lifts.cars["EL-1"].counters.run_count
    lifts.set_fault("EL-1", "mains", 1.0)
    dark = run(lifts, 600, 1200)["EL-1"][-1]
    assert (dark["mains_present"], dark["fault_code"]) == (0, "41")
    assert lifts.cars["EL-1"].counters.run_count <= trips + 1
    lifts.set_fault("EL-1", "mains", 0.0)
    run(lifts, 1200, 1800)
    assert lifts.cars["EL-1"].counters.run_count > trips + 3


def test_a_silent_controller_says_nothing_while_the_car_runs_on() -> None:
    lifts = group()
    run(lifts, 0, 600)
    trips = lifts.cars["EL-1"].counters.run_count
    lifts.set_fault("EL-1", "controller_silent", 1.0)
    assert run(lifts, 600, 1200)["EL-1"] == []
    assert lifts.cars["EL-1"].counters.run_count > trips


def test_the_machine_room_heats_up_without_its_exhaust_fan() -> None:
    whole, broken = group(), group()
    broken.set_fault("EL-1", "machine_room_fan", 1.0)
    for lifts in (whole, broken):
        run(lifts, 0, 3 * 3600)
    assert broken.room_c > whole.room_c + 3


def test_every_fault_has_its_sentence() -> None:
    assert all(len(kind.what) > 20 and kind.component for kind in CAR_FAULTS.values())
