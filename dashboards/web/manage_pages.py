"""The manager's page: what breaches next and what it costs, the month by contract, satisfaction, who does what."""

from collections.abc import Sequence
from itertools import groupby

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from dashboards.web.crew_map import Face, Place, draw_places, short_name
from dashboards.web.manage_view import RISK_GROUPS, CrewPlace, ManageDesk
from dashboards.web.page import Page
from dashboards.web.pages import Pages
from facility.errors import PermanentError

MOST_OF_GROUP = 8
MOST_PENALTIES = 30


def manage_router(pages: Pages, desk: ManageDesk) -> APIRouter:
    """`/manage`."""
    router = APIRouter()

    @router.get("/manage", response_class=HTMLResponse)
    def manage(request: Request, month: str = "") -> HTMLResponse:
        user = pages.visitor(request)
        page = pages.page(request, user)
        try:
            shown = desk.month(month, user.buildings, page.words.language)
        except PermanentError as error:
            return pages.show(request, page, "error.html", 422, message=str(error))
        return pages.show(
            request, page, "manage.html", board=desk.risks(user.buildings, MOST_OF_GROUP), groups=RISK_GROUPS,
            workers=desk.workers(user.buildings), maps=crew_maps(page, desk.places(user.buildings)), shown=shown,
            penalties=shown.penalties[:MOST_PENALTIES], more=max(0, len(shown.penalties) - MOST_PENALTIES),
            sees_all=user.buildings is None,
        )  # fmt: skip

    return router


def crew_maps(page: Page, places: Sequence[CrewPlace]) -> list[tuple[str, str]]:
    """(building id, drawing) of every building in which something waits."""
    return [
        (name, draw_places([_drawn(page, one) for one in group], page.building_name(name)))
        for name, group in groupby(places, key=lambda one: one.building_id)
    ]


def _drawn(page: Page, place: CrewPlace) -> Place:
    space = page.registry.spaces.get(place.space_id)
    name = page.own(space.name) if space is not None else page.words("floors.rest")
    said = [page.words("manage.map.orders", count=place.orders, late=place.late)]
    said += [
        page.words("manage.map.there" if one.is_there else "manage.map.sent", name=page.own(one.name), count=one.orders)
        for one in place.people
    ]
    faces = [Face(short_name(page.own(one.name)), one.is_there) for one in place.people]
    href = f"/buildings/{place.building_id}/floors" + (f"?space={space.id}" if space is not None else "")
    about = page.words("colon").join((name, page.words("semicolon").join(said)))
    return Place(href, name, place.orders, place.late, faces, about)
