"""A variable-volume air handler: mixing box, filter, two coils, fan, duct, its zones, and the loops that drive it."""

from math import sqrt
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from simulators.air_handler_control import AirHandlerControl, Mode
from simulators.air_handler_zone import AIR_J_PER_M3K, OUTDOOR_CO2, ZONE_FAULTS, Zone, ZonePlan
from simulators.plant import FaultKind, FaultNames, Faults, Sample, Sensors, Values
from simulators.surroundings import Surroundings

UNIT_FAULTS: FaultNames = {
    "heating_valve_leak": FaultKind(
        "the heating valve does not close; severity 1 leaves 40 % of the water flowing", "heating valve"
    ),
    "cooling_valve_leak": FaultKind(
        "the cooling valve does not close; severity 1 leaves 40 % of the water flowing", "cooling valve"
    ),
    "heating_valve_stuck": FaultKind(
        "the heating valve does not move any more; severity is where it stays (1 is open)", "heating valve"
    ),
    "cooling_valve_stuck": FaultKind(
        "the cooling valve does not move any more; severity is where it stays (1 is open)", "cooling valve"
    ),
    "outside_damper_stuck": FaultKind(
        "the outdoor air damper does not move any more; severity is where it stays (1 is open)", "outdoor air damper"
    ),
    "outside_damper_leak": FaultKind(
        "the outdoor air damper does not close: its blades leave a gap; severity 1 is a gap of 60 %",
        "outdoor air damper",
    ),
    "supply_fan_belt": FaultKind(
        "the fan belt slips; severity 1 is a broken belt: the motor turns, the fan does not", "belt"
    ),
    "supply_sensor_bias": FaultKind("the supply air sensor reads high; severity 1 is 5 K", "supply air sensor"),
    "mixed_sensor_bias": FaultKind("the mixed air sensor reads high; severity 1 is 6 K", "mixed air sensor"),
    "chilled_water_warm": FaultKind(
        "the plant sends chilled water too warm; severity 1 is 14 degC instead of 7", "chilled water"
    ),
    "filter_clogged": FaultKind(
        "the filter is loaded; severity 1 is thirty times the resistance of a clean one", "filter"
    ),
    "controller_silent": FaultKind(
        "the controller's network card fails; severity is the share of its messages that is lost", "network"
    ),
}
_SUBSTEP_S = 15.0
_MINIMUM_DAMPER = 25.0
_STATIC_PA = 250.0
_FAN_PA, _FAN_CURVE = 1050.0, 0.28  # shut-off pressure at full speed; share of it lost at rated flow
_FILTER_PA, _CASING_PA = 80.0, 220.0  # at rated flow
_HOT_WATER_C, _CHILLED_WATER_C = 55.0, 7.0


class AirHandlerPlant(BaseModel):
    """Parameters of an air handler and its zones."""

    model_config = ConfigDict(extra="forbid")
    id: str
    model: Literal["air_handler"]
    step: float | None = Field(default=None, ge=15, le=300, description="seconds of one step")
    asset: str
    zones: list[ZonePlan] = Field(min_length=1, max_length=40)
    start_hour: float = Field(default=7.0, ge=0, le=24, description="people come in, local hour")
    stop_hour: float = Field(default=19.0, ge=0, le=24)
    warm_up: float = Field(
        default=0.4, ge=0, le=6, description="hours before it during which a cold building is heated"
    )

    def faults(self) -> dict[str, FaultNames]:
        """The faults of each asset."""
        return {self.asset: UNIT_FAULTS} | dict.fromkeys((zone.asset for zone in self.zones), ZONE_FAULTS)

    def build(self, seed: str) -> "AirHandler":
        """An air handler at rest in a building at 21.5 degC."""
        return AirHandler(self, seed)


class AirHandler:
    """Temperatures in degC, pressures in Pa, flows in m3/h, openings in %."""

    def __init__(self, plan: AirHandlerPlant, seed: str) -> None:
        self.plan = plan
        self.zones = [Zone(zone, _STATIC_PA) for zone in plan.zones]
        self.rated_flow = 0.85 * sum(zone.rated_flow for zone in plan.zones)
        self.control = AirHandlerControl(_MINIMUM_DAMPER, _STATIC_PA)
        self.flow = self.static_pa = self.filter_pa = self.fan_w = 0.0
        self.mixed_c = self.supply_c = self.return_c = 21.5
        self.measured_supply_c = 21.5
        self.heating_w = self.cooling_w = 0.0
        self.damper = self.heating_valve = self.cooling_valve = 0.0
        self._faults = Faults()
        self._sensors = Sensors(f"{seed}/sensors")

    def set_fault(self, asset_id: str, fault: str, severity: float) -> None:
        """Break a part of the unit or of a zone's box."""
        self._faults.set(asset_id, fault, severity)
        for zone in self.zones:
            if zone.name == asset_id:
                zone.parts[fault] = severity

    def age(self, days: int) -> None:
        """An air handler counts nothing."""

    def step(self, around: Surroundings, seconds: float) -> list[Sample]:
        """Live through the step in quarter minutes, each with a turn of every loop; then report."""
        mode = self._mode(around)
        left = seconds
        while left > 1e-9:
            short = min(_SUBSTEP_S, left)
            self._turn(mode, around, short)
            left -= short
        for zone in self.zones:
            zone.measure(self._sensors)
        samples = [Sample(zone.name, zone.report(self._sensors)) for zone in self.zones]
        if self._sensors.lost(self._broken("controller_silent")):
            return samples
        return [Sample(self.plan.asset, self._report(mode)), *samples]

    def _broken(self, fault: str) -> float:
        return self._faults.of(self.plan.asset, fault)

    def _mode(self, around: Surroundings) -> Mode:
        if not around.working or not self.plan.start_hour - self.plan.warm_up <= around.hour < self.plan.stop_hour:
            return Mode.OFF
        if around.hour >= self.plan.start_hour:
            return Mode.OCCUPIED
        coldest = min(zone.air_c for zone in self.zones)
        warming = self.control.mode is Mode.WARM_UP
        return Mode.WARM_UP if coldest < (21.0 if warming else 20.3) else Mode.OFF

    def _turn(self, mode: Mode, around: Surroundings, seconds: float) -> None:
        control = self.control
        control.turn(mode, self.measured_supply_c, self.static_pa, around.outside_c, seconds)
        self._actuators()
        for zone in self.zones:
            zone.control(on=mode is not Mode.OFF, warm_up=mode is Mode.WARM_UP, seconds=seconds)
        self._air_flow()
        self._air_state(around, seconds)
        co2 = sum(zone.co2_ppm * max(1.0, zone.flow) for zone in self.zones)
        co2 /= sum(max(1.0, zone.flow) for zone in self.zones)
        supply_co2 = co2 + self.damper / 100.0 * (OUTDOOR_CO2 - co2)
        for zone in self.zones:
            zone.live(around, self.supply_c, supply_co2, seconds)

    def _actuators(self) -> None:
        """Where dampers and valves really stand, and how much water really flows."""
        control = self.control
        stuck_damper, stuck_valve = self._broken("outside_damper_stuck"), self._broken("cooling_valve_stuck")
        self.damper = 100.0 * stuck_damper if stuck_damper else control.damper
        self.damper = max(self.damper, 60.0 * self._broken("outside_damper_leak"))
        self.cooling_valve = 100.0 * stuck_valve if stuck_valve else control.cooling.value
        stuck_heating = self._broken("heating_valve_stuck")
        self.heating_valve = 100.0 * stuck_heating if stuck_heating else control.heating.value

    def _air_flow(self) -> None:
        """Where fan curve and duct meet: p(fan) = filter + casing + duct, flow = conductance x sqrt(duct)."""
        speed = self.control.fan_speed / 100.0 * (1.0 - self._broken("supply_fan_belt"))
        conductance = sum(zone.conductance for zone in self.zones)
        filter_pa = _FILTER_PA * (1.0 + 29.0 * self._broken("filter_clogged"))
        losses = (filter_pa + _CASING_PA + _FAN_CURVE * _FAN_PA) / self.rated_flow**2
        self.static_pa = _FAN_PA * speed**2 / (1.0 + losses * conductance**2)
        self.flow = conductance * sqrt(self.static_pa)
        for zone in self.zones:
            zone.flow = zone.conductance * sqrt(self.static_pa)
        share = self.flow / self.rated_flow
        self.filter_pa = filter_pa * share**2
        pressure = self.static_pa + self.filter_pa + _CASING_PA * share**2
        self.fan_w = self.flow / 3600.0 * pressure / 0.55

    def _air_state(self, around: Surroundings, seconds: float) -> None:
        """Mixing, coils and fan heat as energy balances of the air stream; sensors lag by their time constant."""
        room_c = sum(zone.air_c * max(1.0, zone.flow) for zone in self.zones)
        room_c /= sum(max(1.0, zone.flow) for zone in self.zones)
        air_w_per_k = AIR_J_PER_M3K * self.flow / 3600.0
        outside = self.damper / 100.0
        mixed_c = outside * around.outside_c + (1.0 - outside) * room_c
        leak = 0.4 * self._broken("heating_valve_leak")
        heating = self.heating_valve / 100.0
        heating += (1.0 - heating) * leak
        cooling = self.cooling_valve / 100.0
        cooling += (1.0 - cooling) * 0.4 * self._broken("cooling_valve_leak")
        chilled_c = _CHILLED_WATER_C + 7.0 * self._broken("chilled_water_warm")
        heated_c = mixed_c + 0.35 * heating * (_HOT_WATER_C - mixed_c)
        cooled_c = heated_c - 0.72 * cooling * max(0.0, heated_c - chilled_c)
        self.heating_w, self.cooling_w = air_w_per_k * (heated_c - mixed_c), air_w_per_k * (heated_c - cooled_c)
        moving = self.flow > 0.03 * self.rated_flow
        supply_c = cooled_c + (self.fan_w / air_w_per_k if moving else 0.0)
        # In still air a sensor sees the room around the unit, not the stream.
        still_c, lag = 0.8 * room_c + 0.2 * around.outside_c, 45.0 if moving else 1500.0
        share = min(1.0, seconds / lag)
        self.mixed_c += share * ((mixed_c if moving else still_c) - self.mixed_c)
        self.supply_c += share * ((supply_c if moving else still_c) - self.supply_c)
        self.return_c += share * ((room_c if moving else still_c) - self.return_c)
        self.measured_supply_c = self.supply_c + 5.0 * self._broken("supply_sensor_bias")

    def _report(self, mode: Mode) -> Values:
        sensors, control = self._sensors, self.control
        on = mode is not Mode.OFF
        return {
            "supply_air_temperature": sensors.read(self.measured_supply_c, 0.06),
            "supply_air_temperature_setpoint": round(control.setpoint, 2),
            "return_air_temperature": sensors.read(self.return_c, 0.06),
            "mixed_air_temperature": sensors.read(self.mixed_c + 6.0 * self._broken("mixed_sensor_bias"), 0.12),
            "supply_air_static_pressure": sensors.read_positive(self.static_pa, 2.0, 1),
            "supply_air_static_pressure_setpoint": _STATIC_PA,
            "filter_differential_pressure": sensors.read_positive(self.filter_pa, 1.0, 1),
            "air_flow": sensors.read_positive(self.flow, 0.004 * self.rated_flow, 0),
            "heating_valve_command": round(control.heating.value, 1),
            "cooling_valve_command": round(control.cooling.value, 1),
            "cooling_valve_position": min(100.0, sensors.read_positive(self.cooling_valve, 0.2, 1)),
            "outside_air_damper_command": round(control.damper, 1),
            "outside_air_damper_position": min(100.0, sensors.read_positive(self.damper, 0.3, 1)),
            "supply_fan_speed_command": round(control.fan_speed, 1),
            "supply_fan_command": int(on),
            "supply_fan_status": int(self.filter_pa + self.static_pa > 25.0),
            "occupied_mode": int(mode is Mode.OCCUPIED),
        }
