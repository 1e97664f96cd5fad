"""Looks at orders whose instant has come, and puts what is to be told of them into the outbox.

One transaction reads an order, writes its notices, and stores when it has to be looked at next: nothing is told twice
and nothing is forgotten, whenever the program stops. The caller owns the transaction.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from ticketing import repository
from ticketing.contract_book import ContractBook
from ticketing.escalation import EscalationDue, EscalationState, decide_escalations
from ticketing.history_rows import StoredLine
from ticketing.notice import ActLink, Notice, notices_of_escalation, notices_of_line
from ticketing.notice_text import OrderFacts, write_digest
from ticketing.order_clock import OrderClock, decide_clocks
from ticketing.order_rows import orders_by_id
from ticketing.order_terms import order_terms
from ticketing.outbox_rows import digested, drop_escalations, due_digests, put
from ticketing.roster import Roster
from ticketing.tables import WorkOrderRow
from ticketing.tables_outbox import WatchRow
from ticketing.views import format_number
from ticketing.watch_rows import lock_due, looked

AT_ONCE = 50
PAUSED_STEP = timedelta(minutes=1)
"""How soon an order is looked at again whose clock is paused: its instants move on with the time."""


@dataclass(frozen=True, slots=True)
class Instants:
    """The program's clock and the wall clock at one moment, both aware UTC."""

    now: datetime
    wall: datetime


Titles = Callable[[WorkOrderRow], str]
"""What an order is about in Chinese; empty when nobody knows."""


def look(
    session: Session,
    book: ContractBook,
    roster: Roster,
    instants: Instants,
    link: ActLink,
    chinese: Titles = lambda _: "",
) -> int:
    """Look at up to 50 orders that are due; how many there were."""
    watched = lock_due(session, instants.now, AT_ONCE)
    if not watched:
        return 0
    ids = [row.work_order_id for row in watched]
    orders, histories = orders_by_id(session, ids), repository.histories(session, ids)
    notices: list[Notice] = []
    done = []
    for row in watched:
        order, lines = orders[row.work_order_id], histories[row.work_order_id]
        facts = facts_of_order(order, chinese(order))
        told, look_at = _look_at(session, book, roster, instants, link, row, order, facts, lines)
        notices += told
        done.append((row.work_order_id, look_at, max(line.id for line in lines)))
    put(session, notices, instants.now, instants.wall)
    looked(session, done)
    return len(watched)


def send_digests(session: Session, roster: Roster, instants: Instants) -> int:
    """Put one message for each person whose digest is due into the outbox, in place of the many; how many."""
    found = due_digests(session, instants.now)
    for person_id, rows in found.items():
        person = roster.people.get(person_id)
        language = person.language if person is not None else rows[0].language
        channels = tuple(one.name for one in person.channels) if person is not None else ()
        subject, body = write_digest([(row.subject, row.body) for row in rows], language)
        key = f"digest/{person_id}/{rows[0].key}"
        error = "" if channels else f"the roster knows no channel of {person_id!r}"
        notice = Notice(key, "digest", "digest", "", person_id, channels, language, subject, body, instants.now,
                        error=error)  # fmt: skip
        put(session, [notice], instants.now, instants.wall)
        digested(session, [row.key for row in rows], key, instants.wall)
    return len(found)


def escalations_of(
    book: ContractBook, row: WorkOrderRow, lines: Iterable[StoredLine], now: datetime
) -> tuple[list[EscalationDue], dict[str, OrderClock]]:
    """Every escalation of an order as of now, and its clocks; none when its contract is not loaded."""
    history = [repository.as_change(line) for line in lines]
    level = order_terms(book, row, history)
    revision = book.revision(row.contract_id, row.contract_revision)
    if level is None or revision is None:
        return [], {}
    clocks = decide_clocks(level, row.opened_at, history, now).every()
    return decide_escalations(row.service_level, clocks, revision.terms.escalations, now), clocks


def _look_at(
    session: Session,
    book: ContractBook,
    roster: Roster,
    instants: Instants,
    link: ActLink,
    watched: WatchRow,
    row: WorkOrderRow,
    facts: OrderFacts,
    lines: Iterable[StoredLine],
) -> tuple[list[Notice], datetime | None]:
    now = instants.now
    notices: list[Notice] = []
    for line in lines:
        if line.id > watched.told_event_id:
            notices += notices_of_line(facts, line.id, repository.as_change(line), roster, now, link)
    due, clocks = escalations_of(book, row, lines, now)
    for one in due:
        if one.state is EscalationState.DUE and clocks[one.escalation.clock].stopped_at is None:
            notices += notices_of_escalation(facts, one, roster, now, link)
    drop_escalations(session, row.id, [name for name, one in clocks.items() if one.stopped_at], instants.wall)
    ahead = [
        max(one.at, now + PAUSED_STEP) if clocks[one.escalation.clock].deadline.paused_by is not None else one.at
        for one in due
        if one.state is EscalationState.UPCOMING and clocks[one.escalation.clock].stopped_at is None
    ]
    return notices, min(ahead, default=None)


def facts_of_order(row: WorkOrderRow, title_zh: str = "") -> OrderFacts:
    """The order as notices tell of it."""
    return OrderFacts(
        id=row.id,
        number=format_number(row.number),
        title=row.title,
        asset_id=row.asset_id,
        building_id=row.building_id,
        kind=row.kind,
        severity=row.severity,
        priority=row.priority,
        status=row.status,
        assignee=row.assignee or "",
        level=row.service_level,
        due_at=row.next_due_at,
        title_zh=title_zh,
    )
