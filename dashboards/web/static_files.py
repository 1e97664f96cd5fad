"""Style sheet, modules and icon: served from the package under a name that changes with their content."""

import hashlib
from functools import cache
from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

TYPES = {
    "style.css": "text/css; charset=utf-8",
    "live.js": "text/javascript; charset=utf-8",
    "plot.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


@cache
def static_file(name: str) -> bytes:
    """The bytes of one of our own files."""
    return files("dashboards").joinpath("web/static", name).read_bytes()


@cache
def static_url(name: str) -> str:
    """Where a page finds it; another address when its content is another."""
    return f"/static/{name}?v={hashlib.blake2b(static_file(name), digest_size=6).hexdigest()}"


def static_router() -> APIRouter:
    """`/static/{name}`; open to everyone, so that the sign-in page has its style."""
    router = APIRouter()

    @router.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in TYPES:
            return PlainTextResponse("no such file\n", 404)
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
        return Response(static_file(name), media_type=TYPES[name], headers=headers)

    return router
