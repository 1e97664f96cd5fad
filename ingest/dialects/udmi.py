"""UDMI: `{prefix}/events/pointset` carries values, `{prefix}/state` says how far they can be believed.

Schema: Universal Device Management Interface, events_pointset and state. There are no units on the wire: the site
file names them. Without `partial_update` a pointset is the whole scan.

Of a point's state, `overridden` makes its values SUBSTITUTED (a person or another system holds the point), and
`failure`, or a status of level ERROR (500) and above, makes them STALE (the device no longer reads it). The other
states speak about set values being applied, not about the present value. The state is kept in memory; after a
restart of ingest it is what the newest readings in the journal were judged by.
"""

import msgspec

from facility.asset import Asset, Source
from facility.errors import Problem
from facility.reading import PointValue, Quality, Scan
from ingest.dialects.wire import Raw, WireMap
from ingest.payload import Arrival, PayloadError, parse_at, parse_json

POINTSET, STATE = "events/pointset", "state"
_ERROR_LEVEL = 500
_REMEMBERED = (Quality.SUBSTITUTED, Quality.STALE)
_VALUE_STATES = {"overridden": Quality.SUBSTITUTED, "failure": Quality.STALE}


class _PointEvent(msgspec.Struct, gc=False):
    present_value: Raw | None = None


class _Pointset(msgspec.Struct, gc=False):
    timestamp: str
    points: dict[str, _PointEvent]
    partial_update: bool = False


class _Status(msgspec.Struct, gc=False):
    level: int = 0


class _PointState(msgspec.Struct, gc=False):
    value_state: str | None = None
    status: _Status | None = None


class _PointsetState(msgspec.Struct, gc=False):
    points: dict[str, _PointState] = {}


class _State(msgspec.Struct, gc=False):
    timestamp: str
    pointset: _PointsetState | None = None


_POINTSET = msgspec.json.Decoder(_Pointset)
_STATE = msgspec.json.Decoder(_State)


class Udmi:
    """Reads one UDMI device for one asset. `source` maps the device's point names to ours."""

    def __init__(self, asset: Asset, source: Source) -> None:
        self._wires = WireMap(asset, source)
        self._asset_id = asset.id
        self._qualities: dict[str | None, Quality] = {}  # by our names of the points

    def decode(self, topic: str, payload: bytes, _arrival: Arrival) -> tuple[Scan, ...]:
        """The scan of one message; none for a state message. Raises PayloadError (with what was readable)."""
        if topic.endswith(f"/{STATE}"):
            self._learn(parse_json(_STATE, topic, payload), topic)
            return ()
        pointset = parse_json(_POINTSET, topic, payload)
        at_us = parse_at(pointset.timestamp, topic, "timestamp")
        problems: list[Problem] = []
        values: dict[str, PointValue] = {}
        for name, event in pointset.points.items():
            if event.present_value is None:
                continue
            quality = self._qualities.get(self._wires.find_point(name), Quality.GOOD)
            value = self._wires.read(name, event.present_value, topic, f"points.{name}.present_value", quality)
            if isinstance(value, Problem):
                problems.append(value)
            else:
                values[value.point] = value
        self._wires.interpret(values)
        complete = not pointset.partial_update
        scans = (Scan(self._asset_id, at_us, complete, tuple(values.values())),) if values else ()
        if problems:
            raise PayloadError(problems, scans)
        return scans

    def remember(self, scan: Scan) -> None:
        """A scan of this device that the journal holds, oldest first: its qualities tell the state of then."""
        for value in scan.values:
            if value.quality in _REMEMBERED:
                self._qualities[value.point] = Quality(value.quality)
            elif value.quality == Quality.GOOD:
                self._qualities.pop(value.point, None)

    def _learn(self, state: _State, topic: str) -> None:
        """A state message replaces what was known of the points it names."""
        parse_at(state.timestamp, topic, "timestamp")
        for name, point in (state.pointset.points if state.pointset is not None else {}).items():
            known = self._wires.find_point(name)
            if known is None:
                continue  # the device's own business: a pointset with this name is what gets refused
            quality = _VALUE_STATES.get(point.value_state or "", Quality.GOOD)
            if quality is Quality.GOOD and point.status is not None and point.status.level >= _ERROR_LEVEL:
                quality = Quality.STALE
            self._qualities[known] = quality
