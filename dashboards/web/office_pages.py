"""The back office: tokens, people and channels, sites, the audit."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from dashboards.web.office_forms import refuse_foreign, words_of
from dashboards.web.office_view import AuditQuery, OfficeDesk
from dashboards.web.pages import Pages, source_of
from facility.errors import PlantroomError

LINES = 50
MOST_ASSETS = 500
Answer = HTMLResponse | RedirectResponse


def office_router(pages: Pages, desk: OfficeDesk) -> APIRouter:
    """`/office` and what is below it, users aside."""
    router = APIRouter()

    def people_page(request: Request, status: int = 200, *, refused: str = "", done: str = "") -> HTMLResponse:
        page = pages.page(request, pages.visitor(request))
        return pages.show(
            request, page, "office_people.html", status, people=desk.people(), teams=desk.teams(), refused=refused,
            done=done,
        )  # fmt: skip

    def tokens_page(request: Request, status: int = 200, refused: str = "") -> HTMLResponse:
        page = pages.page(request, pages.visitor(request))
        return pages.show(request, page, "office_tokens.html", status, tokens=desk.tokens(), refused=refused)

    @router.get("/office", response_class=HTMLResponse)
    def office(request: Request) -> HTMLResponse:
        page = pages.page(request, pages.visitor(request))
        return pages.show(request, page, "office.html")

    @router.get("/office/tokens", response_class=HTMLResponse)
    def tokens(request: Request) -> HTMLResponse:
        return tokens_page(request)

    @router.post("/office/tokens/{token_id}/revoke", response_model=None)
    def revoke(request: Request, token_id: str) -> Answer:
        user = pages.visitor(request)
        if (foreign := refuse_foreign(pages, request, user)) is not None:
            return foreign
        try:
            desk.revoke(token_id, by=user.name, source=source_of(request))
        except PlantroomError as error:
            return tokens_page(request, 409, words_of(error))
        return pages.see_other("/office/tokens")

    @router.get("/office/people", response_class=HTMLResponse)
    def people(request: Request) -> HTMLResponse:
        return people_page(request)

    @router.post("/office/people/{person_id}/test", response_model=None)
    def test(request: Request, person_id: str, channel: Annotated[str, Form(max_length=100)] = "") -> Answer:
        user = pages.visitor(request)
        if (foreign := refuse_foreign(pages, request, user)) is not None:
            return foreign
        try:
            desk.test_channel(person_id, channel, by=user.name, source=source_of(request))
        except PlantroomError as error:
            return people_page(request, 409, refused=words_of(error))
        return people_page(request, done=channel)

    @router.get("/office/sites", response_class=HTMLResponse)
    def sites(request: Request) -> HTMLResponse:
        page = pages.page(request, pages.visitor(request))
        return pages.show(request, page, "office_sites.html", most=MOST_ASSETS)

    @router.get("/office/audit", response_class=HTMLResponse)
    def audit(
        request: Request,
        who: Annotated[str, Query(max_length=100)] = "",
        what: Annotated[str, Query(max_length=40)] = "",
        about: Annotated[str, Query(max_length=200)] = "",
        number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
    ) -> HTMLResponse:
        page = pages.page(request, pages.visitor(request))
        query = AuditQuery(who.strip(), what, about.strip(), number)
        lines, more = desk.audit(query, LINES)
        return pages.show(request, page, "office_audit.html", lines=lines, more=more, query=query, kinds=desk.audited())

    return router
