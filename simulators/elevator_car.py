"""One elevator car: doors, trips, passengers, motor heat and counters, as a machine that moves from phase to phase."""

from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from simulators.elevator_motion import Trip
from simulators.elevator_traffic import KILOGRAMS, Passenger


class Phase(StrEnum):
    """What the car is doing."""

    IDLE = "idle"
    OPENING = "opening"
    OPEN = "open"
    CLOSING = "closing"
    BLOCKED = "blocked"
    MOVING = "moving"
    STUCK = "stuck"
    RESCUE = "rescue"


@dataclass(frozen=True, slots=True)
class CarDesign:
    """Nameplate of a car: heights in m, speeds in m/s, load in kg, door times in s, heat in W, W/K and J/K."""

    floors: int
    floor_height: float = 3.9
    rated_speed: float = 2.5
    acceleration: float = 0.9
    rated_load: float = 1350.0
    door_open_s: float = 2.4
    door_close_s: float = 3.0
    motor_mass_j_per_k: float = 45_000.0
    fan_w_per_k: float = 30.0
    still_air_w_per_k: float = 6.0
    protector_opens_c: float = 130.0
    protector_closes_c: float = 90.0


@dataclass(slots=True)
class Parts:
    """The parts that can fail, each 0 (whole) to 1 (broken)."""

    door_lock_contact: float = 0.0
    door_obstruction: float = 0.0
    door_drag: float = 0.0
    motor_fan: float = 0.0
    levelling_encoder: float = 0.0
    guide_shoe: float = 0.0
    mains: float = 0.0


@dataclass(slots=True)
class Counters:
    """What the controller counts for ever."""

    run_hours: float = 0.0
    run_count: int = 0
    door_cycles: int = 0
    door_reversals: int = 0


class Car:
    """The state of one car. `live` runs it through a step; everything else reads."""

    def __init__(self, design: CarDesign, floor: int, room_c: float, seed: str) -> None:
        self.design, self.parts, self.counters = design, Parts(), Counters()
        self.random = Random(seed)
        self.phase, self.left_s = Phase.IDLE, 0.0
        self.floor, self.target, self.going = floor, floor, 0
        self.riders: list[Passenger] = []
        self.waiting: list[Passenger] = []
        self.motor_c, self.loss_j, self.heat_w = room_c + 8.0, 0.0, 0.0
        self.trip: Trip | None = None
        self.stuck_s, self.retries, self.tripped = 0.0, 0, False
        self.mains_s = 0.0
        self.last = LastTrip()
        self.brake_wear_mm = 1.2
        self._vibration = tuple(self.random.uniform(0.85, 1.15) for _ in range(3))
        self.last.vibration = tuple(round(9.0 * each, 1) for each in self._vibration)

    # --- what others see -------------------------------------------------------------------------------------
    @property
    def in_service(self) -> bool:
        """Whether the group may send it calls."""
        return self.phase not in (Phase.STUCK, Phase.BLOCKED, Phase.RESCUE) and not self.tripped and self.mains_on

    @property
    def mains_on(self) -> bool:
        """Off at the beginning of every ten minutes, for the share of them that is missing."""
        return self.parts.mains == 0 or self.mains_s >= 600.0 * self.parts.mains

    @property
    def load_kg(self) -> float:
        return len(self.riders) * KILOGRAMS

    @property
    def height(self) -> float:
        """Where it stands, in floors, with the fraction between them."""
        if self.trip is None or self.phase not in (Phase.MOVING, Phase.STUCK, Phase.RESCUE):
            return float(self.floor)
        metres, _ = self.trip.at(self.trip.duration - self.left_s)
        return self.floor + self.going * metres / self.design.floor_height

    @property
    def speed(self) -> float:
        """Metres a second, never negative."""
        if self.trip is None or self.phase is not Phase.MOVING:
            return 0.25 if self.phase is Phase.RESCUE else 0.0
        return self.trip.at(self.trip.duration - self.left_s)[1]

    @property
    def imbalance(self) -> float:
        """How far the load is from the 45 % the counterweight balances: 0 balanced, about 1 at worst."""
        return abs(self.load_kg - 0.45 * self.design.rated_load) / (0.55 * self.design.rated_load)

    def cost(self, floor: int) -> float:
        """How many floors and stops away it is from taking one more call at `floor`."""
        return abs(self.height - floor) + 3.0 * (len(self.riders) + len(self.waiting))

    # --- living ----------------------------------------------------------------------------------------------
    def live(self, seconds: float, room_c: float) -> None:
        """Run through the step; the motor's heat balance closes over it."""
        self.mains_s = (self.mains_s + seconds) % 600.0 if self.parts.mains else -seconds
        self.loss_j, budget = 0.0, seconds
        while budget > 1e-9:
            if self.phase in (Phase.STUCK, Phase.BLOCKED) or (self.phase is Phase.IDLE and not self._decide()):
                self._wait(budget)
                budget = 0.0
                continue
            spent = min(budget, self.left_s)
            budget -= spent
            if self._spend(spent) and self.left_s <= 1e-9:
                self._next()
        self._warm(seconds, room_c)

    def _wait(self, seconds: float) -> None:
        if self.phase is Phase.STUCK:
            self.stuck_s += seconds
            if self.mains_on and self.parts.door_lock_contact == 0:
                self.phase, self.left_s = Phase.RESCUE, self.left_s or 1.0
        elif self.phase is Phase.BLOCKED and self.parts.door_obstruction == 0:
            self._begin(Phase.CLOSING, self._closing_s())

    def _spend(self, seconds: float) -> bool:
        """Spend time in the phase; False when the car stops dead in it."""
        if self.phase is Phase.MOVING and self.trip is not None:
            self.loss_j += seconds * (500.0 + 1900.0 * self.imbalance**2)
            self.counters.run_hours += seconds / 3600
            done = 1 - (self.left_s - seconds) / self.trip.duration
            if not self.mains_on or (self.trip.metres > 6.0 and done > 0.4 and self._contact_opens()):
                self.phase, self.stuck_s = Phase.STUCK, 0.0
                self.left_s = max(1.0, self.left_s - seconds)
                # stand clear of every landing: between two floors, as the emergency stop leaves it
                self._stand_between()
                return False
        self.left_s -= seconds
        return True

    def _stand_between(self) -> None:
        if self.trip is None:
            return
        metres, _ = self.trip.at(self.trip.duration - self.left_s)
        floors = max(0.0, metres / self.design.floor_height)
        whole = min(int(floors), round(self.trip.metres / self.design.floor_height) - 1)
        self.floor += self.going * whole
        self.trip = Trip(self.design.floor_height, self.design.rated_speed, self.design.acceleration)
        self.left_s = self.trip.duration / 2

    def _contact_opens(self) -> bool:
        """A worn contact opens when a loaded car shakes the landing doors; each trip decides once."""
        wear = self.parts.door_lock_contact
        if wear == 0 or not self.riders or self.last.contact_checked == self.counters.run_count:
            return False
        self.last.contact_checked = self.counters.run_count
        return self.random.random() < wear

    def _next(self) -> None:
        """The phase is over; go on to the following one."""
        if self.phase in (Phase.MOVING, Phase.RESCUE):
            self._arrive()
        elif self.phase is Phase.OPENING:
            self._exchange()
        elif self.phase is Phase.OPEN:
            self._begin(Phase.CLOSING, self._closing_s())
        elif self.phase is Phase.CLOSING:
            self._closed()

    def _arrive(self) -> None:
        if self.phase is Phase.MOVING:
            self.floor = self.target
        else:  # freed at the next landing: everybody gets out there
            self.floor += self.going
            self.riders = [Passenger(rider.origin, self.floor) for rider in self.riders]
        self.trip = None
        self.last.levelling_mm = round(self.random.gauss(28.0 * self.parts.levelling_encoder, 1.6), 1)
        self.brake_wear_mm += 2e-6
        shake = 9.0 * (1 + 1.8 * self.parts.guide_shoe)
        self.last.vibration = tuple(round(shake * each * self.random.gauss(1, 0.03), 1) for each in self._vibration)
        self._begin(Phase.OPENING, self.design.door_open_s)

    def _exchange(self) -> None:
        """Doors are open: riders leave, waiting people board as far as there is room."""
        before = len(self.riders)
        self.riders = [] if self.tripped else [rider for rider in self.riders if rider.target != self.floor]
        moves = before - len(self.riders)
        room = int(0.8 * self.design.rated_load / KILOGRAMS) - len(self.riders)
        boarding = [person for person in self.waiting if person.origin == self.floor][: max(0, room)]
        for person in boarding:
            self.waiting.remove(person)
            self.riders.append(person)
        self.retries = 0
        self.last.crowd = moves + len(boarding)
        self._begin(Phase.OPEN, 3.0 + 0.9 * self.last.crowd)

    def _closed(self) -> None:
        """The doors have tried to close."""
        hits = self.parts.door_obstruction + 0.12 * self.parts.door_drag + (0.004 if self.last.crowd >= 3 else 0.0)
        if self.random.random() < hits:
            self.counters.door_reversals += 1
            self.retries += 1
            if self.retries >= 3 and self.parts.door_obstruction > 0:
                self.riders.clear()
                self.phase, self.left_s = Phase.BLOCKED, 0.0
            else:
                self._begin(Phase.OPEN, 3.0)
            return
        self.counters.door_cycles += 1
        self.last.door_close_s = round(self._closing_s() + self.random.gauss(0, 0.04), 2)
        self.phase, self.left_s = Phase.IDLE, 0.0

    def _decide(self) -> bool:
        """From rest: open here, or start a trip. False when there is nothing to do, or it may not run."""
        if self.tripped or not self.mains_on:
            return False
        boarding_here = any(person.origin == self.floor for person in self.waiting)
        stops = {rider.target for rider in self.riders} | {person.origin for person in self.waiting}
        if not stops:
            self.going = 0
            return False
        if boarding_here and len(self.riders) * KILOGRAMS < 0.7 * self.design.rated_load:
            self._begin(Phase.OPENING, self.design.door_open_s)
            return True
        stops.discard(self.floor)
        if not stops:
            self._begin(Phase.OPENING, self.design.door_open_s)
            return True
        ahead = [floor for floor in stops if (floor - self.floor) * (self.going or 1) > 0]
        self.target = min(ahead or stops, key=lambda floor: abs(floor - self.floor))
        self.going = 1 if self.target > self.floor else -1
        metres = abs(self.target - self.floor) * self.design.floor_height
        self.trip = Trip(metres, self.design.rated_speed, self.design.acceleration)
        self.counters.run_count += 1
        self.last.trip_s = round(self.trip.duration, 1)
        self._begin(Phase.MOVING, self.trip.duration)
        return True

    def _closing_s(self) -> float:
        return self.design.door_close_s * (1 + 0.9 * self.parts.door_drag)

    def _begin(self, phase: Phase, seconds: float) -> None:
        self.phase, self.left_s = phase, seconds

    def _warm(self, seconds: float, room_c: float) -> None:
        """The motor's heat balance: losses in, cooling out to the machine room (`heat_w`), the rest stays."""
        design = self.design
        cooling = design.still_air_w_per_k + (design.fan_w_per_k - design.still_air_w_per_k) * (
            1 - self.parts.motor_fan
        )
        self.heat_w = cooling * (self.motor_c - room_c)
        losses = self.loss_j / seconds + (220.0 if self.mains_on else 0.0)
        self.motor_c += (losses - self.heat_w) * seconds / design.motor_mass_j_per_k
        if self.motor_c > design.protector_opens_c:
            self.tripped = True
        elif self.motor_c < design.protector_closes_c:
            self.tripped = False


@dataclass(slots=True)
class LastTrip:
    """What the controller keeps of the last trip and stop."""

    trip_s: float = 0.0
    levelling_mm: float = 0.0
    door_close_s: float = 3.0
    vibration: tuple[float, ...] = field(default=(9.0, 9.0, 9.0))
    crowd: int = 0
    contact_checked: int = -1
