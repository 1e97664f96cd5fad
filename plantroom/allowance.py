"""How much event time a reading may be late and still be judged in its place."""

from facility.clock import Clock

ALLOWANCE_US = 2_000_000
"""Two seconds of transport, in real time."""


def allowance_us(clock: Clock) -> int:
    """The allowance in event time: while a reading travels, simulated time goes on faster."""
    return round(ALLOWANCE_US * max(1.0, clock.factor))
