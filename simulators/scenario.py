"""`scenario.yaml`: the simulated building, its weather, and the faults that happen to it at stated times."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, Protocol
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from facility.catalogue import point_types
from facility.document import Places, check_data, format_path, load_yaml
from facility.errors import InputError, Problem
from facility.instant import SECOND_US, parse_duration, parse_instant, to_us
from facility.units import UnitError, converter
from simulators.air_handler import AirHandlerPlant
from simulators.elevator import ElevatorPlant
from simulators.lighting import LightingPlant
from simulators.plant import FaultNames, Plant
from simulators.surroundings import Weather, parse_elapsed
from simulators.water import WaterPlant


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        msg = f"{name!r} is not a time zone; write it like Asia/Shanghai"
        raise ValueError(msg) from error
    return name


def _instant(value: object) -> object:
    return parse_instant(value) if isinstance(value, str) else value


def _elapsed(value: object) -> object:
    if isinstance(value, str):
        return parse_elapsed(value)
    msg = f"{value!r} is not a time after the start; write it in quotes, like '00:20:00'"
    raise ValueError(msg)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FaultEntry(_Strict):
    """One part that breaks at a time, and is repaired or not."""

    at: Annotated[timedelta, BeforeValidator(_elapsed)] = Field(description="after the start, HH:MM:SS")
    asset: str
    fault: str
    severity: float = Field(default=1.0, gt=0, le=1)
    until: Annotated[timedelta, BeforeValidator(_elapsed)] | None = Field(default=None, description="repaired then")


class WireEntry(_Strict):
    """How a device writes one point."""

    name: str = Field(min_length=1)
    unit: str | None = None


class DialectEntry(_Strict):
    """An asset that does not speak the own dialect."""

    asset: str
    dialect: Literal["udmi"]
    topic: str = Field(min_length=1, description="the device's prefix, such as /devices/AHU-1")
    points: dict[str, WireEntry] = Field(default={}, description="point -> its name and unit on the wire")


PlantEntry = Annotated[ElevatorPlant | AirHandlerPlant | LightingPlant | WaterPlant, Field(discriminator="model")]


class ScenarioEntry(_Strict):
    """What holds for the whole scenario."""

    site: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    zone: Annotated[str, AfterValidator(_zone)]
    seed: int = 1
    start: Annotated[datetime, BeforeValidator(_instant)] | None = Field(
        default=None, description="when it begins; without it, when the program starts"
    )
    factor: float = Field(default=1.0, gt=0, le=100_000, description="simulated seconds a real second")
    step: Annotated[timedelta, BeforeValidator(parse_duration)] = Field(
        default=timedelta(seconds=60), description="of every plant that names none"
    )
    closed: list[date] = Field(default=[], description="working days on which nobody comes")


class ScenarioFile(_Strict):
    """A whole scenario file."""

    scenario: ScenarioEntry
    weather: Weather = Weather()
    plants: list[PlantEntry] = Field(min_length=1)
    dialects: list[DialectEntry] = []
    faults: list[FaultEntry] = []


class PlantPlan(Protocol):
    """The parameters of one plant: they name its assets and faults and build the model."""

    id: str
    step: float | None

    def faults(self) -> dict[str, FaultNames]:
        """Fault names with their meaning, by asset."""

    def build(self, seed: str) -> Plant:
        """The model in its settled state."""


@dataclass(frozen=True, slots=True)
class FaultEvent:
    """A part breaks (severity above 0) or is whole again (0), `after_us` microseconds after the start."""

    after_us: int
    asset_id: str
    fault: str
    component: str
    severity: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """A checked scenario. Steps in whole seconds, by plant id; events in the order of their time."""

    site_id: str
    zone: ZoneInfo
    seed: int
    start_us: int | None
    factor: float
    closed: frozenset[date]
    weather: Weather
    plants: tuple[PlantPlan, ...]
    steps: dict[str, int]
    dialects: tuple[DialectEntry, ...]
    events: tuple[FaultEvent, ...]

    @property
    def assets(self) -> tuple[str, ...]:
        """Every asset that publishes something, in file order."""
        weather = (self.weather.asset,) if self.weather.asset else ()
        return (*weather, *(asset for plan in self.plants for asset in plan.faults()))


def parse_scenario(text: str, where: str) -> Scenario:
    """The scenario of one file. Raises InputError with every problem found, each with its line."""
    data, places = load_yaml(text, where)
    return _Checker(check_data(ScenarioFile, data, places, where), places, where).build()


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema of a scenario file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **ScenarioFile.model_json_schema()}


class _Checker:
    def __init__(self, file: ScenarioFile, places: Places, where: str) -> None:
        self.file, self.places, self.where = file, places, where
        self.problems: list[Problem] = []
        self.faults: dict[str, FaultNames] = {}

    def refuse(self, path: tuple[str | int, ...], what: str, hint: str = "") -> None:
        known, line, column = self.places.find(path)
        self.problems.append(Problem(self.where, what, hint, format_path(known), line, column))

    def build(self) -> Scenario:
        entry = self.file.scenario
        steps = self._steps()
        self._assets()
        self._dialects()
        events = self._events()
        if self.problems:
            raise InputError(self.problems)
        return Scenario(
            site_id=entry.site,
            zone=ZoneInfo(entry.zone),
            seed=entry.seed,
            start_us=to_us(entry.start) if entry.start is not None else None,
            factor=entry.factor,
            closed=frozenset(entry.closed),
            weather=self.file.weather,
            plants=tuple(self.file.plants),
            steps=steps,
            dialects=tuple(self.file.dialects),
            events=tuple(sorted(events, key=lambda event: event.after_us)),
        )

    def _steps(self) -> dict[str, int]:
        steps: dict[str, int] = {}
        for index, plan in enumerate(self.file.plants):
            seconds = plan.step if plan.step is not None else self.file.scenario.step.total_seconds()
            if plan.id in steps:
                self.refuse(("plants", index, "id"), f"two plants have the id {plan.id!r}", "Rename one.")
            if seconds != int(seconds) or not 1 <= seconds <= 300:
                path: tuple[str | int, ...] = ("plants", index, "step") if plan.step else ("scenario", "step")
                self.refuse(path, f"a step of {seconds} s; expected whole seconds from 1 to 300")
            steps[plan.id] = int(seconds)
        return steps

    def _assets(self) -> None:
        for index, plan in enumerate(self.file.plants):
            for asset, names in plan.faults().items():
                if asset in self.faults or asset == self.file.weather.asset:
                    self.refuse(("plants", index), f"asset {asset!r} is simulated twice", "Name it in one plant.")
                self.faults[asset] = names

    def _dialects(self) -> None:
        for index, entry in enumerate(self.file.dialects):
            path = ("dialects", index)
            if entry.asset not in self.faults:
                self.refuse((*path, "asset"), _unknown("asset of this scenario", entry.asset, self.faults))
            for point, wire in entry.points.items():
                kind = point_types().get(point)
                if kind is None:
                    self.refuse((*path, "points", point), _unknown("point", point, point_types()))
                    continue
                try:
                    converter(kind.unit, wire.unit if wire.unit is not None else kind.unit)
                except UnitError as error:
                    self.refuse((*path, "points", point, "unit"), str(error))

    def _events(self) -> list[FaultEvent]:
        events = []
        for index, entry in enumerate(self.file.faults):
            path = ("faults", index)
            if entry.asset not in self.faults:
                self.refuse((*path, "asset"), _unknown("asset of this scenario", entry.asset, self.faults))
                continue
            known = self.faults[entry.asset]
            if entry.fault not in known:
                self.refuse((*path, "fault"), _unknown(f"fault of {entry.asset}", entry.fault, known))
                continue
            begin = round(entry.at.total_seconds() * SECOND_US)
            component = known[entry.fault].component
            events.append(FaultEvent(begin, entry.asset, entry.fault, component, entry.severity))
            if entry.until is None:
                continue
            if entry.until <= entry.at:
                self.refuse((*path, "until"), "the fault ends before it begins", "Both count from the start.")
            end = round(entry.until.total_seconds() * SECOND_US)
            events.append(FaultEvent(end, entry.asset, entry.fault, component, 0.0))
        return events


def _unknown(noun: str, name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(name, names, 1)
    advice = f"did you mean {close[0]!r}?" if close else f"known are: {', '.join(names) or 'none'}"
    return f"{name!r} is not a known {noun}; {advice}"
