"""From a name and a value on the wire to a point and a value of the catalogue: names, codes, scale, unit.

Compiled once per asset and dialect; one call per value after that.
"""

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from facility.asset import Asset, Point, WirePoint
from facility.errors import Problem
from facility.reading import PointValue, Quality, Value
from facility.units import converter
from ingest.payload import MAX_TEXT

Raw = bool | int | float | str
"""A JSON value of a point. A null is no reading and never gets here."""


class WireValueError(ValueError):
    """A value that is none of its point: what is wrong, and what to do as second argument."""


@dataclass(frozen=True, slots=True)
class _Wire:
    point: Point
    codes: Mapping[str, Value]
    convert: Callable[[float], float] | None

    def read(self, raw: Raw) -> Value:
        if self.codes:
            code = _as_code(raw)
            if code in self.codes:
                return self._coded(self.codes[code])
        return self._text(raw) if self.point.type.is_text else self._number(raw)

    def _coded(self, value: Value) -> Value:
        if self.point.type.is_text:
            return self._text(value)
        return self._number(value)

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

    def _number(self, raw: Raw) -> float:
        if isinstance(raw, str):
            hint = (
                f"Send a number in {self.point.unit or 'its unit'}, or map the text under codes of the asset's source."
            )
            raise WireValueError(f"{_short(raw)} is a text, and {self.point.name} is a number", hint)
        try:
            value = float(raw)
        except OverflowError:
            value = math.inf
        if self.convert is not None:
            value = self.convert(value)
        if not math.isfinite(value):
            raise WireValueError(f"{_short(raw)} is beyond every number", "Leave out what was not measured.")
        return value


class WireMap:
    """The wire names of one asset. Names of the source first; any point of the asset by its own name too."""

    def __init__(self, asset: Asset, points: Mapping[str, WirePoint]) -> None:
        self.asset_id = asset.id
        self._wires = {name: _Wire(point, {}, None) for name, point in asset.points.items()}
        for name, wire in points.items():
            self._wires[name] = _Wire(asset.points[wire.point], wire.codes, _conversion(wire, asset.points[wire.point]))

    def find_point(self, name: str) -> str | None:
        """The point a wire name stands for; None when it stands for none."""
        wire = self._wires.get(name)
        return wire.point.name if wire is not None else None

    def read(self, name: str, raw: Raw, topic: str, field: str, quality: int = Quality.GOOD) -> PointValue | Problem:
        """One value of one point, or what is wrong with it and where."""
        wire = self._wires.get(name)
        if wire is None:
            close = difflib.get_close_matches(name, self._wires, 1)
            what = f"{name[:MAX_TEXT]!r} is not a point of asset {self.asset_id}"
            hint = (
                f"Did you mean {close[0]!r}?" if close else f"Add it to the points of {self.asset_id} in the site file."
            )
            return Problem(topic, what, hint, field)
        try:
            return PointValue(wire.point.name, wire.read(raw), quality)
        except WireValueError as error:
            what, hint = error.args
            return Problem(topic, what, hint, field)


def _conversion(wire: WirePoint, point: Point) -> Callable[[float], float] | None:
    scale, offset = wire.scale, wire.offset
    if wire.unit == point.unit:
        return None if (scale, offset) == (1.0, 0.0) else lambda value: value * scale + offset
    into = converter(wire.unit, point.unit)
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
