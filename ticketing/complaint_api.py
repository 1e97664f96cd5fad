"""The routes of complaints."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from facility.clock import Clock
from ticketing import complaint_rows, service_rows
from ticketing.api import OPERATOR, Limit, Offset, Sessions, Text
from ticketing.asker import Anybody, Asker
from ticketing.attachment import OwnerKind
from ticketing.attachment_rows import attachments_of
from ticketing.complaint import ComplaintStatus, ComplaintVerb
from ticketing.complaint_desk import KIND, ComplaintDesk, Grievance
from ticketing.found import found_complaint, own_building, within_reach
from ticketing.problem import REFUSALS, refuse
from ticketing.request import Declined
from ticketing.service_views import ComplaintView, complaint_view, of
from ticketing.tables_service import ComplaintRow


class ComplaintBody(BaseModel):
    """What somebody complains about. `order` names the order; building and asset then follow from it."""

    model_config = ConfigDict(extra="forbid")

    text: Text = Field(min_length=1)
    building_id: Text = ""
    space_id: Text = ""
    asset_id: Text = ""
    order: Text = ""
    contact: Text = Field(default="", max_length=200)
    urgent: bool = False


class StepBody(BaseModel):
    """Who does it, and her words: all but accept and withdraw need them. `order` only to link."""

    model_config = ConfigDict(extra="forbid")

    by: Text = Field(default=OPERATOR, min_length=1)
    note: Text = ""
    order: Text = ""
    version: int | None = Field(default=None, ge=1)


def build_complaint_router(
    sessions: Sessions, clock: Clock, desk: ComplaintDesk, asker: Asker | None = None
) -> APIRouter:
    """The routes. Who may call is decided where they are mounted."""
    who: Asker = asker or Anybody()
    router = APIRouter(prefix="/api", tags=["complaints"], responses=REFUSALS)

    def view(session: Session, row: ComplaintRow) -> ComplaintView:
        lines = service_rows.histories(session, KIND, [row.id])
        photos = attachments_of(session, OwnerKind.COMPLAINT, [row.id])
        return complaint_view(row, of(lines, row.id), photos, clock.now())

    @router.post("/complaints", status_code=201)
    def complain(
        body: ComplaintBody,
    ) -> ComplaintView:
        """Complain."""
        try:
            said = Grievance(**body.model_dump())
        except ValueError as error:
            refuse(422, str(error), "complaint", "See the fields of this route in /openapi.json.")
        with sessions.writing() as session:
            row = desk.receive(session, said, clock.now())
            if isinstance(row, Declined):
                refuse(422, row.what, "complaint", row.hint)
            own_building(who, row.building_id)
            return view(session, row)

    @router.get("/complaints")
    def complaints(
        status: Annotated[ComplaintStatus | None, Query()] = None,
        order: Annotated[Text | None, Query(description="order id")] = None,
        limit: Limit = 100,
        offset: Offset = 0,
    ) -> list[ComplaintView]:
        """Complaints, the newest first."""
        with sessions.reading() as session:
            rows = complaint_rows.list_complaints(
                session, status=status, order_id=order, limit=limit, offset=offset, buildings=who.buildings()
            )
            lines = service_rows.histories(session, KIND, [row.id for row in rows])
            return [complaint_view(row, of(lines, row.id), (), clock.now()) for row in rows]

    @router.get("/complaints/{id}")
    def complaint(id: str) -> ComplaintView:  # noqa: A002 - the documented name
        """One complaint, by id or number."""
        with sessions.reading() as session:
            return view(session, found_complaint(session, id, who))

    @router.post("/complaints/{id}/link")
    def link(id: str, body: StepBody) -> ComplaintView:  # noqa: A002 - the documented name
        """Say which order it is about."""
        with sessions.writing() as session:
            within_reach(session, body.order, who)
            row = found_complaint(session, id, who, lock=True)
            done = desk.link(session, row, body.order, who.name() or body.by, clock.now())
            if isinstance(done, Declined):
                refuse(409, done.what, f"complaint {id}", done.hint)
            return view(session, done)

    @router.post("/complaints/{id}/{verb}")
    def act(id: str, verb: ComplaintVerb, body: StepBody | None = None) -> ComplaintView:  # noqa: A002 - the documented name
        """Accept, answer, resolve, tell, reopen or withdraw a complaint."""
        given = body or StepBody()
        with sessions.writing() as session:
            row = found_complaint(session, id, who, lock=True)
            done = desk.act(session, row, verb, who.name() or given.by, clock.now(), given.note, given.version)
            if isinstance(done, Declined):
                refuse(409, done.what, f"complaint {id}", done.hint)
            return view(session, done)

    return router
