"""What a service company would have done with the orders of a backtest, as far as the history can tell.

Nobody works on a history. Left alone, its first order of a cause would stay open for ever and take in every later
finding. Attended, somebody arrives by the response deadline, and the order is completed and closed once the readings
have shown all of its findings cleared for a while.
"""

import heapq
from collections.abc import Sequence
from datetime import timedelta

from sqlmodel import Session

from facility.finding import Finding, FindingState
from facility.instant import format_duration, from_us, to_us
from ticketing import repository
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.tables import WorkOrderRow
from ticketing.transition import Act, carry_out
from ticketing.work_order import Refused, Status, Verb, Words

BY = "backtest"
_ARRIVAL = (Verb.ACKNOWLEDGE, Verb.ARRIVE)
_CLOSING = (Verb.COMPLETE, Verb.ACCEPT, Verb.CLOSE)


class Attendance:
    """A desk whose orders are worked on. Give it the findings in order of event time, as the engine does.

    `recovered_for` is how long all findings of an order must have been cleared before it is closed.
    """

    def __init__(self, desk: Desk, book: ContractBook, recovered_for: timedelta) -> None:
        self._desk, self._book, self._for = desk, book, recovered_for
        self._agenda: list[tuple[int, str]] = []
        self._active: dict[str, set[str]] = {}
        self._recovered_us: dict[str, int] = {}

    def receive(self, session: Session, findings: Sequence[Finding]) -> None:
        """Hand each finding to the desk when its instant has come, and work on the orders in between."""
        for finding in findings:
            at_us = finding.raised_us if finding.state is FindingState.ACTIVE else finding.cleared_us
            self.work(session, at_us or 0)
            received = self._desk.receive(session, [finding])
            for order_id in (*received.opened, *received.reopened):
                self._remind(_order(session, order_id))
            self._note(finding, repository.member_orders(session, [finding.id]).get(finding.id))

    def work(self, session: Session, now_us: int) -> None:
        """Do everything that was to be done up to `now_us`."""
        while self._agenda and self._agenda[0][0] <= now_us:
            at_us, order_id = heapq.heappop(self._agenda)
            row = _order(session, order_id)
            closing_us = self._closing_us(order_id)
            if closing_us is not None and closing_us <= at_us:
                self._do(session, row, closing_us, _CLOSING if row.status == Status.ARRIVED else _ARRIVAL + _CLOSING)
                self._active.pop(order_id, None)
            elif row.status == Status.OPEN and row.response_due_at is not None and to_us(row.response_due_at) <= at_us:
                self._do(session, row, to_us(row.response_due_at), _ARRIVAL)

    def _note(self, finding: Finding, order_id: str | None) -> None:
        if order_id is None:
            return
        active = self._active.setdefault(order_id, set())
        if finding.state is FindingState.ACTIVE:
            active.add(finding.id)
        elif finding.cleared_us is not None:
            active.discard(finding.id)
            self._recovered_us[order_id] = max(finding.cleared_us, self._recovered_us.get(order_id, 0))
            closing_us = self._closing_us(order_id)
            if closing_us is not None:
                heapq.heappush(self._agenda, (closing_us, order_id))

    def _closing_us(self, order_id: str) -> int | None:
        """When the order is closed if nothing comes back; None while something is still active, or when it is."""
        if self._active.get(order_id) != set():
            return None
        return self._recovered_us[order_id] + self._for // timedelta(microseconds=1)

    def _remind(self, row: WorkOrderRow) -> None:
        if row.response_due_at is not None:
            heapq.heappush(self._agenda, (to_us(row.response_due_at), row.id))

    def _do(self, session: Session, row: WorkOrderRow, at_us: int, verbs: Sequence[Verb]) -> None:
        for verb in verbs:
            words = Words()
            if verb is Verb.COMPLETE:
                recovered = f"The readings had recovered for {format_duration(self._for)}."
                words = Words(recovered, override="nobody answers a check list in a backtest")
            done = carry_out(session, self._book, row, Act(verb, BY, from_us(at_us), words))
            if isinstance(done, Refused):
                msg = f"order {row.id} was to be worked on in the backtest, but {done.what}"
                raise RuntimeError(msg)


def _order(session: Session, order_id: str) -> WorkOrderRow:
    row = repository.find_order(session, order_id)
    if row is None:
        msg = f"the desk told of order {order_id}, but there is none"
        raise RuntimeError(msg)
    return row
