"""The operator's pages: messages that could not be read and how each stage is doing."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from dashboards.web.pages import Pages
from facility.instant import from_us

MOST_BYTES = 400
MOST_SILENT = 100


def readable(payload: bytes) -> str:
    """The beginning of a payload for people: its text, other bytes as escapes."""
    return payload[:MOST_BYTES].decode("utf-8", "backslashreplace")


def system_router(pages: Pages) -> APIRouter:
    """`/dead-letters` and `/health`."""
    router = APIRouter()

    @router.get("/dead-letters", response_class=HTMLResponse)
    def dead_letters(request: Request) -> HTMLResponse:
        user = pages.visitor(request)
        page = pages.page(request, user)
        letters = [(each, from_us(each.at_us), readable(each.payload)) for each in pages.view_for(user).dead_letters()]
        return pages.show(request, page, "dead_letters.html", letters=letters)

    @router.get("/health", response_class=HTMLResponse)
    def health(request: Request) -> HTMLResponse:
        user = pages.visitor(request)
        page = pages.page(request, user)
        health = page.view.health()
        return pages.show(
            request, page, "health.html", health=health, gaps=page.view.not_applicable(),
            share=100.0 * health.rejected / health.received if health.received else None,
            silent=health.silent[:MOST_SILENT], more=max(0, len(health.silent) - MOST_SILENT),
        )  # fmt: skip

    return router
