"""What is done on the spot, as the order's page shows it: check list, costs, parts in stock, what telemetry says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class CheckView:
    """One item of a visit's check list and its newest answer (`value` None: nobody has answered it).

    `kind` is ticketing's word: check, number, choice, photo or signature. `fails` are the options that open a fault.
    """

    number: int
    text: str
    kind: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    options: Sequence[str] = ()
    fails: Sequence[str] = ()
    value: str | None = None
    passed: bool | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class StockedPart:
    """A part of the price list and how many are in stock."""

    id: str
    name: str
    unit: str
    stock: int


@dataclass(frozen=True, slots=True)
class BookedLine:
    """What was booked: `kind` is labour (hours), part (pieces) or call_out."""

    kind: str
    what: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo or signature (`kind`), under which id it is shown, who gave it and when."""

    id: str
    kind: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OrderWork:
    """All of it. `recovered_at` is when the last finding cleared, None while one is active; `watched` says whether the
    order has findings that data can clear at all. `can_book` is whether its contract has a cost standard."""

    checks: Sequence[CheckView] = ()
    statutory: bool = False
    lines: Sequence[BookedLine] = ()
    parts: Sequence[StockedPart] = ()
    pictures: Sequence[Picture] = ()
    can_book: bool = False
    watched: bool = False
    recovered_at: datetime | None = None

    @property
    def unanswered(self) -> int:
        """How many items nobody has answered."""
        return sum(one.value is None for one in self.checks)
