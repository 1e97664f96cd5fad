"""The quotes of an order: what its page shows of them, and the form that decides about one."""

from collections.abc import Mapping
from typing import Annotated, Final, Protocol, get_args

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from dashboards.web.order_view import OrderView
from dashboards.web.origin import Origin, judge_origin
from dashboards.web.page import Page
from dashboards.web.pages import QUOTE_ROUTE, Pages
from dashboards.web.quote_view import QuoteAct, QuoteDecision, QuoteDesk, acts_on
from dashboards.web.visitor import Visitor
from facility.errors import PlantroomError

NO_QUOTE: Final[Mapping[str, str]] = {"id": "", "reason": "", "refused": ""}
"""Nothing was said to a quote; else which, why, and why that cannot be."""


class QuoteForm(BaseModel):
    """What somebody says to a quote, and the version of it that she saw."""

    version: Annotated[int, Field(ge=0)]
    reason: Annotated[str, Field(max_length=1000)] = ""


class OrderPage(Protocol):
    """Shows an order."""

    def __call__(
        self, request: Request, user: Visitor, order: OrderView, *, status: int, quote: Mapping[str, str]
    ) -> HTMLResponse: ...


def quote_router(pages: Pages, quotes: QuoteDesk, order_page: OrderPage) -> APIRouter:
    """`POST /work-orders/{id}/quotes/{id}/{verb}`."""
    router = APIRouter()

    @router.post(QUOTE_ROUTE, response_model=None)
    def decide(
        request: Request, order_id: str, quote_id: str, verb: QuoteAct, given: Annotated[QuoteForm, Form()]
    ) -> HTMLResponse | RedirectResponse:
        user = pages.visitor(request)
        if judge_origin(request.headers) is not Origin.OWN:
            return pages.refuse(request, user, 403, "error.origin")
        order = pages.view_for(user).work_order(order_id)
        if order is None:
            return pages.refuse(request, user, 404, "error.no.order", id=order_id)
        decision = QuoteDecision(verb, user.name, given.reason, given.version, "manage" in user.rights)
        try:
            quotes.decide(order.id, quote_id, decision)
        except PlantroomError as error:
            typed = {"id": quote_id, "reason": given.reason, "refused": str(error)}
            return order_page(request, user, order, status=409, quote=typed)
        return pages.see_other(f"/work-orders/{order_id}?quote={verb}#quotes")

    return router


def money_of(
    pages: Pages, quotes: QuoteDesk | None, order_id: str, page: Page, typed: Mapping[str, str], done: str
) -> dict[str, object]:
    """What an order's page says of costs, with what this visitor may do to each quote now."""
    costs, user = quotes.sheet(order_id) if quotes is not None else None, page.user
    acts = [one for one in get_args(QuoteAct) if user is not None and pages.may_decide(user, one)]
    name, manager = user.name if user is not None else "", page.may("manage")
    return {
        "costs": costs,
        "quote_acts": [
            (one, acts_on(one, acts, name, is_manager=manager)) for one in (costs.quotes if costs is not None else ())
        ],
        "quote_typed": {**typed, "refused": page.refusal(typed["refused"])},
        "quote_done": done if done in acts else "",
    }
