"""The routes of photos: add one to a request, look at one."""

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from facility.clock import Clock
from ticketing import service_rows
from ticketing.api import Sessions, Text
from ticketing.photo import MOST_BYTES, MediaType, PhotoError, check_photo
from ticketing.problem import REFUSALS, ProblemRoute, refuse
from ticketing.request_api import found_request
from ticketing.request_desk import KIND
from ticketing.service_views import PhotoView

MOST_PHOTOS = 10


def build_photo_router(sessions: Sessions, clock: Clock) -> APIRouter:
    """The routes. Who may call is decided where they are mounted."""
    router = APIRouter(prefix="/api", tags=["requests"], route_class=ProblemRoute, responses=REFUSALS)

    def keep(name: str, content: bytes, media: MediaType, by: str) -> PhotoView:
        with sessions.writing() as session:
            row = found_request(session, name, lock=True)
            if len(service_rows.attachments(session, KIND, row.id)) >= MOST_PHOTOS:
                what = f"the request has {MOST_PHOTOS} photos already"
                refuse(409, what, f"request {name}", "Say the rest in words.")
            kept = service_rows.attach(session, KIND, row.id, content, media, clock.now(), by[:200])
            return PhotoView(id=kept.id, media_type=kept.media_type, size=kept.size)

    @router.post("/requests/{id}/photos", status_code=201)
    async def add(id: str, request: Request, by: Text = "occupant") -> PhotoView:  # noqa: A002 - the documented name
        """Add a photo: the body is a JPEG, PNG or WebP of at most 8 MB, and is checked by its content."""
        content = bytearray()
        async for part in request.stream():
            content += part
            if len(content) > MOST_BYTES:
                break
        try:
            media = check_photo(bytes(content))
        except PhotoError as error:
            refuse(422, str(error), f"request {id}", "Send the photo itself as the body of the call.")
        return await run_in_threadpool(keep, id, bytes(content), media, by)

    @router.get("/photos/{id}")
    def content(id: str) -> Response:  # noqa: A002 - the documented name
        """A photo's content."""
        with sessions.reading() as session:
            found = service_rows.find_attachment(session, id)
            if found is None:
                refuse(404, f"there is no photo {id!r}", f"photo {id}", "A request lists its photos.")
            return Response(found.content, media_type=found.media_type, headers={"Cache-Control": "private"})

    return router
