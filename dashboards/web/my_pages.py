"""The technician's page: her orders by what is first, those nobody has taken, and one big button for each."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from dashboards.web.countdown import by_time_left
from dashboards.web.next_step import by_likelihood
from dashboards.web.order_view import OrderFilter, OrderView
from dashboards.web.pages import Pages
from dashboards.web.visitor import Visitor

MOST = 40


def my_router(pages: Pages) -> APIRouter:
    """`/my`."""
    router = APIRouter()

    @router.get("/my", response_class=HTMLResponse)
    def my(request: Request) -> HTMLResponse:
        user = pages.visitor(request)
        page = pages.page(request, user)
        own, nobodys = (
            by_time_left(page.view.work_orders(is_open=True, limit=2 * MOST, only=OrderFilter(assignee=name)))
            for name in (user.name, "")
        )
        mine = [order for order in own if _is_work(order)]
        free = [order for order in nobodys if order.status == "open"]
        return pages.show(
            request,
            page,
            "my.html",
            mine=mine[:MOST],
            free=free[:MOST],
            steps=_steps(pages, user, mine[:MOST] + free[:MOST]),
        )

    return router


def _is_work(order: OrderView) -> bool:
    """Whether something is left to do on the spot."""
    return order.status in ("open", "acknowledged", "arrived", "held")


def _steps(pages: Pages, user: Visitor, orders: list[OrderView]) -> dict[str, str]:
    """Order id -> the verb of its one button; an order without a possible verb has none."""
    steps = {}
    for order in orders:
        verbs = [verb for verb in order.verbs if pages.may_act(user, verb)]
        if verbs:
            steps[order.id] = by_likelihood(order.status, verbs)[0]
    return steps
