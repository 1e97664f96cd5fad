"""`site.yaml`: buildings, spaces, assets, points, topology and dialect mappings, checked with file, line and field."""

from datetime import date
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from facility.asset import Asset, Borrowed, Building, Criticality, Manual, Point, Site, Source, Space
from facility.catalogue import equipment_classes, point_types
from facility.code_map import CodeMap, CodeMapEntry, build_code_map, code_maps
from facility.document import Places, check_data, format_path, load_yaml
from facility.errors import InputError, Problem
from facility.fields import Duration, Zone, unknown
from facility.registry import Registry
from facility.source_entry import SourceEntry, build_source

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]


def _equipment_class(name: str) -> str:
    if name not in equipment_classes():
        raise ValueError(unknown("equipment class", name, equipment_classes()))
    return name


Hours = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PointEntry(_Strict):
    """This asset's own range and cadence for a point of the catalogue."""

    minimum: float | None = None
    maximum: float | None = None
    cadence: Duration | None = None
    stuck: int | None = Field(default=None, ge=0, description="cadences without change until not believed; 0 is off")
    spike: float | None = Field(default=None, ge=0, description="smallest jump of one reading not believed; 0 is off")
    at_last_visit: float | None = Field(
        default=None, ge=0, description="what a counter read at the last visit before readings began"
    )


def _as_mapping(points: object) -> object:
    """A plain list of point names means those points as the catalogue has them."""
    if isinstance(points, list):
        twice = {name for name in points if points.count(name) > 1}
        if twice:
            msg = f"{sorted(map(str, twice))} given twice; remove one"
            raise ValueError(msg)
        return dict.fromkeys(points) if all(isinstance(name, str) for name in points) else points
    return points


class BorrowEntry(_Strict):
    """Another asset measures this point for us."""

    asset: str
    point: str | None = None


class ManualEntry(_Strict):
    """Where a manual is: a link, or a file in the folder of manuals."""

    title: str = Field(min_length=1, max_length=200)
    url: str = Field(default="", pattern="^(https?://[^\\s]+)?$")
    file: str = Field(default="", pattern=r"^([^./\\\x00][^/\\\x00]*)?$", description="its name in PLANTROOM_MANUALS")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.url) == bool(self.file):
            msg = "a manual is either a link (url) or a file (file); give one of them"
            raise ValueError(msg)
        return self


class AssetEntry(_Strict):
    """One maintained thing."""

    id: Identifier
    name: str = ""
    equipment_class: Annotated[str, AfterValidator(_equipment_class)] = Field(alias="class")
    space: str | None = None
    parent: str | None = None
    criticality: Criticality = Criticality.NORMAL
    accepted_on: date | None = None
    warranty_until: date | None = None
    manuals: list[ManualEntry] = []
    feeds: list[str] = []
    controls: list[str] = []
    points: Annotated[
        dict[str, PointEntry | None],
        BeforeValidator(_as_mapping, json_schema_input_type=list[str] | dict[str, PointEntry | None]),
    ] = {}
    borrows: dict[str, BorrowEntry] = {}
    design: dict[str, float] = {}
    rule_parameters: dict[str, dict[str, float]] = {}
    source: SourceEntry | None = None


class SpaceEntry(_Strict):
    """A floor, room or zone."""

    id: Identifier
    name: str = ""
    parent: str | None = None


class BuildingEntry(_Strict):
    """One building: the partition in which readings are judged together."""

    id: Identifier
    name: str = ""
    zone: Zone | None = Field(default=None, description="time zone, when it is not the site's")
    latitude: float | None = Field(default=None, ge=-90, le=90, description="degrees north, for the map of sites")
    longitude: float | None = Field(default=None, ge=-180, le=180, description="degrees east, for the map of sites")
    occupied: dict[str, list[Hours]] = Field(default={}, description="mon..sun or mon-fri -> [HH:MM-HH:MM]")
    spaces: list[SpaceEntry] = []
    assets: list[AssetEntry] = []

    @field_validator("occupied")
    @classmethod
    def _days(cls, occupied: dict[str, list[Hours]]) -> dict[str, list[Hours]]:
        for name in occupied:
            days_of(name)
        return occupied

    @model_validator(mode="after")
    def _place(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            msg = "latitude and longitude go together; give both or none"
            raise ValueError(msg)
        return self


class SiteEntry(_Strict):
    """The property."""

    id: Identifier
    name: str = ""
    zone: Zone


class SiteFile(_Strict):
    """A whole site file."""

    addition: bool = Field(default=False, description="only adds assets to buildings that another file describes")
    site: SiteEntry
    code_maps: dict[Identifier, CodeMapEntry] = Field(default={}, description="own maps of fault codes, by id")
    buildings: list[BuildingEntry] = Field(min_length=1)


def days_of(name: str) -> range:
    """`mon` as range(0, 1), `mon-fri` as range(0, 5). Raises ValueError for anything else."""
    first, _, last = name.partition("-")
    if first not in DAYS or (last and (last not in DAYS or DAYS.index(last) < DAYS.index(first))):
        msg = f"{name!r} is not a day or a range of days; write mon, sun, mon-fri or sat-sun"
        raise ValueError(msg)
    return range(DAYS.index(first), DAYS.index(last or first) + 1)


def parse_site(text: str, where: str) -> Registry:
    """The registry of one site file. Raises InputError with every problem found, each with its line."""
    data, places = load_yaml(text, where)
    return _Builder(check_data(SiteFile, data, places, where), places, where).build()


class _Builder:
    def __init__(self, file: SiteFile, places: Places, where: str) -> None:
        self.file, self.places, self.where = file, places, where
        self.problems: list[Problem] = []
        self.code_maps = self._code_maps()
        self.entries = {asset.id: asset for building in file.buildings for asset in building.assets}

    def refuse(self, path: tuple[str | int, ...], what: str, hint: str = "") -> None:
        known, line, column = self.places.find(path)
        self.problems.append(Problem(self.where, what, hint, format_path(known), line, column))

    def build(self) -> Registry:
        site = Site(self.file.site.id, self.file.site.name or self.file.site.id, ZoneInfo(self.file.site.zone))
        buildings, spaces, assets = [], [], []
        for number, entry in enumerate(self.file.buildings):
            buildings.append(self._building(entry, site))
            spaces += self._spaces(entry, ("buildings", number))
            for index, asset in enumerate(entry.assets):
                assets.append(self._asset(asset, entry, ("buildings", number, "assets", index)))
        self._cycles()
        if self.problems:
            raise InputError(self.problems)
        return Registry([site], buildings, spaces, assets, where=self.where, is_addition=self.file.addition)

    def _building(self, entry: BuildingEntry, site: Site) -> Building:
        occupied: dict[int, tuple[tuple[int, int], ...]] = {}
        for days, hours in entry.occupied.items():
            spans = tuple((_minutes(text[:5]), _minutes(text[6:])) for text in hours)
            occupied |= dict.fromkeys(days_of(days), spans)
        zone = ZoneInfo(entry.zone) if entry.zone else site.zone
        where = (entry.latitude, entry.longitude)
        return Building(entry.id, entry.name or entry.id, site.id, zone, occupied, *where)

    def _spaces(self, entry: BuildingEntry, path: tuple[str | int, ...]) -> list[Space]:
        known = {space.id for space in entry.spaces}
        for index, space in enumerate(entry.spaces):
            if space.parent is not None and space.parent not in known:
                self.refuse((*path, "spaces", index, "parent"), unknown("space", space.parent, known))
        return [Space(space.id, space.name or space.id, entry.id, space.parent) for space in entry.spaces]

    def _asset(self, entry: AssetEntry, building: BuildingEntry, path: tuple[str | int, ...]) -> Asset:
        spaces = {space.id for space in building.spaces}
        if entry.space is not None and entry.space not in spaces:
            self.refuse((*path, "space"), unknown("space", entry.space, spaces), f"Add it to {building.id}.")
        for name, others in (("parent", [entry.parent] if entry.parent else []), ("feeds", entry.feeds),
                             ("controls", entry.controls)):  # fmt: skip
            for index, other in enumerate(others):
                if other not in self.entries or other == entry.id:
                    place = (*path, name) if name == "parent" else (*path, name, index)
                    self.refuse(place, unknown("asset", other, set(self.entries) - {entry.id}))
        return Asset(
            id=entry.id,
            name=entry.name or entry.id,
            equipment_class=equipment_classes()[entry.equipment_class],
            building_id=building.id,
            space_id=entry.space,
            criticality=entry.criticality,
            points=self._points(entry, path),
            borrows=self._borrows(entry, building, path),
            design=dict(entry.design),
            rule_parameters={rule: dict(values) for rule, values in entry.rule_parameters.items()},
            parent_id=entry.parent,
            feeds=tuple(entry.feeds),
            controls=tuple(entry.controls),
            source=self._source(entry, path),
            accepted_on=entry.accepted_on,
            warranty_until=entry.warranty_until,
            manuals=tuple(Manual(one.title, one.url, one.file) for one in entry.manuals),
        )

    def _points(self, entry: AssetEntry, path: tuple[str | int, ...]) -> dict[str, Point]:
        points = {}
        for index, (name, entered) in enumerate(entry.points.items()):
            place = (*path, "points", name)
            if not self.places.knows(place):
                place = (*path, "points", index)
            kind = point_types().get(name)
            if kind is None:
                self.refuse(place, unknown("point", name, point_types()))
                continue
            own = entered or PointEntry()
            low = own.minimum if own.minimum is not None else kind.minimum
            high = own.maximum if own.maximum is not None else kind.maximum
            if low is not None and high is not None and low >= high:
                self.refuse(place, f"valid from {low} to {high} {kind.unit} holds nothing", "Swap the two.")
            stuck = own.stuck if own.stuck is not None else kind.stuck
            spike = own.spike if own.spike is not None else kind.spike
            if kind.is_text and (stuck or spike):
                self.refuse(place, f"{name} is a text: it has no stuck and no spike", "Leave them out.")
                continue
            if own.at_last_visit is not None and kind.kind != "counter":
                self.refuse(place, f"{name} is no counter: it has no at_last_visit", "Leave it out.")
                continue
            cadence = own.cadence or kind.cadence
            points[name] = Point(entry.id, kind, low, high, cadence, stuck, spike, own.at_last_visit)
        return points

    def _borrows(self, entry: AssetEntry, building: BuildingEntry, path: tuple[str | int, ...]) -> dict[str, Borrowed]:
        borrows = {}
        for name, origin in entry.borrows.items():
            place, point = (*path, "borrows", name), origin.point or name
            if name not in point_types():
                self.refuse(place, unknown("point", name, point_types()))
            elif origin.asset not in self.entries:
                self.refuse(place, unknown("asset", origin.asset, self.entries))
            elif origin.asset not in {asset.id for asset in building.assets}:
                what = f"{origin.asset!r} is in another building; readings are judged building by building"
                self.refuse(place, what, f"Borrow from an asset of {building.id}.")
            elif point not in self.entries[origin.asset].points:
                self.refuse(place, f"{origin.asset!r} has no point {point!r} to lend", "Add the point there.")
            elif point_types()[name].unit != point_types()[point].unit:
                self.refuse(place, f"{point!r} is in another unit than {name!r}", "Borrow one of the same unit.")
            elif name in entry.points:
                self.refuse(place, f"the asset has its own {name!r}", "Keep one of the two.")
            else:
                borrows[name] = Borrowed(origin.asset, point)
        return borrows

    def _source(self, entry: AssetEntry, path: tuple[str | int, ...]) -> Source | None:
        if entry.source is None:
            return None

        def refuse(place: tuple[str | int, ...], what: str, hint: str) -> None:
            self.refuse((*path, "source", *place), what, hint)

        return build_source(entry.source, entry.id, entry.points, self.code_maps, refuse)

    def _code_maps(self) -> dict[str, CodeMap]:
        maps = dict(code_maps())
        for name, entry in self.file.code_maps.items():
            try:
                maps[name] = build_code_map(name, entry, maps)
            except ValueError as error:
                self.refuse(("code_maps", name), str(error))
        return maps

    def _cycles(self) -> None:
        for number, building in enumerate(self.file.buildings):
            for index, asset in enumerate(building.assets):
                seen, current = {asset.id}, asset.parent
                while current is not None and current in self.entries and current not in seen:
                    seen.add(current)
                    current = self.entries[current].parent
                if current == asset.id:
                    path = ("buildings", number, "assets", index, "parent")
                    self.refuse(path, f"{asset.id!r} contains itself", "Break the circle.")


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])
