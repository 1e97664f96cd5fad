"""The unit controller: supply temperature through heating, free cooling and cooling in sequence, and duct pressure."""

from enum import StrEnum

from simulators.control import Command, Loop

_GAP = 5.0  # of the sequence, % : between two stages neither moves


class Mode(StrEnum):
    """What the time programme asks of the unit."""

    OFF = "off"
    WARM_UP = "warm_up"
    OCCUPIED = "occupied"


class AirHandlerControl:
    """Commands in %. One supply loop runs from -100 (heating open) over 0..100 (damper) to 200 (cooling open).

    Free cooling ends above 21 degC outside; then the damper stays at its minimum and the loop from 0 to 100 is the
    cooling valve.
    """

    def __init__(self, minimum_damper: float, static_setpoint: float) -> None:
        self.minimum_damper, self.static_setpoint = minimum_damper, static_setpoint
        self.heating, self.cooling, self._free = Command(opening=3.0), Command(opening=3.0), Command(opening=3.0)
        self.damper = 0.0
        self.mode, self.setpoint, self.fan_speed = Mode.OFF, 18.0, 0.0
        self._supply = Loop(gain=4.0, reset_s=90.0, low=-100.0, high=200.0, start=30.0)
        self._pressure = Loop(gain=0.02, reset_s=40.0, low=20.0, high=100.0, start=45.0)
        self._free_cooling = True

    def turn(self, mode: Mode, supply_c: float, static_pa: float, outside_c: float, seconds: float) -> None:
        """One turn of every loop."""
        if mode is not self.mode:
            self._supply.reset(-20.0 if mode is Mode.WARM_UP else 30.0)
            self._pressure.reset(45.0)
            self.mode = mode
        if mode is Mode.OFF:
            self.fan_speed = 0.0
            self.damper = 0.0
            for command in (self.heating, self.cooling, self._free):
                command.follow(0.0)
            return
        self._change_over(outside_c)
        # Reset by outside air: 18 degC up to 14 degC outside, 14 degC from 20 degC outside on.
        reset = 18.0 - 4.0 * min(1.0, max(0.0, (outside_c - 14.0) / 6.0))
        self.setpoint = 28.0 if mode is Mode.WARM_UP else reset
        self.fan_speed = self._pressure.step(self.static_setpoint - static_pa, seconds)
        demand = self._supply.step(supply_c - self.setpoint, seconds)
        self._sequence(demand, warm_up=mode is Mode.WARM_UP)

    def _change_over(self, outside_c: float) -> None:
        """Free cooling or not, with the cooling valve where it was."""
        before, self._free_cooling = self._free_cooling, outside_c < (21.5 if self._free_cooling else 20.5)
        if before is not self._free_cooling:
            begin, end = (100.0 + _GAP, 200.0) if self._free_cooling else (_GAP, 100.0)
            self._supply.reset(begin + (end - begin) * self.cooling.value / 100.0)

    def _sequence(self, demand: float, *, warm_up: bool) -> None:
        self.heating.follow(_stage(-demand, _GAP, 100.0))
        if warm_up:
            self._free.follow(0.0)
            self.cooling.follow(0.0)
        elif self._free_cooling:
            self._free.follow(_stage(demand, 0.0, 100.0 - _GAP))
            self.cooling.follow(_stage(demand, 100.0 + _GAP, 200.0))
        else:
            self._free.follow(0.0)
            self.cooling.follow(_stage(demand, _GAP, 100.0))
        # Nobody is in yet while it warms up: the air goes round, and nothing comes from outside.
        minimum = 0.0 if warm_up else self.minimum_damper
        self.damper = minimum + (100.0 - minimum) * self._free.value / 100.0


def _stage(demand: float, begin: float, end: float) -> float:
    """How far a stage that runs from `begin` to `end` of the sequence is open, %."""
    return 100.0 * min(1.0, max(0.0, (demand - begin) / (end - begin)))
