"""The point catalogue and the equipment classes: data in `facility/data`, read here once.

A point type fixes unit, validity range (outside it a value is not believed), kind and usual cadence. Sources:
Brick and Haystack point kinds, BACnet Lift object, DALI-2 parts 251-253, UDMI's default cadence of 300 s.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from facility.document import parse_document
from facility.instant import parse_duration
from facility.units import check_unit


class PointKind(StrEnum):
    """What a point is to the plant, as Brick and Haystack have it."""

    SENSOR = "sensor"
    COMMAND = "command"
    SETPOINT = "setpoint"
    STATUS = "status"
    COUNTER = "counter"


class System(StrEnum):
    """The four technical systems a building engineer thinks in."""

    ELEVATOR = "elevator"
    HVAC = "hvac"
    LIGHTING = "lighting"
    WATER = "water"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PointType:
    """One entry of the point catalogue. `minimum`/`maximum` in `unit`; `values` only for enumerations.

    `cadence` is the usual time between readings. `stuck` is after how many cadences without any change a sensor that
    should move is no longer believed (0: it may rest for ever); `spike` the smallest jump, in `unit`, that a single
    reading may be called a spike for (0: it may jump).
    """

    name: str
    kind: PointKind
    unit: str
    label: dict[str, str] = field(hash=False)
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()
    cadence: timedelta = timedelta(seconds=300)
    stuck: int = 0
    spike: float = 0.0

    def __post_init__(self) -> None:
        check_unit(self.unit)
        if self.stuck < 0 or self.spike < 0 or (self.is_text and (self.stuck or self.spike)):
            msg = f"point {self.name}: stuck and spike are for numbers and not negative"
            raise ValueError(msg)
        if self.minimum is not None and self.maximum is not None and self.minimum >= self.maximum:
            msg = f"point {self.name}: valid is [{self.minimum}, {self.maximum}]; expected the smaller first"
            raise ValueError(msg)
        if (self.unit == "enum") != bool(self.values):
            msg = f"point {self.name}: unit enum and a list of values go together"
            raise ValueError(msg)

    @property
    def is_text(self) -> bool:
        """Whether its values are texts (enumerations and codes) and not numbers."""
        return self.unit in ("enum", "code", "text")


@dataclass(frozen=True, slots=True)
class EquipmentClass:
    """What an asset is: its system and the points such an asset usually has."""

    name: str
    system: System
    label: dict[str, str] = field(hash=False)
    points: tuple[str, ...] = ()


class _PointEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: PointKind
    unit: str
    label: dict[str, str]
    valid: tuple[float | None, float | None] = (None, None)
    values: tuple[str, ...] = ()
    cadence: str | float = 300
    stuck: int = 0
    spike: float = 0.0


class _ClassEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    system: System
    label: dict[str, str]
    points: tuple[str, ...] = ()


class _PointFile(BaseModel):
    points: dict[str, _PointEntry]


class _ClassFile(BaseModel):
    classes: dict[str, _ClassEntry]


@cache
def point_types() -> dict[str, PointType]:
    """The whole point catalogue by name. Callers must not change it."""
    text = files("facility").joinpath("data/points.yaml").read_text(encoding="utf-8")
    return {
        name: PointType(
            name=name,
            kind=entry.kind,
            unit=entry.unit,
            label=entry.label,
            minimum=entry.valid[0],
            maximum=entry.valid[1],
            values=entry.values,
            cadence=parse_duration(entry.cadence),
            stuck=entry.stuck,
            spike=entry.spike,
        )
        for name, entry in parse_document(_PointFile, text, "facility/data/points.yaml").points.items()
    }


@cache
def equipment_classes() -> dict[str, EquipmentClass]:
    """Every equipment class by name. Callers must not change it."""
    text = files("facility").joinpath("data/classes.yaml").read_text(encoding="utf-8")
    return {
        name: EquipmentClass(name=name, system=entry.system, label=entry.label, points=entry.points)
        for name, entry in parse_document(_ClassFile, text, "facility/data/classes.yaml").classes.items()
    }
