"""Quotes as an order's page shows and decides them (the Protocol is the pages' own)."""

from collections.abc import Callable
from decimal import Decimal
from typing import cast

from dashboards.web.quote_view import CostSheet, QuoteCard, QuoteDecision, QuoteLine, QuoteState
from facility.clock import Clock
from facility.errors import PermanentError
from facility.registry import Registry
from ticketing import cost_rows, repository
from ticketing.api import Sessions
from ticketing.contract_book import ContractBook
from ticketing.cost import cost_standard, total
from ticketing.cost_desk import Basis, CostDesk
from ticketing.payer import PayerKind
from ticketing.quote import QuoteVerb
from ticketing.request import Declined
from ticketing.service_word import Silent
from ticketing.tables_service import QuoteRow


class Quotes:
    """Implements the pages' `QuoteDesk` over the tables. `touch` says that an order has changed."""

    def __init__(
        self,
        sessions: Sessions,
        book: ContractBook,
        registry: Callable[[], Registry],
        clock: Clock,
        touch: Callable[[], None],
    ) -> None:
        self._sessions, self._clock, self._touch = sessions, clock, touch
        self._costs = CostDesk(book, registry, Silent())  # a decision tells nobody; its sender sees it on the order

    def sheet(self, order_id: str) -> CostSheet | None:
        """By the contract revision pinned on the order."""
        with self._sessions.reading() as session:
            row = repository.find_order(session, order_id)
            basis = self._costs.basis(row) if row is not None else None
            if row is None or not isinstance(basis, Basis):
                return None
            booked = cost_rows.lines_of(session, row.id)
            quotes = [_card(one) for one in cost_rows.quotes_of(session, row.id)]
        english, chinese = cost_standard(basis.terms, basis.payer)
        return CostSheet(
            currency=basis.terms.currency,
            standard=tuple(english),
            standard_zh=tuple(chinese),
            limit=basis.terms.quote_above if basis.payer.kind is PayerKind.CUSTOMER else None,
            booked=total(booked, PayerKind.CUSTOMER),
            quotes=tuple(reversed(quotes)),
        )

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
