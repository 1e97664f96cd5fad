"""Routes of visits: the check list with its answers, and what meters of assets show."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from facility.asset import Asset
from facility.clock import Clock
from facility.fields import unknown
from facility.finding import Severity
from facility.registry import Registry
from ticketing import repository
from ticketing.api import OPERATOR, Sessions, Text
from ticketing.asker import Anybody, Asker, seen_by
from ticketing.checklist_desk import Answer, ChecklistDesk, NoAnswer, NoItem
from ticketing.checklist_rows import answers_of, visit_of
from ticketing.contract_book import ContractBook
from ticketing.found import found_order
from ticketing.meter_rows import newest_value, read_off
from ticketing.plan import AnswerKind, CheckItem
from ticketing.problem import REFUSALS, refuse
from ticketing.request import Declined
from ticketing.tables import WorkOrderRow
from ticketing.tables_work import CheckAnswerRow
from ticketing.views import format_number


class ItemView(BaseModel):
    """One item and its newest answer. `order` is the fault order that a failed item opened."""

    item: int
    text: str
    answer: AnswerKind
    unit: str
    minimum: float | None
    maximum: float | None
    options: list[str]
    value: str | None
    passed: bool | None
    note: str
    by: str | None
    at: datetime | None
    order: str | None


class ChecklistView(BaseModel):
    """The check list of a visit, with those of the shorter visits it contains."""

    order: str
    visit: str
    statutory: bool
    answered: int
    items: list[ItemView]


class AnswerBody(BaseModel):
    """The answer to an item: `ok` or `failed`, a number, an option, or the id of an attachment of the order."""

    model_config = ConfigDict(extra="forbid")

    item: Annotated[int, Field(ge=1, le=10_000)]
    value: Annotated[Text, Field(min_length=1)]
    note: Text = ""
    by: Text = Field(default=OPERATOR, min_length=1)
    severity: Severity = Field(default=Severity.MEDIUM, description="of the fault order, if the item fails")


class MeterBody(BaseModel):
    """What a meter shows. One that shows less than before was changed or reset: say so with `reset`."""

    model_config = ConfigDict(extra="forbid")

    value: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    by: Text = Field(default=OPERATOR, min_length=1)
    reset: bool = False


class MeterView(BaseModel):
    """What a meter showed last."""

    asset_id: str
    meter: str
    value: float
    at: datetime


def build_checklist_router(
    sessions: Sessions, clock: Clock, book: ContractBook, registry: Callable[[], Registry], asker: Asker | None = None
) -> APIRouter:
    """The routes. Who may call is decided where they are mounted."""
    router = APIRouter(prefix="/api", tags=["visits"], responses=REFUSALS)
    desk = ChecklistDesk(book, registry)
    who: Asker = asker or Anybody()

    @router.get("/work-orders/{id}/checklist")
    def checklist(id: str) -> ChecklistView:  # noqa: A002 - the documented name
        """The check list of a visit with its answers."""
        with sessions.reading() as session:
            return _view(session, book, found_order(session, id, who))

    @router.post("/work-orders/{id}/checklist")
    def answer(id: str, body: AnswerBody) -> ChecklistView:  # noqa: A002 - the documented name
        """Answer one item, on site. An item that fails opens a fault order, linked with the visit, once."""
        given = Answer(body.item, body.value, who.name() or body.by, body.note, body.severity)
        with sessions.writing() as session:
            row = found_order(session, id, who, lock=True)
            done = desk.answer(session, row, given, clock.now())
            if isinstance(done, Declined):
                code = 404 if isinstance(done, NoItem) else 422 if isinstance(done, NoAnswer) else 409
                refuse(code, done.what, f"work order {row.id}, item {body.item}", done.hint)
            return _view(session, book, row)

    @router.get("/assets/{asset_id}/meters/{meter}")
    def meter(asset_id: str, meter: str) -> MeterView:
        """What a meter of an asset showed last, read off by a person or by telemetry."""
        with sessions.reading() as session:
            shown = newest_value(session, _asset(seen_by(who, registry()), asset_id).id, meter)
        if shown is None:
            refuse(404, f"nobody has read {meter!r} of {asset_id}", "meter", "POST what it shows to this address.")
        return MeterView(asset_id=asset_id, meter=meter, value=shown.value, at=shown.at)

    @router.post("/assets/{asset_id}/meters/{meter}")
    def keep_meter(asset_id: str, meter: str, body: MeterBody) -> MeterView:
        """Keep what a meter shows now. Visits by meter are due by it."""
        asset, now = _asset(seen_by(who, registry()), asset_id), clock.now()
        with sessions.writing() as session:
            shown = read_off(session, asset.id, meter, body.value, now, who.name() or body.by, reset=body.reset)
            if isinstance(shown, Declined):
                refuse(409, shown.what, asset.id, shown.hint)
        return MeterView(asset_id=asset.id, meter=meter, value=body.value, at=now)

    return router


def _view(session: Session, book: ContractBook, row: WorkOrderRow) -> ChecklistView:
    found = visit_of(book, row)
    if found is None:
        refuse(
            404, f"{format_number(row.number)} has no check list", f"work order {row.id}", "Only visits of a plan do."
        )
    visit, items = found
    answers = answers_of(session, row.id)
    orders = repository.member_orders(session, [one.finding_id for one in answers.values() if one.finding_id])
    return ChecklistView(
        order=format_number(row.number),
        visit=visit.name,
        statutory=visit.statutory,
        answered=len(answers),
        items=[_item_view(number, item, answers.get(number), orders) for number, item in enumerate(items, 1)],
    )


def _item_view(number: int, item: CheckItem, answer: CheckAnswerRow | None, orders: dict[str, str]) -> ItemView:
    return ItemView(
        item=number,
        text=item.text,
        answer=item.answer,
        unit=item.unit,
        minimum=item.minimum,
        maximum=item.maximum,
        options=list(item.options),
        value=answer.value if answer is not None else None,
        passed=answer.passed if answer is not None else None,
        note=answer.note if answer is not None else "",
        by=answer.by if answer is not None else None,
        at=answer.at if answer is not None else None,
        order=orders.get(answer.finding_id or "") if answer is not None else None,
    )


def _asset(registry: Registry, asset_id: str) -> Asset:
    asset = registry.assets.get(asset_id)
    if asset is None:
        refuse(404, unknown("asset", asset_id, registry.assets), "asset", "GET /api/assets lists them.")
    return asset
