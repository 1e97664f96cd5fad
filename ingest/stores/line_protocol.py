"""Readings as bytes of InfluxDB's line protocol, timestamps in microseconds.

Measurement = equipment class; tags asset, building, point, site; fields `value` (always a float), `text` (always a
string), `quality` (always an integer). So no field ever changes its type, and a second write at the same instant
replaces the first.
"""

from collections.abc import Callable, Mapping
from typing import Any

from facility.instant import to_us
from facility.reading import Reading
from facility.registry import Registry

UNKNOWN = "unknown"
"""Measurement, site and building of an asset that is in no site file (any more)."""


def measurement_of(registry: Registry, asset_id: str) -> str:
    """Where an asset's readings are: its equipment class."""
    asset = registry.assets.get(asset_id)
    return asset.equipment_class.name if asset is not None else UNKNOWN


class LineEncoder:
    """Encodes with the registry in force. The bytes before the fields are kept per point, about 200 each."""

    def __init__(self, registry: Callable[[], Registry]) -> None:
        self._registry = registry
        self._known: Registry | None = None
        self._heads: dict[tuple[str, str], bytes | None] = {}

    def encode(self, reading: Reading) -> bytes | None:
        """One line without its end; None when asset or point is a text that no tag can hold."""
        head = self._head(reading.asset_id, reading.point)
        if head is None:
            return None
        if isinstance(reading.value, str):
            text = reading.value.replace("\\", "\\\\").replace('"', '\\"')
            field = f'text="{text}"'
        else:
            field = f"value={float(reading.value)!r}"
        return head + f"{field},quality={int(reading.quality)}i {reading.at_us}".encode()

    def encode_row(self, row: Mapping[str, Any]) -> bytes | None:
        """As `encode`, from a row of a frame (`ingest.stores.tail.WIDE`), with what makes a mean of it."""
        at_us = to_us(row["at"])
        value = row["text"] if row["value"] is None else row["value"]
        line = self.encode(Reading(row["asset"], row["point"], at_us, value, row["quality"]))
        if line is None or row["count"] is None:
            return line
        rest = f",count={row['count']}i" + "".join(f",{name}={row[name]!r}" for name in ("minimum", "maximum", "last"))
        fields, _, stamp = line.rpartition(b" ")
        return fields + rest.encode() + b" " + stamp

    def _head(self, asset_id: str, point: str) -> bytes | None:
        registry = self._registry()
        if registry is not self._known:
            self._heads.clear()
            self._known = registry
        key = (asset_id, point)
        if key not in self._heads:
            self._heads[key] = self._build(registry, asset_id, point)
        return self._heads[key]

    def _build(self, registry: Registry, asset_id: str, point: str) -> bytes | None:
        asset = registry.assets.get(asset_id)
        building = asset.building_id if asset is not None else UNKNOWN
        site = registry.site_of(asset_id).id if asset is not None else UNKNOWN
        tags = {"asset": asset_id, "building": building, "point": point, "site": site}
        return encode_head(measurement_of(registry, asset_id), tags)


def encode_head(measurement: str, tags: Mapping[str, str]) -> bytes | None:
    """A line up to its fields; None when a tag is a text that none can hold."""
    if any(not text or text.endswith("\\") or "\n" in text or "\r" in text for text in tags.values()):
        return None
    written = ",".join(f"{name}={_escape(text)}" for name, text in tags.items())
    return f"{_escape(measurement)},{written} ".encode()


def _escape(text: str) -> str:
    return text.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")
