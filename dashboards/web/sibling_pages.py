"""An asset among its siblings: one point of all of its class in its building, in one plot, with their medians."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from dashboards.web.asset_page import SpanName
from dashboards.web.page import Page
from dashboards.web.pages import Pages
from dashboards.web.plot import draw_plot
from dashboards.web.plot_frame import Frame, PlotSeries
from dashboards.web.trends import SPANS, Trend, in_units
from dashboards.web.units import shown_unit
from dashboards.web.wording import format_unit, is_nan, point_label
from facility.asset import Asset
from facility.instant import to_us
from facility.reading import Quality, Reading

MOST = 16
BUCKETS = 240
"""So many readings of each sibling at most: a dozen lines and some need no more."""


@dataclass(frozen=True, slots=True)
class SiblingRow:
    """One of them: the median of its believed readings in the span, and how far that is from the median of all."""

    asset: Asset
    median: float | None
    away: float | None
    low: float | None
    high: float | None
    is_own: bool


def sibling_router(pages: Pages) -> APIRouter:
    """`/assets/{asset_id}/siblings`."""
    router = APIRouter()

    @router.get("/assets/{asset_id}/siblings", response_class=HTMLResponse)
    def siblings(request: Request, asset_id: str, point: str = "", span: SpanName = "24h") -> HTMLResponse:
        user = pages.visitor(request)
        own = pages.view_for(user).registry().assets.get(asset_id)
        if own is None:
            return pages.refuse(request, user, 404, "error.no.asset", id=asset_id)
        page = pages.page(request, user, own.building_id)
        names = [name for name, each in own.points.items() if each.unit not in ("enum", "text", "code", "bool")]
        chosen = point if point in names else next(iter(names), "")
        every = [one for one in siblings_of(page, own) if chosen in one.points]
        shown = [own, *[one for one in every if one.id != own.id][: MOST - 1]] if chosen in own.points else []
        readings = {one.id: _read(page, one, chosen, SPANS[span]) for one in shown}
        return pages.show(
            request, page, "siblings.html", asset=own, points=names, point=chosen, span=span, spans=SPANS,
            trend=_draw(page, own, shown, readings, chosen, SPANS[span]) if shown else None,
            rows=compare_siblings(own, shown, readings), unit=own.points[chosen].unit if chosen else "",
            more=max(0, len(every) - len(shown)),
        )  # fmt: skip

    return router


def siblings_of(page: Page, own: Asset) -> list[Asset]:
    """The assets of its class in its building, itself among them, by name."""
    found = [
        one
        for one in page.registry.assets.values()
        if one.building_id == own.building_id and one.equipment_class.name == own.equipment_class.name
    ]
    return sorted(found, key=lambda one: one.name)


def compare_siblings(own: Asset, shown: Sequence[Asset], readings: Mapping[str, Sequence[Reading]]) -> list[SiblingRow]:
    """A row for each, those farthest from the median of the medians first; those without readings last."""
    values = {one.id: _numbers(readings[one.id]) for one in shown}
    medians = {name: median(found) for name, found in values.items() if found}
    middle = median(medians.values()) if medians else 0.0
    rows = [
        SiblingRow(
            asset=one,
            median=medians.get(one.id),
            away=medians[one.id] - middle if one.id in medians else None,
            low=min(values[one.id], default=None),
            high=max(values[one.id], default=None),
            is_own=one.id == own.id,
        )
        for one in shown
    ]
    return sorted(rows, key=lambda row: (row.away is None, -abs(row.away or 0.0), row.asset.name))


def _numbers(readings: Sequence[Reading]) -> list[float]:
    return [
        float(one.value)
        for one in readings
        if one.quality == Quality.GOOD and not isinstance(one.value, str) and not is_nan(one.value)
    ]


def _read(page: Page, asset: Asset, point: str, span: timedelta) -> Sequence[Reading]:
    every = max(span / BUCKETS, asset.points[point].cadence)
    return page.view.series(asset.id, point, page.now - span, page.now, every)


def _draw(
    page: Page,
    own: Asset,
    shown: Sequence[Asset],
    readings: Mapping[str, Sequence[Reading]],
    point: str,
    span: timedelta,
) -> Trend:
    series = [
        PlotSeries(
            label=one.name,
            unit=shown_unit(one.points[point].unit, page.units),
            readings=in_units(readings[one.id], one.points[point].unit, page.units),
            cadence=max(one.points[point].cadence, span / BUCKETS),
            css="own" if one.id == own.id else "sib",
        )
        for one in shown
    ]
    frame = Frame(to_us(page.now - span), to_us(page.now), to_us(page.now), page.zone_of(own.id), page.words)
    label = point_label(own.points[point], point, page.words)
    plot = draw_plot(f"s-{own.id}-{point}", f"{own.equipment_class.name}: {label}", series, frame, height=320)
    return Trend(label, format_unit(series[0].unit), "", plot)
