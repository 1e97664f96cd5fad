"""What the tables know of parts, cost lines and quotes."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from ticketing.cost import CENT, CostKind, CostLine, Part
from ticketing.payer import PayerKind
from ticketing.quote import QuoteStatus
from ticketing.service_rows import is_name
from ticketing.statements import insert_into, row_count
from ticketing.tables_service import CostLineRow, PartRow, QuoteRow

APPROVED, SENT = QuoteStatus.APPROVED.value, QuoteStatus.SENT.value


def cents(amount: Decimal) -> int:
    """An amount as a whole number of hundredths."""
    return int((amount / CENT).to_integral_value())


def find_part(session: Session, part_id: str, *, lock: bool = False) -> Part | None:
    """A part; with `lock`, held until the transaction ends."""
    query = select(PartRow).where(PartRow.id == part_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    row = session.exec(query).one_or_none()
    return _part(row) if row is not None else None


def list_parts(session: Session, *, short: bool = False) -> list[Part]:
    """The price list by id; with `short`, what has to be ordered."""
    query = select(PartRow).order_by(PartRow.id)
    if short:
        query = query.where(col(PartRow.stock) <= col(PartRow.reorder_at))
    return [_part(row) for row in session.exec(query)]


def save_part(session: Session, part: Part) -> None:
    """Put a part on the price list, or change its name, unit, price and level of ordering; its stock stays."""
    values = {"name": part.name, "unit": part.unit, "price_cents": cents(part.price), "currency": part.currency,
              "reorder_at": part.reorder_at}  # fmt: skip
    insert = insert_into(session.get_bind().dialect.name, PartRow).values(id=part.id, stock=part.stock, **values)
    session.execute(insert.on_conflict_do_update(index_elements=["id"], set_=values))


def move_stock(session: Session, part_id: str, quantity: int) -> bool:
    """Add to a part's stock, or take from it; False when there is not so much."""
    if not is_name(part_id):
        return False
    enough = (col(PartRow.id) == part_id, col(PartRow.stock) + quantity >= 0)
    query = sa.update(PartRow).where(*enough).values(stock=PartRow.stock + quantity)
    return bool(row_count(session.execute(query)))


def lines_of(session: Session, order_id: str) -> list[CostLine]:
    """The cost lines of an order in order of booking."""
    rows = session.exec(select(CostLineRow).where(CostLineRow.order_id == order_id).order_by(col(CostLineRow.id)))
    return [
        CostLine(
            CostKind(row.kind), row.what, row.quantity_hundredths * CENT, row.unit_cents * CENT,
            row.amount_cents * CENT,
            row.currency, PayerKind(row.payer), row.clause, row.part_id,
        )
        for row in rows
    ]  # fmt: skip


def add_line(session: Session, order_id: str, line: CostLine, at: datetime, by: str, key: str | None) -> None:
    """Book a line."""
    values: dict[str, Any] = {
        "order_id": order_id, "kind": line.kind.value, "what": line.what, "quantity_hundredths": cents(line.quantity),
        "unit_cents": cents(line.unit_price), "amount_cents": cents(line.amount), "currency": line.currency,
        "part_id": line.part_id, "payer": line.payer.value, "clause": line.clause, "at": at, "by": by, "key": key,
    }  # fmt: skip
    session.execute(sa.insert(CostLineRow).values(**values))


def is_booked(session: Session, key: str) -> bool:
    """Whether a line with this key is booked already."""
    return session.exec(select(CostLineRow.id).where(CostLineRow.key == key)).first() is not None


def find_quote(session: Session, quote_id: str, *, lock: bool = False) -> QuoteRow | None:
    """A quote; with `lock`, held until the transaction ends."""
    if not is_name(quote_id):
        return None
    query = select(QuoteRow).where(QuoteRow.id == quote_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.exec(query).one_or_none()


def quotes_of(session: Session, order_id: str) -> Sequence[QuoteRow]:
    """The quotes of an order, the oldest first."""
    return session.exec(
        select(QuoteRow).where(QuoteRow.order_id == order_id).order_by(col(QuoteRow.sent_at), col(QuoteRow.id))
    ).all()


def approved_amount(session: Session, order_id: str) -> Decimal | None:
    """The highest amount that was approved for an order; None when none was."""
    most = sa.select(sa.func.max(col(QuoteRow.amount_cents))).where(
        col(QuoteRow.order_id) == order_id, col(QuoteRow.status) == APPROVED
    )
    found = session.scalar(most)
    return found * CENT if found is not None else None


def _part(row: PartRow) -> Part:
    return Part(row.id, row.name, row.unit, row.price_cents * CENT, row.currency, row.stock, row.reorder_at)
