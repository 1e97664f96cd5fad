"""A zone with its VAV box: heat balance of air and mass, CO2 balance, and the two loops that keep it comfortable."""

from math import sqrt

from pydantic import BaseModel, ConfigDict, Field

from simulators.control import Command, Loop
from simulators.plant import FaultKind, FaultNames, Sensors, Values
from simulators.surroundings import Surroundings

AIR_J_PER_M3K = 1206.0  # density times heat capacity of air at 20 degC
OUTDOOR_CO2 = 420.0

ZONE_FAULTS: FaultNames = {
    "damper_stuck": FaultKind(
        "the box damper does not move any more; severity is where it stays (0.05 nearly shut, 1 open)", "zone damper"
    ),
    "reheat_valve_leak": FaultKind(
        "the reheat valve does not close; severity 1 leaves 40 % of its heat in the air", "reheat valve"
    ),
    "temperature_sensor_bias": FaultKind(
        "the room sensor reads high, as with a bad terminal; severity 1 is 8 K", "zone sensor"
    ),
}


class ZonePlan(BaseModel):
    """Parameters of one zone and its VAV box."""

    model_config = ConfigDict(extra="forbid")
    asset: str
    people: int = Field(default=13, ge=0, le=1000)
    area: float = Field(default=250.0, gt=5, le=10_000, description="m2")
    rated_flow: float = Field(default=3600.0, gt=50, le=100_000, description="of its box, m3/h")
    facade: float = Field(default=1.0, ge=0, le=5, description="share of a usual facade: losses and sun")


class Zone:
    """Temperatures in degC, flows in m3/h, heat in W. Two heat stores: the air with its furniture, and the mass."""

    def __init__(self, plan: ZonePlan, design_pressure: float) -> None:
        self.plan, self.name = plan, plan.asset
        self.air_c, self.mass_c, self.co2_ppm = 21.5, 21.5, OUTDOOR_CO2
        self.flow, self.flow_setpoint, self.reheat_w, self.supply_c = 0.0, 0.0, 0.0, 18.0
        self.damper_command, self.reheat_command = Command(), Command()
        self.damper = 0.0
        self.parts = dict.fromkeys(ZONE_FAULTS, 0.0)
        self.heating_setpoint, self.cooling_setpoint = 21.0, 23.0
        self.measured_c = self.air_c
        self._full = plan.rated_flow * 1.15 / sqrt(design_pressure)
        self._cooling = Loop(gain=35.0, reset_s=900.0, low=0.0, high=100.0)
        self._heating = Loop(gain=30.0, reset_s=900.0, low=0.0, high=100.0)
        self._opening = Loop(gain=0.012, reset_s=45.0, low=0.0, high=100.0, start=30.0)

    @property
    def conductance(self) -> float:
        """m3/h at the square root of one pascal in the duct."""
        return self._full * max(0.02, self.damper / 100.0)

    @property
    def minimum_flow(self) -> float:
        """The ventilation the box never goes below while occupied, m3/h."""
        return 0.35 * self.plan.rated_flow

    def control(self, *, on: bool, warm_up: bool, seconds: float) -> None:
        """The room loops and the box's flow loop."""
        stuck = self.parts["damper_stuck"]
        if on:
            cooling = self._cooling.step(self.measured_c - self.cooling_setpoint, seconds)
            heating = self._heating.step(self.heating_setpoint - self.measured_c, seconds)
            share = 0.6 if warm_up else 0.35 + 0.65 * cooling / 100.0
            self.flow_setpoint = share * self.plan.rated_flow
            self.reheat_command.follow(0.0 if warm_up else heating)
            wish = self._opening.step(self.flow_setpoint - self.flow, seconds)
            self.damper_command.follow(max(2.0, wish))
        else:
            self.flow_setpoint = 0.0
            self.reheat_command.follow(0.0)
            self.damper_command.follow(30.0)
            for loop in (self._cooling, self._heating):
                loop.reset()
            self._opening.reset(30.0)
        self.damper = 100.0 * stuck if stuck else self.damper_command.value

    def live(self, around: Surroundings, supply_c: float, supply_co2: float, seconds: float) -> None:
        """The balances over a short step: gains in, facade out, supply air through."""
        plan, people = self.plan, self.plan.people * around.presence
        air_w_per_k = AIR_J_PER_M3K * self.flow / 3600.0
        valve = self.reheat_command.value / 100.0
        valve += (1.0 - valve) * 0.4 * self.parts["reheat_valve_leak"]
        self.supply_c = supply_c
        self.reheat_w = min(air_w_per_k, AIR_J_PER_M3K * self.minimum_flow * 1.5 / 3600.0) * 20.0 * valve
        gains = 75.0 * people + plan.area * (2.0 + 12.0 * around.presence)
        sun = plan.facade * 0.025 * around.daylight_lx
        facade = plan.facade * 0.9 * plan.area * (around.outside_c - self.air_c)
        exchange = 8.0 * plan.area * (self.mass_c - self.air_c)
        heat = gains + 0.5 * sun + facade + exchange + air_w_per_k * (supply_c - self.air_c) + self.reheat_w
        self.air_c += heat * seconds / (16_000.0 * plan.area)
        self.mass_c += (0.5 * sun - exchange) * seconds / (320_000.0 * plan.area)
        volume = 2.8 * plan.area
        exhaled = people * 0.018 * 1e6  # 18 l/h a person, as ppm m3/h
        leak = 0.2 * volume
        change = self.flow * (supply_co2 - self.co2_ppm) + leak * (OUTDOOR_CO2 - self.co2_ppm) + exhaled
        self.co2_ppm += change / volume * seconds / 3600.0

    def measure(self, sensors: Sensors) -> None:
        """Read the room sensor, once a step."""
        self.measured_c = sensors.read(self.air_c + 8.0 * self.parts["temperature_sensor_bias"], 0.05)

    def report(self, sensors: Sensors) -> Values:
        """The box controller's readings."""
        return {
            "zone_air_temperature": self.measured_c,
            "zone_air_temperature_setpoint": self.cooling_setpoint,
            "co2": sensors.read(self.co2_ppm, 6.0, 0),
            "air_flow": sensors.read_positive(self.flow, 0.006 * self.plan.rated_flow, 0),
            "air_flow_setpoint": round(self.flow_setpoint, 0),
            "zone_damper_command": round(self.damper_command.value, 1),
            "reheat_valve_command": round(self.reheat_command.value, 1),
        }
