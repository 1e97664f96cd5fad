"""`/events`: a stream that tells an open page that something it shows has changed (server-sent events)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.responses import PlainTextResponse, Response, StreamingResponse

from dashboards.web.change_feed import ChangeFeed
from dashboards.web.pages import Pages
from dashboards.web.protocols import PlantView

PULSE_SECONDS = 3.0
LASTS_SECONDS = 300.0
"""After this the page opens a new one, and the door asks again whether it may."""
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def event_router(pages: Pages, feed: ChangeFeed) -> APIRouter:
    """`/events`: what changes in a visitor's buildings as `changed`, and every few seconds a `pulse` with the clock."""
    router = APIRouter()

    @router.get("/events")
    async def events(
        request: Request,
        seconds: Annotated[float, Query(ge=0, le=LASTS_SECONDS, description="how long it lasts")] = LASTS_SECONDS,
    ) -> Response:
        user = pages.visitor(request)
        if feed.is_full:
            return PlainTextResponse("too many pages listen; ask /live instead\n", 503, {"Retry-After": "15"})
        told = _told(feed, user.buildings, pages.view_for(user), seconds)
        return StreamingResponse(told, media_type="text/event-stream", headers=_HEADERS)

    return router


async def _told(
    feed: ChangeFeed, buildings: frozenset[str] | None, view: PlantView, seconds: float
) -> AsyncIterator[str]:
    """Until it has lasted long enough, the program stops, or the page is gone."""
    steady = asyncio.get_running_loop().time
    end = steady() + seconds
    with feed.listen(buildings) as listener:
        yield "retry: 2000\n\n" + _event("pulse", _pulse(view))
        while not listener.is_over and (left := end - steady()) > 0:
            changes = await listener.wait(min(PULSE_SECONDS, left))
            for change in changes:
                yield _event("changed", change)
            if not changes and not listener.is_over:
                yield _event("pulse", _pulse(view))
        yield _event("bye", {"again": not listener.is_over})


def _pulse(view: PlantView) -> dict[str, object]:
    return {"token": view.change_token(), "now_ms": round(view.clock().now.timestamp() * 1000)}


def _event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {msgspec.json.encode(data).decode()}\n\n"
