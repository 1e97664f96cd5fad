"""The routes of occupants' requests: send one, review it."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from facility.clock import Clock
from facility.finding import Severity
from ticketing import request_rows, service_rows
from ticketing.api import OPERATOR, Limit, Offset, Sessions, Text
from ticketing.asker import Anybody, Asker
from ticketing.attachment import OwnerKind
from ticketing.attachment_rows import attachments_of
from ticketing.found import found_request, own_building, within_reach
from ticketing.problem import REFUSALS, refuse
from ticketing.request import CATEGORIES, Declined, Entry, RequestStatus, RequestVerb
from ticketing.request_desk import KIND, RequestDesk, Review
from ticketing.service_views import RequestView, of, request_view
from ticketing.tables_service import RequestRow


class RequestBody(BaseModel):
    """What is wrong, and where. Building alone is enough; the asset alone is enough too."""

    model_config = ConfigDict(extra="forbid")

    text: Text = Field(min_length=1)
    building_id: Text = ""
    space_id: Text = ""
    asset_id: Text = ""
    category: Text = Field(default="other", description=", ".join(CATEGORIES))
    contact: Text = Field(default="", max_length=200)
    language: Text = Field(default="en", max_length=10)
    urgent: bool = False


class ReviewBody(BaseModel):
    """Who reviews, and what she decides besides. A rejection needs its `note`."""

    model_config = ConfigDict(extra="forbid")

    by: Text = Field(default=OPERATOR, min_length=1)
    note: Text = ""
    asset_id: Text = Field(default="", description="what it is about, when the request does not say")
    severity: Severity | None = None
    work_order: Text = Field(default="", description="the open order it joins, instead of opening one")
    version: int | None = Field(default=None, ge=1)


def build_request_router(sessions: Sessions, clock: Clock, desk: RequestDesk, asker: Asker | None = None) -> APIRouter:
    """The routes. Who may call is decided where they are mounted."""
    who: Asker = asker or Anybody()
    router = APIRouter(prefix="/api", tags=["requests"], responses=REFUSALS)

    def view(session: Session, row: RequestRow) -> RequestView:
        lines = service_rows.histories(session, KIND, [row.id])
        photos = attachments_of(session, OwnerKind.REQUEST, [row.id])
        return request_view(row, of(lines, row.id), photos, clock.now())

    @router.post("/requests", status_code=201)
    def send(
        body: RequestBody,
    ) -> RequestView:
        """Send a request."""
        building_id = body.building_id or desk.building_of(body.asset_id)
        values = body.model_dump() | {"building_id": building_id}
        try:
            entry = Entry(**values)
        except ValueError as error:
            refuse(422, str(error), "request", "See the fields of this route in /openapi.json.")
        own_building(who, entry.building_id)
        with sessions.writing() as session:
            row = desk.receive(session, entry, clock.now())
            if isinstance(row, Declined):
                refuse(422, row.what, "request", row.hint)
            return view(session, row)

    @router.get("/requests")
    def requests(
        status: Annotated[RequestStatus | None, Query()] = None, limit: Limit = 100, offset: Offset = 0
    ) -> list[RequestView]:
        """Requests: of those received the one to be reviewed first comes first, else the newest."""
        with sessions.reading() as session:
            rows = request_rows.list_requests(
                session, status=status, limit=limit, offset=offset, buildings=who.buildings()
            )
            lines = service_rows.histories(session, KIND, [row.id for row in rows])
            return [request_view(row, of(lines, row.id), (), clock.now()) for row in rows]

    @router.get("/requests/{id}")
    def request(id: str) -> RequestView:  # noqa: A002 - the documented name
        """One request, by id or number."""
        with sessions.reading() as session:
            return view(session, found_request(session, id, who))

    @router.post("/requests/{id}/{verb}")
    def review(id: str, verb: RequestVerb, body: ReviewBody | None = None) -> RequestView:  # noqa: A002 - the documented name
        """Accept (it becomes an order), reject, or withdraw a request."""
        given = body or ReviewBody()
        wanted = Review(
            verb,
            who.name() or given.by,
            clock.now(),
            given.note,
            given.version,
            given.asset_id,
            given.severity,
            given.work_order,
        )
        with sessions.writing() as session:
            if given.work_order:
                within_reach(session, given.work_order, who)
            done = desk.review(session, found_request(session, id, who, lock=True), wanted)
            if isinstance(done, Declined):
                refuse(409, done.what, f"request {id}", done.hint)
            return view(session, done)

    return router
