"""Answers a visit's check list on site: judges the answer, keeps it, and opens a fault order for an item that fails."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from facility.finding import Severity
from facility.registry import Registry
from ticketing.attachment import ANSWERED_BY, OwnerKind
from ticketing.attachment_rows import attachments_of
from ticketing.checklist import Judged, judge_answer
from ticketing.checklist_rows import answers_of, keep_answer, visit_of
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.manual_order import Wanted, reported_finding
from ticketing.plan import CheckItem
from ticketing.relation_rows import add_link
from ticketing.request import Declined
from ticketing.tables import WorkOrderRow
from ticketing.views import format_number
from ticketing.work_order import Status

_ON_SITE = frozenset({Status.ARRIVED, Status.HELD, Status.COMPLETED})


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody says about an item (from 1). A photo or signature is the id of an attachment of the order."""

    item: int
    value: str
    by: str
    note: str = ""
    severity: Severity = Severity.MEDIUM


@dataclass(frozen=True, slots=True)
class NoItem(Declined):
    """The check list has no such item, or the order has no check list."""


@dataclass(frozen=True, slots=True)
class NoAnswer(Declined):
    """What was said is no answer to the item."""


class ChecklistDesk:
    """Under the book of contracts an order was opened by, and the directory of today."""

    def __init__(self, book: ContractBook, registry: Callable[[], Registry]) -> None:
        self._book, self._registry, self._desk = book, registry, Desk(book, registry)

    def answer(self, session: Session, row: WorkOrderRow, given: Answer, now: datetime) -> Judged | Declined:
        """Keep an answer to an order that the transaction holds; `now` is aware UTC.

        An item that fails opens one fault order, linked with the visit, however often it is answered.
        """
        item = self._item(row, given.item)
        if isinstance(item, Declined):
            return item
        if row.status not in _ON_SITE:
            return Declined(
                f"check lists are answered on site; the order is {row.status}", "Acknowledge it and arrive first."
            )
        judged = self._judge(session, row, item, given)
        if isinstance(judged, Declined):
            return judged
        before = answers_of(session, row.id).get(given.item)
        finding_id = before.finding_id if before is not None else None
        if not judged.passed and finding_id is None:
            opened = self._open_fault(session, row, item, judged.wrong, given, now)
            if isinstance(opened, Declined):
                return opened
            finding_id = opened
        keep_answer(session, row.id, given.item, judged, given.note, given.by, now, finding_id)
        return judged

    def _item(self, row: WorkOrderRow, number: int) -> CheckItem | NoItem:
        found = visit_of(self._book, row)
        if found is None:
            return NoItem(f"{format_number(row.number)} has no check list", "Only visits of a plan do.")
        items = found[1]
        if not 1 <= number <= len(items):
            what = f"{format_number(row.number)} has {len(items)} items, and no item {number}"
            return NoItem(what, "GET .../checklist lists them.")
        return items[number - 1]

    def _judge(self, session: Session, row: WorkOrderRow, item: CheckItem, given: Answer) -> Judged | NoAnswer:
        try:
            judged = judge_answer(item, given.value)
        except ValueError as error:
            return NoAnswer(str(error), f"The item is: {item}.")
        kind = ANSWERED_BY.get(item.answer)
        if kind is None:
            return judged
        there = [one.id for one in attachments_of(session, OwnerKind.ORDER, [row.id]) if one.kind == kind]
        if judged.value not in there:
            known = ", ".join(there) or "none yet"
            what = f"{judged.value!r} is no {kind} of {format_number(row.number)}; it has: {known}"
            return NoAnswer(what, f"POST the picture to .../attachments?kind={kind} and answer with the id it gets.")
        return judged

    def _open_fault(
        self, session: Session, row: WorkOrderRow, item: CheckItem, wrong: str, given: Answer, now: datetime
    ) -> str | Declined:
        asset = self._registry().assets.get(row.asset_id)
        if asset is None:
            return Declined(
                f"asset {row.asset_id!r} is no longer in the directory", "Bring it back, or open an order by hand."
            )
        title = f"{item.text}: {wrong}"[:200]
        note = f"Found on visit {format_number(row.number)}. {given.note}".strip()
        finding = reported_finding(Wanted(f"{row.id}/{given.item}", title, given.by, given.severity, note), asset, now)
        for order_id in self._desk.receive(session, [finding]).opened:
            add_link(session, row.id, order_id, given.by, now)
        return finding.id
