"""From a name and a value on the wire to a point and a value of the catalogue: names, codes, scale, unit.

Compiled once per asset and dialect; one call per value after that.
"""

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from facility.asset import Asset, Point, Source, WirePoint
from facility.errors import Problem
from facility.reading import PointValue, Quality, Value
from facility.units import UnitError, converter
from ingest.payload import MAX_TEXT

Raw = bool | int | float | str
"""A JSON value of a point. A null is no reading and never gets here."""

_WORDS = {"on": 1.0, "true": 1.0, "open": 1.0, "online": 1.0, "off": 0.0, "false": 0.0, "closed": 0.0, "offline": 0.0}
_MAX_ADVICE = 256
_NO_WIRES: Mapping[str, WirePoint] = {}


class WireValueError(ValueError):
    """A value that is none of its point: what is wrong, and what to do as second argument."""


@dataclass(frozen=True, slots=True)
class _Wire:
    point: Point
    entry: WirePoint
    convert: Callable[[float], float] | None
    reads_words: bool

    def read(self, raw: Raw, unit: str | None) -> Value:
        codes = self.entry.codes
        if codes:
            code = _as_code(raw)
            if code in codes:
                return self._coded(codes[code])
        if self.point.type.is_text:
            return self._text(raw)
        if unit is None or unit == self.entry.unit:
            return self._number(raw, self.convert)
        try:
            return self._number(raw, _conversion(self.entry, self.point, unit))
        except UnitError as error:
            raise WireValueError(str(error), f"Map it to another point, or correct the unit {unit!r}.") from error

    def _coded(self, value: Value) -> Value:
        if self.point.type.is_text:
            return self._text(value)
        return self._number(value, self.convert)

    def _text(self, raw: Raw) -> str:
        kind = self.point.type
        if kind.unit == "enum":
            if raw in kind.values:
                return str(raw)
            close = difflib.get_close_matches(str(raw)[:MAX_TEXT], kind.values, 1)
            hint = (
                f"Did you mean {close[0]!r}?"
                if close
                else f"Send one of {', '.join(kind.values)}, or map it under codes."
            )
            raise WireValueError(f"{_short(raw)} is not a value of {kind.name}", hint)
        text = raw if isinstance(raw, str) else _as_code(raw)
        if len(text) > MAX_TEXT:
            raise WireValueError(f"a text of {len(text)} characters", f"Send at most {MAX_TEXT}.")
        return text

    def _number(self, raw: Raw, convert: Callable[[float], float] | None) -> float:
        if isinstance(raw, str):
            raw = self._word(raw)
        try:
            value = float(raw)
        except OverflowError:
            value = math.inf
        if convert is not None:
            value = convert(value)
        if not math.isfinite(value):
            raise WireValueError(f"{_short(raw)} is beyond every number", "Leave out what was not measured.")
        return value

    def _word(self, raw: str) -> float:
        if self.reads_words:
            if self.point.unit == "bool" and (word := raw[:MAX_TEXT].strip().lower()) in _WORDS:
                return _WORDS[word]
            try:
                return float(raw)
            except ValueError:
                hint = f"Map it under codes of {self.entry.point}, or correct the device's name of the point."
                raise WireValueError(f"{_short(raw)} is not a number", hint) from None
        hint = f"Send a number in {self.point.unit or 'its unit'}, or map the text under codes of the asset's source."
        raise WireValueError(f"{_short(raw)} is a text, and {self.point.name} is a number", hint)


class WireMap:
    """The wire names of one asset. Names of the source first; any point of the asset by its own name too.

    With `reads_words` a text may stand for a number (`"21.5"`, and `on` or `off` for a bool): for devices that we did
    not write.
    """

    def __init__(self, asset: Asset, source: Source | None, *, reads_words: bool = False) -> None:
        self.asset_id = asset.id
        entries = source.points if source is not None else _NO_WIRES
        self._wires = {
            name: _Wire(point, WirePoint(name, point.unit), None, reads_words) for name, point in asset.points.items()
        }
        for name, entry in entries.items():
            point = asset.points[entry.point]
            self._wires[name] = _Wire(point, entry, _conversion(entry, point, entry.unit), reads_words)
        self._advice: dict[str, str] = {}
        self._code_map = source.code_map if source is not None else None
        self._coded = tuple(name for name, point in asset.points.items() if point.type.unit == "code")
        self._implied = set(asset.points) - {entry.point for entry in entries.values()}

    @property
    def is_plain(self) -> bool:
        """Whether every value stands for itself: no code map tells of others."""
        return self._code_map is None

    def plain_numbers(self) -> dict[str, str]:
        """Wire name -> point, where a number on the wire is the value of the point as it is."""
        return {
            name: wire.point.name
            for name, wire in self._wires.items()
            if not wire.entry.codes and wire.convert is None and not wire.point.type.is_text
        }

    def plain_words(self) -> dict[str, tuple[str, frozenset[str]]]:
        """Wire name -> point and its words, where a word on the wire is the value of the point as it is."""
        return {
            name: (wire.point.name, frozenset(wire.point.type.values))
            for name, wire in self._wires.items()
            if not wire.entry.codes and wire.point.type.unit == "enum"
        }

    def find_point(self, name: str) -> str | None:
        """The point a wire name stands for; None when it stands for none."""
        wire = self._wires.get(name)
        return wire.point.name if wire is not None else None

    def read(
        self, name: str, raw: Raw, topic: str, field: str, quality: int = Quality.GOOD, unit: str | None = None
    ) -> PointValue | Problem:
        """One value of one point, or what is wrong with it and where. `unit` is what the message itself says."""
        wire = self._wires.get(name)
        if wire is None:
            what = f"{name[:MAX_TEXT]!r} is not a point of asset {self.asset_id}"
            return Problem(topic, what, self._advise(name), field)
        try:
            return PointValue(wire.point.name, wire.read(raw, unit), quality)
        except WireValueError as error:
            what, hint = error.args
            return Problem(topic, what, hint, field)

    def _advise(self, name: str) -> str:
        """What to do about an unknown name. Comparing texts costs, so only the first different ones are compared."""
        if name not in self._advice:
            hint = f"Add it to the points of {self.asset_id} in the site file."
            if len(self._advice) >= _MAX_ADVICE or len(name) > MAX_TEXT:
                return hint
            close = difflib.get_close_matches(name, self._wires, 1)
            self._advice[name] = f"Did you mean {close[0]!r}?" if close else hint
        return self._advice[name]

    def interpret(self, values: dict[str, PointValue]) -> None:
        """Turn fault codes into the words of the source's code map, in place, with what they say about other points.

        An unknown code stays as it is. What the device maps or says itself is not overruled.
        """
        if self._code_map is None:
            return
        for point in self._coded:
            said = values.get(point)
            meaning = self._code_map.find(str(said.value)) if said is not None else None
            if said is None or meaning is None:
                continue
            values[point] = PointValue(point, meaning.word, said.quality)
            for name, value in meaning.points.items():
                if name in self._implied and name not in values:
                    values[name] = PointValue(name, value, said.quality)


def _conversion(wire: WirePoint, point: Point, unit: str) -> Callable[[float], float] | None:
    scale, offset = wire.scale, wire.offset
    if unit == point.unit:
        return None if (scale, offset) == (1.0, 0.0) else lambda value: value * scale + offset
    into = converter(unit, point.unit)
    return lambda value: into(value * scale + offset)


def _as_code(raw: Raw) -> str:
    """A wire value as the text it has in the `codes` of a site file: `true`, `3`, `2.5`, `open`."""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))
    return str(raw)


def _short(raw: Raw) -> str:
    text = repr(raw)
    return text if len(text) <= 60 else text[:57] + "..."
