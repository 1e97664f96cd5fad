"""Readings a second through the engine with the shipped catalogue, on one core. Run: python bench/engine_bench.py"""

import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from facility.catalogue import point_types
from facility.reading import Commit, Entry, Heartbeat, PointValue, RuleSetActivated, Scan, SiteEdited, Value
from rules.catalogue import shipped_files
from rules.engine import Engine

START_US = 1_760_000_000_000_000
CLASSES = {
    "elevator": 40, "ahu": 40, "vav": 120, "luminaire_circuit": 120, "pump": 30, "tank": 20, "leak_sensor": 60,
    "water_meter": 20, "chiller": 6,
}  # fmt: skip
POINTS = {
    "elevator": ["service_mode", "car_status", "car_direction", "car_position", "door_zone", "door_status", "car_load",
                 "passenger_present", "passenger_alarm", "motor_temperature", "machine_room_temperature"],
    "ahu": ["supply_air_temperature", "supply_air_temperature_setpoint", "return_air_temperature",
            "mixed_air_temperature", "outside_air_temperature", "heating_valve_command", "cooling_valve_command",
            "outside_air_damper_command", "supply_fan_status", "supply_fan_speed_command"],
    "vav": ["zone_air_temperature", "zone_air_temperature_setpoint", "air_flow", "air_flow_setpoint",
            "zone_damper_command", "reheat_valve_command"],
    "luminaire_circuit": ["circuit_power", "lamp_command", "occupancy", "illuminance"],
    "pump": ["run_command", "run_status", "water_pressure", "water_flow", "start_count"],
    "tank": ["tank_level"],
    "leak_sensor": ["leak_detected"],
    "water_meter": ["water_volume", "water_flow"],
    "chiller": ["chilled_water_supply_temperature", "chilled_water_return_temperature", "run_status"],
}  # fmt: skip
DESIGN = {"installed_power": 1000.0, "rated_flow": 50.0, "lamp_count": 20.0, "nominal_power": 1000.0}
BASE: dict[str, float] = {
    "supply_air_temperature": 14, "supply_air_temperature_setpoint": 14, "return_air_temperature": 23,
    "mixed_air_temperature": 20, "outside_air_temperature": 12, "heating_valve_command": 0, "air_flow": 500,
    "cooling_valve_command": 30, "outside_air_damper_command": 30, "zone_air_temperature": 22, "tank_level": 60,
    "air_flow_setpoint": 500, "zone_air_temperature_setpoint": 22, "water_pressure": 300, "water_flow": 10,
    "motor_temperature": 50, "machine_room_temperature": 25, "illuminance": 400, "circuit_power": 900,
    "chilled_water_supply_temperature": 7, "chilled_water_return_temperature": 12, "car_load": 200, "lamp_command": 100,
    "zone_damper_command": 50, "reheat_valve_command": 0, "supply_fan_speed_command": 60, "water_volume": 1000,
}  # fmt: skip


def site() -> str:
    """A large building: every class of the first catalogue, a minute's cadence."""
    assets = [
        {"id": f"{name}-{index}", "class": name, "design": DESIGN,
         "points": {point: {"cadence": 60} for point in POINTS[name]}}
        for name, count in CLASSES.items()
        for index in range(count)
    ]  # fmt: skip
    building = {"id": "tower", "occupied": {"mon-fri": ["08:00-18:00"]}, "assets": assets}
    return json.dumps({"site": {"id": "bench", "zone": "Asia/Shanghai"}, "buildings": [building]})


def value(point: str, rng: random.Random) -> Value:
    """A plausible reading: analogue points move a little every time, states rarely."""
    kind = point_types()[point]
    if kind.is_text:
        return kind.values[1] if rng.random() < 0.9 else kind.values[0]
    if kind.unit == "bool":
        return float(point.endswith(("status", "zone")))
    return round(BASE.get(point, 10.0) * (1 + rng.gauss(0, 0.005)), 3)


def commits(minutes: int, rng: random.Random) -> Iterator[tuple[Commit, int]]:
    """Group commits of 200 scans, with heartbeats, and how many readings each holds."""
    seq = 1
    for minute in range(minutes):
        entries: list[Entry] = []
        readings = 0
        total = sum(CLASSES.values())
        step = 0
        for name, count in CLASSES.items():
            for index in range(count):
                at_us = START_US + minute * 60_000_000 + step * 60_000_000 // total
                values = tuple(PointValue(point, value(point, rng)) for point in POINTS[name])
                entries.append(Scan(f"{name}-{index}", at_us, complete=True, values=values))
                readings += len(values)
                step += 1
                if step % 8 == 0:
                    entries.append(Heartbeat(at_us))
                if len(entries) >= 200:
                    seq += 1
                    yield Commit(seq, at_us, tuple(entries)), readings
                    entries, readings = [], 0
        seq += 1
        yield Commit(seq, START_US + minute * 60_000_000, tuple(entries)), readings


def main(minutes: int) -> None:
    """Feed the load and print the figures."""
    engine = Engine(allowance_us=2_000_000)
    files = shipped_files()
    events = (SiteEdited("site", START_US, {"site.yaml": site()}), RuleSetActivated("rules", START_US, "", files))
    started = time.process_time()
    engine.feed(Commit(1, START_US, events))
    bound = time.process_time() - started
    load = list(commits(minutes, random.Random(7)))
    readings = sum(count for _, count in load)
    findings = 0
    started = time.process_time()
    for commit, _ in load:
        findings += len(engine.feed(commit))
    seconds = time.process_time() - started
    started = time.process_time()
    size = len(engine.snapshot())
    snapshot = time.process_time() - started
    rules = len(engine.rule_set.rules) if engine.rule_set is not None else 0
    print(f"{rules} rules, {sum(CLASSES.values())} assets, rules and site loaded in {bound:.2f} s")
    print(
        f"{readings:,} readings in {seconds:.2f} s of CPU time: {readings / seconds:,.0f} readings/s, "
        f"{findings} finding changes"
    )
    print(f"snapshot: {size / 1e6:.2f} MB in {snapshot * 1e3:.0f} ms; errors: {list(engine.errors)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
