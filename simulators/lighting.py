"""Lighting circuits: lamps and drivers, switched by a time programme, by occupancy, and dimmed by daylight."""

from random import Random
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from simulators.plant import FaultKind, FaultNames, Faults, Sample, Sensors, Values
from simulators.surroundings import Surroundings

CIRCUIT_FAULTS: FaultNames = {
    "lamps_failed": FaultKind("lamps have burnt out; severity is their share of the circuit", "lamps"),
    "breaker_tripped": FaultKind(
        "a circuit breaker is open; severity is the share of the lamps behind it (1 is all)", "breaker"
    ),
    "override_on": FaultKind(
        "someone left the switch on manual: on at full level whatever programme and sensor say", "switch"
    ),
    "occupancy_sensor_stuck": FaultKind(
        "the occupancy sensor sees people who are not there; severity is how often, 1 is all the time",
        "occupancy sensor",
    ),
    "driver_heat_sink": FaultKind(
        "the drivers lose their heat badly; severity 1 trebles the thermal resistance", "heat sink"
    ),
    "light_sensor_covered": FaultKind(
        "the light sensor is covered: it sees nothing and the lamps stay up", "light sensor"
    ),
}
Control = Literal["schedule", "occupancy", "daylight"]
_HOLD_S = 900.0  # an occupancy sensor lets go after a quarter of an hour
_TARGET_LX, _LAMPS_LX = 500.0, 620.0
_DERATING_C = 85.0


class CircuitPlan(BaseModel):
    """Parameters of one circuit."""

    model_config = ConfigDict(extra="forbid")
    asset: str
    control: Control = Field(default="schedule", description="schedule; occupancy; or daylight (schedule, dimmed)")
    lamps: int = Field(ge=1, le=500)
    lamp_power: float = Field(gt=0, le=2000, description="at full level, with its driver, W")
    daylight: float = Field(default=0.01, ge=0, le=0.2, description="daylight factor of its place")
    burn_hours: float = Field(default=9000.0, ge=0, description="already on the lamps, h")


class LightingPlant(BaseModel):
    """Parameters of a building's lighting circuits."""

    model_config = ConfigDict(extra="forbid")
    id: str
    model: Literal["lighting"]
    step: float | None = Field(default=None, ge=1, le=300, description="seconds of one step")
    circuits: list[CircuitPlan] = Field(min_length=1)
    on_hour: float = Field(default=7.0, ge=0, le=24, description="of the time programme, local hour")
    off_hour: float = Field(default=19.0, ge=0, le=24)

    def faults(self) -> dict[str, FaultNames]:
        """The faults of each asset."""
        return dict.fromkeys((circuit.asset for circuit in self.circuits), CIRCUIT_FAULTS)

    def build(self, seed: str) -> "Lighting":
        """Circuits that are dark and cool."""
        return Lighting(self, seed)


class Circuit:
    """One circuit: level and command in %, power in W, illuminance at its sensor in lx, driver in degC."""

    def __init__(self, plan: CircuitPlan, seed: str) -> None:
        self.plan = plan
        self.command = self.level = 0.0
        self.driver_c, self.occupied, self.power_w, self.lux = 24.0, False, 0.0, 0.0
        self.burn_hours, self.starts, self.deratings = plan.burn_hours, 1800, 0
        self._derated = False
        self._held_s = 0.0
        self._random = Random(f"{seed}/people")

    def step(self, around: Surroundings, seconds: float, *, programme: bool, faults: dict[str, float]) -> None:
        """People, control, lamps and drivers over the step."""
        self._sense(around, seconds, ghosts=faults["occupancy_sensor_stuck"])
        daylight = self.plan.daylight * around.daylight_lx
        seen = daylight * (1.0 - faults["light_sensor_covered"])
        on = self.occupied if self.plan.control == "occupancy" else programme
        if faults["override_on"] > 0:
            wish = 100.0 * faults["override_on"]
        elif not on:
            wish = 0.0
        elif self.plan.control == "daylight":
            wish = round(min(100.0, max(20.0, 100.0 * (_TARGET_LX - seen) / _LAMPS_LX)))
        else:
            wish = 100.0
        if wish > 0 and self.command == 0:
            self.starts += 1
        self.command = wish
        self._burn(seconds, daylight, faults)

    def _sense(self, around: Surroundings, seconds: float, *, ghosts: float) -> None:
        """Someone moves in the room now and then while people are in; the sensor holds."""
        busy = self._random.random() < 1 - (1 - 0.5 * around.presence) ** (seconds / 60)
        busy = busy or (ghosts > 0 and self._random.random() < 1 - (1 - ghosts) ** (seconds / _HOLD_S))
        self._held_s = _HOLD_S if busy else max(0.0, self._held_s - seconds)
        self.occupied = self._held_s > 0

    def _burn(self, seconds: float, daylight: float, faults: dict[str, float]) -> None:
        plan = self.plan
        live = faults["breaker_tripped"] < 1
        limit = 60.0 if self._derated else 100.0
        self.level = min(self.command, limit) if live else 0.0
        working = plan.lamps - round(plan.lamps * max(faults["lamps_failed"], faults["breaker_tripped"]))
        self.power_w = working * plan.lamp_power * self.level / 100.0
        self.lux = daylight + _LAMPS_LX * self.level / 100.0 * working / plan.lamps
        rise = 32.0 * self.level / 100.0 * (1.0 + 2.0 * faults["driver_heat_sink"])
        self.driver_c += (24.0 + rise - self.driver_c) * min(1.0, seconds / 900.0)
        if self.driver_c > _DERATING_C and not self._derated:
            self._derated = True
            self.deratings += 1
        elif self.driver_c < _DERATING_C - 10.0:
            self._derated = False
        if self.level > 0:
            self.burn_hours += seconds / 3600.0


class Lighting:
    """The circuits of a building under one time programme."""

    def __init__(self, plan: LightingPlant, seed: str) -> None:
        self.plan = plan
        self.circuits = [Circuit(circuit, f"{seed}/{circuit.asset}") for circuit in plan.circuits]
        self._faults = Faults()
        self._sensors = Sensors(f"{seed}/sensors")

    def set_fault(self, asset_id: str, fault: str, severity: float) -> None:
        """Break a part of a circuit."""
        self._faults.set(asset_id, fault, severity)

    def age(self, days: int) -> None:
        """Counters of days that were not lived through: lit all day, ten starts."""
        for circuit in self.circuits:
            circuit.burn_hours += 24.0 * days
            circuit.starts += 10 * days

    def step(self, around: Surroundings, seconds: float) -> list[Sample]:
        """Run every circuit, then report each."""
        programme = around.working and self.plan.on_hour <= around.hour < self.plan.off_hour
        for circuit in self.circuits:
            faults = {name: self._faults.of(circuit.plan.asset, name) for name in CIRCUIT_FAULTS}
            circuit.step(around, seconds, programme=programme, faults=faults)
        return [Sample(circuit.plan.asset, self._report(circuit)) for circuit in self.circuits]

    def _report(self, circuit: Circuit) -> Values:
        sensors = self._sensors
        seen = circuit.lux * (1.0 - self._faults.of(circuit.plan.asset, "light_sensor_covered"))
        return {
            "circuit_power": sensors.read_positive(circuit.power_w, 0.002 * circuit.power_w, 1),
            "lamp_command": round(circuit.command, 0),
            "lamp_level": round(circuit.level, 0),
            "occupancy": int(circuit.occupied),
            "illuminance": sensors.read_positive(seen, 0.01 * seen, 0),
            "illuminance_setpoint": _TARGET_LX,
            "driver_temperature": sensors.read(circuit.driver_c, 0.15, 1),
            "burn_hours": round(circuit.burn_hours, 2),
            "start_count": circuit.starts,
            "thermal_derating": circuit.deratings,
        }
