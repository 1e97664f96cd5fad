"""Which dashboards there are, and what those of equipment show: `equipment.yaml`, checked. Needs no SDK."""

from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from facility.catalogue import equipment_classes, point_types
from facility.document import parse_document
from facility.fields import unknown

BUILDING, PORTFOLIO, ORDERS, CONTRACT, SATISFACTION = (
    "plantroom-building", "plantroom-portfolio", "plantroom-orders", "plantroom-contract", "plantroom-satisfaction",
)  # fmt: skip
"""The uid of each dashboard that is not of equipment."""


class Kind(StrEnum):
    """How readings are shown: LINES numbers over time, MODES texts and SWITCHES yes or no over time, NEWEST one figure,
    GROWTH what a counter counted in each interval."""

    LINES = "lines"
    MODES = "modes"
    SWITCHES = "switches"
    NEWEST = "newest"
    GROWTH = "growth"


class Side(StrEnum):
    """On which side of a limit it is bad."""

    ABOVE = "above"
    BELOW = "below"


def _point(name: str) -> str:
    if name not in point_types():
        raise ValueError(unknown("point", name, point_types()))
    return name


def _class(name: str) -> str:
    if name not in equipment_classes():
        raise ValueError(unknown("equipment class", name, equipment_classes()))
    return name


class LimitEntry(BaseModel):
    """A parameter of a rule, drawn as a limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: str
    parameter: str
    bad: Side = Side.ABOVE
    severe: bool = True


class PanelEntry(BaseModel):
    """One panel: points of one unit, of every asset that was chosen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(min_length=1)
    about: str = Field(min_length=1)
    kind: Kind = Kind.LINES
    points: list[Annotated[str, AfterValidator(_point)]] = Field(min_length=1)
    limits: list[LimitEntry] = []

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        if len(units := {point_types()[name].unit for name in self.points}) > 1:
            msg = f"the points of a panel need one unit, not {sorted(units)}"
            raise ValueError(msg)
        if len({point_types()[name].is_text for name in self.points} | {self.kind is Kind.MODES}) > 1:
            msg = f"{self.points}: texts are shown as modes, and nothing else is"
            raise ValueError(msg)
        return self

    @property
    def unit(self) -> str:
        """The unit of its points in the catalogue."""
        return point_types()[self.points[0]].unit


class BoardEntry(BaseModel):
    """One dashboard of equipment; `about` says what it answers for whom."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(min_length=1)
    about: str = Field(min_length=1)
    classes: list[Annotated[str, AfterValidator(_class)]] = Field(min_length=1)
    panels: list[PanelEntry] = Field(min_length=4)

    @property
    def figures(self) -> list[PanelEntry]:
        """Panels of one figure, in the row on top."""
        return [panel for panel in self.panels if panel.kind is Kind.NEWEST]

    @property
    def plots(self) -> list[PanelEntry]:
        """The others, in their order."""
        return [panel for panel in self.panels if panel.kind is not Kind.NEWEST]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    boards: dict[str, BoardEntry]


@cache
def equipment_boards() -> dict[str, BoardEntry]:
    """The dashboards of equipment by uid. Callers must not change it."""
    text = files("dashboards.grafana").joinpath("equipment.yaml").read_text(encoding="utf-8")
    found = parse_document(_File, text, "dashboards/grafana/equipment.yaml").boards
    return {f"plantroom-{name}": board for name, board in found.items()}


@cache
def board_of(equipment_class: str) -> str:
    """The uid of the dashboard that shows assets of this class; that of their building where no other does."""
    return next((uid for uid, board in equipment_boards().items() if equipment_class in board.classes), BUILDING)
