"""Any JSON, by a mapping in the site file: a topic or MQTT filter, and for each point the path of its value.

`time` is the path of the instant: ISO 8601 (local time is of the building's zone, or the source's), or Unix time in
seconds, milliseconds, microseconds or nanoseconds, told apart by size. Without it the arrival counts. With `each`,
paths begin at every item of the list it leads to: one message may carry many instants.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from facility.json_path import JsonPath
from facility.reading import Scan
from ingest.dialects.harvest import Harvest, Tenant, WireTable, parse_local, seconds_to_us
from ingest.payload import Arrival, PayloadError, parse_json, refuse_payload

_ANY: "msgspec.json.Decoder[object]" = msgspec.json.Decoder(Any)
_SCALES = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6))
"""A Unix time below the first is in seconds, below the next in ms, then in us, else in ns."""


class _Reader:
    """One asset's paths."""

    def __init__(self, tenant: Tenant) -> None:
        self.table = WireTable([tenant])
        source = tenant.source
        self.zone = tenant.zone
        self.time = JsonPath.parse(source.time) if source.time is not None else None
        self.each = JsonPath.parse(source.each) if source.each is not None else None
        self.paths = [JsonPath.parse(name) for name in source.points]


class MappedJson:
    """Reads the messages of one topic or filter for every asset that is in them."""

    def __init__(self, tenants: Sequence[Tenant]) -> None:
        self._readers = [_Reader(tenant) for tenant in tenants]

    def decode(self, topic: str, payload: bytes, arrival: Arrival) -> tuple[Scan, ...]:
        """The scans of one message. Raises PayloadError (with what was readable)."""
        data = parse_json(_ANY, topic, payload)
        harvest = Harvest(topic, arrival)
        found = 0
        for reader in self._readers:
            for item, place in _items(reader, data):
                found += self._read(reader, item, place, harvest)
        if not found and not harvest.problems:
            paths = [path.text for reader in self._readers for path in reader.paths]
            harvest.fail(
                f"none of the paths leads to a value: {', '.join(paths[:5])}", "Correct them in the site file."
            )
        return harvest.scans()

    def _read(self, reader: _Reader, item: object, place: str, harvest: Harvest) -> int:
        values = [(path.text, value) for path in reader.paths for there, value in [path.find(item)] if there]
        if not values:
            return 0
        try:
            at_us = _instant_us(reader, item, place, harvest)
        except PayloadError as error:
            harvest.problems += error.problems
            return len(values)
        for name, value in values:
            harvest.add(reader.table, name, value, at_us, field=f"{place}{name}")
        return len(values)


def _items(reader: _Reader, data: object) -> list[tuple[object, str]]:
    if reader.each is None:
        return [(data, "")]
    _, items = reader.each.find(data)
    listed = items if isinstance(items, list) else []
    return [(item, f"{reader.each.text}[{index}].") for index, item in enumerate(listed)]


def _instant_us(reader: _Reader, item: object, place: str, harvest: Harvest) -> int | None:
    """The message's own instant, None for the arrival. Raises PayloadError when it has none where it should."""
    if reader.time is None:
        return None
    _, said = reader.time.find(item)
    field = f"{place}{reader.time.text}"
    if isinstance(said, str):
        return parse_local(said, reader.zone, harvest.arrival, harvest.topic, field)
    if isinstance(said, int | float) and not isinstance(said, bool):
        divisor = next((divisor for limit, divisor in _SCALES if abs(said) < limit), 1e9)
        try:
            return seconds_to_us(said / divisor, harvest.topic, field)
        except OverflowError:
            return seconds_to_us(float("inf"), harvest.topic, field)
    what = f"{str(said)[:60]!r} is not a time"
    raise refuse_payload(harvest.topic, what, "Send ISO 8601 or Unix time, or leave `time` out of the source.", field)
