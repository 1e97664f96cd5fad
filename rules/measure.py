"""Units of the parts of an expression, so that a rule that mixes them is refused when it is loaded.

A part of unknown unit (None: a nameplate figure, a parameter without one) goes with everything, and so does what is
made of it. A plain number (PURE) goes with everything too; multiplied by one a part may have been converted, so from
then on only its kind is compared. A temperature and a difference of temperatures are two things: degC less degC is K,
degC and K is degC, and comparing the two is refused.
Percent and ratio count as plain numbers where they are factors.
"""

from dataclasses import dataclass

from facility.units import PLAIN, scale

_FREE = frozenset({"", "bool", "enum", "text", "count", "code", "floor"})
_SHARES = frozenset({"%", "ratio"})
_TEMPERATURES = frozenset({"degC", "degF"})
_STEP = {"degC": "K", "degF": "delta_degF"}

Parts = tuple[tuple[str, float], ...]


class MixedUnitsError(Exception):
    """Two units that cannot stand together; the text names them and says what would help."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A unit as factors with their powers: m3/h is one factor, m3/h * h are two. `scaled` after a plain factor."""

    parts: Parts
    scaled: bool = False

    def __str__(self) -> str:
        over = "*".join(_factor(name, power) for name, power in self.parts if power > 0)
        under = "/".join(_factor(name, -power) for name, power in self.parts if power < 0)
        return (over or "1") + (f" / {under}" if under else "")

    @property
    def temperature(self) -> str | None:
        """The temperature scale of an absolute temperature; None for everything else."""
        (name, power), *rest = self.parts or (("", 0.0),)
        return name if not rest and power == 1 and name in _TEMPERATURES else None


PURE = Measure(())
"""What a plain number has."""


def measure(unit: str) -> Measure | None:
    """The measure of a unit's name; None for what has none."""
    return None if unit in _FREE else Measure(((unit, 1.0),))


def joined(left: Measure | None, right: Measure | None) -> Measure | None:
    """The unit of two things that are compared, or of which one is chosen. Raises MixedUnitsError."""
    if left in (None, PURE) or right in (None, PURE) or left.parts == right.parts:
        return right if left in (None, PURE) else left
    if left.temperature or right.temperature:
        what = f"{left} is compared with {right}"
        if {str(left), str(right)} & {"K", "delta_degC"}:
            what += ": one is a temperature, the other a difference of temperatures"
        raise MixedUnitsError(what)
    factor = scale(left.parts, right.parts)
    if factor is None:
        raise MixedUnitsError(f"{left} and {right} measure different things")
    if abs(factor - 1) > 1e-9 and not (left.scaled or right.scaled):
        raise MixedUnitsError(f"{left} and {right} are mixed; multiply the first by {factor:g} to make it the second")
    return left


def added(left: Measure | None, right: Measure | None) -> Measure | None:
    """The unit of a sum. Two temperatures may be added, for their mean."""
    for one, other in ((left, right), (right, left)):
        if one is not None and other is not None and one.temperature and not other.temperature:
            joined(Measure(((_STEP[one.temperature], 1.0),)), other)
            return one
    return joined(left, right)


def subtracted(left: Measure | None, right: Measure | None) -> Measure | None:
    """The unit of a difference: of two temperatures it is K."""
    if left is None or right is None or not left.temperature:
        return joined(left, right)
    if right.temperature:
        joined(left, right)
        return difference(left)
    return added(left, right)


def multiplied(left: Measure | None, right: Measure | None, sign: int = 1) -> Measure | None:
    """The unit of a product, or of a quotient with `sign` -1."""
    if left is None or right is None:
        return None
    scaled = left.scaled or right.scaled or PURE in (left, right)
    if _is_share(right) or right == PURE:
        return PURE if _is_share(left) and _is_share(right) and sign < 0 else Measure(left.parts, scaled)
    if left == PURE or _is_share(left):
        return Measure(right.parts if sign > 0 else _made({n: -p for n, p in _steps(right)}).parts, scaled)
    powers = dict(_steps(left))
    for name, power in _steps(right):
        powers[name] = powers.get(name, 0.0) + sign * power
    return Measure(_made(powers).parts, scaled)


def divided(left: Measure | None, right: Measure | None) -> Measure | None:
    """The unit of a quotient."""
    return multiplied(left, right, -1)


def per(of: Measure | None, time: str) -> Measure | None:
    """The unit of a rate: K/h of temperatures; None stays None."""
    step = difference(of)
    return None if step is None else Measure(tuple(sorted((*step.parts, (time, -1.0)))))


def root(of: Measure | None) -> Measure | None:
    """The unit of a square root."""
    return None if of is None else _made({name: power / 2 for name, power in _steps(of)})


def difference(of: Measure | None) -> Measure | None:
    """The unit of a difference of two such things: K for temperatures."""
    return of if of is None or not of.temperature else Measure(((_STEP[of.temperature], 1.0),))


def result_unit(rule: str, of: Measure | None) -> Measure | None:
    """The unit of a call by the rule in the table of functions (see `Function.unit`), given that of its argument."""
    if rule.startswith("per "):
        return per(of, rule.removeprefix("per "))
    known = {"": None, "same": of, "difference": difference(of), "root": root(of)}
    return known[rule] if rule in known else measure(rule)


def _is_share(of: Measure | None) -> bool:
    return of is not None and len(of.parts) == 1 and of.parts[0][0] in _SHARES


def _steps(of: Measure) -> Parts:
    """The factors, temperatures as differences: only these can be multiplied."""
    return tuple((_STEP.get(name, name), power) for name, power in of.parts)


def _made(powers: dict[str, float]) -> Measure:
    parts = tuple(sorted((name, power) for name, power in powers.items() if power))
    if parts and not any(name in PLAIN for name, _ in parts) and scale(parts, ()) == 1.0:
        return PURE
    return Measure(parts)


def _factor(name: str, power: float) -> str:
    return name if power == 1 else f"{name}^{power:g}"
