"""The manager's page: what breaches next and what it costs, the month by contract, satisfaction, who does what."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from dashboards.web.manage_view import RISK_GROUPS, ManageDesk
from dashboards.web.pages import Pages
from facility.errors import PermanentError

MOST_OF_GROUP = 8
MOST_PENALTIES = 30


def manage_router(pages: Pages, desk: ManageDesk) -> APIRouter:
    """`/manage`."""
    router = APIRouter()

    @router.get("/manage", response_class=HTMLResponse)
    def manage(request: Request, month: str = "") -> HTMLResponse:
        user = pages.visitor(request)
        page = pages.page(request, user)
        try:
            shown = desk.month(month, user.buildings, page.words.language)
        except PermanentError as error:
            return pages.show(request, page, "error.html", 422, message=str(error))
        return pages.show(
            request, page, "manage.html", board=desk.risks(user.buildings, MOST_OF_GROUP), groups=RISK_GROUPS,
            workers=desk.workers(user.buildings), shown=shown, penalties=shown.penalties[:MOST_PENALTIES],
            more=max(0, len(shown.penalties) - MOST_PENALTIES), sees_all=user.buildings is None,
        )  # fmt: skip

    return router
