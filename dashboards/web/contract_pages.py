"""Contracts in words: the list, one with its revisions and what each changed, and two over the same orders."""

from datetime import date, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from dashboards.web.manage_view import ManageDesk
from dashboards.web.pages import Pages

SINCE = timedelta(days=90)


def contract_router(pages: Pages, desk: ManageDesk) -> APIRouter:
    """`/contracts`, `/contracts/compare` and `/contracts/{contract_id}`."""
    router = APIRouter()

    @router.get("/contracts", response_class=HTMLResponse)
    def contracts(request: Request) -> HTMLResponse:
        user = pages.visitor(request)
        page = pages.page(request, user)
        since = (page.now - SINCE).date()
        return pages.show(request, page, "contracts.html", contracts=desk.contracts(user.buildings), since=since)

    @router.get("/contracts/compare", response_class=HTMLResponse)
    def compare(request: Request, one: str, other: str, since: date | None = None) -> HTMLResponse:
        user = pages.visitor(request)
        page = pages.page(request, user)
        from_on = since or (page.now - SINCE).date()
        found = desk.compare(one, other, from_on, user.buildings)
        if found is None:
            return pages.refuse(request, user, 404, "error.no.contract", id=f"{one}, {other}")
        return pages.show(
            request, page, "compare.html", found=found, since=from_on, contracts=desk.contracts(user.buildings)
        )

    @router.get("/contracts/{contract_id}", response_class=HTMLResponse)
    def contract(request: Request, contract_id: str) -> HTMLResponse:
        user = pages.visitor(request)
        page = pages.page(request, user)
        found = desk.contract(contract_id, user.buildings, page.words.language)
        if found is None:
            return pages.refuse(request, user, 404, "error.no.contract", id=contract_id)
        return pages.show(request, page, "contract.html", contract=found)

    return router
