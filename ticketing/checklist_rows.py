"""The check list of an order: its visit by the pinned contract, and the answers kept so far."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, select

from ticketing.checklist import Judged
from ticketing.contract_book import ContractBook
from ticketing.plan import CheckItem, Visit, whole_checklist
from ticketing.tables import WorkOrderRow
from ticketing.tables_work import CheckAnswerRow


def visit_of(book: ContractBook, row: WorkOrderRow) -> tuple[Visit, tuple[CheckItem, ...]] | None:
    """The visit an order is, with its whole check list; None for any other order, or when its contract is gone."""
    revision = book.revision(row.contract_id, row.contract_revision)
    if revision is None or row.planned_due_at is None:
        return None
    visit = next((one for one in revision.visits if one.rule_id == row.rule_id), None)
    return (visit, whole_checklist(visit, revision.visits)) if visit is not None else None


def answers_of(session: Session, order_id: str) -> dict[int, CheckAnswerRow]:
    """Item number -> its newest answer."""
    query = select(CheckAnswerRow).where(CheckAnswerRow.work_order_id == order_id).order_by(sa.text("id"))
    return {row.item: row for row in session.exec(query)}


def unanswered_items(session: Session, book: ContractBook, row: WorkOrderRow) -> tuple[Visit, list[CheckItem]] | None:
    """The visit and the items nobody has answered."""
    found = visit_of(book, row)
    if found is None:
        return None
    visit, items = found
    answers = answers_of(session, row.id) if items else {}
    return visit, [item for number, item in enumerate(items, 1) if number not in answers]


def keep_answer(
    session: Session, order_id: str, item: int, judged: Judged, note: str, by: str, at: datetime, finding: str | None
) -> None:
    """Append an answer."""
    session.add(
        CheckAnswerRow(
            work_order_id=order_id,
            item=item,
            value=judged.value,
            passed=judged.passed,
            note=note,
            by=by,
            at=at,
            finding_id=finding,
        )
    )
    session.flush()
