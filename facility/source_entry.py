"""The `source:` block of an asset: which dialect its device speaks, where, and what its names and codes mean."""

from collections.abc import Callable, Mapping
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from facility.asset import Source, WirePoint
from facility.catalogue import point_types
from facility.code_map import CodeMap
from facility.fields import UnitName, Zone, unknown
from facility.json_path import JsonPath
from facility.reading import Value
from facility.units import UnitError, converter

Dialect = Literal[
    "plantroom", "udmi", "sparkplug", "senml", "homie", "tasmota", "shelly", "zigbee2mqtt", "json"
]  # fmt: skip
_FILTERS = ("senml", "json")
"""Dialects whose topic may be an MQTT filter."""
_FORMS: Mapping[str, tuple[str, Callable[[list[str]], bool]]] = {
    "sparkplug": (
        "spBv1.0/GROUP/NODE, or spBv1.0/GROUP/NODE/DEVICE",
        lambda levels: len(levels) in (3, 4) and levels[0] == "spBv1.0" and all(levels),
    ),
    "homie": ("homie/5/DEVICE", lambda levels: len(levels) >= 3 and levels[-2] == "5" and bool(levels[-1])),
    "tasmota": ("the telemetry prefix, such as tele/DEVICE", lambda levels: "tele" in levels),
}
"""What the topic of a dialect looks like, by its levels."""

Refuse = Callable[[tuple[str | int, ...], str, str], None]
"""Told the place of a problem, what is wrong and what to do."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WirePointEntry(_Strict):
    """How a device names and writes one point."""

    point: str
    unit: UnitName | None = None
    scale: float = 1.0
    offset: float = 0.0
    codes: dict[str, float | str] = {}


class SourceEntry(_Strict):
    """Where the readings come from; without it the own dialect on `plantroom/{site}/{asset}/readings`."""

    dialect: Dialect
    topic: str = Field(
        min_length=1, max_length=1024, description="the topic, or its prefix where the dialect adds to it"
    )
    points: dict[str, WirePointEntry] = Field(default={}, description="the device's name -> point of the asset")
    code_map: str | None = Field(default=None, description="what the codes sent for fault_code mean; a map's id")
    zone: Zone | None = Field(default=None, description="time zone of a device that writes local time; the building's")
    time: str | None = Field(default=None, description="json: path of the instant; without it the time of arrival")
    each: str | None = Field(default=None, description="json: path of a list whose items are read one by one")

    @model_validator(mode="after")
    def _check(self) -> "SourceEntry":
        if self.dialect != "json" and (self.time is not None or self.each is not None):
            msg = "time and each are for the dialect json; remove them"
            raise ValueError(msg)
        if self.dialect == "json":
            for path in (*self.points, *filter(None, (self.time, self.each))):
                JsonPath.parse(path)
        if reason := _topic_flaw(self.dialect, self.topic):
            raise ValueError(reason)
        return self


def _topic_flaw(dialect: str, topic: str) -> str:
    """What is wrong with the topic for this dialect; empty when nothing is."""
    levels = topic.split("/")
    if dialect in _FILTERS:
        if any(("+" in level and level != "+") or ("#" in level and level != "#") for level in levels):
            return f"topic {topic!r}: + and # each stand for a whole level"
        return f"topic {topic!r}: # can only be the last level" if "#" in levels[:-1] else ""
    if "+" in topic or "#" in topic:
        return f"topic {topic!r} has a wildcard; {dialect} needs the topic of one device"
    if dialect in _FORMS:
        form, is_right = _FORMS[dialect]
        return "" if is_right(levels) else f"topic {topic!r}: write {form}"
    return ""


def build_source(
    entry: SourceEntry, asset_id: str, points: Mapping[str, object], maps: Mapping[str, CodeMap], refuse: Refuse
) -> Source:
    """The source of an asset that has these points. Problems are told to `refuse`, with their place in the block."""
    wires: dict[str, WirePoint] = {}
    for name, wire in entry.points.items():
        kind = point_types().get(wire.point)
        if kind is None or wire.point not in points:
            refuse(("points", name), unknown(f"point of asset {asset_id}", wire.point, points), "")
            continue
        unit = wire.unit if wire.unit is not None else kind.unit
        try:
            converter(unit, kind.unit)
        except UnitError as error:
            refuse(("points", name), str(error), f"{wire.point} is kept in {kind.unit}.")
            continue
        codes: dict[str, Value] = dict(wire.codes)
        wires[name] = WirePoint(wire.point, unit, wire.scale, wire.offset, codes)
    if entry.code_map is not None and entry.code_map not in maps:
        refuse(("code_map",), unknown("code map", entry.code_map, maps), "")
    return Source(
        entry.dialect,
        entry.topic,
        wires,
        code_map=maps.get(entry.code_map) if entry.code_map is not None else None,
        zone=ZoneInfo(entry.zone) if entry.zone is not None else None,
        time=entry.time,
        each=entry.each,
    )
