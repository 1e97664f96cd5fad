"""Devices nobody described yet: what each likely is, a button that adds it, and clocks that are off."""

import re
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from dashboards.web.origin import Origin, judge_origin
from dashboards.web.pages import Pages
from dashboards.web.visitor import Visitor
from facility.catalogue import equipment_classes
from facility.errors import PlantroomError

SHOWN = 100
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
CLOCK_OFF = timedelta(seconds=10)


def device_router(pages: Pages) -> APIRouter:
    """`/devices` and `POST /devices/approve`."""
    router = APIRouter()

    def device_page(
        request: Request, user: Visitor, status: int = 200, refused: str = "", done: str = ""
    ) -> HTMLResponse:
        page = pages.page(request, user)
        devices = pages.view_for(user).devices()
        off = [one for one in pages.view_for(user).device_clocks() if abs(one.skew) > CLOCK_OFF * page.clock.factor]
        classes = sorted(equipment_classes().values(), key=lambda kind: page.words.pick(kind.label, kind.name))
        return pages.show(
            request, page, "devices.html", status, devices=devices[:SHOWN], more=max(0, len(devices) - SHOWN),
            clocks=off[:SHOWN], codes=pages.view_for(user).unknown_codes()[:SHOWN],
            classes=classes, refused=refused, done=done,
        )  # fmt: skip

    @router.get("/devices", response_class=HTMLResponse)
    def devices(request: Request) -> HTMLResponse:
        user = pages.visitor(request)
        done = request.query_params.get("done", "")
        # It is in force as soon as the journal has it, a moment after this page: what was done is said before.
        return device_page(request, user, done=done if _ID.fullmatch(done) else "")

    @router.post("/devices/approve", response_model=None)
    def approve(
        request: Request,
        key: Annotated[str, Form(max_length=1024)],
        asset_id: Annotated[str, Form(max_length=64)],
        equipment_class: Annotated[str, Form(max_length=64)],
        building_id: Annotated[str, Form(max_length=64)] = "",
        name: Annotated[str, Form(max_length=200)] = "",
    ) -> HTMLResponse | RedirectResponse:
        user = pages.visitor(request)
        if judge_origin(request.headers) is not Origin.OWN:
            return pages.refuse(request, user, 403, "error.origin")
        try:
            pages.view_for(user).approve_device(
                key, asset_id=asset_id.strip(), equipment_class=equipment_class, building_id=building_id,
                name=name.strip(),
            )  # fmt: skip
        except PlantroomError as error:
            return device_page(request, user, status=409, refused=str(error))
        return pages.see_other(f"/devices?done={asset_id.strip()}")

    return router
