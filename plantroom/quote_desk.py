"""Quotes as an order's page shows and decides them (the Protocol is the pages' own)."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import cast

from dashboards.web.quote_view import (
    CostSheet,
    NewQuote,
    PricedPart,
    Prices,
    QuoteCard,
    QuoteDecision,
    QuoteLine,
    QuoteState,
)
from facility.clock import Clock
from facility.errors import PermanentError
from ticketing import cost_rows, repository
from ticketing.api import Sessions
from ticketing.cost import CostKind, Part, cost_standard, total
from ticketing.cost_desk import Basis, CostDesk, Wanted
from ticketing.payer import PayerKind
from ticketing.quote import QuoteVerb
from ticketing.request import Declined
from ticketing.tables_service import QuoteRow
from ticketing.terms import CostTerms


class Quotes:
    """Implements the pages' `QuoteDesk` over the tables. `touch` says that an order has changed."""

    def __init__(self, sessions: Sessions, costs: CostDesk, clock: Clock, touch: Callable[[], None]) -> None:
        self._sessions, self._costs, self._clock, self._touch = sessions, costs, clock, touch

    def sheet(self, order_id: str) -> CostSheet | None:
        """By the contract revision pinned on the order."""
        with self._sessions.reading() as session:
            row = repository.find_order(session, order_id)
            basis = self._costs.basis(row) if row is not None else None
            if row is None or not isinstance(basis, Basis):
                return None
            booked = cost_rows.lines_of(session, row.id)
            quotes = [_card(one) for one in cost_rows.quotes_of(session, row.id)]
            pays = basis.payer.kind is PayerKind.CUSTOMER
            prices = _prices(basis.terms, cost_rows.list_parts(session)) if pays else None
        english, chinese = cost_standard(basis.terms, basis.payer)
        return CostSheet(
            currency=basis.terms.currency,
            standard=tuple(english),
            standard_zh=tuple(chinese),
            limit=basis.terms.quote_above if pays else None,
            booked=total(booked, PayerKind.CUSTOMER),
            prices=prices,
            quotes=tuple(reversed(quotes)),
        )

    def send(self, order_id: str, quote: NewQuote) -> None:
        """In one transaction, with the order locked: a form sent twice makes one quote. Raises PermanentError."""
        with self._sessions.writing() as session:
            row = repository.find_order(session, order_id, lock=True)
            if row is None:
                msg = f"there is no work order {order_id!r}"
                raise PermanentError(msg)
            if newer := cost_rows.quotes_of(session, row.id)[quote.seen :]:
                msg = f"{newer[0].sent_by} has sent a quote meanwhile. Read it; send yours if it is still needed."
                raise PermanentError(msg)
            wanted = [Wanted(CostKind(one.kind), one.quantity, one.part_id) for one in quote.lines]
            done = self._costs.quote(session, row, wanted, quote.by, self._clock.now())
            if isinstance(done, Declined):
                msg = f"{done.what}. {done.hint}"
                raise PermanentError(msg)
        self._touch()

    def decide(self, order_id: str, quote_id: str, decision: QuoteDecision) -> None:
        """In one transaction, with the quote locked. Raises PermanentError."""
        with self._sessions.writing() as session:
            row = cost_rows.find_quote(session, quote_id, lock=True)
            if row is None or row.order_id != order_id:
                msg = f"there is no quote {quote_id!r}"
                raise PermanentError(msg)
            if decision.act == "withdraw" and not decision.is_manager and row.sent_by != decision.by:
                msg = f"only {row.sent_by} or a manager can take this quote back"
                raise PermanentError(msg)
            now, reason = self._clock.now(), decision.reason.strip()
            verb = QuoteVerb(decision.act)
            done = self._costs.act(session, row, verb, decision.by, now, reason, decision.version)
            if isinstance(done, Declined):
                msg = f"{done.what}. {done.hint}"
                raise PermanentError(msg)
        self._touch()


def _prices(terms: CostTerms, parts: Sequence[Part]) -> Prices:
    """Of parts those that are priced in the contract's currency."""
    listed = (PricedPart(one.id, one.name, one.unit, one.price) for one in parts if one.currency == terms.currency)
    return Prices(terms.labour_per_hour, terms.call_out, tuple(listed))


def _card(row: QuoteRow) -> QuoteCard:
    return QuoteCard(
        id=row.id,
        state=cast("QuoteState", row.status),
        amount=Decimal(row.amount_cents) / 100,
        lines=tuple(
            QuoteLine(
                one["kind"],
                one["what"],
                Decimal(one["quantity"]),
                Decimal(one["unit_price"]),
                Decimal(one["amount"]),
                one["payer"],
            )
            for one in row.lines
        ),
        version=row.version,
        sent_at=row.sent_at,
        sent_by=row.sent_by,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        reason=row.reason,
    )
