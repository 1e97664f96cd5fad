"""One's own account: language, units and colours, and tokens for programs that act for oneself."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from dashboards.web import language
from dashboards.web.office_view import SCOPES, OwnDesk, Preferences
from dashboards.web.origin import Origin, judge_origin
from dashboards.web.pages import YEAR, Pages, source_of
from dashboards.web.units import UNIT_SYSTEMS
from facility.errors import PlantroomError

THEMES = ("", "light", "dark")
Answer = HTMLResponse | RedirectResponse


def own_router(pages: Pages, desk: OwnDesk) -> APIRouter:
    """`/me`."""
    router = APIRouter()

    def own_page(
        request: Request, status: int = 200, *, token: str = "", refused: str = "", label: str = ""
    ) -> HTMLResponse:
        user = pages.visitor(request)
        page = pages.page(request, user)
        return pages.show(
            request, page, "me.html", status, chosen=desk.preferences(user.name), tokens=desk.own_tokens(user.name),
            scopes=SCOPES, token=token, refused=refused, label=label, languages=language.LANGUAGES,
            systems=UNIT_SYSTEMS, themes=THEMES,
        )  # fmt: skip

    @router.get("/me", response_class=HTMLResponse)
    def me(request: Request) -> HTMLResponse:
        return own_page(request)

    @router.post("/me", response_model=None)
    def prefer(
        request: Request,
        chosen: Annotated[str, Form(alias="language", max_length=10)] = "",
        units: Annotated[str, Form(max_length=10)] = "metric",
        theme: Annotated[str, Form(max_length=10)] = "",
    ) -> Answer:
        user = pages.visitor(request)
        if judge_origin(request.headers) is not Origin.OWN:
            return pages.refuse(request, user, 403, "error.origin")
        wanted = Preferences(
            chosen if chosen in language.LANGUAGES else "",
            units if units in UNIT_SYSTEMS else "metric",
            theme if theme in THEMES else "",
        )
        desk.prefer(user.name, wanted)
        response = pages.see_other("/me")
        if wanted.language:
            response.set_cookie(language.COOKIE, wanted.language, max_age=YEAR, samesite="lax")
        else:
            response.delete_cookie(language.COOKIE)
        return response

    @router.post("/me/tokens", response_model=None)
    def make(
        request: Request,
        label: Annotated[str, Form(max_length=200)] = "",
        scope: Annotated[str, Form(max_length=10)] = "read",
        days: Annotated[str, Form(max_length=6)] = "",
    ) -> Answer:
        user = pages.visitor(request)
        if judge_origin(request.headers) is not Origin.OWN:
            return pages.refuse(request, user, 403, "error.origin")
        try:
            lives = int(days) if days.strip() else None
            token = desk.make_token(user.name, label, scope, lives, source=source_of(request))
        except (PlantroomError, ValueError) as error:
            return own_page(request, 422, refused=str(error), label=label)
        return own_page(request, 201, token=token)

    @router.post("/me/tokens/{token_id}/revoke", response_model=None)
    def revoke(request: Request, token_id: str) -> Answer:
        user = pages.visitor(request)
        if judge_origin(request.headers) is not Origin.OWN:
            return pages.refuse(request, user, 403, "error.origin")
        try:
            desk.revoke_own(user.name, token_id, source=source_of(request))
        except PlantroomError as error:
            return own_page(request, 404, refused=str(error))
        return pages.see_other("/me")

    return router
