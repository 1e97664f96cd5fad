"""The units a person reads: metric as the points have them, or those of the United States. Pure.

Only what is shown is converted; forms, files and the API stay in the units of the catalogue.
"""

UNIT_SYSTEMS = ("metric", "us")

_US: dict[str, tuple[str, float, float]] = {
    "degC": ("degF", 1.8, 32.0),
    "delta_degC": ("delta_degF", 1.8, 0.0),
    "kPa": ("psi", 0.1450377377, 0.0),
    "Pa": ("inH2O", 0.00401463, 0.0),
    "bar": ("psi", 14.503773773, 0.0),
    "m": ("ft", 3.280839895, 0.0),
    "mm": ("in", 0.03937007874, 0.0),
    "cm": ("in", 0.3937007874, 0.0),
    "m/s": ("ft/min", 196.8503937, 0.0),
    "m3": ("gal", 264.1720524, 0.0),
    "m3/h": ("gpm", 4.402867539, 0.0),
    "L": ("gal", 0.2641720524, 0.0),
    "L/s": ("gpm", 15.850323141, 0.0),
    "L/min": ("gpm", 0.2641720524, 0.0),
    "kg": ("lb", 2.204622622, 0.0),
    "lx": ("fc", 0.09290304, 0.0),
}
"""Unit -> (the unit shown instead, factor, offset)."""


def shown_unit(unit: str, system: str) -> str:
    """The unit a person of this system reads."""
    return _US[unit][0] if system == "us" and unit in _US else unit


def convert(value: float, unit: str, system: str) -> float:
    """The value in the unit shown."""
    if system != "us" or unit not in _US:
        return value
    _, factor, offset = _US[unit]
    return value * factor + offset
