"""The route by which a person opens an order: on its own, or as a part of another one."""

import uuid
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from facility.clock import Clock
from facility.fields import unknown
from facility.finding import Severity
from facility.registry import Registry
from ticketing.api import OPERATOR, Sessions, Text
from ticketing.asker import Anybody, Asker, seen_by
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.found import within_reach
from ticketing.lists import view_orders
from ticketing.manual_order import Wanted
from ticketing.opening import open_by_hand
from ticketing.problem import REFUSALS, refuse
from ticketing.views import WorkOrderView
from ticketing.work_order import Refused


class OpeningBody(BaseModel):
    """What is to be done, on which asset, and how bad it is. `parent` is the order it is a part of."""

    model_config = ConfigDict(extra="forbid")

    asset_id: Text = Field(min_length=1)
    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
    severity: Severity = Severity.MEDIUM
    note: Text = ""
    parent: Text = ""
    by: Text = Field(default=OPERATOR, min_length=1)


def build_opening_router(
    sessions: Sessions, clock: Clock, book: ContractBook, registry: Callable[[], Registry], asker: Asker | None = None
) -> APIRouter:
    """The route. Who may call is decided where it is mounted."""
    router = APIRouter(prefix="/api", tags=["ticketing"], responses=REFUSALS)
    desk = Desk(book, registry)
    who: Asker = asker or Anybody()

    @router.post("/work-orders", status_code=201)
    def open_order(body: OpeningBody, response: Response) -> WorkOrderView:
        """Open an order without a finding of the rules. Its level and deadlines come from the contract, as for any
        other."""
        known = seen_by(who, registry()).assets
        asset = known.get(body.asset_id)
        if asset is None:
            what = unknown("asset", body.asset_id, known)
            refuse(422, what, "asset_id", "GET /api/assets lists them.")
        now = clock.now()
        wanted = Wanted(uuid.uuid4().hex, body.title, who.name() or body.by, body.severity, body.note, body.parent)

        with sessions.writing() as session:
            if wanted.part_of:
                within_reach(session, wanted.part_of, who)
            row = open_by_hand(session, desk, book, wanted, asset, now)
            if isinstance(row, Refused):
                refuse(409, row.what, "parent", row.hint)
            (view,) = view_orders(session, book, [row], now)
        response.headers["ETag"] = f'"{view.version}"'
        return view

    return router
