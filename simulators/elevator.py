"""A group of elevators behind one dispatcher, in one machine room: traffic in, controller readings out."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from simulators.elevator_car import Car, CarDesign, Parts, Phase
from simulators.elevator_traffic import Passenger, Traffic
from simulators.plant import FaultKind, FaultNames, Faults, Sample, Sensors, Values
from simulators.surroundings import Surroundings

CAR_FAULTS: FaultNames = {
    "door_lock_contact": FaultKind(
        "a landing door's lock contact opens when a loaded car shakes it; severity is how often", "door lock contact"
    ),
    "door_obstruction": FaultKind(
        "something lies in the sill; severity is how often the closing door meets it", "sill"
    ),
    "door_drag": FaultKind(
        "the door panels drag; severity 1 nearly doubles the closing time, and they reverse more often", "door panel"
    ),
    "motor_fan": FaultKind(
        "the hoist motor's fan is dead; severity is the share of its air that is missing", "motor fan"
    ),
    "levelling_encoder": FaultKind("the floor encoder slips; severity 1 is 28 mm", "encoder"),
    "guide_shoe": FaultKind("a guide shoe is worn; severity 1 nearly trebles the vibration", "guide shoe"),
    "mains": FaultKind(
        "the drive's supply fails, the controller lives on its battery; severity is the share of the time it is off",
        "mains",
    ),
    "controller_silent": FaultKind(
        "the controller's network card fails; severity is the share of its messages that is lost", "network"
    ),
}
ROOM_FAULTS: FaultNames = {
    "machine_room_fan": FaultKind(
        "the machine room's exhaust fan is dead; severity is the missing share", "ventilation"
    )
}
_REPEAT_S, _SLOW_S = 30.0, 60.0
_ALARM_AFTER_S = 30.0
_TEST_HOUR = 4.0


class ElevatorPlant(BaseModel):
    """Parameters of a group of elevators."""

    model_config = ConfigDict(extra="forbid")
    id: str
    model: Literal["elevator"]
    step: float | None = Field(default=10.0, ge=1, le=60, description="seconds of one step")
    cars: list[str] = Field(min_length=1, max_length=16, description="asset ids; the first has the room's sensor")
    floors: int = Field(default=20, ge=3, le=100)
    rated_speed: float = Field(default=2.5, gt=0.2, le=10, description="m/s")
    rated_load: float = Field(default=1350, ge=300, le=2500, description="kg")
    population: int = Field(default=600, ge=0, le=10_000, description="people who work above the lobby")

    def faults(self) -> dict[str, FaultNames]:
        """The faults of each asset."""
        return {car: {**CAR_FAULTS, **(ROOM_FAULTS if car == self.cars[0] else {})} for car in self.cars}

    def build(self, seed: str) -> "ElevatorGroup":
        """A group at rest, its cars spread over the building."""
        return ElevatorGroup(self, seed)


class ElevatorGroup:
    """The cars, their calls and the machine room they heat."""

    def __init__(self, plan: ElevatorPlant, seed: str) -> None:
        design = CarDesign(floors=plan.floors, rated_speed=plan.rated_speed, rated_load=plan.rated_load)
        self.room_c = 24.0
        self.cars = {
            name: Car(design, 1 + index * (plan.floors - 1) // len(plan.cars), self.room_c, f"{seed}/{name}")
            for index, name in enumerate(plan.cars)
        }
        self._room_asset = plan.cars[0]
        self._traffic = Traffic(plan.population, plan.floors, f"{seed}/traffic")
        self._sensors = Sensors(f"{seed}/sensors")
        self._faults = Faults()
        self._unserved: list[Passenger] = []
        self._sent: dict[str, tuple[Values, int, int]] = {}

    def set_fault(self, asset_id: str, fault: str, severity: float) -> None:
        """Break a part of a car, or of the machine room."""
        self._faults.set(asset_id, fault, severity)
        if fault in Parts.__dataclass_fields__:
            setattr(self.cars[asset_id].parts, fault, severity)

    def age(self, days: int) -> None:
        """Counters of days that were not lived through: four trips a person and a hundred more."""
        trips = days * (4 * self._traffic.population // len(self.cars) + 100)
        for car in self.cars.values():
            car.counters.run_count += trips
            car.counters.door_cycles += trips
            car.counters.door_reversals += trips // 200
            car.counters.run_hours += trips * 15.0 / 3600.0

    def step(self, around: Surroundings, seconds: float) -> list[Sample]:
        """Dispatch the calls, run the cars, warm the room. A car reports when something changed, or after 30 s."""
        self._dispatch(around, seconds)
        for car in self.cars.values():
            car.live(seconds, self.room_c)
        self._ventilate(around, seconds)
        return [sample for name, car in self.cars.items() if (sample := self._report(name, car, around))]

    def _dispatch(self, around: Surroundings, seconds: float) -> None:
        calls = self._unserved + self._traffic.calls(around, seconds)
        for car in self.cars.values():
            if not car.in_service and car.waiting:
                calls += car.waiting
                car.waiting = []
        able = [car for car in self.cars.values() if car.in_service]
        self._unserved = [] if able else calls
        for call in calls if able else ():
            min(able, key=lambda car: car.cost(call.origin)).waiting.append(call)

    def _ventilate(self, around: Surroundings, seconds: float) -> None:
        """Heat balance of the machine room: motors, drives and the sun in; walls and the exhaust fan out."""
        fan = 1 - self._faults.of(self._room_asset, "machine_room_fan")
        heat = sum(car.heat_w + 350.0 + 0.1 * car.loss_j / seconds for car in self.cars.values())
        heat += around.daylight_lx * 0.01
        air = 700.0 * fan * min(1.0, max(0.0, (self.room_c - 25.0) / 3.0))
        flow_out = (110.0 + air) * (self.room_c - around.outside_c)
        self.room_c += (heat - flow_out) * seconds / 1_000_000.0

    def _report(self, name: str, car: Car, around: Surroundings) -> Sample | None:
        values = self._status(car, around)
        last, sent_us, slow_us = self._sent.get(name, ({}, 0, 0))
        slow = around.at_us - slow_us >= _SLOW_S * 1e6
        if values == last and not slow and around.at_us - sent_us < _REPEAT_S * 1e6:
            return None
        self._sent[name] = (values, around.at_us, around.at_us if slow else slow_us)
        if self._sensors.lost(self._faults.of(name, "controller_silent")):
            return None
        return Sample(name, {**values, **self._slow(name, car)} if slow else dict(values))

    def _status(self, car: Car, around: Surroundings) -> Values:
        moving = car.phase in (Phase.MOVING, Phase.RESCUE)
        stuck = car.phase is Phase.STUCK
        test = _TEST_HOUR <= around.hour < _TEST_HOUR + 1 / 60
        trapped = stuck and bool(car.riders) and car.stuck_s >= _ALARM_AFTER_S
        doors = {Phase.OPENING: "opening", Phase.OPEN: "open", Phase.CLOSING: "closing", Phase.BLOCKED: "blocked"}
        return {
            "service_mode": "stop" if car.tripped else "normal",
            "car_status": "running" if moving else "stopped",
            "car_direction": ("up" if car.going > 0 else "down") if moving else "none",
            "car_position": round(car.height),
            "door_zone": 0 if moving or stuck else 1,
            "door_status": doors.get(car.phase, "closed"),
            "car_load": 5 * round(car.load_kg / 5),
            "passenger_present": int(bool(car.riders)),
            "passenger_alarm": int(trapped or test),
            "alarm_test": int(test),
            "safety_chain_closed": int(not (stuck and car.parts.door_lock_contact > 0)),
            "mains_present": int(car.mains_on),
            "fault_code": _fault_code(car),
        }

    def _slow(self, name: str, car: Car) -> Values:
        amperes = (11.0 + 26.0 * car.imbalance) if car.phase is Phase.MOVING else (0.5 if car.mains_on else 0.0)
        values: Values = {
            "car_speed": round(car.speed, 2),
            "drive_current": self._sensors.read_positive(amperes, 0.3, 1),
            "motor_temperature": self._sensors.read(car.motor_c, 0.2, 1),
            "run_hours": round(4000.0 + car.counters.run_hours, 2),
            "run_count": 210_000 + car.counters.run_count,
            "door_cycles": 260_000 + car.counters.door_cycles,
            "door_reversals": 900 + car.counters.door_reversals,
            "door_close_time": car.last.door_close_s,
            "trip_time": car.last.trip_s,
            "levelling_error": car.last.levelling_mm,
            "vibration_x": car.last.vibration[0],
            "vibration_y": car.last.vibration[1],
            "vibration_z": car.last.vibration[2],
            "brake_wear": round(car.brake_wear_mm, 4),
        }
        if name == self._room_asset:
            values["machine_room_temperature"] = self._sensors.read(self.room_c, 0.1, 1)
        return values


def _fault_code(car: Car) -> str:
    """The controller's own code (GB/T 24476 style), as it stands now."""
    if not car.mains_on:
        return "41"
    if car.phase is Phase.STUCK:
        return "01" if car.parts.door_lock_contact > 0 else "04"
    if car.phase is Phase.BLOCKED:
        return "02"
    return "08" if car.tripped else "00"
