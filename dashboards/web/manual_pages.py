"""Manuals: looked at by whoever sees the asset, added and taken away by the office."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from dashboards.web.manual_view import ManualDesk
from dashboards.web.office_forms import field_of, refuse_foreign, words_of
from dashboards.web.pages import Pages, source_of
from facility.errors import PlantroomError

MOST_BYTES = 25_000_000
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, max-age=3600",
}


def manual_router(pages: Pages, desk: ManualDesk) -> APIRouter:
    """`/assets/{id}/manuals/{name}`, and `/office/manuals` where they are kept."""
    router = APIRouter()

    def manuals_page(
        request: Request, asset_id: str, status: int = 200, *, title: str = "", refused: str = "", field: str = ""
    ) -> HTMLResponse:
        user = pages.visitor(request)
        found = pages.view_for(user).registry().assets.get(asset_id)
        if found is None:
            return pages.refuse(request, user, 404, "error.no.asset", id=asset_id)
        page = pages.page(request, user, found.building_id)
        return pages.show(
            request, page, "office_manuals.html", status, asset=found, manuals=desk.manuals(found), title=title,
            refused=refused, field=field, most=MOST_BYTES // 1_000_000,
        )  # fmt: skip

    @router.get("/assets/{asset_id}/manuals/{name}", response_model=None)
    def manual(request: Request, asset_id: str, name: str) -> Response:
        user = pages.visitor(request)
        asset = pages.view_for(user).registry().assets.get(asset_id)
        found = desk.content(asset, name) if asset is not None else None
        if found is None:
            return pages.refuse(request, user, 404, "error.no.file")
        shown = {"Content-Disposition": f"inline; filename*=UTF-8''{quote(found.name)}"}
        if found.media_type != "application/pdf":  # browsers show no PDF in a sandbox; their viewers are one
            shown["Content-Security-Policy"] = f"{HEADERS['Content-Security-Policy']}; sandbox"
        return Response(found.content, media_type=found.media_type, headers=HEADERS | shown)

    @router.get("/office/manuals/{asset_id}", response_class=HTMLResponse)
    def manuals(request: Request, asset_id: str) -> HTMLResponse:
        return manuals_page(request, asset_id)

    @router.post("/office/manuals/{asset_id}", response_model=None)
    def add(
        request: Request,
        asset_id: str,
        title: Annotated[str, Form(max_length=200)] = "",
        file: Annotated[UploadFile | None, File()] = None,
    ) -> HTMLResponse | RedirectResponse:
        user = pages.visitor(request)
        if (foreign := refuse_foreign(pages, request, user)) is not None:
            return foreign
        asset = pages.view_for(user).registry().assets.get(asset_id)
        if asset is None:
            return pages.refuse(request, user, 404, "error.no.asset", id=asset_id)
        content = file.file.read(MOST_BYTES + 1) if file is not None else b""
        try:
            desk.add(asset, title.strip(), content, by=user.name, source=source_of(request))
        except PlantroomError as error:
            return manuals_page(request, asset_id, 422, title=title, refused=words_of(error), field=field_of(error))
        return pages.see_other(f"/office/manuals/{quote(asset_id)}")

    @router.post("/office/manuals/{asset_id}/{manual_id}/remove", response_model=None)
    def remove(request: Request, asset_id: str, manual_id: str) -> HTMLResponse | RedirectResponse:
        user = pages.visitor(request)
        if (foreign := refuse_foreign(pages, request, user)) is not None:
            return foreign
        asset = pages.view_for(user).registry().assets.get(asset_id)
        if asset is None:
            return pages.refuse(request, user, 404, "error.no.asset", id=asset_id)
        try:
            desk.remove(asset, manual_id, by=user.name, source=source_of(request))
        except PlantroomError as error:
            return manuals_page(request, asset_id, 409, refused=words_of(error))
        return pages.see_other(f"/office/manuals/{quote(asset_id)}")

    return router
