"""The own dialect: `plantroom/{site}/{asset}/readings`, one JSON object or a list of them.

`{"at": "2026-11-21T09:00:00Z", "values": {"car_position": 7, "door_status": "closed"}}`. `at` is an ISO 8601
instant with its zone; a value is a number in the point's unit, a bool, or a text for enumerations and codes; null
means not measured. A list, and an object with every point of the asset, are complete scans; a smaller object may be
followed by more of the same instant.
"""

import msgspec

from facility.asset import Asset, Source
from facility.errors import Problem
from facility.instant import parse_instant, to_us
from facility.reading import PointValue, Scan
from ingest.dialects.wire import Raw, WireMap
from ingest.payload import MAX_PAYLOAD_BYTES, Arrival, PayloadError, parse_at, parse_json


class _Object(msgspec.Struct, gc=False):
    at: str
    values: dict[str, Raw | None]


_EXACT = 1 << 53
_LIST = msgspec.json.Decoder(list[_Object])
_ONE = msgspec.json.Decoder(_Object)


def own_topic(site_id: str, asset_id: str) -> str:
    """Where an asset publishes in the own dialect."""
    return f"plantroom/{site_id}/{asset_id}/readings"


class PlantroomJson:
    """Reads the own dialect for one asset. `source` maps wire names and codes where the device does not use ours."""

    def __init__(self, asset: Asset, source: Source | None) -> None:
        self._wires = WireMap(asset, source)
        self._asset_id, self._point_count = asset.id, len(asset.points)
        self._numbers = self._wires.plain_numbers() if self._wires.is_plain else {}
        self._words = self._wires.plain_words() if self._wires.is_plain else {}

    def decode(self, topic: str, payload: bytes, _arrival: Arrival) -> tuple[Scan, ...]:
        """The scans of one message, one per instant, oldest first. Raises PayloadError (with what was readable)."""
        scan = self._decode_plain(payload)
        return (scan,) if scan is not None else self._decode_any(topic, payload)

    def _decode_plain(self, payload: bytes) -> Scan | None:
        """What one object of values that stand for themselves says; None for any other message.

        Nearly every message is one, and goes this way three times as fast. What it reads, `_decode_any` reads alike.
        """
        if payload[:1] != b"{" or len(payload) > MAX_PAYLOAD_BYTES:
            return None
        try:
            item = _ONE.decode(payload)
            at_us = to_us(parse_instant(item.at))
        except (msgspec.DecodeError, RecursionError, ValueError, OverflowError):
            return None
        numbers, words = self._numbers, self._words
        values: dict[str, PointValue] = {}
        for name, raw in item.values.items():
            if isinstance(raw, str):
                place = words.get(name)
                if place is None or raw not in place[1]:
                    return None
                values[place[0]] = PointValue(place[0], raw)
            elif raw is not None:
                point = numbers.get(name)
                # Not an infinite one, and not one that a float cannot hold.
                if point is None or not -_EXACT < raw < _EXACT:
                    return None
                values[point] = PointValue(point, float(raw))
        if at_us < 0 or not values:
            return None
        return Scan(self._asset_id, at_us, len(values) == self._point_count, tuple(values.values()))

    def _decode_any(self, topic: str, payload: bytes) -> tuple[Scan, ...]:
        is_list = payload[:64].lstrip()[:1] == b"["
        objects = parse_json(_LIST, topic, payload) if is_list else [parse_json(_ONE, topic, payload)]
        problems: list[Problem] = []
        instants: dict[int, dict[str, PointValue]] = {}
        for index, item in enumerate(objects):
            place = f"[{index}]." if is_list else ""
            try:
                at_us = parse_at(item.at, topic, f"{place}at")
            except PayloadError as error:
                problems += error.problems
                continue
            values = instants.setdefault(at_us, {})
            for name, raw in item.values.items():
                if raw is None:
                    continue
                value = self._wires.read(name, raw, topic, f"{place}values.{name}")
                if isinstance(value, Problem):
                    problems.append(value)
                else:
                    values[value.point] = value
        for values in instants.values():
            self._wires.interpret(values)
        scans = tuple(
            Scan(self._asset_id, at_us, is_list or len(values) == self._point_count, tuple(values.values()))
            for at_us, values in sorted(instants.items())
            if values
        )
        if problems:
            raise PayloadError(problems, scans)
        return scans
