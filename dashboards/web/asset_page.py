"""An asset's page: live values, plots of its points, findings, orders, and how its rules stand with their terms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from dashboards.web.countdown import by_time_left
from dashboards.web.manual_view import ManualDesk
from dashboards.web.page import Page
from dashboards.web.pages import Pages
from dashboards.web.rule_view import RuleDesk
from dashboards.web.standing_view import by_state
from dashboards.web.trends import SPANS, draw_trend, order_marks, trend_points, visit_marks
from facility.asset import Asset, Point
from facility.finding import Finding
from facility.instant import to_us
from facility.reading import Reading

SpanName = Literal["1h", "6h", "24h", "7d", "30d"]


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One point with its newest reading; None when it was never heard of. `origin` is who lends it."""

    point: Point
    name: str
    reading: Reading | None
    origin: str


def asset_router(pages: Pages, manuals: ManualDesk | None = None, rules: RuleDesk | None = None) -> APIRouter:
    """`/assets/{id}`. How rules stand is for people of the house; others learn of findings."""
    router = APIRouter()

    @router.get("/assets/{asset_id}", response_class=HTMLResponse)
    def asset(request: Request, asset_id: str, span: SpanName = "6h") -> HTMLResponse:
        user = pages.visitor(request)
        found = pages.view_for(user).registry().assets.get(asset_id)
        if found is None:
            return pages.refuse(request, user, 404, "error.no.asset", id=asset_id)
        page = pages.page(request, user, found.building_id)
        view = pages.view_for(user)
        findings = list(view.findings(asset_id=asset_id, limit=100))
        orders = list(view.work_orders(asset_id=asset_id, limit=100))
        judged = rules.standings(asset_id) if rules is not None and page.may("see") else None
        start = page.now - SPANS[span]
        marks = [*order_marks(orders), *visit_marks(orders, page.words)]
        marks = [one for one in marks if one.at_us >= to_us(start)]
        trends = [
            draw_trend(page, asset_id, names, start, page.now, findings=findings, marks=marks)
            for names in trend_points(page.registry, asset_id, _named_by(findings))
        ]
        return pages.show(
            request, page, "asset.html", asset=found, rows=value_rows(page, found), trends=trends, spans=SPANS,
            span=span, findings=findings[:20], orders=by_time_left(orders)[:20],
            gaps=view.not_applicable(asset_id) if judged is None else (),
            standings=by_state(judged) if judged is not None else None,
            manuals=manuals.manuals(found) if manuals is not None else None,
            children=page.registry.children(asset_id),
        )  # fmt: skip

    return router


def value_rows(page: Page, asset: Asset) -> list[ValueRow]:
    """The asset's own points, then the borrowed ones, each with its newest reading."""
    latest = {reading.point: reading for reading in page.view.latest(asset.id)}
    rows = [ValueRow(point, name, latest.get(name), "") for name, point in asset.points.items()]
    for name, origin in asset.borrows.items():
        point = page.registry.point(asset.id, name)
        if point is not None:
            rows.append(ValueRow(point, name, latest.get(name), origin.asset_id))
    return rows


def _named_by(findings: Sequence[Finding]) -> list[str]:
    return [each.point for finding in findings if finding.cleared_us is None for each in finding.evidence]
