"""The route of claims inside the warranty."""

from datetime import date, datetime

from fastapi import APIRouter
from pydantic import BaseModel

from facility.clock import Clock
from ticketing.api import Limit, Offset, Sessions
from ticketing.asker import Anybody, Asker
from ticketing.claim import ClaimClock
from ticketing.claim_desk import ClaimDesk, OpenClaim
from ticketing.problem import REFUSALS
from ticketing.views import format_number
from ticketing.work_order import Status


class ClaimClockView(BaseModel):
    """One limit of the installer."""

    due_at: datetime
    met_at: datetime | None
    breached: bool


class ClaimView(BaseModel):
    """A fault inside the warranty: the order, who has it, its limits, and why the installer pays."""

    work_order_id: str
    number: str
    status: Status
    asset_id: str
    building_id: str
    title: str
    installer: str
    clause: str
    reason: str
    warranty_until: date | None
    opened_at: datetime
    plan: ClaimClockView
    visit: ClaimClockView


def build_claim_router(sessions: Sessions, clock: Clock, desk: ClaimDesk, asker: Asker | None = None) -> APIRouter:
    """The route. Who may call is decided where it is mounted."""
    who: Asker = asker or Anybody()
    router = APIRouter(prefix="/api", tags=["claims"], responses=REFUSALS)

    @router.get("/claims")
    def claims(limit: Limit = 100, offset: Offset = 0) -> list[ClaimView]:
        """Faults that are with an installer, the newest first, with the installer's own limits."""
        now = clock.now()
        with sessions.reading() as session:
            return [_view(one, now) for one in desk.claims(session, limit, offset, who.buildings())]

    return router


def _view(one: OpenClaim, now: datetime) -> ClaimView:
    row = one.order
    return ClaimView(
        work_order_id=row.id,
        number=format_number(row.number),
        status=Status(row.status),
        asset_id=row.asset_id,
        building_id=row.building_id,
        title=row.title,
        installer=one.installer,
        clause=one.clause,
        reason=one.reason,
        warranty_until=one.warranty_until,
        opened_at=row.opened_at,
        plan=_clock(one.claim.plan, now),
        visit=_clock(one.claim.visit, now),
    )


def _clock(clock: ClaimClock, now: datetime) -> ClaimClockView:
    return ClaimClockView(due_at=clock.due_at, met_at=clock.met_at, breached=clock.is_breached(now))
