"""The plots of an asset's points over a span: which points, with which findings shaded and orders marked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboards.web import wording
from dashboards.web.language import Words
from dashboards.web.order_view import OrderView
from dashboards.web.page import Page
from dashboards.web.plot import Plot, draw_plot
from dashboards.web.plot_frame import Frame, Mark, PlotSeries, Shade
from dashboards.web.units import convert, shown_unit
from facility.asset import Point
from facility.catalogue import PointKind
from facility.finding import Finding
from facility.instant import to_us
from facility.reading import Reading
from facility.registry import Registry

SPANS = {
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
BUCKETS = 1440
"""Longer spans than this many minutes are asked for in this many buckets."""


@dataclass(frozen=True, slots=True)
class Trend:
    """One plot with its heading."""

    title: str
    unit: str
    origin: str
    plot: Plot


def trend_points(registry: Registry, asset_id: str, first: Iterable[str] = ()) -> list[tuple[str, ...]]:
    """Which of an asset's points share a plot: a sensor with its set point; those named in `first` come first."""
    asset = registry.assets[asset_id]
    names = [*asset.points, *asset.borrows]
    wanted = [name for name in dict.fromkeys(first) if name in names]
    groups: list[tuple[str, ...]] = []
    for name in dict.fromkeys([*wanted, *names]):
        if name.endswith("_setpoint") and name.removesuffix("_setpoint") in names:
            continue
        partner = f"{name}_setpoint"
        groups.append((name, partner) if partner in names else (name,))
    return groups


def draw_trend(
    page: Page,
    asset_id: str,
    names: Sequence[str],
    from_at: datetime,
    until_at: datetime,
    *,
    findings: Iterable[Finding] = (),
    marks: Iterable[Mark] = (),
) -> Trend:
    """One plot of one or more points that share a unit. The first one names it."""
    span = until_at - from_at
    every = span / BUCKETS if span > timedelta(minutes=BUCKETS) else None
    series = []
    for name in names:
        point = page.registry.point(asset_id, name)
        readings = page.view.series(asset_id, name, from_at, until_at, every)
        series.append(
            PlotSeries(
                label=wording.point_label(point, name, page.words),
                unit=shown_unit(point.unit if point else "", page.units),
                readings=in_units(readings, point.unit if point else "", page.units),
                cadence=max(point.cadence if point else timedelta(minutes=5), every or timedelta(0)),
                values=point.type.values if point else (),
                is_stepped=_is_stepped(point),
                is_reference=name.endswith("_setpoint") and len(names) > 1,
            )
        )
    frame = Frame(to_us(from_at), to_us(until_at), to_us(page.now), page.zone_of(asset_id), page.words)
    shades = [
        Shade(
            each.onset_us, each.cleared_us, page.title(each), each.severity, is_about=_is_about(each, asset_id, names)
        )
        for each in findings
        if each.suppressed_by is None
    ]
    title = f"{page.asset_name(asset_id)}: {series[0].label}"
    plot = draw_plot(f"p-{asset_id}-{names[0]}", title, series, frame, shades=shades, marks=list(marks))
    asset = page.registry.assets.get(asset_id)
    origin = asset.borrows[names[0]].asset_id if asset and names[0] in asset.borrows else ""
    return Trend(series[0].label, wording.format_unit(series[0].unit), origin, plot)


def in_units(readings: Sequence[Reading], unit: str, system: str) -> Sequence[Reading]:
    """Readings of a unit in what somebody of this system reads."""
    if shown_unit(unit, system) == unit:
        return readings
    return [
        one if isinstance(one.value, str)
        else Reading(one.asset_id, one.point, one.at_us, convert(float(one.value), unit, system), one.quality)
        for one in readings
    ]  # fmt: skip


def order_marks(orders: Iterable[OrderView]) -> list[Mark]:
    """Where each order was opened."""
    return [Mark(to_us(order.opened_at), order.number) for order in orders]


def visit_marks(orders: Iterable[OrderView], words: Words) -> list[Mark]:
    """Where somebody arrived for an order, and where the work was done."""
    found = []
    for order in orders:
        for key, at in (("visit.arrived", order.arrived_at), ("visit.completed", order.completed_at)):
            if at is not None:
                found.append(Mark(to_us(at), words(key, number=order.number), "moment"))
    return found


def _is_about(finding: Finding, asset_id: str, names: Sequence[str]) -> bool:
    return any(each.asset_id == asset_id and each.point in names for each in finding.evidence)


def _is_stepped(point: Point | None) -> bool:
    return point is not None and point.type.kind in (PointKind.SETPOINT, PointKind.COMMAND, PointKind.STATUS)
