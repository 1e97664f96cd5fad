"""The control loops that plant controllers run: PI with limits, and a command that ignores tiny changes."""


class Loop:
    """A PI controller. Output in its own unit between `low` and `high`; the integral stops at the limits.

    `gain` is output per unit of error, `reset_s` the integral time in seconds.
    """

    def __init__(self, gain: float, reset_s: float, low: float, high: float, start: float = 0.0) -> None:
        self.gain, self.reset_s, self.low, self.high = gain, reset_s, low, high
        self._integral = start

    def step(self, error: float, seconds: float) -> float:
        """The output after `seconds` of this error (set point minus measurement, or the reverse for cooling)."""
        proportional = self.gain * error
        integral = self._integral + self.gain * error * seconds / self.reset_s
        self._integral = min(self.high, max(self.low, integral))
        return min(self.high, max(self.low, self._integral + proportional))

    def reset(self, output: float = 0.0) -> None:
        """Start again from this output."""
        self._integral = output


class Command:
    """An actuator command in %: follows the wish only when it is off by `band`, or at either end.

    From shut it opens only once the wish reaches `opening`, so that a stage does not flutter where it begins.
    """

    def __init__(self, band: float = 1.0, opening: float = 0.0) -> None:
        self.band, self.opening, self.value = band, opening, 0.0

    def follow(self, wish: float) -> float:
        """The command after this wish (0..100)."""
        wish = min(100.0, max(0.0, wish))
        if self.value == 0.0 and wish < self.opening:
            return 0.0
        if abs(wish - self.value) >= self.band or (wish in (0.0, 100.0) and abs(wish - self.value) > 0):
            self.value = wish
        return self.value
