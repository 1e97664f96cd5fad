"""`/events`: a stream that tells an open page what has changed (server-sent events); `/live` for pages without one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from dashboards.web.change_feed import ChangeFeed
from dashboards.web.pages import Pages
from dashboards.web.stamps import Stamps, Watch, watched
from dashboards.web.visitor import Visitor

PULSE_SECONDS = 3.0
LASTS_SECONDS = 300.0
"""After this the page opens a new one, and the door asks again whether it may."""
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
Pulse = dict[str, object]


def event_router(pages: Pages, feed: ChangeFeed) -> APIRouter:
    """What changes in a visitor's buildings as `changed`, and every few seconds a `pulse` with the clock and the stamps
    of what the page watches."""
    router, stamps = APIRouter(), Stamps()

    def pulse_of(user: Visitor, watch: str) -> Callable[[], Pulse]:
        view, topics = pages.view_for(user), watched(watch)

        def pulse() -> Pulse:
            token, now_ms = feed.token, round(view.clock().now.timestamp() * 1000)
            return {"token": token, "now_ms": now_ms, "stamps": stamps.of(view, user.buildings, topics)}

        return pulse

    def pulses_of(user: Visitor, watch: str) -> Callable[[], Awaitable[Pulse]]:
        """The same for the stream: in a thread when there are stamps, which may wait for the engine or the database."""
        pulse = pulse_of(user, watch)

        async def ask() -> Pulse:
            return await asyncio.to_thread(pulse) if watch else pulse()

        return ask

    @router.get("/events")
    async def events(
        request: Request,
        watch: Watch = "",
        seconds: Annotated[float, Query(ge=0, le=LASTS_SECONDS, description="how long it lasts")] = LASTS_SECONDS,
    ) -> Response:
        user = pages.visitor(request)
        if feed.is_full:
            return PlainTextResponse("too many pages listen; ask /live instead\n", 503, {"Retry-After": "15"})
        told = _told(feed, user.buildings, pulses_of(user, watch), seconds)
        return StreamingResponse(told, media_type="text/event-stream", headers=_HEADERS)

    @router.get("/live", response_class=JSONResponse)
    def live(request: Request, watch: Watch = "") -> JSONResponse:
        return JSONResponse(pulse_of(pages.visitor(request), watch)(), headers={"Cache-Control": "no-store"})

    return router


async def _told(
    feed: ChangeFeed, buildings: frozenset[str] | None, pulse: Callable[[], Awaitable[Pulse]], seconds: float
) -> AsyncIterator[str]:
    """Until it has lasted long enough, the program stops, or the page is gone. A pulse comes whenever it is due,
    however much is told between."""
    steady = asyncio.get_running_loop().time
    end, due = steady() + seconds, steady() + PULSE_SECONDS
    with feed.listen(buildings) as listener:
        yield "retry: 2000\n\n" + _event("pulse", await pulse())
        while not listener.is_over and (left := end - steady()) > 0:
            changes = await listener.wait(max(0.0, min(due - steady(), left)))
            if changes:
                yield "".join(_event("changed", one) for one in changes)
            if steady() >= due and not listener.is_over:
                due = steady() + PULSE_SECONDS
                yield _event("pulse", await pulse())
        yield _event("bye", {"again": not listener.is_over})


def _event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {msgspec.json.encode(data).decode()}\n\n"
