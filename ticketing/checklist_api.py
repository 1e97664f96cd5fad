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
from ticketing.asker import Anybody, Asker
from ticketing.checklist import judge_answer
from ticketing.checklist_rows import answers_of, keep_answer, visit_of
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.manual_order import Wanted, reported_finding
from ticketing.meter_rows import Shown, keep_value, newest_value
from ticketing.plan import AnswerKind, CheckItem
from ticketing.problem import REFUSALS, ProblemRoute, refuse
from ticketing.relation_rows import add_link
from ticketing.tables import WorkOrderRow
from ticketing.tables_work import CheckAnswerRow
from ticketing.views import format_number
from ticketing.work_order import Status

_ON_SITE = frozenset({Status.ARRIVED, Status.HELD, Status.COMPLETED})


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
    """The answer to an item: `ok` or `failed`, a number, an option, or the name of a photo or signature."""

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
    router = APIRouter(prefix="/api", tags=["visits"], route_class=ProblemRoute, responses=REFUSALS)
    desk = Desk(book, registry)
    who: Asker = asker or Anybody()

    @router.get("/work-orders/{id}/checklist")
    def checklist(id: str) -> ChecklistView:  # noqa: A002 - the documented name
        """The check list of a visit with its answers."""
        with sessions.reading() as session:
            return _view(session, book, _found(session, id))

    @router.post("/work-orders/{id}/checklist")
    def answer(id: str, body: AnswerBody) -> ChecklistView:  # noqa: A002 - the documented name
        """Answer one item, on site. An item that fails opens a fault order, linked with the visit, once."""
        body = body.model_copy(update={"by": who.name() or body.by})
        with sessions.writing() as session:
            row = _found(session, id, lock=True)
            item = _item(book, row, body.item)
            if row.status not in _ON_SITE:
                what = f"check lists are answered on site; the order is {row.status}"
                refuse(409, what, f"work order {row.id}", "Acknowledge it and arrive first.")
            try:
                judged = judge_answer(item, body.value)
            except ValueError as error:
                refuse(422, str(error), f"item {body.item}", f"The item is: {item}.")
            before = answers_of(session, row.id).get(body.item)
            finding_id = before.finding_id if before is not None else None
            if not judged.passed and finding_id is None:
                asset = registry().assets.get(row.asset_id)
                finding_id = _open_fault(session, desk, row, item, judged.wrong, body, asset, clock.now())
            keep_answer(session, row.id, body.item, judged, body.note, body.by, clock.now(), finding_id)
            return _view(session, book, row)

    @router.get("/assets/{asset_id}/meters/{meter}")
    def meter(asset_id: str, meter: str) -> MeterView:
        """What a meter of an asset showed last, read off by a person or by telemetry."""
        with sessions.reading() as session:
            shown = newest_value(session, _asset(registry(), asset_id).id, meter)
        if shown is None:
            refuse(404, f"nobody has read {meter!r} of {asset_id}", "meter", "POST what it shows to this address.")
        return MeterView(asset_id=asset_id, meter=meter, value=shown.value, at=shown.at)

    @router.post("/assets/{asset_id}/meters/{meter}")
    def read_off(asset_id: str, meter: str, body: MeterBody) -> MeterView:
        """Keep what a meter shows now. Visits by meter are due by it."""
        asset, now = _asset(registry(), asset_id), clock.now()
        with sessions.writing() as session:
            last = newest_value(session, asset.id, meter)
            if last is not None and body.value < last.value and not body.reset:
                what = f"{meter} showed {last.value:g} already; {body.value:g} is less"
                refuse(409, what, asset.id, "Read it again, or say `reset: true` when the meter was changed.")
            keep_value(session, asset.id, meter, Shown(body.value, now), who.name() or body.by)
        return MeterView(asset_id=asset.id, meter=meter, value=body.value, at=now)

    return router


def _open_fault(
    session: Session,
    desk: Desk,
    row: WorkOrderRow,
    item: CheckItem,
    wrong: str,
    body: AnswerBody,
    asset: Asset | None,
    now: datetime,
) -> str:
    if asset is None:
        what = f"asset {row.asset_id!r} is no longer in the directory"
        refuse(409, what, f"work order {row.id}", "Bring it back, or open an order by hand.")
    title = f"{item.text}: {wrong}"[:200]
    note = f"Found on visit {format_number(row.number)}. {body.note}".strip()
    wanted = Wanted(f"{row.id}/{body.item}", title, body.by, body.severity, note)
    finding = reported_finding(wanted, asset, now)
    for order_id in desk.receive(session, [finding]).opened:
        add_link(session, row.id, order_id, body.by, now)
    return finding.id


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


def _item(book: ContractBook, row: WorkOrderRow, number: int) -> CheckItem:
    found = visit_of(book, row)
    items = found[1] if found is not None else ()
    if not 1 <= number <= len(items):
        what = f"{format_number(row.number)} has {len(items)} items, and no item {number}"
        refuse(404, what, "item", "GET .../checklist lists them.")
    return items[number - 1]


def _asset(registry: Registry, asset_id: str) -> Asset:
    asset = registry.assets.get(asset_id)
    if asset is None:
        refuse(404, unknown("asset", asset_id, registry.assets), "asset", "GET /api/assets lists them.")
    return asset


def _found(session: Session, name: str, *, lock: bool = False) -> WorkOrderRow:
    row = repository.find_order(session, name, lock=lock)
    if row is None:
        refuse(404, f"there is no work order {name!r}", "work order", "GET /api/work-orders lists them.")
    return row
