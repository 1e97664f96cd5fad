"""A transfer pump with its starter, its coupling and its check valve."""

from simulators.plant import FaultKind, FaultNames, Sensors, Values

PUMP_FAULTS: FaultNames = {
    "coupling_broken": FaultKind(
        "motor and pump are parted: it is commanded and runs, and no water moves; severity is the slip", "coupling"
    ),
    "motor_trip": FaultKind(
        "the starter's overload relay trips; severity 1 at once, less after a longer run (0: half an hour)",
        "overload relay",
    ),
    "check_valve_leak": FaultKind(
        "the check valve does not seat: the riser runs back through the pump when it stands still", "check valve"
    ),
    "suction_blocked": FaultKind(
        "the suction strainer is clogged; severity is the share of the flow that is missing", "strainer"
    ),
}


class Pump:
    """Flows in m3/h, pressures in kPa at the discharge flange, power in W. `parts` holds the severities."""

    def __init__(self, name: str, rated_flow: float, static_head: float) -> None:
        self.name, self.rated_flow, self.static_head = name, rated_flow, static_head
        self.parts = dict.fromkeys(PUMP_FAULTS, 0.0)
        self.command = False
        self.running = False
        self.delivered = self._called_s = 0.0
        self.run_hours, self.start_count = 2600.0, 3100

    @property
    def turning(self) -> float:
        """How much of the motor's speed reaches the impeller, 0..1."""
        return (1.0 - self.parts["coupling_broken"]) if self.running else 0.0

    @property
    def pumping(self) -> bool:
        """Whether it lifts water against the head."""
        return self.turning > 0.75

    def back_flow(self) -> float:
        """What runs back through a leaking check valve while it stands still, m3/h, never negative."""
        return 0.0 if self.pumping else 0.05 * self.rated_flow * self.parts["check_valve_leak"]

    def step(self, seconds: float, other_back_flow: float) -> None:
        """Follow the command; deliver what the impeller lifts, less what runs back through the other pump."""
        self._called_s = self._called_s + seconds if self.command else 0.0
        tripped = self.parts["motor_trip"] > 0 and self._called_s > 1800.0 * (1.0 - self.parts["motor_trip"])
        runs = self.command and not tripped
        if runs and not self.running:
            self.start_count += 1
        self.running = runs
        self.run_hours += seconds / 3600.0 if runs else 0.0
        speed = self.turning
        # The head over the static column falls with the square of the speed: below 75 % nothing is lifted.
        lift = max(0.0, (speed**2 - 0.5625) / 0.4375) ** 0.5 if self.pumping else 0.0
        gross = self.rated_flow * lift * (1.0 - self.parts["suction_blocked"])
        self.delivered = max(0.0, gross - other_back_flow)

    def report(self, sensors: Sensors) -> Values:
        """Its readings. A flow backwards through a leaking check valve shows as negative."""
        flow = self.delivered - self.back_flow()
        share = max(0.0, self.delivered) / self.rated_flow
        pressure = self.static_head * (1.0 + 0.12 * share**2)
        power = (900.0 + 2800.0 * share * self.turning) if self.running else 0.0
        return {
            "run_command": int(self.command),
            "run_status": int(self.running),
            "water_flow": sensors.read(flow, 0.05, 2) if abs(flow) > 0.001 else 0.0,
            "water_pressure": sensors.read(pressure, 1.5, 1),
            "power": sensors.read_positive(power, 15.0, 0),
            "run_hours": round(self.run_hours, 2),
            "start_count": self.start_count,
        }
