"""The routes of photos and signatures: add one to an order, a request or a complaint, list them, look at one."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlmodel import Session

from facility.clock import Clock
from ticketing.api import OPERATOR, Sessions, Text
from ticketing.asker import Anybody, Asker, may_see
from ticketing.attachment import AttachmentKind, Owner, OwnerKind
from ticketing.attachment_desk import AttachmentDesk
from ticketing.attachment_rows import attachments_of, find_attachment, find_owner, requests_of_order
from ticketing.attachment_store import DamagedError
from ticketing.photo import MOST_BYTES, Photo, PhotoError, clean_photo
from ticketing.problem import REFUSALS, refuse
from ticketing.request import Declined
from ticketing.service_views import AttachmentView, attachment_view
from ticketing.tables_service import AttachmentRow

_PLACES = {
    OwnerKind.ORDER: "work-orders",
    OwnerKind.REQUEST: "requests",
    OwnerKind.COMPLAINT: "complaints",
}
_ALONE = "default-src 'none'; sandbox; frame-ancestors 'none'"
"""Somebody else's picture, opened by itself, runs nothing, loads nothing and is no part of our pages."""
Kind = Annotated[AttachmentKind, Query(description="what the picture is")]
_ADD = """Add a picture: the body is a JPEG, PNG or WebP of at most 8 MB, known by its content. What is kept is its
pixels, at most 2,560 a side, without where and by whom it was taken. The same picture again changes nothing."""
_LIST = "Its pictures, the oldest first. An order's are also those of the requests it came from."


def build_attachment_router(
    sessions: Sessions, clock: Clock, desk: AttachmentDesk, asker: Asker | None = None
) -> APIRouter:
    """The routes. Who may call is decided where they are mounted. They stand before the verbs of the same paths."""
    who: Asker = asker or Anybody()
    router = APIRouter(prefix="/api", tags=["attachments"], responses=REFUSALS)

    def keep(of: OwnerKind, name: str, kind: AttachmentKind, photo: Photo, by: str) -> AttachmentView:
        with sessions.writing() as session:
            owner = _owner(session, of, name, who, lock=True)
            kept = desk.receive(session, owner, kind, photo, clock.now(), who.name() or by)
            if isinstance(kept, Declined):
                refuse(409, kept.what, owner.where, kept.hint)
            return attachment_view(kept)

    def listed(of: OwnerKind, name: str) -> list[AttachmentView]:
        with sessions.reading() as session:
            owner = _owner(session, of, name, who)
            rows = attachments_of(session, of, [owner.id])
            if of is OwnerKind.ORDER:
                rows = attachments_of(session, OwnerKind.REQUEST, requests_of_order(session, owner.id)) + rows
            return [attachment_view(row) for row in rows]

    def routes(of: OwnerKind) -> None:
        noun, path = of.replace("_", " "), f"/{_PLACES[of]}/{{id}}/attachments"

        @router.post(path, status_code=201, description=_ADD, name=f"attach to {noun}")
        async def add(
            id: str,  # noqa: A002 - the documented name
            request: Request,
            kind: Kind = AttachmentKind.PHOTO,
            by: Text = OPERATOR,
        ) -> AttachmentView:
            photo = await _body(request, f"{noun} {id}")
            return await run_in_threadpool(keep, of, id, kind, photo, by)

        @router.get(path, description=_LIST, name=f"attachments of {noun}")
        def shown(id: str) -> list[AttachmentView]:  # noqa: A002 - the documented name
            return listed(of, id)

    for of in OwnerKind:
        routes(of)

    @router.post("/requests/{id}/photos", status_code=201)
    async def add_photo(id: str, request: Request, by: Text = "occupant") -> AttachmentView:  # noqa: A002 - the documented name
        """Add a photo to a request, as POST .../attachments does."""
        photo = await _body(request, f"request {id}")
        return await run_in_threadpool(keep, OwnerKind.REQUEST, id, AttachmentKind.PHOTO, photo, by)

    def picture(name: str, read: Callable[[AttachmentRow], bytes], media_type: str | None = None) -> Response:
        with sessions.reading() as session:
            row = find_attachment(session, name)
            owner = find_owner(session, OwnerKind(row.owner_kind), row.owner_id) if row is not None else None
        if row is None or owner is None or not may_see(who, owner.building_id):
            refuse(404, f"there is no attachment {name!r}", f"attachment {name}", "GET .../attachments lists them.")
        try:
            content = read(row)
        except DamagedError as error:
            refuse(404, str(error), f"attachment {row.id}", "Bring the folder of attachments back from a backup.")
        headers = {
            "Cache-Control": "private, max-age=31536000, immutable",  # an id is one picture for ever
            "Content-Security-Policy": _ALONE,
            "Content-Disposition": "inline",
        }
        return Response(content, media_type=media_type or row.media_type, headers=headers)

    @router.get("/attachments/{id}", response_class=Response)
    def content(id: str) -> Response:  # noqa: A002 - the documented name
        """A picture."""
        return picture(id, desk.content)

    @router.get("/attachments/{id}/thumbnail", response_class=Response)
    def thumbnail(id: str) -> Response:  # noqa: A002 - the documented name
        """A picture as a JPEG of at most 320 pixels a side."""
        return picture(id, desk.thumbnail, "image/jpeg")

    @router.get("/photos/{id}", response_class=Response)
    def photo(id: str) -> Response:  # noqa: A002 - the documented name
        """A picture, as GET /api/attachments/{id}."""
        return picture(id, desk.content)

    return router


def _owner(session: Session, kind: OwnerKind, name: str, who: Asker, *, lock: bool = False) -> Owner:
    owner = find_owner(session, kind, name, lock=lock)
    if owner is None or not may_see(who, owner.building_id):
        noun = kind.replace("_", " ")
        refuse(404, f"there is no {noun} {name!r}", f"{noun} {name}", f"GET /api/{_PLACES[kind]} lists them.")
    return owner


async def _body(request: Request, where: str) -> Photo:
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > MOST_BYTES:
            break
    try:
        return await run_in_threadpool(clean_photo, bytes(content))
    except PhotoError as error:
        refuse(422, str(error), where, "Send the picture itself as the body of the call.")
