"""Routes of contracts: those in force, in words, a file checked, and two laid side by side over the orders kept."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from facility.clock import Clock
from facility.fields import unknown
from facility.instant import parse_duration
from facility.registry import Registry
from plantroom.contract_texts import compare_contracts, explain_contract_zh
from ticketing.api import Sessions
from ticketing.contract import Contract
from ticketing.contract_book import ContractBook
from ticketing.contract_check import check_contract
from ticketing.contract_compare import Habit
from ticketing.contract_explain import explain_contract
from ticketing.contract_load import parse_contract
from ticketing.problem import REFUSALS, refuse

Name = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
FileText = Annotated[str, StringConstraints(min_length=1, max_length=300_000, pattern=r"^[^\x00]*$")]
_FILE = "the contract of the call"
LONG_AGO = date(1990, 1, 1)


class RevisionView(BaseModel):
    """A revision: since when (aware UTC), its levels, and whether it is the one in force."""

    number: int
    effective_at: datetime
    levels: list[str]
    in_force: bool


class ContractView(BaseModel):
    """A contract. `buildings` are those it covers, all of the site files' by id."""

    id: str
    name: str
    customer: str
    supplier: str
    zone: str
    ends_at: datetime | None
    buildings: list[str]
    revisions: list[RevisionView]


class ExplainedView(BaseModel):
    """What a contract promises, line by line."""

    id: str
    language: str
    lines: list[str]


class CheckBody(BaseModel):
    """A contract file as it would stand on disk."""

    model_config = ConfigDict(extra="forbid")

    text: FileText


class CompareBody(BaseModel):
    """A contract in force, and another one: by `other`, its id, or as the `text` of a file that is not in force.

    Over the orders opened since a day (of the contract's zone). `arrives` and `completes` say when untouched orders
    are worked on, such as `40 min`; without them nobody ever comes.
    """

    model_config = ConfigDict(extra="forbid")

    one: Name
    other: Name = ""
    text: FileText | None = None
    since: date = Field(default=LONG_AGO, ge=LONG_AGO)
    arrives: Name | None = None
    completes: Name | None = None


class SideView(BaseModel):
    """A figure of both; `-` where one has none."""

    name: str
    one: str
    other: str


class DifferentView(BaseModel):
    """An order that the two treat differently, and the level each gives it."""

    work_order_id: str
    number: str
    title: str
    one: str
    other: str


class ComparedView(BaseModel):
    """Two contracts over the same orders. Of the orders treated differently the first fifty."""

    one: str
    other: str
    orders: int
    rows: list[SideView]
    different: list[DifferentView]


def build_contracts_router(
    sessions: Sessions, clock: Clock, book: ContractBook, registry: Callable[[], Registry]
) -> APIRouter:
    """The routes; the gate has checked who may."""
    router = APIRouter(prefix="/api/contracts", tags=["contracts"], responses=REFUSALS)

    def known(contract_id: str) -> Contract:
        contracts = {one.id: one for one in book.contracts}
        if contract_id not in contracts:
            refuse(404, unknown("contract", contract_id, contracts), "contract", "GET /api/contracts lists them.")
        return contracts[contract_id]

    def read(text: str) -> Contract:
        contract = parse_contract(text, _FILE)
        check_contract(contract, registry())
        return contract

    @router.get("")
    def contracts() -> list[ContractView]:
        """The contracts in force."""
        return [_view(one, registry(), clock.now()) for one in book.contracts]

    @router.get("/{contract_id}")
    def explain(contract_id: str, language: Annotated[Literal["en", "zh"], Query()] = "en") -> ExplainedView:
        """What a contract promises, clause by clause, in English or Chinese."""
        explained = explain_contract_zh if language == "zh" else explain_contract
        contract = known(contract_id)
        return ExplainedView(id=contract.id, language=language, lines=explained(contract, clock.now()))

    @router.post("/check")
    def check(body: CheckBody) -> ContractView:
        """Check a file, alone and against the buildings. Nothing comes into force; 422 says every problem."""
        return _view(read(body.text), registry(), clock.now())

    @router.post("/compare")
    def compare(body: CompareBody) -> ComparedView:
        """Lay two contracts side by side over the newest 2,000 orders: levels, breaches, penalties."""
        if (body.text is None) == (not body.other):
            refuse(422, "one other contract is wanted", "other, text", "Give `other`, an id, or `text`, a file.")
        one, other = known(body.one), read(body.text) if body.text is not None else known(body.other)
        habit = Habit(_duration(body.arrives, "arrives"), _duration(body.completes, "completes"))
        with sessions.reading() as session:
            found = compare_contracts(session, one, other, body.since, registry(), clock.now(), habit)
        return ComparedView(
            one=found.one,
            other=found.other,
            orders=found.orders,
            rows=[SideView(name=name, one=left, other=right) for name, left, right in found.rows],
            different=[
                DifferentView(work_order_id=order, number=number, title=title, one=left, other=right)
                for order, number, title, left, right in found.differ
            ],
        )

    return router


def _view(contract: Contract, registry: Registry, now: datetime) -> ContractView:
    current = contract.revision_at(now)
    return ContractView(
        id=contract.id,
        name=contract.name,
        customer=contract.customer,
        supplier=contract.supplier,
        zone=contract.zone.key,
        ends_at=contract.ends_at.astimezone(UTC) if contract.ends_at is not None else None,
        buildings=[one.id for one in registry.buildings.values() if contract.covers(one.site_id, one.id)],
        revisions=[
            RevisionView(
                number=one.number,
                effective_at=one.effective_at.astimezone(UTC),
                levels=[level.id for level in one.every],
                in_force=one is current,
            )
            for one in contract.revisions
        ],
    )


def _duration(text: str | None, field: str) -> timedelta | None:
    try:
        return parse_duration(text) if text is not None else None
    except ValueError as error:
        refuse(422, str(error), field, "Write it like 40 min or 5 h.")
