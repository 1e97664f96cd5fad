"""Routes of what is out of view: the list, taking a finding's rule out of view on its asset, and taking that back."""

from collections.abc import Callable
from datetime import datetime, timedelta

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from dashboards.web.shelf_view import ShelfDesk
from facility.finding import Finding
from facility.registry import Registry
from plantroom.access import current


class ShelfAnswer(BaseModel):
    """A rule that is out of view on an asset: its findings open no order until then."""

    asset_id: str
    rule_id: str
    until: datetime
    by: str
    reason: str


class NewShelf(BaseModel):
    """For how many hours, and why."""

    model_config = ConfigDict(extra="forbid")
    hours: float = Field(gt=0, le=720, allow_inf_nan=False)
    reason: str = Field(max_length=500)


def build_shelf_router(
    desk: ShelfDesk, registry: Callable[[], Registry], find: Callable[[str], Finding | None]
) -> APIRouter:
    """The routes; the gate has checked who may, `registry` is what she may see."""
    router = APIRouter(prefix="/api", tags=["findings"])

    @router.get("/shelves")
    def shelves() -> list[ShelfAnswer]:
        """What is out of view now, what ends first first."""
        seen = registry().assets
        return [
            ShelfAnswer(asset_id=one.asset_id, rule_id=one.rule_id, until=one.until_at, by=one.by, reason=one.reason)
            for one in desk.shelves()
            if one.asset_id in seen
        ]

    @router.post("/findings/{finding_id}/shelve", status_code=202)
    def shelve(finding_id: str, body: NewShelf) -> None:
        """Take the finding's rule on its asset out of view; it counts when the journal has it, in a moment."""
        found = find(finding_id)
        if found is None or found.asset_id not in registry().assets:
            detail = {"what": f"there is no finding {finding_id!r}", "where": "finding", "hint": "GET /api/findings"}
            raise HTTPException(404, detail)
        desk.shelve(finding_id, timedelta(hours=body.hours), by=current().name, reason=body.reason)

    @router.delete("/shelves/{asset_id}/{rule_id}", status_code=202)
    def unshelve(asset_id: str, rule_id: str) -> None:
        """Take it back."""
        if asset_id not in registry().assets:
            what = f"there is no asset {asset_id!r}"
            raise HTTPException(404, {"what": what, "where": "asset", "hint": "GET /api/assets lists them."})
        desk.unshelve(asset_id, rule_id, by=current().name)

    return router
