"""Files of the back office: shown, edited as text, checked with their differences, and only then put into force."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from dashboards.web.file_view import Checked, FileDesk, FileText
from dashboards.web.office_forms import refuse_foreign, words_of
from dashboards.web.pages import Pages, source_of
from facility.errors import InputError, PlantroomError

MOST_CHARACTERS = 2_000_000
AROUND = 1
Answer = HTMLResponse | RedirectResponse


def file_router(pages: Pages, desk: FileDesk) -> APIRouter:
    """`/office/files` and what is below it."""
    router = APIRouter()

    def file_page(
        request: Request, found: FileText, status: int = 200, *, typed: str | None = None,
        checked: Checked | None = None, refused: str = "",
    ) -> HTMLResponse:  # fmt: skip
        page = pages.page(request, pages.visitor(request))
        text = found.text if typed is None else typed
        problems = [(one, excerpt(text, one.line)) for one in checked.problems] if checked is not None else []
        return pages.show(
            request, page, "office_file.html", status, file=found, text=text, checked=checked, problems=problems,
            refused=refused, rows=min(40, max(12, text.count("\n") + 2)),
        )  # fmt: skip

    @router.get("/office/files", response_class=HTMLResponse)
    def files(request: Request, done: str = "") -> HTMLResponse:
        page = pages.page(request, pages.visitor(request))
        listed = desk.files()
        saved = next((one.name for one in listed if one.key == done), "")
        return pages.show(request, page, "office_files.html", files=listed, refused=desk.refused(), saved=saved)

    @router.get("/office/files/{key}", response_class=HTMLResponse)
    def one(request: Request, key: str) -> HTMLResponse:
        user = pages.visitor(request)
        try:
            found = desk.file(key)
        except InputError as error:
            return pages.show(request, pages.page(request, user), "error.html", 409, message=words_of(error))
        return pages.refuse(request, user, 404, "error.no.file") if found is None else file_page(request, found)

    @router.post("/office/files/{key}", response_model=None)
    def change(
        request: Request,
        key: str,
        text: Annotated[str, Form(max_length=MOST_CHARACTERS)] = "",
        base: Annotated[str, Form(max_length=64)] = "",
        seal: Annotated[str, Form(max_length=64)] = "",
        do: Annotated[str, Form(max_length=10)] = "check",
    ) -> Answer:
        user = pages.visitor(request)
        if (foreign := refuse_foreign(pages, request, user)) is not None:
            return foreign
        found = desk.file(key)
        if found is None:
            return pages.refuse(request, user, 404, "error.no.file")
        typed = text.replace("\r\n", "\n")
        checked = desk.check(key, typed, base)
        if do == "put" and checked.is_good and seal == checked.seal:
            try:
                desk.put(key, typed, base, by=user.name, source=source_of(request))
            except PlantroomError as error:
                return file_page(request, found, 409, typed=typed, checked=checked, refused=words_of(error))
            return pages.see_other(f"/office/files?done={key}")
        return file_page(request, found, 422 if checked.problems else 200, typed=typed, checked=checked)

    return router


def excerpt(text: str, line: int | None) -> list[tuple[int, str, bool]]:
    """The lines around a problem with their numbers, and whether it is the line itself."""
    if line is None:
        return []
    lines = text.split("\n")
    first, last = max(1, line - AROUND), min(len(lines), line + AROUND)
    return [(number, lines[number - 1], number == line) for number in range(first, last + 1)]
