"""What an order's page says of money: the cost standard, and the quotes a customer approves before dear work.

The program implements the Protocol.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol

QuoteAct = Literal["approve", "reject", "withdraw"]
QuoteState = Literal["sent", "approved", "rejected", "withdrawn"]


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """One line: `kind` labour, part or call_out; `what` is the part's name; `payer` customer, supplier or installer."""

    kind: str
    what: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    payer: str


@dataclass(frozen=True, slots=True)
class QuoteCard:
    """A quote and what became of it. `amount` is what the customer would pay."""

    id: str
    state: QuoteState
    amount: Decimal
    lines: tuple[QuoteLine, ...]
    version: int
    sent_at: datetime
    sent_by: str
    decided_at: datetime | None = None
    decided_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CostSheet:
    """Who pays for the work on an order and why, by language, and its quotes, the newest first.

    `limit`: above it the customer has to approve a quote first; None where the contract has none. `booked` is what
    the customer pays of what was booked so far.
    """

    currency: str
    standard: tuple[str, ...]
    standard_zh: tuple[str, ...]
    limit: Decimal | None
    booked: Decimal
    quotes: tuple[QuoteCard, ...] = ()


@dataclass(frozen=True, slots=True)
class QuoteDecision:
    """What somebody does to a quote as she saw it at a `version`. `is_manager`: she may take back others' quotes."""

    act: QuoteAct
    by: str
    reason: str
    version: int
    is_manager: bool = False


class QuoteDesk(Protocol):
    """Costs of orders. Thread-safe."""

    def sheet(self, order_id: str) -> CostSheet | None:
        """The order's; None when there is no such order, or its contract says nothing of costs."""

    def decide(self, order_id: str, quote_id: str, decision: QuoteDecision) -> None:
        """Carry it out. Raises PlantroomError with the words to show: decided already, changed meanwhile, no reason."""


def acts_on(card: QuoteCard, acts: Sequence[QuoteAct], name: str, *, is_manager: bool) -> list[QuoteAct]:
    """What of `acts` this person may do to the quote now: only who made it, or a manager, takes it back."""
    if card.state != "sent":
        return []
    return [one for one in acts if one != "withdraw" or is_manager or card.sent_by == name]
