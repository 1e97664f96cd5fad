"""What is out of view, and the forms that take a finding's rule out of view on its asset and back."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from dashboards.web.origin import Origin, judge_origin
from dashboards.web.pages import Pages
from dashboards.web.shelf_view import ShelfDesk
from facility.errors import PlantroomError

HOURS = {"4h": 4, "8h": 8, "1d": 24, "3d": 72, "7d": 168, "30d": 720}
"""The times there are to choose from; what is critical is out of view for a day at most."""


def shelf_router(pages: Pages, desk: ShelfDesk) -> APIRouter:
    """`/findings/shelved`, `POST /findings/shelved/back` and `POST /findings/{finding_id}/shelve`."""
    router = APIRouter()

    def listed(request: Request, status: int = 200, refused: str = "") -> HTMLResponse:
        user = pages.visitor(request)
        page = pages.page(request, user)
        shelves = [one for one in desk.shelves() if one.asset_id in page.registry.assets]
        return pages.show(request, page, "shelved.html", status, shelves=shelves, refused=refused)

    @router.get("/findings/shelved", response_class=HTMLResponse)
    def shelved(request: Request) -> HTMLResponse:
        return listed(request)

    @router.post("/findings/shelved/back", response_model=None)
    def back(
        request: Request,
        asset_id: Annotated[str, Form(max_length=100)],
        rule_id: Annotated[str, Form(max_length=200)],
    ) -> HTMLResponse | RedirectResponse:
        user = pages.visitor(request)
        if judge_origin(request.headers) is not Origin.OWN:
            return pages.refuse(request, user, 403, "error.origin")
        if asset_id not in pages.view_for(user).registry().assets:
            return pages.refuse(request, user, 404, "error.no.asset", id=asset_id)
        try:
            desk.unshelve(asset_id, rule_id, by=user.name)
        except PlantroomError as error:
            return listed(request, 409, str(error))
        return pages.see_other("/findings/shelved")

    @router.post("/findings/{finding_id}/shelve", response_model=None)
    def shelve(
        request: Request,
        finding_id: str,
        span: Annotated[str, Form(max_length=4)] = "",
        reason: Annotated[str, Form(max_length=500)] = "",
    ) -> HTMLResponse | RedirectResponse:
        user = pages.visitor(request)
        if judge_origin(request.headers) is not Origin.OWN:
            return pages.refuse(request, user, 403, "error.origin")
        found = pages.view_for(user).finding(finding_id)
        if found is None:
            return pages.refuse(request, user, 404, "error.no.finding", id=finding_id)
        try:
            desk.shelve(finding_id, timedelta(hours=HOURS.get(span, 0)), by=user.name, reason=reason)
        except PlantroomError as error:
            page = pages.page(request, user, found.building_id)
            return pages.show(
                request, page, "shelve.html", 422, finding=found, refused=str(error), reason=reason, span=span,
                spans=spans_for(found.severity),
            )  # fmt: skip
        return pages.see_other(f"/findings/{finding_id}?done=shelved")

    return router


def spans_for(severity: str) -> list[str]:
    """The times to choose from for a finding of this severity."""
    return [name for name, hours in HOURS.items() if severity != "critical" or hours <= 24]
