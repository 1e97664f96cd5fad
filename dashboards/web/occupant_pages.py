"""Stickers, and the page behind them: an occupant reports without a login what is wrong with an asset."""

import secrets
from typing import Annotated

import segno
from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse

from dashboards.web.origin import Origin, judge_origin
from dashboards.web.pages import Pages, source_of
from dashboards.web.reception import Photo, Place, Reception, Report, TooOftenError
from facility.asset import Asset
from facility.errors import InputError, PlantroomError

Answer = HTMLResponse | RedirectResponse
MOST_PHOTO_BYTES = 8_000_000
MOST_STICKERS = 500


def occupant_router(pages: Pages, reception: Reception) -> APIRouter:
    """`/report/{code}`, `/assets/{id}/sticker` and `/buildings/{id}/stickers`."""
    router = APIRouter()

    def report_page(
        request: Request, place: Place, *, status: int = 200, refused: str = "", field: str = "text", text: str = "",
        contact: str = "", urgent: str = "",
    ) -> HTMLResponse:  # fmt: skip
        page = pages.page(request, None, place.building_id)
        staff = pages.may_look(request, "/assets/{asset_id}", {"asset_id": place.asset_id})
        return pages.show(
            request, page, "report.html", status, place=place, refused=refused, field=field, text=text, contact=contact,
            urgent=bool(urgent), staff=staff, key=secrets.token_urlsafe(18),
        )  # fmt: skip

    @router.get("/report/{code}", response_class=HTMLResponse)
    def report(request: Request, code: str) -> HTMLResponse:
        place = reception.place(code)
        return report_page(request, place) if place is not None else pages.refuse(request, None, 404, "error.sticker")

    @router.post("/report/{code}", response_model=None)
    def send(
        request: Request,
        code: str,
        text: Annotated[str, Form(max_length=4_000)] = "",
        contact: Annotated[str, Form(max_length=200)] = "",
        urgent: Annotated[str, Form(max_length=10)] = "",
        key: Annotated[str, Form(max_length=100)] = "",
        photo: Annotated[UploadFile | None, File()] = None,
    ) -> Answer:
        place = reception.place(code)
        if place is None:
            return pages.refuse(request, None, 404, "error.sticker")
        if judge_origin(request.headers) is not Origin.OWN:
            return pages.refuse(request, None, 403, "error.origin")
        page = pages.page(request, None, place.building_id)
        content = photo.file.read(MOST_PHOTO_BYTES + 1) if photo is not None and photo.filename else b""
        said = Report(
            text.strip(), contact.strip(), page.words.language, key or None, bool(urgent),
            Photo(content) if content else None,
        )  # fmt: skip
        if not said.text:
            return report_page(
                request, place, status=422, refused=page.words("report.empty"), contact=contact, urgent=urgent
            )
        try:
            told = reception.report(code, said, source_of(request).address)
        except TooOftenError:
            refused = page.words("report.often")
            return report_page(request, place, status=429, refused=refused, text=text, contact=contact, urgent=urgent)
        except PlantroomError as error:
            field = "photo" if isinstance(error, InputError) and error.problems[0].where == "photo" else "text"
            return report_page(
                request, place, status=422, refused=str(error), field=field, text=text, contact=contact, urgent=urgent
            )
        return pages.see_other(f"/told/{told}?done=sent")

    def sticker_of(request: Request, asset: Asset) -> tuple[Asset, str, str]:
        address = f"{request.url.scheme}://{request.url.netloc}/report/{reception.code_of(asset.id)}"
        code = segno.make(address, error="m", micro=False)
        return asset, address, code.svg_inline(scale=5, border=2, svgclass="qr", lineclass=None, omitsize=True)

    @router.get("/assets/{asset_id}/sticker", response_class=HTMLResponse)
    def sticker(request: Request, asset_id: str) -> HTMLResponse:
        user = pages.visitor(request)
        asset = pages.view_for(user).registry().assets.get(asset_id)
        if asset is None:
            return pages.refuse(request, user, 404, "error.no.asset", id=asset_id)
        page = pages.page(request, user, asset.building_id)
        return pages.show(request, page, "sticker.html", stickers_of=[sticker_of(request, asset)], building=None)

    @router.get("/buildings/{building_id}/stickers", response_class=HTMLResponse)
    def stickers(request: Request, building_id: str) -> HTMLResponse:
        user = pages.visitor(request)
        registry = pages.view_for(user).registry()
        building = registry.buildings.get(building_id)
        if building is None:
            return pages.refuse(request, user, 404, "error.no.building", id=building_id)
        page = pages.page(request, user, building_id)
        inside = [asset for asset in registry.assets.values() if asset.building_id == building_id]
        drawn = [sticker_of(request, asset) for asset in inside[:MOST_STICKERS]]
        return pages.show(request, page, "sticker.html", stickers_of=drawn, building=building)

    return router
