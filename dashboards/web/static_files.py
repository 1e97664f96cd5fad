"""Style sheet, modules and icon: served from the package under a name that changes with their content."""

import hashlib
import json
from functools import cache
from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

TYPES = {
    "style.css": "text/css; charset=utf-8",
    "desk.css": "text/css; charset=utf-8",
    "live.js": "text/javascript; charset=utf-8",
    "plot.js": "text/javascript; charset=utf-8",
    "shrink.js": "text/javascript; charset=utf-8",
    "work.js": "text/javascript; charset=utf-8",
    "queue.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}

MANIFEST = {
    "id": "/my",
    "name": "Plantroom",
    "short_name": "Plantroom",
    "start_url": "/my",
    "scope": "/",
    "display": "standalone",
    "background_color": "#f5f6f7",
    "theme_color": "#0b6478",
    "icons": [{"src": "/static/icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any maskable"}],
}
"""What a phone needs to know to install the pages; they open on the technician's list."""


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

    @router.get("/sw.js")
    def worker() -> Response:
        headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        return Response(static_file("sw.js"), media_type="text/javascript; charset=utf-8", headers=headers)

    @router.get("/manifest.webmanifest")
    def manifest() -> Response:
        return Response(json.dumps(MANIFEST), media_type="application/manifest+json")

    return router
