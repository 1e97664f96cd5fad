"""A work order as the pages show it: the view the program fills from ticketing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboards.web.order_work import OrderWork
from facility.finding import Evidence, OrderKind, Severity


@dataclass(frozen=True, slots=True)
class DeadlineView:
    """One clock of an order: `response` or `resolution` (others are shown under their own name).

    `stopped_at` is when the stopping verb came; `paused` the reason the clock stands still, with `left` of open
    time remaining. `due_at` is never missing: while paused it is the deadline if work resumed now.
    """

    name: str
    due_at: datetime
    limit: str = ""
    stopped_at: datetime | None = None
    paused: str | None = None
    left: timedelta | None = None

    def __post_init__(self) -> None:
        if self.due_at.tzinfo is None:
            msg = f"due_at of {self.name} is {self.due_at!r}; expected an aware UTC instant"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class OrderEventView:
    """One line of the append-only history. `note_zh` is the note in Chinese where the program has a part in it."""

    at: datetime
    verb: str
    by: str
    note: str = ""
    proof: str = ""
    note_zh: str = ""


@dataclass(frozen=True, slots=True)
class OrderView:
    """A work order. `verbs` are those its state allows now, in the order a person would use them.

    `status` is ticketing's word (open, acknowledged, arrived, completed, accepted, closed, cancelled);
    `is_default_level` marks an order no level of the contract matched; `members` are its findings' ids;
    `work` is what is done on the spot, which lists leave out; `level_reason` says why the contract has it at this
    level, in Chinese where that is known.
    """

    id: str
    number: str
    kind: OrderKind
    status: str
    is_open: bool
    priority: int
    severity: Severity
    asset_id: str
    rule_id: str
    title: str
    opened_at: datetime
    deadlines: Sequence[DeadlineView]
    members: Sequence[str] = ()
    advice: str = ""
    diagnoses: Sequence[str] = ()
    checklist: Sequence[str] = ()
    evidence: Sequence[Evidence] = ()
    acknowledged_at: datetime | None = None
    arrived_at: datetime | None = None
    completed_at: datetime | None = None
    closed_at: datetime | None = None
    contract_id: str = ""
    contract_revision: int | None = None
    service_level: str = ""
    clause: str = ""
    is_default_level: bool = False
    history: Sequence[OrderEventView] = ()
    verbs: Sequence[str] = ()
    assignee: str = ""
    work: OrderWork | None = None
    level_reason: str = ""
    level_reason_zh: str = ""

    def deadline(self, name: str) -> DeadlineView | None:
        """The deadline of this name; None when the level has none."""
        return next((deadline for deadline in self.deadlines if deadline.name == name), None)


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders a list is about; empty and None are any. `assignee` empty is nobody's."""

    kind: str = ""
    severity: str = ""
    assignee: str | None = None
    buildings: frozenset[str] | None = None


EVERY = OrderFilter()


@dataclass(frozen=True, slots=True)
class OrderCount:
    """The open orders of one building: how many, of which past their deadline, and the next deadline."""

    orders: int = 0
    breached: int = 0
    next_due_at: datetime | None = None
