"""Routes of ticketing: findings, work orders, their verbs and deadlines. The only place with HTTP codes."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Annotated, Protocol, TypeVar

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlmodel import Session

from facility.clock import Clock
from facility.fields import unknown
from facility.finding import OrderKind
from ticketing import repository
from ticketing.asker import Anybody, Asker
from ticketing.contract import PauseReason
from ticketing.contract_book import ContractBook
from ticketing.found import found_order, within_reach
from ticketing.lists import read_findings, view_orders
from ticketing.order_query import Place, list_orders, parse_place, place_of
from ticketing.order_terms import order_terms
from ticketing.problem import REFUSALS, refuse
from ticketing.repository import OrderQuery
from ticketing.tables import WorkOrderRow
from ticketing.transition import Act, carry_out
from ticketing.views import DeadlineView, FindingView, WorkOrderView, deadline_view
from ticketing.work_order import OPEN_STATUSES, Refused, Status, Verb, Words

MAX_ROWS = 1_000
OPERATOR = "operator"
_BETWEEN = (Verb.MERGE, Verb.LINK, Verb.PARENT)
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4_000, pattern=r"^[^\x00]*$")]
Limit = Annotated[int, Query(ge=1, le=MAX_ROWS, description="at most this many")]
Offset = Annotated[int, Query(ge=0, le=2**31, description="leave out this many first")]
Choice = TypeVar("Choice", bound=str)


class Sessions(Protocol):
    """Where sessions come from."""

    def reading(self) -> AbstractContextManager[Session]:
        """For questions."""

    def writing(self) -> AbstractContextManager[Session]:
        """One transaction, committed on leaving."""


class History(StrEnum):
    """How much of its history a listed order carries."""

    WHOLE = "whole"
    NONE = "none"


class VerbBody(BaseModel):
    """Who does it (a signed-in person always under her own name), what she says, and the version of the order she saw.

    All optional but for a hold's `reason`, the `to` of what names a person, a level or another order (reassign,
    dispatch, escalate, relevel, merge, link), and the `note` of what says nothing without one (triage, diagnose,
    repair, test, follow_up, reopen, escalate). `parent` without `to` takes an order out of the one it is part of.
    """

    model_config = ConfigDict(extra="forbid")

    by: Text = Field(default=OPERATOR, min_length=1)
    note: Text = ""
    reason: Text | None = Field(default=None, description=f"of a hold: {', '.join(PauseReason)}")
    to: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00]*$")] = Field(
        default="", description="the person, level or order that the verb names"
    )
    override: Text = Field(
        default="",
        description="why it is accepted while its condition holds, or completed before its children",
    )
    proof: Text = Field(default="", description="of a hold: where its reason can be seen (a letter, a photo, a link)")
    version: int | None = Field(default=None, ge=1)


def build_router(sessions: Sessions, clock: Clock, book: ContractBook, asker: Asker | None = None) -> APIRouter:
    """The routes. Who may call is decided where they are mounted."""
    who: Asker = asker or Anybody()
    router = APIRouter(prefix="/api", tags=["ticketing"], responses=REFUSALS)

    @router.get("/findings")
    def findings(
        active: Annotated[bool | None, Query(description="only active or only cleared ones")] = None,
        limit: Limit = 100,
        offset: Offset = 0,
    ) -> list[FindingView]:
        """Findings that were raised, the newest first."""
        with sessions.reading() as session:
            return read_findings(session, active=active, limit=limit, offset=offset, buildings=who.buildings())

    @router.get("/work-orders")
    def work_orders(
        request: Request,
        response: Response,
        status: Annotated[str | None, Query(description="a status, or open for all before closed")] = None,
        asset: Annotated[str | None, Query(description="asset id")] = None,
        kind: Annotated[str | None, Query(description="fault or preventive")] = None,
        rule: Annotated[str | None, Query(description="rule id")] = None,
        limit: Limit = 100,
        offset: Offset = 0,
        cursor: Annotated[str | None, Query(max_length=40, description="as the header Link gave it")] = None,
        history: Annotated[History, Query(description="none leaves it out, which is quicker")] = History.WHOLE,
    ) -> list[WorkOrderView]:
        """Work orders by time left: the nearest running deadline first.

        While there may be more, the header Link (`next`) is the address of the next page. It begins behind the last
        order of this one, whatever was opened meanwhile.
        """
        after = _after(cursor)
        chosen = OPEN_STATUSES if status == "open" else frozenset(_chosen("status", status, Status, ("open",)))
        kinds = _chosen("kind", kind, OrderKind)
        query = OrderQuery(
            chosen, asset, kinds[0] if kinds else None, rule, limit, offset, who.buildings(), after=after
        )
        with sessions.reading() as session:
            rows = list_orders(session, query)
            if len(rows) == limit:
                following = request.url.include_query_params(cursor=place_of(rows[-1])).remove_query_params("offset")
                response.headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
            return view_orders(session, book, rows, clock.now(), told=history is History.WHOLE)

    @router.get("/work-orders/{id}")
    def work_order(id: str, response: Response) -> WorkOrderView:  # noqa: A002 - the documented name
        """One work order, by id or number. The ETag is its version."""
        with sessions.reading() as session:
            return _view(session, book, found_order(session, id, who), clock, response)

    @router.get("/work-orders/{id}/deadline")
    def deadline(
        id: str,  # noqa: A002 - the documented name
        language: Annotated[str, Query(max_length=20, description="of the explanation: en or zh")] = "en",
    ) -> DeadlineView:
        """How each deadline comes about, recomputed from contract, history and pauses."""
        with sessions.reading() as session:
            row = found_order(session, id, who)
            history = repository.histories(session, [row.id])[row.id]
            level = order_terms(book, row, [repository.as_change(line) for line in history])
            if level is None:
                terms = f"contract {row.contract_id!r} revision {row.contract_revision} level {row.service_level!r}"
                refuse(409, f"{terms} is not loaded", _where(row.id), "Load the contract file this order stands on.")
            return deadline_view(row, history, level, clock.now(), language)

    @router.post("/work-orders/{id}/{verb}")
    def act(
        id: str,  # noqa: A002 - the documented name
        verb: str,
        response: Response,
        body: VerbBody | None = None,
        if_match: Annotated[str | None, Header(description="the version you saw, as the ETag gave it")] = None,
    ) -> WorkOrderView:
        """Triage, dispatch, acknowledge, arrive, contain, diagnose, repair, test, complete, hold, resume, accept,
        follow_up, close, cancel, reassign, relevel, escalate, reopen, merge, link or parent. 409 says what is possible
        instead."""
        given = body or VerbBody()
        wanted = _act(id, verb, given, _version(id, given, if_match), clock, who)

        with sessions.writing() as session:
            row = found_order(session, id, who, lock=True)
            if given.to and verb in _BETWEEN:
                within_reach(session, given.to, who)
            decision = carry_out(session, book, row, wanted)
            if isinstance(decision, Refused):
                refuse(409, decision.what, _where(row.id), decision.hint)
            return _view(session, book, row, clock, response)

    return router


def _after(cursor: str | None) -> Place | None:
    try:
        return parse_place(cursor) if cursor is not None else None
    except ValueError as error:
        refuse(422, str(error), "?cursor=", "Send it as the header Link of the page before gave it, or leave it out.")


def _act(order: str, verb: str, body: VerbBody, version: int | None, clock: Clock, who: Asker) -> Act:
    if verb not in set(Verb):
        refuse(404, unknown("verb", verb, [one.value for one in Verb]), _where(order), f"Verbs are: {', '.join(Verb)}.")
    note, reason = body.note, None
    if verb == Verb.HOLD and body.reason:
        reason = PauseReason(_chosen("reason", body.reason, PauseReason)[0])
    elif body.reason:
        note = f"{note} Reason: {body.reason}".strip()
    return Act(
        Verb(verb), who.name() or body.by, clock.now(), Words(note, reason, body.to, body.override, body.proof), version
    )


def _version(order: str, body: VerbBody, if_match: str | None) -> int | None:
    if body.version is not None or if_match is None or if_match.strip() == "*":
        return body.version
    digits = if_match.strip().removeprefix("W/").strip('"')
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 9:
        hint = 'Send the ETag of the order as you read it, such as "3".'
        refuse(422, f"If-Match {if_match!r} is not a version of an order", _where(order), hint)
    return int(digits)


def _view(session: Session, book: ContractBook, row: WorkOrderRow, clock: Clock, response: Response) -> WorkOrderView:
    response.headers["ETag"] = f'"{row.version}"'
    return view_orders(session, book, [row], clock.now())[0]


def _chosen(name: str, given: str | None, known: type[Choice], more: Sequence[str] = ()) -> tuple[Choice, ...]:
    """The one member of an enumeration that was given, none when nothing was."""
    values = {str(value): value for value in known.__members__.values()}  # type: ignore[attr-defined]  # enumerations only
    if given is None:
        return ()
    if given not in values:
        refuse(
            422, unknown(name, given, (*values, *more)), f"?{name}=", f"Write one of: {', '.join((*more, *values))}."
        )
    return (values[given],)


def _where(order: str) -> str:
    return f"work order {order}"
