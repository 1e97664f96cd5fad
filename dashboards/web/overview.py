"""The first page: the portfolio, and each building with its systems, orders and findings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from dashboards.web.countdown import by_time_left, is_breached, next_due
from dashboards.web.order_view import OrderView
from dashboards.web.page import Page
from dashboards.web.pages import Pages
from dashboards.web.visitor import Visitor
from facility.asset import Asset, Building
from facility.catalogue import System
from facility.finding import Finding, Severity
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
    """The figures of one building now."""

    building: Building
    orders: Sequence[OrderView]
    findings: Sequence[Finding]
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


def summarise(
    page: Page, building: Building, orders: Sequence[OrderView], active: Sequence[Finding]
) -> BuildingSummary:
    """The figures of one building out of every open order and active finding."""
    assets = [asset for asset in page.registry.assets.values() if asset.building_id == building.id]
    ids = {asset.id for asset in assets}
    own = by_time_left(order for order in orders if order.asset_id in ids)
    found = [finding for finding in active if finding.building_id == building.id]
    dues = [due for order in own if (due := next_due(order)) is not None and due >= page.now]
    tiles = [_tile(page, asset, [each for each in found if each.asset_id == asset.id]) for asset in assets]
    return BuildingSummary(
        building=building,
        orders=own,
        findings=found,
        systems=[
            (system, chosen)
            for system in System
            if (chosen := [tile for tile in tiles if tile.asset.equipment_class.system == system])
        ],
        breached=sum(is_breached(order, page.now) for order in own),
        next_due=min(dues, default=None),
    )


def _tile(page: Page, asset: Asset, found: Sequence[Finding]) -> AssetTile:
    latest = [reading for reading in page.view.latest(asset.id) if reading.point in asset.points]
    shown = [finding for finding in found if finding.suppressed_by is None and finding.shelved_by is None]
    state = next((each.value for each in WORST_FIRST if any(finding.severity == each for finding in shown)), "")
    if not state and found:
        state = "suppressed"
    if not state:
        state = "ok" if not asset.points or is_heard(asset, latest, page.now) else "silent"
    order = {name: index for index, name in enumerate((*asset.equipment_class.points, *asset.points))}
    believed = sorted(
        (reading for reading in latest if reading.quality == Quality.GOOD), key=lambda each: order[each.point]
    )
    return AssetTile(asset, state, len(shown), believed[:MOST_VALUES])


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
        view = page.view
        summary = summarise(
            page,
            building,
            pages.view_for(user).work_orders(is_open=True),
            pages.view_for(user).findings(active=True, limit=1000),
        )
        newest = [each for each in view.findings(limit=100) if each.building_id == building.id][:MOST_FINDINGS]
        return pages.show(
            request, page, "building.html", summary=summary, orders=summary.orders[:MOST_ORDERS],
            more=max(0, len(summary.orders) - MOST_ORDERS), newest=newest,
        )  # fmt: skip

    @router.get("/", response_class=HTMLResponse)
    def home(request: Request) -> HTMLResponse:
        user = pages.visitor(request)
        page = pages.page(request, user)
        buildings = list(page.registry.buildings.values())
        if len(buildings) == 1:
            return building_page(request, user, buildings[0])
        orders, active = (
            pages.view_for(user).work_orders(is_open=True),
            pages.view_for(user).findings(active=True, limit=1000),
        )
        summaries = [summarise(page, building, orders, active) for building in buildings]
        return pages.show(
            request, page, "portfolio.html", summaries=summaries, orders=by_time_left(orders)[:MOST_ORDERS],
            more=max(0, len(orders) - MOST_ORDERS),
        )  # fmt: skip

    @router.get("/buildings/{building_id}", response_class=HTMLResponse)
    def building(request: Request, building_id: str) -> HTMLResponse:
        user = pages.visitor(request)
        found = pages.view_for(user).registry().buildings.get(building_id)
        if found is None:
            return pages.refuse(request, user, 404, "error.no.building", id=building_id)
        return building_page(request, user, found)

    return router
