"""A building floor by floor: where what is wrong, or how a point's value spreads, as a map of heat with its table."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from dashboards.web.heat_map import Scale, Tile, draw_tile, scale_of
from dashboards.web.order_view import OrderCount
from dashboards.web.overview import AssetTile, summarise
from dashboards.web.page import Page
from dashboards.web.pages import Pages
from dashboards.web.plot import LEAST_SPAN
from dashboards.web.wording import is_nan
from facility.asset import Asset, Point, Space
from facility.reading import Quality, Reading

MOST_POINTS = 12


@dataclass(frozen=True, slots=True)
class Spot:
    """One asset on a floor: its state, its tile, and its reading of the chosen point."""

    asset: Asset
    state: str
    svg: str
    value: str


@dataclass(frozen=True, slots=True)
class Floor:
    """A space of the building with all that stands in it and in the spaces inside; `space` None is the rest."""

    space: Space | None
    spots: Sequence[Spot]
    worst: str


def floor_router(pages: Pages) -> APIRouter:
    """`/buildings/{building_id}/floors`."""
    router = APIRouter()

    @router.get("/buildings/{building_id}/floors", response_class=HTMLResponse)
    def floors(request: Request, building_id: str, point: str = "", space: str = "") -> HTMLResponse:
        user = pages.visitor(request)
        view = pages.view_for(user)
        building = view.registry().buildings.get(building_id)
        if building is None:
            return pages.refuse(request, user, 404, "error.no.building", id=building_id)
        page = pages.page(request, user, building_id)
        summary = summarise(page, building, OrderCount(), view.finding_marks(frozenset({building_id})))
        tiles = [tile for _, found in summary.systems for tile in found]
        points = _points(page, tiles)
        chosen = point if point in points else ""
        readings = _readings(page, tiles, chosen) if chosen else {}
        numbers = [reading.value for reading in readings.values() if _is_number(reading)]
        unit = points[chosen].unit if chosen else ""
        scale = scale_of([float(value) for value in numbers], LEAST_SPAN.get(unit, 0.0)) if chosen else None
        shown = _floors(page, building_id, tiles, chosen, readings, scale, points)
        within = [floor for floor in shown if not space or (floor.space is not None and floor.space.id == space)]
        return pages.show(
            request, page, "floors.html", building=building, floors=within or shown, every=shown, points=points,
            point=chosen, scale=scale, unit=unit, space=space if within else "", is_value=bool(chosen),
        )  # fmt: skip

    return router


def _points(page: Page, tiles: Iterable[AssetTile]) -> dict[str, Point]:
    """The points that most assets of the building have, as what a map may show."""
    counted: Counter[str] = Counter()
    found: dict[str, Point] = {}
    for tile in tiles:
        for name, point in tile.asset.points.items():
            counted[name] += 1
            found.setdefault(name, point)
    common = [name for name, count in counted.most_common() if count > 1][:MOST_POINTS]
    return {name: found[name] for name in sorted(common, key=lambda name: page.point(found[name].asset_id, name))}


def _readings(page: Page, tiles: Iterable[AssetTile], point: str) -> dict[str, Reading]:
    found = {}
    for tile in tiles:
        for reading in page.view.latest(tile.asset.id):
            if reading.point == point and reading.quality == Quality.GOOD:
                found[tile.asset.id] = reading
    return found


def _is_number(reading: Reading) -> bool:
    return not isinstance(reading.value, str) and not is_nan(reading.value)


def _floors(
    page: Page,
    building_id: str,
    tiles: Iterable[AssetTile],
    point: str,
    readings: dict[str, Reading],
    scale: Scale | None,
    points: dict[str, Point],
) -> list[Floor]:
    spaces = page.registry.spaces

    def root(asset: Asset) -> str:
        return page.registry.top_space(asset.space_id)

    order = {space.id: index for index, space in enumerate(spaces.values()) if space.building_id == building_id}
    sorted_tiles = sorted(
        (tile for tile in tiles if not point or tile.asset.id in readings or point in tile.asset.points),
        key=lambda tile: (order.get(root(tile.asset), len(order)), tile.asset.name),
    )
    found = []
    for name, group in groupby(sorted_tiles, key=lambda tile: root(tile.asset)):
        spots = [_spot(page, tile, point, readings.get(tile.asset.id), scale, points) for tile in group]
        states = {spot.state for spot in spots}
        worst = next((each for each in ("critical", "high", "medium", "low", "silent") if each in states), "ok")
        found.append(Floor(spaces.get(name), spots, worst))
    return found


def _spot(
    page: Page, tile: AssetTile, point: str, reading: Reading | None, scale: Scale | None, points: dict[str, Point]
) -> Spot:
    is_severity = tile.state in ("critical", "high", "medium", "low")
    state = page.words(f"severity.{tile.state}" if is_severity else f"state.{tile.state}")
    says, css, value = state, tile.state, ""
    if point:
        value = page.value(reading.value, points[point].unit) if reading is not None else page.words("never")
        says, css = value, "none"
        if reading is not None and scale is not None and not isinstance(reading.value, str) and _is_number(reading):
            css = scale.css(float(reading.value))
    svg = draw_tile(Tile(f"/assets/{tile.asset.id}", page.own(tile.asset.name), says, css))
    return Spot(tile.asset, tile.state, svg, value)
