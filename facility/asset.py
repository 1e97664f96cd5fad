"""Where and what: site, building, space, asset and its points. Words as in Brick, ISO 55000 and EN 13306."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from facility.catalogue import EquipmentClass, PointType
from facility.code_map import CodeMap
from facility.reading import Value


class Criticality(StrEnum):
    """How much the building depends on the asset. KEY is what a contract calls key equipment."""

    KEY = "key"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class WirePoint:
    """How a device writes one point: value on the wire in `unit`, times `scale`, plus `offset`, then converted.

    `codes` turns a text or number on the wire (as text) into the value of the point.
    """

    point: str
    unit: str
    scale: float = 1.0
    offset: float = 0.0
    codes: Mapping[str, Value] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Manual:
    """A manual that the site names: a link (`url`), or a file's name in the folder of manuals (`file`)."""

    title: str
    url: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where an asset's readings come from: dialect, topic (prefix) and wire name -> point.

    `code_map` says what texts of `fault_code` mean; `zone` is that of a device that writes local time, None for its
    building's. Of the dialect json, `time` is the path of the instant and `each` that of a list of items.
    """

    dialect: str
    topic: str
    points: Mapping[str, WirePoint] = field(default_factory=dict, hash=False)
    code_map: CodeMap | None = None
    zone: ZoneInfo | None = None
    time: str | None = None
    each: str | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """One source of telemetry on an asset: a type of the catalogue, with this asset's own range and cadence.

    `stuck` (cadences) and `spike` (in the point's unit) as in the point's type; 0 is off. `at_last_visit` is what a
    counter read at the last visit before readings began, in the point's unit.
    """

    asset_id: str
    type: PointType
    minimum: float | None
    maximum: float | None
    cadence: timedelta
    stuck: int = 0
    spike: float = 0.0
    at_last_visit: float | None = None

    @property
    def name(self) -> str:
        return self.type.name

    @property
    def unit(self) -> str:
        return self.type.unit


@dataclass(frozen=True, slots=True)
class Borrowed:
    """A point that another asset measures for this one (outdoor air, chiller state)."""

    asset_id: str
    point: str


@dataclass(frozen=True, slots=True)
class Asset:
    """One maintained thing. `feeds` and `controls` name the assets downstream of it; `parent` contains it.

    `design` holds nameplate figures by name (`rated_flow`, `installed_power`), each in the unit of the catalogue
    point it stands beside; `rule_parameters` (rule id -> parameter -> value) overrides rules for this asset.
    """

    id: str
    name: str
    equipment_class: EquipmentClass
    building_id: str
    space_id: str | None
    criticality: Criticality
    points: Mapping[str, Point] = field(hash=False)
    borrows: Mapping[str, Borrowed] = field(default_factory=dict, hash=False)
    design: Mapping[str, float] = field(default_factory=dict, hash=False)
    rule_parameters: Mapping[str, Mapping[str, float]] = field(default_factory=dict, hash=False)
    parent_id: str | None = None
    feeds: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    source: Source | None = None
    accepted_on: date | None = None
    warranty_until: date | None = None
    manuals: tuple[Manual, ...] = ()


@dataclass(frozen=True, slots=True)
class Space:
    """A floor, room or zone of a building."""

    id: str
    name: str
    building_id: str
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class Building:
    """The partition of everything: one building's readings are judged together. `zone` is its time zone.

    `occupied` maps weekday (0 is Monday) to local [from, to) minutes of the day in which people are expected.
    `latitude` (degrees north) and `longitude` (degrees east) are both known or both None.
    """

    id: str
    name: str
    site_id: str
    zone: ZoneInfo
    occupied: Mapping[int, tuple[tuple[int, int], ...]] = field(default_factory=dict, hash=False)
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A property under one roof of management: one or more buildings."""

    id: str
    name: str
    zone: ZoneInfo
