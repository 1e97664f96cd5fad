"""The made-up readings of the preview: a value for every point at every instant, always the same."""

import math
from collections.abc import Callable
from datetime import timedelta

from facility.reading import Quality, Reading, Value

MINUTE_US = 60_000_000
Curve = Callable[[float], Value | None]
"""Minutes since the epoch of the story (positive is after the faults began) to a value; None is a gap."""


def _noise(minute: float, seed: int) -> float:
    return math.sin(minute * 1.7 + seed) * 0.5 + math.sin(minute * 0.61 + seed * 3) * 0.5


def _day(minute: float) -> float:
    """0 at night, 1 in the afternoon."""
    return 0.5 - 0.5 * math.cos((minute + 840) / 1440 * 2 * math.pi)


def _steady(value: float) -> Curve:
    return lambda _: value


def _lift_mode(*, trouble: bool) -> Curve:
    return lambda minute: "inspection" if trouble and 40 <= minute < 55 else "normal"


def _position(seed: int, *, stuck: bool) -> Curve:
    def curve(minute: float) -> float:
        if stuck and 12 <= minute < 55:
            return 7.0
        return float(round(9 + 8 * _noise(minute / 9, seed)))

    return curve


def _door(seed: int, *, stuck: bool) -> Curve:
    def curve(minute: float) -> str:
        if stuck and 12 <= minute < 40:
            return "closed"
        return ("closed", "closed", "opening", "open", "closing")[int(abs(minute * 0.37 + seed)) % 5]

    return curve


CURVES: dict[tuple[str, str], Curve] = {
    ("lift-1", "service_mode"): _lift_mode(trouble=True),
    ("lift-1", "car_status"): lambda m: "stopped" if 12 <= m < 55 or int(m * 0.37) % 5 > 1 else "running",
    ("lift-1", "car_position"): _position(1, stuck=True),
    ("lift-1", "door_zone"): lambda m: 0.0 if 12 <= m < 40 else float(int(m) % 3 > 0),
    ("lift-1", "door_status"): _door(1, stuck=True),
    ("lift-1", "passenger_present"): lambda m: 1.0 if 12 <= m < 38 or int(m / 7) % 3 == 0 else 0.0,
    ("lift-1", "car_load"): lambda m: 148.0 if 12 <= m < 38 else max(0.0, 300 * _noise(m / 5, 4)),
    ("lift-1", "motor_temperature"): lambda m: 46 + 9 * _day(m) + 2 * _noise(m / 20, 2) - (6 if 15 < m < 60 else 0),
    ("lift-1", "run_count"): lambda m: 18_230.0 + max(0, int((m + 2000) / 2)),
    ("lift-2", "service_mode"): _lift_mode(trouble=False),
    ("lift-2", "car_status"): lambda m: "stopped" if int(m * 0.37) % 5 > 1 else "running",
    ("lift-2", "car_position"): _position(5, stuck=False),
    ("lift-2", "door_status"): _door(3, stuck=False),
    ("lift-2", "motor_temperature"): lambda m: 48 + 9 * _day(m) + 2 * _noise(m / 20, 9),
    ("lift-2", "run_count"): lambda m: 20_114.0 + max(0, int((m + 2000) / 2)),
    ("ahu-1", "supply_air_temperature"): lambda m: (
        None if -150 < m < -112 else 13.2 + 0.25 * _noise(m / 7, 1) + 5.2 * (1 - math.exp(-max(0.0, m + 45) / 25))
    ),
    ("ahu-1", "supply_air_temperature_setpoint"): lambda m: 13.0 if (m // 180) % 2 == 0 else 14.0,
    ("ahu-1", "return_air_temperature"): lambda m: 23.1 + 0.8 * _day(m) + 0.15 * _noise(m / 9, 3),
    ("ahu-1", "mixed_air_temperature"): lambda m: 24.6 + 1.6 * _day(m) + 0.2 * _noise(m / 8, 5),
    ("ahu-1", "outside_air_temperature"): lambda m: 24 + 7 * _day(m) + 0.3 * _noise(m / 15, 6),
    ("ahu-1", "cooling_valve_command"): lambda m: min(100.0, 52 + 18 * _day(m) + (max(0.0, m + 45) * 1.6)),
    ("ahu-1", "heating_valve_command"): _steady(0.0),
    ("ahu-1", "outside_air_damper_command"): _steady(20.0),
    ("ahu-1", "supply_fan_status"): lambda m: 0.0 if -400 < m < -330 else 1.0,
    ("ahu-1", "filter_differential_pressure"): lambda m: 231 + (m + 1440) / 70 + 4 * _noise(m / 5, 7),
    ("zone-12e", "zone_air_temperature"): lambda m: 23.2 + 0.3 * _noise(m / 11, 2) + (max(0.0, m + 20) * 0.022),
    ("zone-12e", "zone_air_temperature_setpoint"): _steady(23.0),
    ("zone-12e", "co2"): lambda m: 520 + 260 * _day(m) + 25 * _noise(m / 6, 8),
    ("zone-12w", "zone_air_temperature"): lambda m: 23.4 + 0.3 * _noise(m / 11, 12) + (max(0.0, m + 20) * 0.018),
    ("zone-12w", "co2"): lambda m: 540 + 220 * _day(m) + 25 * _noise(m / 6, 18),
    ("light-3a", "circuit_power"): lambda m: (386.0 if m < -200 else 314.0) + 3 * _noise(m, 3),
    ("light-3a", "lamp_command"): _steady(100.0),
    ("light-3a", "illuminance"): lambda m: (310.0 if m < -200 else 262.0) + 6 * _noise(m, 5),
    ("light-3b", "circuit_power"): lambda m: 388 + 3 * _noise(m, 13),
    ("light-3b", "lamp_command"): _steady(100.0),
    ("light-3b", "illuminance"): lambda m: 312 + 6 * _noise(m, 15),
    ("tank-r", "tank_level"): lambda m: 62 + 9 * math.sin(m / 33) - max(0.0, m) * 0.35,
    ("pump-1", "run_command"): lambda m: float(math.cos(m / 33) > 0 or m > 0),
    ("pump-1", "run_status"): lambda m: float(math.cos(m / 33) > 0 and m <= 0),
    ("pump-1", "water_pressure"): lambda m: 412 + 9 * _noise(m / 3, 1) - min(160.0, max(0.0, m) * 4),
    ("pump-1", "water_flow"): lambda m: max(0.0, 11 + _noise(m / 4, 2)) if math.cos(m / 33) > 0 and m <= 0 else 0.0,
    ("leak-b", "leak_detected"): lambda m: float(m >= 30),
    ("meter-1", "water_volume"): lambda m: 8_412.6 + (m + 3000) * 0.021,
    ("meter-1", "water_flow"): lambda m: max(0.1, 1.26 + 0.9 * _noise(m / 30, 3)),
}
CADENCE = timedelta(minutes=1)


def read(asset_id: str, point: str, start_us: int, from_us: int, until_us: int, step_us: int) -> list[Reading]:
    """The readings of a point in [from, until), one a step; `start_us` is when the story's faults begin."""
    curve = CURVES.get((asset_id, point))
    if curve is None:
        return []
    found = []
    for at_us in range(-(-from_us // step_us) * step_us, until_us, step_us):
        minute = (at_us - start_us) / MINUTE_US
        value = curve(minute)
        if value is None:
            continue
        quality = Quality.GOOD
        if point == "return_air_temperature" and -90 < minute < -84:
            value, quality = 999.0, Quality.OUT_OF_RANGE
        if point == "co2" and asset_id == "zone-12w" and -60 < minute < -52:
            quality = Quality.STUCK
        found.append(Reading(asset_id, point, at_us, value, quality))
    return found
