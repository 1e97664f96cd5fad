"""The units a person reads: metric as the points have them, or those of the United States. Pure.

Only what is shown is converted; forms, files and the API stay in the units of the catalogue.
"""

import re
from collections.abc import Callable

UNIT_SYSTEMS = ("metric", "us")

_US: dict[str, tuple[str, float, float]] = {
    "degC": ("degF", 1.8, 32.0),
    "delta_degC": ("delta_degF", 1.8, 0.0),
    "K": ("delta_degF", 1.8, 0.0),
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


_SIGNS = {"°C": "degC", "K": "delta_degC", "m³/h": "m3/h", "m³": "m3"}
"""How a text writes a unit of the catalogue; the others are written as they are named."""
_QUANTITY = re.compile(
    r"(?<![A-Za-z0-9_.,–-])(-?\d+(?:\.\d+)?)\s?("
    + "|".join(re.escape(one) for one in sorted({*_SIGNS, *_US} - {"delta_degC"}, key=len, reverse=True))
    + r")(?![A-Za-z0-9/²³])"
)


def shown_unit(unit: str, system: str) -> str:
    """The unit a person of this system reads."""
    return _US[unit][0] if system == "us" and unit in _US else unit


def convert(value: float, unit: str, system: str) -> float:
    """The value in the unit shown."""
    if system != "us" or unit not in _US:
        return value
    _, factor, offset = _US[unit]
    return value * factor + offset


def restate(text: str, system: str, write: Callable[[float, str], str]) -> str:
    """A text in which people wrote quantities (`above 30 °C`), in the units shown; `write` writes a value and its unit.

    Rounded to what the text says: a limit of 30 °C is 86 °F, not 86.00.
    """
    if system != "us":
        return text

    def stated(match: re.Match[str]) -> str:
        unit = _SIGNS.get(match[2], match[2])
        value = convert(float(match[1]), unit, system)
        return write(float(f"{value:.3g}"), shown_unit(unit, system))

    return _QUANTITY.sub(stated, text)
