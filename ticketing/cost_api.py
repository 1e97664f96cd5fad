"""The routes of costs, quotes and the stock of parts."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from facility.clock import Clock
from ticketing import cost_rows, service_rows
from ticketing.api import OPERATOR, Sessions, Text
from ticketing.asker import Anybody, Asker
from ticketing.cost import CostKind, Part, cost_standard, total
from ticketing.cost_desk import QUOTE, Basis, CostDesk, Wanted
from ticketing.found import found_order
from ticketing.payer import PayerKind
from ticketing.problem import REFUSALS, refuse
from ticketing.quote import QuoteVerb
from ticketing.request import Declined
from ticketing.service_views import ServiceLineView, lines_view
from ticketing.tables import WorkOrderRow
from ticketing.tables_service import QuoteRow

Amount = Annotated[Decimal, Field(ge=0, le=Decimal(10**10), decimal_places=2)]
Quantity = Annotated[Decimal, Field(gt=0, le=100_000, decimal_places=2)]


class WantedBody(BaseModel):
    """Hours of labour, pieces of a part, or the call-out."""

    model_config = ConfigDict(extra="forbid")

    kind: CostKind
    quantity: Quantity = Decimal(1)
    part_id: Text = ""


class CostBody(WantedBody):
    """A cost of an order."""

    order: Text = Field(min_length=1)
    by: Text = Field(default=OPERATOR, min_length=1)


class QuoteBody(BaseModel):
    """A quote over the whole work on an order."""

    model_config = ConfigDict(extra="forbid")

    order: Text = Field(min_length=1)
    by: Text = Field(default=OPERATOR, min_length=1)
    lines: Annotated[list[WantedBody], Field(min_length=1, max_length=100)]


class DecisionBody(BaseModel):
    """Who decides about a quote, and why."""

    model_config = ConfigDict(extra="forbid")

    by: Text = Field(default="customer", min_length=1)
    reason: Text = ""
    version: int | None = Field(default=None, ge=1, description="the version of the quote she saw")


class PartBody(BaseModel):
    """A part of the price list."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    name: Text = Field(min_length=1)
    unit: Text = "piece"
    price: Amount
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    reorder_at: Annotated[int, Field(ge=0, le=10**6)] = 0


class ReceiveBody(BaseModel):
    """Pieces that came in."""

    model_config = ConfigDict(extra="forbid")

    quantity: Annotated[int, Field(ge=1, le=10**6)]
    by: Text = Field(default=OPERATOR, min_length=1)
    note: Text = ""


class PartView(BaseModel):
    """A part; `short`: it has to be ordered."""

    id: str
    name: str
    unit: str
    price: Decimal
    currency: str
    stock: int
    reorder_at: int
    short: bool


class CostLineView(BaseModel):
    """One line and whose cost it is."""

    kind: CostKind
    what: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    payer: PayerKind
    clause: str
    part_id: str | None


class QuoteView(BaseModel):
    """A quote and what became of it."""

    id: str
    work_order_id: str
    status: str
    amount: Decimal
    currency: str
    lines: list[dict[str, str]]
    standard: str
    version: int
    history: list[ServiceLineView]
    sent_at: datetime
    sent_by: str
    decided_at: datetime | None
    decided_by: str
    reason: str


class CostsView(BaseModel):
    """What an order costs: the standard to show to the customer (two languages), who pays and why, lines, quotes."""

    work_order_id: str
    currency: str
    payer: PayerKind
    payer_reason: str
    standard: list[str]
    standard_zh: list[str]
    lines: list[CostLineView]
    total: Decimal
    customer_pays: Decimal
    quotes: list[QuoteView]


def _decider(who: Asker, row: QuoteRow, verb: QuoteVerb, by: str) -> str:
    """In whose name it is done; refuses whoever would take back what another has sent."""
    me = who.name() or by
    if verb is QuoteVerb.WITHDRAW and me != row.sent_by and not who.manages():
        refuse(403, f"only {row.sent_by} or a manager can take this quote back", f"quote {row.id}", "Ask one of them.")
    return me


def build_cost_router(sessions: Sessions, clock: Clock, desk: CostDesk, asker: Asker | None = None) -> APIRouter:
    """The routes. Who may call is decided where they are mounted."""
    who: Asker = asker or Anybody()
    router = APIRouter(prefix="/api", tags=["costs"], responses=REFUSALS)

    @router.get("/costs")
    def costs(order: Annotated[Text, Query(description="order id or number")]) -> CostsView:
        """The costs of an order, with the cost standard that the customer sees before the work."""
        with sessions.reading() as session:
            return _costs(session, desk, found_order(session, order, who))

    @router.post("/costs", status_code=201)
    def book(body: CostBody) -> CostsView:
        """Book labour, a part (it leaves the stock) or the call-out. 409 when the customer has to approve first."""
        with sessions.writing() as session:
            row = found_order(session, body.order, who)
            wanted = Wanted(body.kind, body.quantity, body.part_id)
            done = desk.book(session, row, wanted, who.name() or body.by, clock.now())
            if isinstance(done, Declined):
                refuse(409, done.what, f"work order {body.order}", done.hint)
            return _costs(session, desk, row)

    @router.post("/quotes", status_code=201)
    def quote(body: QuoteBody) -> QuoteView:
        """Send the customer a quote over the whole work."""
        with sessions.writing() as session:
            row = found_order(session, body.order, who)
            lines = [Wanted(one.kind, one.quantity, one.part_id) for one in body.lines]
            done = desk.quote(session, row, lines, who.name() or body.by, clock.now())
            if isinstance(done, Declined):
                refuse(409, done.what, f"work order {body.order}", done.hint)
            return _quotes(session, [done])[0]

    @router.post("/quotes/{id}/{verb}")
    def decide(id: str, verb: QuoteVerb, body: DecisionBody | None = None) -> QuoteView:  # noqa: A002 - the documented name
        """Approve, reject or withdraw a quote, once; the last two need a reason."""
        given = body or DecisionBody()
        with sessions.writing() as session:
            row = cost_rows.find_quote(session, id, lock=True)
            if row is None:
                refuse(404, f"there is no quote {id!r}", f"quote {id}", "GET /api/costs?order=ID lists them.")
            found_order(session, row.order_id, who)
            me = _decider(who, row, verb, given.by)
            done = desk.act(session, row, verb, me, clock.now(), given.reason, given.version)
            if isinstance(done, Declined):
                refuse(409, done.what, f"quote {id}", done.hint)
            return _quotes(session, [done])[0]

    @router.get("/parts")
    def parts(short: Annotated[bool, Query(description="only what has to be ordered")] = False) -> list[PartView]:  # noqa: FBT002 - FastAPI reads it from the query
        """The price list with its stock."""
        with sessions.reading() as session:
            return [_part(one) for one in cost_rows.list_parts(session, short=short)]

    @router.post("/parts", status_code=201)
    def save(body: PartBody) -> PartView:
        """Put a part on the price list, or change it; its stock stays."""
        _whole_plant(who)
        part = Part(body.id, body.name, body.unit, body.price, body.currency, 0, body.reorder_at)
        with sessions.writing() as session:
            cost_rows.save_part(session, part)
            return _part(cost_rows.find_part(session, body.id) or part)

    @router.post("/parts/{id}/receive")
    def receive(id: str, body: ReceiveBody) -> PartView:  # noqa: A002 - the documented name
        """Put pieces into stock."""
        _whole_plant(who)
        with sessions.writing() as session:
            done = desk.receive(session, id, body.quantity, who.name() or body.by, clock.now(), body.note)
            if isinstance(done, Declined):
                refuse(404, done.what, f"part {id}", done.hint)
            return _part(done)

    return router


def _whole_plant(who: Asker) -> None:
    """The price list and the stock are every building's."""
    if who.buildings() is not None:
        refuse(403, "the stock belongs to every building", "parts", "Ask somebody who is not limited to some.")


def _costs(session: Session, desk: CostDesk, row: WorkOrderRow) -> CostsView:
    basis = desk.basis(row)
    if not isinstance(basis, Basis):
        refuse(409, basis.what, f"work order {row.id}", basis.hint)
    lines = cost_rows.lines_of(session, row.id)
    english, chinese = cost_standard(basis.terms, basis.payer)
    return CostsView(
        work_order_id=row.id,
        currency=basis.terms.currency,
        payer=basis.payer.kind,
        payer_reason=basis.payer.reason,
        standard=english,
        standard_zh=chinese,
        lines=[
            CostLineView(
                kind=one.kind, what=one.what, quantity=one.quantity, unit_price=one.unit_price, amount=one.amount,
                payer=one.payer, clause=one.clause, part_id=one.part_id,
            )
            for one in lines
        ],
        total=total(lines),
        customer_pays=total(lines, PayerKind.CUSTOMER),
        quotes=_quotes(session, cost_rows.quotes_of(session, row.id)),
    )  # fmt: skip


def _quotes(session: Session, rows: Sequence[QuoteRow]) -> list[QuoteView]:
    lines = service_rows.histories(session, QUOTE, [row.id for row in rows])
    return [
        QuoteView(
            **row.model_dump(exclude={"order_id", "amount_cents"}),
            work_order_id=row.order_id,
            amount=Decimal(row.amount_cents) / 100,
            history=lines_view(lines.get(row.id, ())),
        )
        for row in rows
    ]


def _part(one: Part) -> PartView:
    return PartView(
        id=one.id, name=one.name, unit=one.unit, price=one.price, currency=one.currency, stock=one.stock,
        reorder_at=one.reorder_at, short=one.stock <= one.reorder_at,
    )  # fmt: skip
