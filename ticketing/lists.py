"""Orders and findings with all that belongs to them, read in a few questions whatever their number."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlmodel import Session

from ticketing import repository
from ticketing.contract import ServiceLevel
from ticketing.contract_book import ContractBook
from ticketing.history_rows import StoredLine
from ticketing.order_terms import order_terms
from ticketing.outbox_rows import messages_of
from ticketing.relation_rows import relations
from ticketing.repository import OrderQuery
from ticketing.tables import FindingRow, WorkOrderRow
from ticketing.views import FindingView, WorkOrderView, finding_view, work_order_view
from ticketing.work_order import Status


def read_orders(
    session: Session, book: ContractBook, query: OrderQuery, now: datetime, *, told: bool = True
) -> list[WorkOrderView]:
    """The orders of a query, by time left, with members and history (with an empty one unless it is to be `told`)."""
    return view_orders(session, book, repository.list_orders(session, query), now, told=told)


def view_orders(
    session: Session, book: ContractBook, rows: Sequence[WorkOrderRow], now: datetime, *, told: bool = True
) -> list[WorkOrderView]:
    """These orders with members and history, in their order."""
    ids = [row.id for row in rows]
    histories, members = repository.histories(session, ids, joins=told), repository.members(session, ids)
    related, messages = relations(session, rows), messages_of(session, ids)
    return [
        work_order_view(
            row,
            histories.get(row.id, ()),
            members.get(row.id, ()),
            level=_terms_if_held(book, row, histories.get(row.id, ())),
            now=now,
            related=related[row.id],
            messages=messages.get(row.id, ()),
            told=told,
        )
        for row in rows
    ]


def _terms_if_held(book: ContractBook, row: WorkOrderRow, lines: Iterable[StoredLine]) -> ServiceLevel | None:
    """The terms of an order, where a view asks for them: while it is held, its deadlines move on."""
    if row.status != Status.HELD:
        return None
    return order_terms(book, row, [repository.as_change(line) for line in lines])


def read_findings(
    session: Session,
    *,
    active: bool | None,
    limit: int | None,
    offset: int = 0,
    buildings: frozenset[str] | None = None,
) -> list[FindingView]:
    """Findings, the newest raised first, each with the order it belongs to. `limit` None: all."""
    rows: Sequence[FindingRow] = repository.list_findings(
        session, active=active, limit=limit, offset=offset, buildings=buildings
    )
    orders = repository.member_orders(session, [row.id for row in rows])
    return [finding_view(row, orders.get(row.id)) for row in rows]
