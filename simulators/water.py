"""A roof tank filled by two transfer pumps, emptied by the building; mains make-up, riser, meter and leak sensors."""

from math import sqrt
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from simulators.plant import FaultKind, FaultNames, Faults, Sample, Sensors
from simulators.surroundings import Surroundings
from simulators.water_pump import PUMP_FAULTS, Pump

TANK_FAULTS: FaultNames = {
    "level_sensor_stuck": FaultKind(
        "the level transmitter follows too little, and the pumps with it; severity 1 repeats its last value",
        "level sensor",
    ),
    "float_valve_open": FaultKind("the mains make-up float valve hangs open; severity is how far", "float valve"),
}
METER_FAULTS: FaultNames = {
    "pipe_burst": FaultKind("the distribution riser is torn; severity 1 lets out about 20 m3/h", "riser"),
    "toilet_runs": FaultKind(
        "a flush valve does not close: a small flow that never stops; severity 1 is 0.9 m3/h", "flush valve"
    ),
}
LEAK_FAULTS: FaultNames = {
    "pipe_leak": FaultKind("a joint drips onto the floor beside the sensor; severity 1 is 60 l/h", "joint")
}

# Share of a working day's water in each local hour, and of a day off.
_WORKING = (2, 1, 1, 1, 2, 6, 20, 60, 95, 90, 80, 90, 115, 95, 70, 65, 65, 70, 60, 25, 12, 8, 5, 3)
_OFF = (2, 1, 1, 1, 2, 4, 6, 10, 14, 16, 16, 16, 16, 14, 12, 12, 10, 10, 8, 6, 5, 4, 3, 2)


class WaterPlant(BaseModel):
    """Parameters of a roof tank and its pumps."""

    model_config = ConfigDict(extra="forbid")
    id: str
    model: Literal["water"]
    step: float | None = Field(default=None, ge=1, le=300, description="seconds of one step")
    tank: str
    pumps: list[str] = Field(min_length=2, max_length=2, description="duty and standby, which take turns")
    meter: str = Field(description="the building's meter at the foot of the riser")
    leak_sensors: list[str] = []
    volume: float = Field(default=30.0, gt=1, le=2000, description="of the tank, m3")
    daily_demand: float = Field(default=55.0, ge=0, le=5000, description="of a working day, m3")
    pump_flow: float = Field(default=14.0, gt=0.5, le=500, description="rated, m3/h")
    static_head: float = Field(default=420.0, gt=50, le=2000, description="of the column from tank to ground, kPa")

    def faults(self) -> dict[str, FaultNames]:
        """The faults of each asset."""
        every: dict[str, FaultNames] = {self.tank: TANK_FAULTS, self.meter: METER_FAULTS}
        return every | dict.fromkeys(self.pumps, PUMP_FAULTS) | dict.fromkeys(self.leak_sensors, LEAK_FAULTS)

    def build(self, seed: str) -> "WaterSystem":
        """A tank at 70 % with both pumps at rest."""
        return WaterSystem(self, seed)


class Puddle:
    """The pan under a leak sensor: what drips in dries up slowly; the sensor sees 2 litres."""

    def __init__(self) -> None:
        self.litres = 0.0

    def step(self, drip_m3_per_h: float, seconds: float) -> None:
        """Fill and dry; the pan drains what is above 8 l."""
        self.litres += drip_m3_per_h * 1000.0 * seconds / 3600.0
        self.litres = min(8.0, max(0.0, self.litres - 6.0 * seconds / 3600.0))

    @property
    def is_wet(self) -> bool:
        """Whether the water reaches the sensor's electrodes."""
        return self.litres >= 2.0


class WaterSystem:
    """Mass balance of the tank: pumps and make-up in; building, burst, leaks, back-flow and overflow out.

    Flows in m3/h, volumes in m3. `totals` keeps every flow's volume since the start, so the balance can be closed.
    """

    def __init__(self, plan: WaterPlant, seed: str) -> None:
        self.plan = plan
        self.stored_m3 = 0.7 * plan.volume
        self.totals = dict.fromkeys(("pumped", "made_up", "back_flow", "delivered", "spilled"), 0.0)
        self.metered_m3 = 18_000.0
        self.pumps = [Pump(name, plan.pump_flow, plan.static_head) for name in plan.pumps]
        self.puddles = {name: Puddle() for name in plan.leak_sensors}
        self.pressure_kpa, self.flow_m3_per_h = plan.static_head, 0.0
        self._duty, self._calling, self._assist = 0, False, False
        self._measured = self._held_at = self.level
        self._faults = Faults()
        self._sensors = Sensors(f"{seed}/sensors")
        self._taps = Sensors(f"{seed}/taps")
        self._crowd = 1.0

    @property
    def level(self) -> float:
        """Of the tank, %."""
        return 100.0 * self.stored_m3 / self.plan.volume

    def set_fault(self, asset_id: str, fault: str, severity: float) -> None:
        """Break a part of the tank, a pump, the riser or a joint."""
        self._faults.set(asset_id, fault, severity)
        if fault == "level_sensor_stuck":
            self._held_at = self._measured
        for pump in self.pumps:
            if pump.name == asset_id:
                pump.parts[fault] = severity

    def age(self, days: int) -> None:
        """Counters of days that were not lived through: twice the demand, and the pumps that go with it."""
        volume = 2.0 * self.plan.daily_demand * days
        self.metered_m3 += volume
        for pump in self.pumps:
            pump.run_hours += volume / pump.rated_flow
            pump.start_count += 12 * days

    def step(self, around: Surroundings, seconds: float) -> list[Sample]:
        """Measure, control, move water, report."""
        held = self._faults.of(self.plan.tank, "level_sensor_stuck")
        if held < 1:
            self._measured = self._sensors.read(self.level + held * (self._held_at - self.level), 0.12)
        self._control()
        others = [pump.back_flow() for pump in self.pumps]
        for pump, other in zip(self.pumps, reversed(others), strict=True):
            pump.step(seconds, other)
        delivered = self._distribute(around, seconds)
        self._balance(delivered, seconds)
        return self._report()

    def _control(self) -> None:
        """Start at 55 %, stop at 85 %; below 40 % the standby helps. The duty changes after every filling."""
        if self._measured <= 55.0:
            self._calling = True
        elif self._measured >= 85.0:
            if self._calling:
                self._duty = 1 - self._duty
            self._calling = self._assist = False
        self._assist = self._assist or self._measured <= 40.0
        for index, pump in enumerate(self.pumps):
            pump.command = self._calling and (index == self._duty or self._assist)

    def _distribute(self, around: Surroundings, seconds: float) -> float:
        """What leaves through the riser, m3/h, with the pressure at its foot: static head less friction."""
        table = _WORKING if around.working else _OFF
        hour, share = int(around.hour), around.hour % 1.0
        weight = table[hour] * (1 - share) + table[(hour + 1) % 24] * share
        self._crowd += (1.0 - self._crowd) * min(1.0, seconds / 600.0) + self._taps.read(0.0, 0.05, 6)
        demand = self.plan.daily_demand * weight / sum(_WORKING) * max(0.3, self._crowd)
        meter = self.plan.meter
        static = self.plan.static_head * (0.97 + 0.03 * self.level / 100.0)
        root = sqrt(max(0.0, self.pressure_kpa) / self.plan.static_head)
        burst = 20.0 * self._faults.of(meter, "pipe_burst") * root
        running = 0.9 * self._faults.of(meter, "toilet_runs") * root
        drips = 0.0
        for name, puddle in self.puddles.items():
            drip = 0.06 * self._faults.of(name, "pipe_leak") * root
            puddle.step(drip, seconds)
            drips += drip
        flow = demand + burst + running + drips
        if self.stored_m3 <= 0.0:
            flow = min(flow, sum(max(0.0, pump.delivered) for pump in self.pumps))
            static = 0.0
        self.flow_m3_per_h = flow
        self.pressure_kpa = max(0.0, static - 0.28 * flow**2)
        return flow

    def _balance(self, delivered: float, seconds: float) -> None:
        hours = seconds / 3600.0
        # The float closes a low-level make-up valve; a valve that hangs open does not care.
        healthy = min(1.0, max(0.0, (30.0 - self.level) / 10.0))
        made_up = 16.0 * max(healthy, self._faults.of(self.plan.tank, "float_valve_open"))
        pumped = sum(max(0.0, pump.delivered) for pump in self.pumps)
        back = sum(pump.back_flow() for pump in self.pumps if not pump.pumping) if self.stored_m3 > 0 else 0.0
        if pumped > 0:  # the water turns round in the pump room: the tank gives nothing back
            back = 0.0
        stored = self.stored_m3 + (pumped + made_up - back - delivered) * hours
        spilled = max(0.0, stored - self.plan.volume)
        if stored < 0.0:  # the tank ran dry within the step: the taps got only what there was
            delivered += stored / hours
            stored = 0.0
        self.stored_m3 = stored - spilled
        self.flow_m3_per_h = delivered
        self.metered_m3 += delivered * hours
        flows = (pumped * hours, made_up * hours, back * hours, delivered * hours, spilled)
        for name, volume in zip(self.totals, flows, strict=True):
            self.totals[name] += volume

    def _report(self) -> list[Sample]:
        sensors, plan = self._sensors, self.plan
        samples = [Sample(plan.tank, {"tank_level": self._measured})]
        samples += [Sample(pump.name, pump.report(sensors)) for pump in self.pumps]
        meter = {
            "water_flow": sensors.read_positive(self.flow_m3_per_h, 0.004 + 0.005 * self.flow_m3_per_h, 3),
            "water_pressure": sensors.read(self.pressure_kpa, 1.0, 1),
            "water_volume": round(self.metered_m3, 3),
        }
        samples.append(Sample(plan.meter, dict(meter)))
        samples += [Sample(name, {"leak_detected": int(puddle.is_wet)}) for name, puddle in self.puddles.items()]
        return samples
