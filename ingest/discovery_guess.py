"""A proposed mapping for a device nobody described: points and class, guessed from names, units and values.

Plain scoring, no learning: the words of a device's name for a value against the words of each point of the catalogue
(its name and its labels in every language), a unit that fits or does not, a value that can be or cannot.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from facility.catalogue import EquipmentClass, PointType, equipment_classes, point_types
from facility.units import UnitError, converter
from ingest.discovery_shape import Named

LEAST_SCORE = 0.4
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[\u4e00-\u9fff]+")
_AS_WORD = {"co2": "carbon", "degc": "degc", "degf": "degf"}
_GLUED = re.compile("|".join(_AS_WORD), re.IGNORECASE)
_SAME = {
    "temp": "temperature", "tmp": "temperature", "hum": "humidity", "rh": "humidity", "lux": "illuminance",
    "brightness": "illuminance", "light": "illuminance", "carbon": "co2", "dioxide": "co2", "volt": "voltage",
    "pwr": "power", "watt": "power", "watts": "power", "apower": "power", "pir": "occupancy", "motion": "occupancy",
    "presence": "occupancy", "moisture": "leak", "flood": "leak", "lvl": "level", "sp": "setpoint", "set": "setpoint",
    "cmd": "command", "percentage": "", "sensor": "", "status": "status", "sat": "supply air temperature",
    "rat": "return air temperature", "mat": "mixed air temperature", "oat": "outside air temperature",
    "outdoor": "outside", "room": "zone", "flowrate": "flow", "fan": "fan", "hours": "hours", "runtime": "run hours",
    "water": "water", "total": "", "press": "pressure", "chw": "chilled water", "hw": "hot water", "lift": "elevator",
    "floor": "position", "state": "status", "feedback": "position", "opened": "open", "present": "",
}  # fmt: skip
_UNITS = {
    "c": "degC", "celsius": "degC", "cel": "degC", "degc": "degC", "f": "degF", "fahrenheit": "degF", "degf": "degF",
    "pa": "Pa", "kpa": "kPa", "bar": "bar", "psi": "psi", "ppm": "ppm", "w": "W", "kw": "kW", "lx": "lx",
    "lux": "lx", "pct": "%", "percent": "%", "%": "%", "%rh": "%", "a": "A", "m3": "m3", "kg": "kg",
}  # fmt: skip
_ALIASES = {
    "temperature": ("zone_air_temperature",), "humidity": ("relative_humidity",), "power": ("power", "circuit_power"),
    "co2": ("co2",), "illuminance": ("illuminance",), "occupancy": ("occupancy",), "leak": ("leak_detected",),
    "flow": ("water_flow",), "level": ("tank_level",),
    "online": ("online",), "output": ("run_status",),
}  # fmt: skip
"""A word that alone stands for a point."""
_PLAIN = "zone"
"""The plainest of the classes that have a room temperature."""
_ANYWHERE = frozenset({"run_status", "run_command", "online", "power"})
"""Points that say nothing about the class."""


@dataclass(frozen=True, slots=True)
class PointGuess:
    """A value of the device is likely this point. `unit` is empty where it is the point's own; score 0..1."""

    name: str
    point: str
    unit: str
    score: float


@dataclass(frozen=True, slots=True)
class Guess:
    """The class and the points of a device. `unknown` are the values nothing fits."""

    equipment_class: str
    points: tuple[PointGuess, ...]
    unknown: tuple[str, ...]


def guess_device(words: str, values: Sequence[Named]) -> Guess:
    """The likeliest mapping. Each point is used once: the value that fits it best gets it."""
    ranked = sorted(
        (guess for value in values for guess in _candidates(value)), key=lambda one: (-one.score, one.name, one.point)
    )
    taken: dict[str, PointGuess] = {}
    used: set[str] = set()
    for one in ranked:
        if one.name not in taken and one.point not in used:
            taken[one.name] = one
            used.add(one.point)
    points = tuple(taken[value.name] for value in values if value.name in taken)
    unknown = tuple(value.name for value in values if value.name not in taken)
    return Guess(_class_of(words, [one.point for one in points]), points, unknown)


def tokens(text: str) -> list[str]:
    """The words of a name, in one language of ours: `SupplyAirTemp_degC` as supply, air, temperature, degc."""
    found: list[str] = []
    for word in _WORD.findall(_GLUED.sub(lambda match: f" {_AS_WORD[match[0].lower()]} ", text)):
        found += [part for part in _SAME.get(word.lower(), word.lower()).split() if not part.isdigit()]
    return found


def _candidates(value: Named) -> Iterable[PointGuess]:
    words = tokens(value.name)
    leaf = set(tokens(re.split(r"[./:]", value.name)[-1]))
    unit = _UNITS.get(value.unit.lower(), value.unit)
    if not unit and len(words) > 1 and words[-1] in _UNITS:
        unit = _UNITS[words.pop()]
    for kind in point_types().values():
        score = _word_score(words, kind)
        if leaf and not leaf & _words_of(kind.name):  # ENERGY.Voltage is a voltage, whatever it stands under
            score *= 0.5
        if score < LEAST_SCORE:
            continue
        told = unit
        if unit and not _fits_unit(unit, kind):
            score, told = score * 0.3, ""
        score *= _value_factor(value, kind, told)
        if score >= LEAST_SCORE:
            yield PointGuess(value.name, kind.name, "" if told in ("", kind.unit) else told, round(score, 2))


def _word_score(words: Sequence[str], kind: PointType) -> float:
    best = max((_overlap(words, known) for known in _vocabulary()[kind.name]), default=0.0)
    for word in words:
        if kind.name in _ALIASES.get(word, ()):
            best = max(best, 0.75 if _ALIASES[word][0] == kind.name else 0.6)
    return best


@cache
def _words_of(point: str) -> frozenset[str]:
    """Every word that may name the point, alone too."""
    alone = (word for word, points in _ALIASES.items() if point in points)
    return frozenset().union(*_vocabulary()[point], alone)


def _overlap(words: Sequence[str], known: frozenset[str]) -> float:
    """Twice the shared words over all words (Dice): 1 when they are the same, 0 when none is shared."""
    own = frozenset(words)
    return 2 * len(own & known) / (len(own) + len(known)) if own and known else 0.0


@cache
def _vocabulary() -> dict[str, tuple[frozenset[str], ...]]:
    return {
        kind.name: tuple(frozenset(tokens(text)) for text in (kind.name, *kind.label.values()))
        for kind in point_types().values()
    }


def _fits_unit(unit: str, kind: PointType) -> bool:
    try:
        converter(unit, kind.unit)
    except UnitError:
        return False
    return True


def _value_factor(value: Named, kind: PointType, unit: str) -> float:
    """1 for a value the point can have, less for one it hardly can."""
    raw = value.value
    if isinstance(raw, bool):
        return 1.0 if kind.unit == "bool" else 0.3
    if isinstance(raw, str):
        if kind.values:
            return 1.0 if raw in kind.values else 0.6
        return 1.0 if kind.is_text else 0.5 if kind.unit == "bool" else 0.2
    if kind.is_text:
        return 0.4
    if unit:
        raw = converter(unit, kind.unit)(raw)
    low, high = kind.minimum, kind.maximum
    inside = (low is None or raw >= low) and (high is None or raw <= high)
    return 1.0 if inside else 0.5


def _class_of(words: str, points: Sequence[str]) -> str:
    def score(kind: EquipmentClass) -> float:
        named = max(_overlap(tokens(words), frozenset(tokens(text))) for text in (kind.name, *kind.label.values()))
        said = set(tokens(words)) & set(tokens(kind.name))
        shared = len(set(points) & set(kind.points) - _ANYWHERE)
        if shared == 1 and len(kind.points) > 1:
            return named + 0.5 * bool(said) + (0.45 if kind.name == _PLAIN else 0.4)
        return named + 0.5 * bool(said) + (2 * shared / (len(points) + len(kind.points)) if shared else 0.0)

    ranked = sorted(equipment_classes().values(), key=lambda kind: (-score(kind), kind.name))
    return ranked[0].name if score(ranked[0]) >= 0.4 else "sensor"
