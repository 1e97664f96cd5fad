"""Conversion of units, by pint. Points live in the unit of the catalogue; wires and files may use another.

Pint is loaded with the first unit that is looked up: the processes that never see one (the broker's, the supervisor)
are smaller by its ten megabytes.
"""

from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from facility.errors import PermanentError

if TYPE_CHECKING:
    import pint

# Units without a physical dimension of their own: never converted, only compared by name.
PLAIN = frozenset({"", "bool", "enum", "text", "count", "code", "floor", "ph", "ntu"})
_SPELLING = {
    "degC": "degC", "degF": "degF", "K": "kelvin", "%": "percent", "m3/h": "meter**3/hour", "m3": "meter**3",
    "l/s": "liter/second", "cfm": "foot**3/minute", "gpm": "gallon/minute", "mm/s2": "millimeter/second**2",
    "inH2O": "inH2O", "ratio": "dimensionless", "lx": "lux", "delta_degC": "delta_degC",
    "delta_degF": "delta_degF",
}  # fmt: skip


class UnitError(PermanentError):
    """A unit that is not known, or two that measure different things."""


@cache
def _registry() -> "pint.UnitRegistry[float]":
    import pint  # noqa: PLC0415 - see above

    registry: pint.UnitRegistry[float] = pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
    if "percent" not in registry:
        registry.define("percent = 0.01")
    return registry


def check_unit(name: str) -> str:
    """The name itself when it is a unit we know. Raises UnitError."""
    if name not in PLAIN:
        _parse(name)
    return name


@lru_cache(maxsize=512)
def _parse(name: str) -> "pint.Unit":
    try:
        return _registry().Unit(_SPELLING.get(name, name))
    except Exception as error:  # pint raises many kinds for a bad text; all mean the same here
        msg = f"{name!r} is not a unit we know; write it like degC, degF, K, %, Pa, kPa, m3/h, W, kWh, lx, s"
        raise UnitError(msg) from error


@lru_cache(maxsize=512)
def converter(source: str, target: str) -> Callable[[float], float]:
    """A function from a number in `source` to a number in `target`; affine, so right for temperatures too.

    Results are rounded to nine decimals: 86 degF is 30 degC and not 30.00000000000005. Raises UnitError when the two
    measure different things.
    """
    if source == target:
        return _same
    if source in PLAIN or target in PLAIN:
        msg = f"{source!r} cannot become {target!r}: one of them is not a physical unit"
        raise UnitError(msg)
    registry, from_unit, to_unit = _registry(), _parse(source), _parse(target)
    if from_unit.dimensionality != to_unit.dimensionality:
        msg = f"{source!r} cannot become {target!r}: they measure different things"
        raise UnitError(msg)
    zero = float(registry.Quantity(0.0, from_unit).to(to_unit).magnitude)
    hundred = float(registry.Quantity(100.0, from_unit).to(to_unit).magnitude)
    slope = (hundred - zero) / 100.0
    return lambda value: round(value * slope + zero, 9)


def scale(source: Iterable[tuple[str, float]], target: Iterable[tuple[str, float]]) -> float | None:
    """The number by which a quantity in `source` is multiplied to be one in `target`; None when they differ in kind.

    Both are factors with their powers, like `(("m3/h", 1), ("h", 1))`. Differences of temperature, no temperatures.
    """
    quantities = []
    for side in (source, target):
        quantity = _registry().Quantity(1.0)
        for name, power in side:
            if name in PLAIN:
                return None
            quantity = quantity * _registry().Quantity(1.0, _parse(name)) ** power
        quantities.append(quantity)
    quotient = quantities[0] / quantities[1]
    return round(float(quotient.to("dimensionless").magnitude), 12) if quotient.dimensionless else None


def _same(value: float) -> float:
    return value
