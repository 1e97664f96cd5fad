"""The list of findings, and one finding: what, since when, on which evidence, what to do, what it explains."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from dashboards.web.page import Page
from dashboards.web.pages import Pages
from dashboards.web.plot_frame import Mark
from dashboards.web.shelf_pages import spans_for
from dashboards.web.trends import Trend, draw_trend, order_marks
from facility.finding import Evidence, Finding
from facility.instant import from_us

Shown = Literal["active", "cleared", "all"]
MOST_PLOTS = 6
BEFORE, AFTER = timedelta(hours=1), timedelta(hours=2)


def finding_router(pages: Pages) -> APIRouter:
    """`/findings` and `/findings/{id}`."""
    router = APIRouter()

    @router.get("/findings", response_class=HTMLResponse)
    def findings(request: Request, show: Shown = "active") -> HTMLResponse:
        user = pages.visitor(request)
        page = pages.page(request, user)
        active = {"active": True, "cleared": False, "all": None}[show]
        return pages.show(
            request, page, "findings.html", show=show, findings=pages.view_for(user).findings(active=active),
            pending=pages.view_for(user).pending(),
        )  # fmt: skip

    @router.get("/findings/{finding_id}", response_class=HTMLResponse)
    def finding(request: Request, finding_id: str) -> HTMLResponse:
        user = pages.visitor(request)
        found = pages.view_for(user).finding(finding_id)
        if found is None:
            return pages.refuse(request, user, 404, "error.no.finding", id=finding_id)
        page = pages.page(request, user, found.building_id)
        orders = pages.view_for(user).orders_of_finding(finding_id)
        marks = [*order_marks(orders), Mark(found.onset_us, page.words("finding.since"), "moment")]
        suppressed = [
            each for each in pages.view_for(user).findings(active=True, limit=1000) if each.suppressed_by == found.id
        ]  # fmt: skip
        return pages.show(
            request, page, "finding.html", finding=found, orders=orders, rule=pages.view_for(user).rule(found.rule_id),
            suppressor=pages.view_for(user).finding(found.suppressed_by) if found.suppressed_by else None,
            suppressed=suppressed, spans=spans_for(found.severity), refused="", reason="", span="",
            done=request.query_params.get("done", ""),
            trends=evidence_trends(page, found.evidence, [found], marks, found.onset_us, found.cleared_us),
        )  # fmt: skip

    return router


def evidence_trends(
    page: Page,
    evidence: Iterable[Evidence],
    findings: Iterable[Finding],
    marks: Iterable[Mark],
    onset_us: int,
    cleared_us: int | None,
) -> list[Trend]:
    """Plots of the points that made the case, from an hour before the onset to two hours after it at most."""
    onset = from_us(onset_us)
    end = min(page.now, max(onset + AFTER, from_us(cleared_us) + BEFORE / 2) if cleared_us else onset + AFTER)
    start = min(onset - BEFORE, end - BEFORE)
    shown, kept = list(findings), list(marks)
    named = dict.fromkeys((each.asset_id, each.point) for each in evidence)
    trends = []
    for asset_id, name in named:
        sensor = name.removesuffix("_setpoint")
        if page.registry.point(asset_id, name) is None or (sensor != name and (asset_id, sensor) in named):
            continue
        names = [name, *([f"{name}_setpoint"] if page.registry.point(asset_id, f"{name}_setpoint") else [])]
        trends.append(draw_trend(page, asset_id, names, start, end, findings=shown, marks=kept))
    return trends[:MOST_PLOTS]
