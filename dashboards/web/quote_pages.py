"""The quotes of an order: what its page shows of them, the form that writes one, and the one that decides about it."""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from itertools import zip_longest
from typing import Annotated, Any, Final, Protocol, get_args

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from dashboards.web.order_view import OrderView
from dashboards.web.origin import Origin, judge_origin
from dashboards.web.page import Page
from dashboards.web.pages import NEW_QUOTE_ROUTE, QUOTE_ROUTE, Pages
from dashboards.web.quote_view import NewQuote, QuoteAct, QuoteDecision, QuoteDesk, WantedLine, acts_on
from dashboards.web.visitor import Visitor
from facility.errors import PermanentError, PlantroomError

PART_ROWS = 5
"""Kinds of part that the form of a new quote has room for."""
NEW: Final = "new"
NO_QUOTE: Final[Mapping[str, Any]] = {"id": "", "reason": "", "refused": "", "form": None}
"""Nothing was said to a quote; else which, why, and why that cannot be. `new` is one that was being written: `form`."""
Typed = Annotated[str, Field(max_length=40)]


class QuoteForm(BaseModel):
    """What somebody says to a quote, and the version of it that she saw."""

    version: Annotated[int, Field(ge=0)]
    reason: Annotated[str, Field(max_length=1000)] = ""


class NewQuoteForm(BaseModel):
    """What a new quote is to hold, as it was typed; each part with its pieces beside it. `seen`: quotes on the page."""

    seen: Annotated[int, Field(ge=0)]
    hours: Typed = ""
    call_out: Typed = ""
    part: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=PART_ROWS)] = []
    pieces: Annotated[list[Typed], Field(max_length=PART_ROWS)] = []

    def lines(self) -> Iterator[WantedLine]:
        """What was filled in. Raises PermanentError for a quantity that is no number."""
        if self.hours.strip():
            yield WantedLine("labour", _number(self.hours))
        if self.call_out:
            yield WantedLine("call_out", Decimal(1))
        for part, pieces in self.rows():
            if part:
                yield WantedLine("part", _number(pieces or "1"), part)

    def rows(self) -> list[tuple[str, str]]:
        """Each part with its pieces."""
        return [(part, pieces.strip()) for part, pieces in zip_longest(self.part, self.pieces, fillvalue="")]


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        msg = f"{text!r} is no number. Write it like 1.5."
        raise PermanentError(msg)
    return number


class OrderPage(Protocol):
    """Shows an order."""

    def __call__(
        self, request: Request, user: Visitor, order: OrderView, *, status: int, quote: Mapping[str, Any]
    ) -> HTMLResponse: ...


def quote_router(pages: Pages, quotes: QuoteDesk, order_page: OrderPage) -> APIRouter:
    """`POST /work-orders/{id}/quotes/new` and `POST /work-orders/{id}/quotes/{id}/{verb}`."""
    router = APIRouter()

    @router.post(NEW_QUOTE_ROUTE, response_model=None)
    def send(
        request: Request, order_id: str, given: Annotated[NewQuoteForm, Form()]
    ) -> HTMLResponse | RedirectResponse:
        user = pages.visitor(request)
        if judge_origin(request.headers) is not Origin.OWN:
            return pages.refuse(request, user, 403, "error.origin")
        order = pages.view_for(user).work_order(order_id)
        if order is None:
            return pages.refuse(request, user, 404, "error.no.order", id=order_id)
        try:
            if not (lines := tuple(given.lines())):
                msg = "a quote without a line says nothing. Give hours, parts or the call-out."
                raise PermanentError(msg)
            quotes.send(order.id, NewQuote(lines, user.name, given.seen))
        except PlantroomError as error:
            typed = {**NO_QUOTE, "id": NEW, "refused": str(error), "form": given}
            return order_page(request, user, order, status=409, quote=typed)
        return pages.see_other(f"/work-orders/{order_id}?quote=send#quotes")

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
            typed = {**NO_QUOTE, "id": quote_id, "reason": given.reason, "refused": str(error)}
            return order_page(request, user, order, status=409, quote=typed)
        return pages.see_other(f"/work-orders/{order_id}?quote={verb}#quotes")

    return router


def money_of(
    pages: Pages, quotes: QuoteDesk | None, order_id: str, page: Page, typed: Mapping[str, Any], done: str
) -> dict[str, object]:
    """What an order's page says of costs, with what this visitor may do to each quote now."""
    costs, user = quotes.sheet(order_id) if quotes is not None else None, page.user
    acts = [one for one in get_args(QuoteAct) if user is not None and pages.may_decide(user, one)]
    name, manager = user.name if user is not None else "", page.may("manage")
    writes = costs is not None and costs.prices is not None and user is not None and pages.may_quote(user)
    form = typed["form"] or NewQuoteForm(seen=0)
    rows = [*form.rows(), *[("", "")] * PART_ROWS][:PART_ROWS]
    return {
        "costs": costs,
        "quote_acts": [
            (one, acts_on(one, acts, name, is_manager=manager)) for one in (costs.quotes if costs is not None else ())
        ],
        "quote_typed": {**typed, "form": form, "rows": rows, "refused": page.refusal(typed["refused"])},
        "quote_writes": writes,
        "quote_done": done if done in acts or (writes and done == "send") else "",
    }
