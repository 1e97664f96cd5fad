"""What is done on the spot of an order, gathered for its page from check list, costs, stock and telemetry."""

from collections.abc import Sequence

from sqlmodel import Session

from dashboards.web.order_work import BookedLine, CheckView, OrderWork, Picture, StockedPart
from facility.finding import OrderKind
from ticketing import cost_rows
from ticketing.attachment import OwnerKind
from ticketing.attachment_rows import attachments_of, requests_of_order
from ticketing.checklist_rows import answers_of, visit_of
from ticketing.contract_book import ContractBook
from ticketing.history_rows import StoredLine
from ticketing.tables import WorkOrderRow
from ticketing.tables_service import AttachmentRow
from ticketing.views import telemetry_of


def order_work(
    session: Session, book: ContractBook, row: WorkOrderRow, history: Sequence[StoredLine], members: Sequence[str]
) -> OrderWork:
    """For one order; a list of orders does without."""
    revision = book.revision(row.contract_id, row.contract_revision)
    terms = revision.terms.costs if revision is not None else None
    found = visit_of(book, row)
    recovered_at = telemetry_of(history, members).recovered_at if members else None
    return OrderWork(
        checks=_checks(session, book, row),
        statutory=found is not None and found[0].statutory,
        lines=[BookedLine(one.kind.value, one.what, one.quantity) for one in cost_rows.lines_of(session, row.id)],
        parts=[
            StockedPart(one.id, one.name, one.unit, one.stock)
            for one in (cost_rows.list_parts(session) if terms is not None else ())
            if terms is not None and one.currency == terms.currency
        ],
        pictures=[Picture(one.id, one.kind, one.by, one.at) for one in _pictures(session, row.id)],
        can_book=terms is not None,
        watched=bool(members) and row.kind == OrderKind.FAULT,
        recovered_at=recovered_at,
    )


def _pictures(session: Session, order_id: str) -> list[AttachmentRow]:
    """Those of the order, behind those of the requests it came from."""
    of_requests = attachments_of(session, OwnerKind.REQUEST, requests_of_order(session, order_id))
    return of_requests + attachments_of(session, OwnerKind.ORDER, [order_id])


def _checks(session: Session, book: ContractBook, row: WorkOrderRow) -> list[CheckView]:
    found = visit_of(book, row)
    if found is None:
        return []
    answers = answers_of(session, row.id)
    checks = []
    for number, item in enumerate(found[1], 1):
        answer = answers.get(number)
        checks.append(
            CheckView(
                number, item.text, item.answer.value, item.unit, item.minimum, item.maximum, item.options, item.fails,
                answer.value if answer is not None else None,
                answer.passed if answer is not None else None,
                answer.note if answer is not None else "",
            )
        )  # fmt: skip
    return checks
