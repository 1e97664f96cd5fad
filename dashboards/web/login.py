"""Signing in with a token, and out again. The cookie holds a session's name, never the token."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from dashboards.web.origin import Origin, judge_origin, own_path
from dashboards.web.pages import SESSION, Pages


def login_router(pages: Pages) -> APIRouter:
    """`/login` and `POST /logout`."""
    router = APIRouter()

    def form(request: Request, status: int, *, wanted: str, refused: bool) -> HTMLResponse:
        return pages.show(request, pages.page(request), "login.html", status, wanted=wanted, refused=refused)

    @router.get("/login", response_class=HTMLResponse)
    def login(request: Request) -> HTMLResponse:
        return form(request, 200, wanted=own_path(request.query_params.get("next")), refused=False)

    @router.post("/login", response_model=None)
    def sign_in(
        request: Request,
        token: Annotated[str, Form(max_length=500)] = "",
        wanted: Annotated[str, Form(alias="next", max_length=2000)] = "/",
    ) -> HTMLResponse | RedirectResponse:
        if judge_origin(request.headers) is not Origin.OWN:
            return pages.refuse(request, None, 403, "error.origin")
        session = pages.door.open_session(token.strip())
        if session is None:
            return form(request, 401, wanted=own_path(wanted), refused=True)
        response = pages.see_other(own_path(wanted))
        secure = request.url.scheme == "https"
        response.set_cookie(SESSION, session, httponly=True, samesite="strict", secure=secure)
        return response

    @router.post("/logout", response_model=None)
    def sign_out(request: Request) -> HTMLResponse | RedirectResponse:
        if judge_origin(request.headers) is not Origin.OWN:
            return pages.refuse(request, None, 403, "error.origin")
        pages.door.close_session(request.cookies.get(SESSION, ""))
        response = pages.see_other("/login")
        response.delete_cookie(SESSION, httponly=True, samesite="strict")
        return response

    return router
