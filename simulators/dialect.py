"""Samples as MQTT messages: the own dialect, or UDMI with the device's own names and units."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from facility.catalogue import point_types
from facility.instant import format_instant, from_us
from facility.units import converter
from simulators.plant import Sample
from simulators.scenario import DialectEntry

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message; the payload is JSON in UTF-8."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


@dataclass(frozen=True, slots=True)
class _Wire:
    name: str
    convert: Callable[[float], float]


class Speaker:
    """Turns samples into messages, each asset in its dialect."""

    def __init__(self, site_id: str, dialects: tuple[DialectEntry, ...] = ()) -> None:
        self._site_id = site_id
        self._udmi = {entry.asset: (f"{entry.topic}/events/pointset", _wires(entry)) for entry in dialects}

    def say(self, sample: Sample, at_us: int) -> Message:
        """One sample at its instant."""
        at = format_instant(from_us(at_us))
        special = self._udmi.get(sample.asset_id)
        if special is None:
            return own_message(self._site_id, sample.asset_id, at, sample.values)
        topic, wires = special
        points = {}
        for point, value in sample.values.items():
            wire = wires.get(point)
            if wire is None:
                points[point] = {"present_value": value}
            else:
                known = value if isinstance(value, str) else round(wire.convert(value), 3)
                points[wire.name] = {"present_value": known}
        return Message(topic, _encode({"version": "1.5.2", "timestamp": at, "points": points}))

    def truth(self, at_us: int, asset_id: str, fault: str, component: str, severity: float) -> Message:
        """What was broken or repaired, for whoever scores the findings."""
        at = format_instant(from_us(at_us))
        body = {
            "at": at, "asset": asset_id, "fault": fault, "component": component, "on": severity > 0,
            "severity": severity,
        }  # fmt: skip
        return Message(f"simulation/{self._site_id}/truth", _encode(body))


def own_message(site_id: str, asset_id: str, at: str, values: dict[str, float | str]) -> Message:
    """One scan in the own dialect; `at` is an ISO 8601 instant with its zone."""
    return Message(f"plantroom/{site_id}/{asset_id}/readings", _encode({"at": at, "values": values}))


def _wires(entry: DialectEntry) -> dict[str, _Wire]:
    wires = {}
    for point, wire in entry.points.items():
        unit = point_types()[point].unit
        wires[point] = _Wire(wire.name, converter(unit, wire.unit if wire.unit is not None else unit))
    return wires
