"""Books what an order costs, takes parts from stock, and asks the customer to approve a quote above the limit.

The caller owns the transaction. The cost standard is that of the contract revision pinned on the order.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlmodel import Session

from facility.registry import Registry
from ticketing import cost_rows, repository, service_rows
from ticketing.contract_book import ContractBook
from ticketing.cost import (
    CostKind,
    CostLine,
    Part,
    cost_standard,
    needs_approval,
    price_line,
    total,
)
from ticketing.level import facts_about
from ticketing.order_subject import Subject
from ticketing.payer import Payer, PayerKind, decide_payer
from ticketing.quote import QuoteStatus, QuoteVerb, decide_quote
from ticketing.request import Declined, DeclinedWhy
from ticketing.service_word import Teller, Word
from ticketing.tables import WorkOrderRow
from ticketing.tables_service import QuoteRow
from ticketing.terms import CostTerms
from ticketing.work_order import OPEN_STATUSES

QUOTE, PART = "quote", "part"
CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be booked or quoted: hours of labour, pieces of a part, or the call-out."""

    kind: CostKind
    quantity: Decimal = Decimal(1)
    part_id: str = ""


@dataclass(frozen=True, slots=True)
class Basis:
    """Who pays for an order, and by which standard."""

    terms: CostTerms
    payer: Payer


class CostDesk:
    """Costs, stock and quotes. `registry` gives the directory in force."""

    def __init__(self, book: ContractBook, registry: Callable[[], Registry], teller: Teller) -> None:
        self._book, self._registry, self._teller = book, registry, teller

    def basis(self, order: WorkOrderRow) -> Basis | Declined:
        """Who pays for an order, or why nobody can say."""
        revision = self._book.revision(order.contract_id, order.contract_revision)
        contract = next((one for one in self._book.contracts if one.id == order.contract_id), None)
        if revision is None or contract is None or revision.terms.costs is None:
            what = f"contract {order.contract_id!r} revision {order.contract_revision} has no cost standard"
            return Declined(what, "Add `costs` to the contract's revision.")
        terms, registry = revision.terms.costs, self._registry()
        asset = registry.assets.get(order.asset_id)
        if asset is None:
            kind = PayerKind.CUSTOMER if terms.chargeable else PayerKind.SUPPLIER
            return Basis(terms, Payer(kind, terms.clause, "It is about no asset of the register."))
        on = order.opened_at.astimezone(contract.zone).date()
        return Basis(terms, decide_payer(asset, facts_about(Subject.of_order(order), registry), on, terms))

    def book(
        self, session: Session, order: WorkOrderRow, wanted: Wanted, by: str, at: datetime, key: str | None = None
    ) -> CostLine | Declined:
        """Book a cost; a part leaves the stock in the same transaction. The same key again books nothing."""
        repository.find_order(session, order.id, lock=True)  # or two at once might pass the limit together
        if key is not None and cost_rows.is_booked(session, key):
            return cost_rows.lines_of(session, order.id)[-1]
        basis = self.basis(order)
        if isinstance(basis, Declined):
            return basis
        booked = cost_rows.lines_of(session, order.id)
        part = cost_rows.find_part(session, wanted.part_id, lock=True) if wanted.part_id else None
        line = self._line(basis, wanted, part, booked)
        if isinstance(line, Declined):
            return line
        approved = cost_rows.approved_amount(session, order.id)
        if refused := needs_approval(booked, line, basis.terms, approved):
            return refused
        if part is not None and line.part_id is not None:
            taken = int(line.quantity)
            if not cost_rows.move_stock(session, part.id, -taken):
                what = f"{taken} {part.unit} of {part.id!r} are not in stock: there are {part.stock}"
                return Declined(what, "Book what there is, or receive more first: POST /api/parts/ID/receive.")
            note = f"{taken} {part.unit} for WO-{order.number:06d}"
            service_rows.append(session, PART, part.id, at, "take", by, note)
            if part.stock - taken <= part.reorder_at < part.stock:
                self._short(session, part, part.stock - taken, at)
        cost_rows.add_line(session, order.id, line, at, by, key)
        return line

    def quote(
        self, session: Session, order: WorkOrderRow, wanted: Iterable[Wanted], by: str, at: datetime
    ) -> QuoteRow | Declined:
        """Send the customer a quote over what the whole work will cost her, with the cost standard. Locks the order:
        one that is over meanwhile gets none."""
        locked = repository.find_order(session, order.id, lock=True)
        if locked is None or locked.status not in OPEN_STATUSES:
            what = f"order {order.number} is {order.status}: nobody works on it any more"
            return Declined(what, "Reopen it, or quote on the order that the work is done on.")
        basis = self.basis(order)
        if isinstance(basis, Declined):
            return basis
        lines: list[CostLine] = []
        for one in wanted:
            part = cost_rows.find_part(session, one.part_id) if one.part_id else None
            line = self._line(basis, one, part, lines)
            if isinstance(line, Declined):
                return line
            lines.append(line)
        amount = total(lines, PayerKind.CUSTOMER)
        if not amount:
            return Declined(f"the customer pays nothing of this: {basis.payer.reason}", "No quote is needed.")
        english, chinese = cost_standard(basis.terms, basis.payer)
        row = QuoteRow(
            id=service_rows.new_id("qt"),
            order_id=order.id,
            status=cost_rows.SENT,
            amount_cents=cost_rows.cents(amount),
            currency=basis.terms.currency,
            lines=[_shown(line) for line in lines],
            standard="\n".join((*english, *chinese)),
            sent_at=at,
            sent_by=by,
        )
        service_rows.insert(session, row)
        service_rows.append(session, QUOTE, row.id, at, "send", by, f"{amount} {row.currency}")
        number = f"WO-{order.number:06d}"
        subject = f"{number}: please approve {amount} {row.currency}", f"{number}：请确认报价 {amount} {row.currency}"
        body = "\n".join(english), "\n".join(chinese)
        self._teller.tell(session, Word(f"{row.id}/send", QUOTE, at, subject, body, (CUSTOMER,), order_id=order.id))
        return row

    def decide(
        self, session: Session, row: QuoteRow, by: str, at: datetime, reason: str, *, approve: bool
    ) -> QuoteRow | Declined:
        """Approve or reject a quote, once; a rejection needs its reason. `row` should be locked."""
        return self.act(session, row, QuoteVerb.APPROVE if approve else QuoteVerb.REJECT, by, at, reason)

    def act(
        self,
        session: Session,
        row: QuoteRow,
        verb: QuoteVerb,
        by: str,
        at: datetime,
        reason: str = "",
        seen: int | None = None,
    ) -> QuoteRow | Declined:
        """Carry out what somebody does to a quote; `row` should be locked. `seen` is the version she saw."""
        status = decide_quote(QuoteStatus(row.status), row.version, verb, reason, row.decided_by, seen)
        if isinstance(status, Declined):
            return status
        values = {"status": status.value, "decided_at": at, "decided_by": by, "reason": reason}
        if not service_rows.advance(session, row, values):
            return Declined("another person was first", "Read the quote again.", DeclinedWhy.STALE)
        service_rows.append(session, QUOTE, row.id, at, status.value, by, reason)
        return row

    def receive(
        self, session: Session, part_id: str, quantity: int, by: str, at: datetime, note: str
    ) -> Part | Declined:
        """Put pieces into stock."""
        if quantity < 1 or not cost_rows.move_stock(session, part_id, quantity):
            return Declined(
                f"there is no part {part_id!r}, or {quantity} pieces are none", "GET /api/parts lists them."
            )
        service_rows.append(session, PART, part_id, at, "receive", by, f"{quantity}. {note}".strip())
        found = cost_rows.find_part(session, part_id)
        return found if found is not None else Declined(f"there is no part {part_id!r}", "GET /api/parts lists them.")

    def _line(self, basis: Basis, wanted: Wanted, part: Part | None, booked: list[CostLine]) -> CostLine | Declined:
        if wanted.part_id and part is None:
            return Declined(f"there is no part {wanted.part_id!r}", "GET /api/parts lists them.")
        return price_line(wanted.kind, wanted.quantity, basis.terms, basis.payer, part, booked)

    def _short(self, session: Session, part: Part, left: int, at: datetime) -> None:
        subject = (
            f"{part.name}: {left} {part.unit} left, order more",
            f"{part.name}：库存仅剩 {left} {part.unit}，请补货",
        )
        key = f"part/{part.id}/{at:%Y%m%d%H%M%S}"
        self._teller.tell(session, Word(key, PART, at, subject, (part.id, part.id), ("storekeeper",)))


def _shown(line: CostLine) -> dict[str, str]:
    return {
        "kind": line.kind.value,
        "what": line.what,
        "quantity": str(line.quantity),
        "unit_price": str(line.unit_price),
        "amount": str(line.amount),
        "payer": line.payer.value,
    }
