"""The list of orders by time left, one order with its countdowns, and the form that applies a verb."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field

from dashboards.web.countdown import by_time_left
from dashboards.web.finding_pages import evidence_trends
from dashboards.web.next_step import by_likelihood
from dashboards.web.order_view import OrderFilter, OrderView
from dashboards.web.origin import Origin, judge_origin
from dashboards.web.pages import VERB_ROUTE, Pages
from dashboards.web.plot_frame import Mark
from dashboards.web.quote_pages import NO_QUOTE, money_of, quote_router
from dashboards.web.quote_view import QuoteDesk
from dashboards.web.trends import order_marks
from dashboards.web.visitor import Visitor
from facility.errors import PlantroomError
from facility.finding import OrderKind, Severity
from facility.instant import to_us

Shown = Literal["open", "done", "all"]
MOST = 100
HOLD, ACCEPT, COMPLETE, REASSIGN = "hold", "accept", "complete", "reassign"
ON_THE_SPOT = ("acknowledge", "arrive", "resume", "diagnose", "repair", "test", "complete", "hold")
"""Verbs whose forms are on the page before their turn, so that one without a signal can go on."""
PAUSES = ("access", "parts", "third_party", "customer", "force_majeure")
"""Why a clock may stand still, as the contract files have it."""


class VerbForm(BaseModel):
    """What the form of a verb says; each has some of these fields. `diagnosis` and `checked` go before the note."""

    note: Annotated[str, Field(max_length=2000)] = ""
    reason: Annotated[str, Field(max_length=1000)] = ""
    proof: Annotated[str, Field(max_length=1000)] = ""
    override: Annotated[str, Field(max_length=10)] = ""
    diagnosis: Annotated[str, Field(max_length=1000)] = ""
    checked: Annotated[list[Annotated[str, Field(max_length=1000)]], Field(max_length=50)] = []

    def whole_note(self) -> str:
        """What goes into the history."""
        return ". ".join(part for part in (self.diagnosis.strip(), *self.checked, self.note.strip()) if part)


def order_router(pages: Pages, quotes: QuoteDesk | None = None) -> APIRouter:
    """`/work-orders`, `/work-orders/{id}`, `POST /work-orders/{id}/{verb}` and what is said to its quotes."""
    router = APIRouter()

    @router.get("/work-orders", response_class=HTMLResponse)
    def work_orders(
        request: Request,
        show: Shown = "open",
        kind: str = "",
        severity: str = "",
        asset: str = "",
        number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
    ) -> HTMLResponse:
        user = pages.visitor(request)
        page = pages.page(request, user)
        is_open = {"open": True, "done": False, "all": None}[show]
        view, only = pages.view_for(user), OrderFilter(kind, severity)
        count = view.count_orders(is_open=is_open, asset_id=asset or None, only=only)
        last = max(1, -(-count // MOST))
        number = min(number, last)  # somebody may have closed what stood on the last page
        start = (number - 1) * MOST
        found = view.work_orders(is_open=is_open, asset_id=asset or None, limit=MOST, offset=start, only=only)
        kept = {"show": show, "kind": kind, "severity": severity, "asset": asset}
        return pages.show(
            request, page, "orders.html", orders=by_time_left(found), count=count, show=show,
            kind=kind, severity=severity, asset=asset, kinds=list(OrderKind), severities=list(Severity),
            start=start, number=number, last=last, kept=urlencode({key: text for key, text in kept.items() if text}),
        )  # fmt: skip

    def order_page(
        request: Request, user: Visitor, order: OrderView, *, status: int = 200, refused: str = "",
        typed: VerbForm | None = None, verb: str = "", quote: Mapping[str, Any] = NO_QUOTE,
    ) -> HTMLResponse:  # fmt: skip
        asset = pages.view_for(user).registry().assets.get(order.asset_id)
        page = pages.page(request, user, asset.building_id if asset else None)
        members = [found for each in order.members if (found := pages.view_for(user).finding(each)) is not None]
        marks = order_marks([order])
        marks += [Mark(to_us(each.due_at), page.words.or_raw("deadline", each.name), "due") for each in order.deadlines]
        onset = min((member.onset_us for member in members), default=to_us(order.opened_at))
        cleared = [member.cleared_us for member in members]
        until = max((each for each in cleared if each is not None), default=None) if None not in cleared else None
        done = request.query_params.get("done", "")
        verbs = by_likelihood(order.status, [verb for verb in order.verbs if pages.may_act(user, verb)])
        return pages.show(
            request, page, "order.html", status, order=order, verbs=verbs, members=members, refused=refused,
            may=[each for each in ON_THE_SPOT if pages.may_act(user, each)], pauses=PAUSES,
            typed={**(typed or VerbForm()).model_dump(), "refused": page.refusal(refused), "verb": _shown(verb, verbs)},
            done=done if re.fullmatch(r"[a-z_]{1,30}", done) else "",
            trends=evidence_trends(page, order.evidence, members, marks, onset, until),
            explained=pages.view_for(user).explain_deadlines(order.id, page.words.language),
            **money_of(pages, quotes, order.id, page, quote, request.query_params.get("quote", "")),
        )  # fmt: skip

    @router.get("/work-orders/{order_id}", response_class=HTMLResponse)
    def work_order(request: Request, order_id: str) -> HTMLResponse:
        user = pages.visitor(request)
        order = pages.view_for(user).work_order(order_id)
        if order is None:
            return pages.refuse(request, user, 404, "error.no.order", id=order_id)
        return order_page(request, user, order)

    @router.post(VERB_ROUTE, response_model=None)
    def apply(
        request: Request, order_id: str, verb: str, given: Annotated[VerbForm, Form()]
    ) -> HTMLResponse | RedirectResponse | Response:
        user = pages.visitor(request)
        if judge_origin(request.headers) is not Origin.OWN:
            return pages.refuse(request, user, 403, "error.origin")
        order = pages.view_for(user).work_order(order_id)
        if order is None:
            return pages.refuse(request, user, 404, "error.no.order", id=order_id)
        try:
            reason = given.override if verb == ACCEPT else given.reason if verb in (HOLD, COMPLETE, REASSIGN) else ""
            note, proof = given.whole_note(), given.proof if verb == HOLD else ""
            pages.view_for(user).apply_verb(order_id, verb, by=user.name, note=note, reason=reason.strip(), proof=proof)
        except PlantroomError as error:
            now = pages.view_for(user).work_order(order_id) or order
            return order_page(request, user, now, status=409, refused=str(error), typed=given, verb=verb)
        return pages.see_other(f"/work-orders/{order_id}?done={verb}")

    if quotes is not None:
        router.include_router(quote_router(pages, quotes, order_page))
    return router


def _shown(verb: str, verbs: Sequence[str]) -> str:
    """The form that says why a verb was refused and keeps what was typed: its own, or the first that is there."""
    return verb if not verb or verb in verbs or verb in ON_THE_SPOT else next(iter(verbs), "")
