"""Routes of what leaves the program: the outbox with what became of each message, and what is still to come."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from facility.clock import Clock
from facility.instant import format_instant
from ticketing import repository
from ticketing.api import Limit, Offset, Sessions
from ticketing.asker import Anybody, Asker
from ticketing.contract_book import ContractBook
from ticketing.found import found_order
from ticketing.outbox_rows import DELIVERED, DIGESTED, DROPPED, FAILED, WAITING, list_messages
from ticketing.problem import REFUSALS, refuse
from ticketing.views import NoticeView
from ticketing.watch import escalations_of

_STATES = (WAITING, DELIVERED, DIGESTED, DROPPED, FAILED)


class EscalationView(BaseModel):
    """One escalation of an order: whom it tells about which clock, when, and whether it is upcoming, due or dropped."""

    id: str
    clock: str
    to: list[str]
    at: str
    state: str


class MessageView(NoticeView):
    """A message with its order."""

    work_order_id: str | None


def build_outbox_router(sessions: Sessions, clock: Clock, book: ContractBook, asker: Asker | None = None) -> APIRouter:
    """The routes. Who may call is decided where they are mounted."""
    who: Asker = asker or Anybody()
    router = APIRouter(prefix="/api", tags=["ticketing"], responses=REFUSALS)

    @router.get("/outbox")
    def outbox(
        state: Annotated[str | None, Query(description=f"one of {', '.join(_STATES)}")] = None,
        limit: Limit = 100,
        offset: Offset = 0,
    ) -> list[MessageView]:
        """Messages to people and other systems, the newest first, each with what became of it."""
        if state is not None and state not in _STATES:
            refuse(422, f"{state!r} is not a state of a message", "?state=", f"Write one of: {', '.join(_STATES)}.")
        with sessions.reading() as session:
            return [MessageView(**row.model_dump()) for row in list_messages(session, state, limit, offset)]

    @router.get("/work-orders/{id}/escalations")
    def escalations(id: str) -> list[EscalationView]:  # noqa: A002 - the documented name
        """When whom will be told about an order's deadlines, as of now: a pause moves what is upcoming."""
        with sessions.reading() as session:
            row = found_order(session, id, who)
            lines = repository.histories(session, [row.id])[row.id]
            found, _ = escalations_of(book, row, lines, clock.now())
        return [
            EscalationView(
                id=one.escalation.id,
                clock=one.escalation.clock,
                to=list(one.escalation.to),
                at=format_instant(one.at),
                state=one.state.value,
            )
            for one in found
        ]

    return router
