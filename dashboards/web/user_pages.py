"""Users in the back office: made, changed, switched off and on, given a link. Forms keep what was typed."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from dashboards.web.office_forms import field_of, refuse_foreign, words_of
from dashboards.web.office_view import ROLES, NewUser, OfficeDesk
from dashboards.web.pages import Pages, source_of
from dashboards.web.visitor import Visitor
from facility.errors import PlantroomError

Answer = HTMLResponse | RedirectResponse


def user_router(pages: Pages, desk: OfficeDesk) -> APIRouter:
    """`/office/users` and what is below it."""
    router = APIRouter()

    def users_page(
        request: Request, status: int = 200, *, typed: NewUser | None = None, refused: str = "", field: str = "",
        link: str = "", about: str = "",
    ) -> HTMLResponse:  # fmt: skip
        page = pages.page(request, pages.visitor(request))
        return pages.show(
            request, page, "office_users.html", status, users=desk.users(), typed=typed or NewUser(), refused=refused,
            field=field, roles=ROLES, link=link, about=about, base=str(request.base_url).rstrip("/"),
        )  # fmt: skip

    @router.get("/office/users", response_class=HTMLResponse)
    def users(request: Request) -> HTMLResponse:
        return users_page(request)

    @router.post("/office/users", response_model=None)
    def add(
        request: Request,
        name: Annotated[str, Form(max_length=100)] = "",
        display_name: Annotated[str, Form(max_length=200)] = "",
        role: Annotated[str, Form(max_length=20)] = "",
        buildings: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies the default
    ) -> Answer:
        user = pages.visitor(request)
        typed = NewUser(name.strip(), display_name.strip(), role, tuple(buildings))
        if (foreign := refuse_foreign(pages, request, user)) is not None:
            return foreign
        try:
            desk.add_user(typed, by=user.name, source=source_of(request))
            link = desk.link_for(typed.name, by=user.name, source=source_of(request))
        except PlantroomError as error:
            return users_page(request, 422, typed=typed, refused=words_of(error), field=field_of(error))
        return users_page(request, 201, link=link, about=typed.name)

    @router.get("/office/users/{name}", response_class=HTMLResponse)
    def one(request: Request, name: str) -> HTMLResponse:
        return user_page(request, name)

    def user_page(request: Request, name: str, status: int = 200, refused: str = "") -> HTMLResponse:
        visitor = pages.visitor(request)
        found = desk.user(name)
        if found is None:
            return pages.refuse(request, visitor, 404, "error.no.user", name=name)
        page = pages.page(request, visitor)
        return pages.show(request, page, "office_user.html", status, user=found, roles=ROLES, refused=refused)

    def do(request: Request, name: str, act: Callable[[Visitor], object]) -> Answer:
        """One thing to a user, then her page again."""
        user = pages.visitor(request)
        if (foreign := refuse_foreign(pages, request, user)) is not None:
            return foreign
        try:
            act(user)
        except PlantroomError as error:
            return user_page(request, name, 422, words_of(error))
        return pages.see_other(f"/office/users/{name}")

    @router.post("/office/users/{name}/change", response_model=None)
    def change(
        request: Request,
        name: str,
        role: Annotated[str, Form(max_length=20)] = "",
        buildings: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies the default
    ) -> Answer:
        source = source_of(request)
        return do(request, name, lambda user: desk.change_user(name, role, buildings, by=user.name, source=source))

    @router.post("/office/users/{name}/off", response_model=None)
    def off(request: Request, name: str) -> Answer:
        source = source_of(request)
        return do(request, name, lambda user: desk.switch_user(name, on=False, by=user.name, source=source))

    @router.post("/office/users/{name}/on", response_model=None)
    def switch_on(request: Request, name: str) -> Answer:
        source = source_of(request)
        return do(request, name, lambda user: desk.switch_user(name, on=True, by=user.name, source=source))

    @router.post("/office/users/{name}/link", response_model=None)
    def link(request: Request, name: str) -> Answer:
        user = pages.visitor(request)
        if (foreign := refuse_foreign(pages, request, user)) is not None:
            return foreign
        try:
            path = desk.link_for(name, by=user.name, source=source_of(request))
        except PlantroomError as error:
            return user_page(request, name, 422, words_of(error))
        return users_page(request, 201, link=path, about=name)

    return router
