"""The first page: the portfolio, and each building with its systems, orders and findings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from dashboards.web.countdown import by_time_left
from dashboards.web.order_view import OrderCount, OrderFilter
from dashboards.web.page import Page
from dashboards.web.pages import Pages
from dashboards.web.protocols import FindingMark
from dashboards.web.visitor import Visitor
from facility.asset import Asset, Building
from facility.catalogue import System
from facility.finding import Severity
from facility.instant import from_us
from facility.reading import Quality, Reading

WORST_FIRST = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
MOST_ORDERS, MOST_FINDINGS, MOST_VALUES = 12, 8, 3


@dataclass(frozen=True, slots=True)
class AssetTile:
    """One asset on the overview. `state` is a severity, `suppressed`, `ok`, or `silent` (three cadences unheard)."""

    asset: Asset
    state: str
    findings: int
    values: Sequence[Reading]


@dataclass(frozen=True, slots=True)
class BuildingSummary:
    """The figures of one building now: its open orders and its active findings, whatever explains or shelves them."""

    building: Building
    open: int
    findings: int
    systems: Sequence[tuple[System, Sequence[AssetTile]]]
    breached: int
    next_due: datetime | None

    @property
    def silent(self) -> int:
        """How many assets say nothing."""
        return sum(tile.state == "silent" for _, tiles in self.systems for tile in tiles)

    @property
    def worst(self) -> str:
        """The worst state of any asset."""
        states = {tile.state for _, tiles in self.systems for tile in tiles}
        return next((each.value for each in WORST_FIRST if each.value in states), "ok")


@dataclass(frozen=True, slots=True)
class Glance:
    """One building in the portfolio. `worst` is of its findings that are neither explained nor shelved."""

    building: Building
    count: OrderCount
    findings: int
    worst: str


def glance(building: Building, count: OrderCount, marks: Sequence[FindingMark]) -> Glance:
    """The figures of one building out of all active findings."""
    found = [one for one in marks if one.building_id == building.id]
    return Glance(building, count, sum(one.count for one in found), _worst(found) or "ok")


def _worst(marks: Iterable[FindingMark]) -> str:
    """The worst severity that is neither explained nor shelved; empty for none."""
    shown = {one.severity for one in marks if not one.is_hidden}
    return next((each.value for each in WORST_FIRST if each in shown), "")


def summarise(page: Page, building: Building, count: OrderCount, marks: Sequence[FindingMark]) -> BuildingSummary:
    """The figures of one building out of its active findings."""
    assets = [asset for asset in page.registry.assets.values() if asset.building_id == building.id]
    by_asset: dict[str, list[FindingMark]] = {}
    for mark in marks:
        by_asset.setdefault(mark.asset_id, []).append(mark)
    tiles = [_tile(page, asset, by_asset.get(asset.id, [])) for asset in assets]
    return BuildingSummary(
        building=building,
        open=count.orders,
        findings=sum(one.count for one in marks),
        systems=[
            (system, chosen)
            for system in System
            if (chosen := [tile for tile in tiles if tile.asset.equipment_class.system == system])
        ],
        breached=count.breached,
        next_due=count.next_due_at,
    )


def _tile(page: Page, asset: Asset, marks: Sequence[FindingMark]) -> AssetTile:
    latest = [reading for reading in page.view.latest(asset.id) if reading.point in asset.points]
    state = _worst(marks) or ("suppressed" if marks else "")
    if not state:
        state = "ok" if not asset.points or is_heard(asset, latest, page.now) else "silent"
    order = {name: index for index, name in enumerate((*asset.equipment_class.points, *asset.points))}
    believed = sorted(
        (reading for reading in latest if reading.quality == Quality.GOOD), key=lambda each: order[each.point]
    )
    shown = sum(one.count for one in marks if not one.is_hidden)
    return AssetTile(asset, state, shown, believed[:MOST_VALUES])


def is_heard(asset: Asset, latest: Sequence[Reading], now: datetime) -> bool:
    """Whether any point of the asset was heard of within three of its cadences, and at least ten minutes."""
    return any(
        now - from_us(reading.at_us) <= max(3 * asset.points[reading.point].cadence, timedelta(minutes=10))
        for reading in latest
        if reading.point in asset.points
    )


def overview_router(pages: Pages) -> APIRouter:
    """`/` and `/buildings/{id}`."""
    router = APIRouter()

    def building_page(request: Request, user: Visitor, building: Building) -> HTMLResponse:
        page = pages.page(request, user, building.id)
        view, here = page.view, frozenset({building.id})
        count = view.order_counts().get(building.id, OrderCount())
        first = view.work_orders(is_open=True, limit=MOST_ORDERS, only=OrderFilter(buildings=here))
        marks = view.finding_marks(here)
        return pages.show(
            request, page, "building.html", summary=summarise(page, building, count, marks),
            orders=by_time_left(first), more=max(0, count.orders - len(first)),
            newest=view.findings(limit=MOST_FINDINGS, buildings=here),
        )  # fmt: skip

    @router.get("/", response_class=HTMLResponse)
    def home(request: Request) -> HTMLResponse:
        user = pages.visitor(request)
        page = pages.page(request, user)
        buildings = list(page.registry.buildings.values())
        if len(buildings) == 1:
            return building_page(request, user, buildings[0])
        counts, marks = page.view.order_counts(), page.view.finding_marks()
        first = page.view.work_orders(is_open=True, limit=MOST_ORDERS)
        every = sum(count.orders for count in counts.values())
        glances = [glance(building, counts.get(building.id, OrderCount()), marks) for building in buildings]
        return pages.show(
            request, page, "portfolio.html", summaries=glances, orders=by_time_left(first),
            more=max(0, every - len(first)),
        )  # fmt: skip

    @router.get("/buildings/{building_id}", response_class=HTMLResponse)
    def building(request: Request, building_id: str) -> HTMLResponse:
        user = pages.visitor(request)
        found = pages.view_for(user).registry().buildings.get(building_id)
        if found is None:
            return pages.refuse(request, user, 404, "error.no.building", id=building_id)
        return building_page(request, user, found)

    return router
