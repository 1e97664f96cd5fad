"""The preventive plan as a month: what was done, missed, is due and is planned, by day and by class of equipment."""

from calendar import Calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from dashboards.web.manage_view import ManageDesk, VisitView
from dashboards.web.pages import Pages
from dashboards.web.wording import parse_month

STATES = ("done", "late", "missed", "due", "planned", "cancelled")
MOST_OF_DAY = 4


@dataclass(frozen=True, slots=True)
class PlanDay:
    """One day of the month's sheet with its visits; those of the months beside are `outside`."""

    on: date
    visits: Sequence[VisitView]
    outside: bool
    is_today: bool


def plan_router(pages: Pages, desk: ManageDesk) -> APIRouter:
    """`/plan`."""
    router = APIRouter()

    @router.get("/plan", response_class=HTMLResponse)
    def plan(request: Request, month: str = "", equipment: str = "", state: str = "") -> HTMLResponse:
        user = pages.visitor(request)
        page = pages.page(request, user)
        today = page.now.astimezone(page.zone).date()
        first = parse_month(month) or today.replace(day=1)
        sheet = Calendar().monthdatescalendar(first.year, first.month)
        after = (first + timedelta(days=32)).replace(day=1)
        assets = page.registry.assets
        found = [one for one in desk.visits(first, after, user.buildings) if one.asset_id in assets]
        kinds = {assets[one.asset_id].equipment_class.name: assets[one.asset_id].equipment_class for one in found}
        visits = [
            one
            for one in found
            if (not equipment or assets[one.asset_id].equipment_class.name == equipment)
            and (not state or one.state == state)
        ]
        weeks = [
            [
                PlanDay(on, [one for one in visits if one.on == on], on.month != first.month, on == today)
                for on in week
            ]
            for week in sheet
        ]  # fmt: skip
        counts = {name: sum(one.state == name for one in visits) for name in STATES}
        return pages.show(
            request, page, "plan.html", first=first, weeks=weeks, visits=visits, counts=counts, kinds=kinds,
            equipment=equipment if equipment in kinds else "", state=state if state in STATES else "", states=STATES,
            before=first - timedelta(days=1), after=after, most=MOST_OF_DAY, weekdays=[day.on for day in weeks[1]],
        )  # fmt: skip

    return router
