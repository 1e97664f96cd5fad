"""The desk: takes findings and sees to it that each cause has one order and each finding is in exactly one.

The same findings again change nothing, in whatever batches they come. The caller owns the transaction, and a batch
costs the same few statements whatever its size.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from facility.errors import RetryableError
from facility.finding import Finding, FindingState, Severity
from facility.registry import Registry
from ticketing import repository
from ticketing.contract_book import ContractBook
from ticketing.order_terms import order_terms
from ticketing.placement import JOIN, RECOVER, DoneOrder, Plan, Planner, Standing
from ticketing.tables import WorkOrderRow
from ticketing.work_order import Status, Verb

TRIES = 20


class DeskBusyError(RetryableError):
    """Other processes kept taking the same causes or numbers; the whole transaction may be tried again."""


@dataclass(frozen=True, slots=True)
class Received:
    """What a batch of findings led to: the ids of orders opened, joined by a finding, told of a recovery, reopened."""

    opened: tuple[str, ...]
    joined: tuple[str, ...]
    recovered: tuple[str, ...]
    reopened: tuple[str, ...] = ()


class Desk:
    """Opens and joins orders. `registry` gives the directory in force, so that a site edit needs no new desk."""

    def __init__(self, book: ContractBook, registry: Callable[[], Registry]) -> None:
        self._book, self._registry = book, registry

    def receive(
        self, session: Session, findings: Sequence[Finding], *, planned: Mapping[str, datetime] | None = None
    ) -> Received:
        """Write findings as they stand, open or join orders, note recoveries. Pending findings are nobody's business.

        `planned` maps a finding that is a visit of the preventive plan to the end of its day, by which it is due.
        Safe beside other processes: whoever writes a finding first holds it until its transaction ends. Raises
        DeskBusyError when others open orders faster than this one can.
        """
        known = [finding for finding in findings if finding.state is not FindingState.PENDING]
        if not known:
            return Received((), (), ())
        repository.save_findings(session, [finding for finding in known if finding.state is FindingState.ACTIVE])
        cleared = [finding for finding in known if finding.state is FindingState.CLEARED]
        recovered = repository.lock_active(session, {finding.id for finding in cleared})
        repository.save_findings(session, cleared)
        members = repository.member_orders(session, {finding.id for finding in known})
        for _ in range(TRIES):
            plan = self._plan(session, known, members, recovered, planned or {})
            if repository.insert_orders(session, plan.orders) and repository.reopen_orders(session, plan.reopened):
                repository.add_members(session, plan.members)
                repository.append_lines(session, plan.lines)
                return _received(plan)
        msg = f"no orders could be opened in {TRIES} tries; other processes were first each time"
        raise DeskBusyError(msg)

    def _plan(
        self,
        session: Session,
        findings: Sequence[Finding],
        members: dict[str, str],
        recovered: frozenset[str],
        planned: Mapping[str, datetime],
    ) -> Plan:
        placed = [finding for finding in findings if finding.opens_order and finding.id not in members]
        orders = repository.lock_open_orders(session, {finding.cause_key for finding in placed})
        told = {members[finding_id] for finding_id in recovered if finding_id in members}
        orders |= repository.standings(session, told - orders.keys())
        untold = set(recovered)
        done = self._done(session, {finding.cause_key for finding in placed}) if placed else {}
        others = {one.standing.cause_key for one in done.values()} - done.keys()
        orders |= repository.lock_open_orders(session, others) if others else {}
        number = repository.next_number(session)
        planner = Planner(self._book, self._registry(), orders, members, number, done, planned)
        for finding in findings:
            if finding.opens_order:
                planner.place(finding)
            elif finding.state is FindingState.CLEARED and finding.id in untold:
                planner.recover(finding)
                untold.remove(finding.id)
        return planner.plan

    def _done(self, session: Session, causes: set[str]) -> dict[str, DoneOrder]:
        """The last done order of each cause; asked for only where a contract has a term for repeats."""
        if not self._book.longest_repeat_window:
            return {}
        rows = repository.lock_done_orders(session, causes)
        histories = repository.histories(session, [row.id for row in rows.values()])
        return {
            cause: DoneOrder(
                standing=_standing(row),
                number=row.number,
                level=order_terms(self._book, row, [repository.as_change(line) for line in histories[row.id]]),
                opened_at=row.opened_at,
                completed_at=row.completed_at,
                closed_at=row.closed_at,
                repeats=row.repeats,
                history=tuple(repository.as_change(line) for line in histories[row.id]),
            )
            for cause, row in rows.items()
            if row.completed_at is not None
        }


def _standing(row: WorkOrderRow) -> Standing:
    return Standing(row.id, row.cause_key, Status(row.status), row.version, Severity(row.severity))


def _received(plan: Plan) -> Received:
    def of(verb: str) -> tuple[str, ...]:
        return tuple(line.order_id for line in plan.lines if line.change.verb == verb)

    return Received(tuple(order.id for order in plan.orders), of(JOIN), of(RECOVER), of(Verb.REOPEN))
