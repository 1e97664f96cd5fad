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
LineKind = Literal["labour", "part", "call_out"]


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
class PricedPart:
    """A part of the price list; `price` is that of one `unit`."""

    id: str
    name: str
    unit: str
    price: Decimal


@dataclass(frozen=True, slots=True)
class Prices:
    """What a quote can be made of. Labour is by the hour."""

    labour: Decimal
    call_out: Decimal
    parts: tuple[PricedPart, ...]


@dataclass(frozen=True, slots=True)
class CostSheet:
    """Who pays for the work on an order and why, by language, and its quotes, the newest first.

    `limit`: above it the customer has to approve a quote first; None where the contract has none. `booked` is what
    the customer pays of what was booked so far. `prices` are None where the customer pays nothing: no quote is needed.
    """

    currency: str
    standard: tuple[str, ...]
    standard_zh: tuple[str, ...]
    limit: Decimal | None
    booked: Decimal
    prices: Prices | None = None
    quotes: tuple[QuoteCard, ...] = ()


@dataclass(frozen=True, slots=True)
class QuoteDecision:
    """What somebody does to a quote as she saw it at a `version`. `is_manager`: she may take back others' quotes."""

    act: QuoteAct
    by: str
    reason: str
    version: int
    is_manager: bool = False


@dataclass(frozen=True, slots=True)
class WantedLine:
    """One line of a new quote: hours of labour, pieces of a part, or the call-out once."""

    kind: LineKind
    quantity: Decimal
    part_id: str = ""


@dataclass(frozen=True, slots=True)
class NewQuote:
    """A quote over the whole work, written by somebody who saw so many quotes on the order."""

    lines: tuple[WantedLine, ...]
    by: str
    seen: int


class QuoteDesk(Protocol):
    """Costs of orders. Thread-safe."""

    def sheet(self, order_id: str) -> CostSheet | None:
        """The order's; None when there is no such order, or its contract says nothing of costs."""

    def send(self, order_id: str, quote: NewQuote) -> None:
        """Send it to the customer. Raises PlantroomError with the words to show: another quote was sent meanwhile (or
        this one twice), an unknown part, a quantity that is none, the customer pays nothing."""

    def decide(self, order_id: str, quote_id: str, decision: QuoteDecision) -> None:
        """Carry it out. Raises PlantroomError with the words to show: decided already, changed meanwhile, no reason."""


def acts_on(card: QuoteCard, acts: Sequence[QuoteAct], name: str, *, is_manager: bool) -> list[QuoteAct]:
    """What of `acts` this person may do to the quote now: only who made it, or a manager, takes it back."""
    if card.state != "sent":
        return []
    return [one for one in acts if one != "withdraw" or is_manager or card.sent_by == name]
