"""Signing in with a name and a password or with a token, out again, and setting a password by a link.

The cookie holds a session's name, never a secret one typed.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from dashboards.web.origin import Origin, judge_origin, own_path
from dashboards.web.pages import HINT, SESSION, Pages, go_on, keep_session, source_of
from dashboards.web.visitor import Knock

DENIED = frozenset({"away", "stale", "forged", "refused", "role", "name", "taken", "buildings", "disabled"})
"""Why the identity provider let nobody in; each has its words."""


def login_router(pages: Pages, leave: Callable[[str], str] | None = None) -> APIRouter:
    """`/login`, `POST /logout` and `/password/{code}`.

    `leave` gives the identity provider's address to sign out at, for the word by which somebody came in through it
    (empty: not kept); empty when there is none.
    """
    router = APIRouter()

    def form(
        request: Request,
        status: int,
        *,
        wanted: str,
        knock: Knock = Knock(),
        name: str = "",
        by_token: bool = False,
        denied: str = "",
    ) -> HTMLResponse:
        return pages.show(
            request,
            pages.page(request),
            "login.html",
            status,
            wanted=wanted,
            knock=knock,
            typed=name,
            by_token=by_token,
            denied=denied if denied in DENIED else "",
        )  # fmt: skip

    @router.get("/login", response_class=HTMLResponse)
    def login(request: Request) -> HTMLResponse:
        denied = request.query_params.get("oidc", "")
        return form(request, 200, wanted=own_path(request.query_params.get("next")), denied=denied)

    @router.post("/login", response_model=None)
    def sign_in(
        request: Request,
        name: Annotated[str, Form(max_length=100)] = "",
        password: Annotated[str, Form(max_length=500)] = "",
        token: Annotated[str, Form(max_length=500)] = "",
        wanted: Annotated[str, Form(alias="next", max_length=2000)] = "/",
    ) -> HTMLResponse | RedirectResponse:
        if judge_origin(request.headers) is not Origin.OWN:
            return pages.refuse(request, None, 403, "error.origin")
        given, source = token.strip(), source_of(request)
        knock = pages.door.open_session(given, source) if given else pages.door.sign_in(name.strip(), password, source)
        if not knock.session:
            return form(request, 401, wanted=own_path(wanted), knock=knock, name=name.strip(), by_token=bool(given))
        return _let_in(pages, request, own_path(wanted), knock.session)

    @router.post("/logout", response_model=None)
    def sign_out(request: Request) -> HTMLResponse | RedirectResponse:
        if judge_origin(request.headers) is not Origin.OWN:
            return pages.refuse(request, None, 403, "error.origin")
        pages.door.close_session(request.cookies.get(SESSION, ""))
        hint = request.cookies.get(HINT, "")
        there = leave(hint if hint != "-" else "") if leave is not None and hint else ""
        response = go_on(there) if there else pages.see_other("/login")
        response.delete_cookie(SESSION, httponly=True, samesite="strict")
        response.delete_cookie(HINT, path="/logout", httponly=True, samesite="strict")
        return response

    def password_form(request: Request, code: str, status: int, refused: str = "") -> HTMLResponse:
        owner = pages.door.link_owner(code)
        if owner is None:
            return pages.refuse(request, None, 404, "error.link")
        page = pages.page(request)
        return pages.show(request, page, "password.html", status, owner=owner, code=code, refused=refused)

    @router.get("/password/{code}", response_class=HTMLResponse)
    def password(request: Request, code: str) -> HTMLResponse:
        return password_form(request, code, 200)

    @router.post("/password/{code}", response_model=None)
    def set_password(
        request: Request,
        code: str,
        password: Annotated[str, Form(max_length=500)] = "",
        again: Annotated[str, Form(max_length=500)] = "",
    ) -> HTMLResponse | RedirectResponse:
        if judge_origin(request.headers) is not Origin.OWN:
            return pages.refuse(request, None, 403, "error.origin")
        if password != again:
            return password_form(request, code, 422, "differ")
        knock = pages.door.use_link(code, password, source_of(request))
        if not knock.session:
            return password_form(request, code, 422, knock.refused)
        return _let_in(pages, request, "/", knock.session)

    return router


def _let_in(pages: Pages, request: Request, path: str, session: str) -> RedirectResponse:
    response = pages.see_other(path)
    keep_session(request, response, session)
    response.delete_cookie(HINT, path="/logout", httponly=True, samesite="strict")  # not through the provider
    return response
