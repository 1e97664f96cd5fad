"""What a deadline says now: time left, over, met, missed or paused. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from dashboards.web.order_view import DeadlineView, OrderView

SOON = timedelta(minutes=30)


class CountdownState(StrEnum):
    """RUNNING and SOON (under half an hour) have time left; OVER is a breach that goes on; the rest stand still."""

    RUNNING = "left"
    SOON = "soon"
    OVER = "over"
    PAUSED = "paused"
    MET = "met"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Countdown:
    """One deadline as it stands at an instant; `span` is never negative."""

    deadline: DeadlineView
    state: CountdownState
    span: timedelta

    @property
    def is_running(self) -> bool:
        """Whether the figure changes with time."""
        return self.state in (CountdownState.RUNNING, CountdownState.SOON, CountdownState.OVER)


def count_down(deadline: DeadlineView, now: datetime) -> Countdown:
    """How the deadline stands at `now`. A breach is after the deadline, not at it."""
    if deadline.stopped_at is not None:
        margin = deadline.due_at - deadline.stopped_at
        return Countdown(deadline, CountdownState.MISSED if margin < timedelta(0) else CountdownState.MET, abs(margin))
    if deadline.paused is not None:
        left = deadline.left if deadline.left is not None else deadline.due_at - now
        return Countdown(deadline, CountdownState.PAUSED, max(left, timedelta(0)))
    margin = deadline.due_at - now
    if margin < timedelta(0):
        return Countdown(deadline, CountdownState.OVER, -margin)
    return Countdown(deadline, CountdownState.SOON if margin < SOON else CountdownState.RUNNING, margin)


def next_due(order: OrderView) -> datetime | None:
    """The first deadline of an order whose clock still runs; None when all stand still."""
    if not order.is_open:
        return None
    return min(
        (each.due_at for each in order.deadlines if each.stopped_at is None and each.paused is None), default=None
    )


def is_breached(order: OrderView, now: datetime) -> bool:
    """Whether a running deadline of an open order has passed."""
    due = next_due(order)
    return due is not None and now > due


def by_time_left(orders: Iterable[OrderView]) -> list[OrderView]:
    """Open orders with the least time left first, then those whose clocks stand still, then the closed ones."""

    def key(order: OrderView) -> tuple[int, float, int, str]:
        due = next_due(order)
        if due is not None:
            return (0, due.timestamp(), order.priority, order.number)
        return (1 if order.is_open else 2, -order.opened_at.timestamp(), order.priority, order.number)

    return sorted(orders, key=key)
