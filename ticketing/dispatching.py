"""Carries out a dispatch: chooses, writes who goes and why on the order, and gives others what now comes too late."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from facility.registry import Registry
from ticketing import repository
from ticketing.contract_book import ContractBook
from ticketing.dispatch import Choice, Move, decide_dispatch, decide_moves, loads_of
from ticketing.dispatch_rows import assigned_tasks, task_of, undispatched
from ticketing.roster import Roster
from ticketing.said import Said
from ticketing.tables import WorkOrderRow
from ticketing.transition import Act, carry_out
from ticketing.work_order import Refusal, Refused, Status, Verb, Words, allowed_verbs

BY = "dispatch"
NOTE = 3_900
"""Characters of a note at most."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Who was sent and why, and what was given to others because of it."""

    choice: Choice
    moves: tuple[Move, ...]


def choose(
    session: Session, row: WorkOrderRow, roster: Roster, registry: Registry, now: datetime
) -> tuple[Choice, list[Move]]:
    """Who would be sent to the order now, and what others would take over; nothing is changed."""
    tasks = [task for task in assigned_tasks(session, registry) if task.order_id != row.id]
    loads = loads_of(tasks, roster, now)
    choice = decide_dispatch(task_of(row, registry), roster, loads, now)
    return choice, decide_moves(choice, roster, loads, now)


def send_waiting(
    session: Session, book: ContractBook, roster: Roster, registry: Registry, now: datetime, limit: int = 50
) -> list[Sent]:
    """Send somebody to every open order that is with nobody and whose severity is dispatched at once; whom. An order
    for which nobody can go is tried again the next time."""
    sent = []
    for order_id in undispatched(session, frozenset(one.value for one in roster.auto), limit):
        row = repository.find_order(session, order_id, lock=True)
        if row is not None and row.assignee is None and row.status == Status.OPEN:
            done = send_somebody(session, book, row, roster, registry, now)
            if not isinstance(done, Refused):
                sent.append(done)
    return sent


def send_somebody(
    session: Session, book: ContractBook, row: WorkOrderRow, roster: Roster, registry: Registry, now: datetime
) -> Sent | Refused:
    """Send the best one to an order (held by `find_order(lock=True)`), or say why nobody can go."""
    choice, moves = choose(session, row, roster, registry, now)
    best = choice.chosen
    if best is None:
        hint = "Name somebody yourself (dispatch, `to`), or change the roster."
        return Refused(Refusal.NO_REASON, choice.explanation.en, hint, allowed_verbs(Status(row.status)))
    verb = Verb.DISPATCH if row.status == Status.OPEN else Verb.REASSIGN
    done = carry_out(session, book, row, Act(verb, BY, now, Words(said=_short(choice.explanation), to=best.person.id)))
    if isinstance(done, Refused):
        return done
    made = []
    for move in moves:
        other = repository.find_order(session, move.task.order_id, lock=True)
        if other is not None:
            act = Act(Verb.REASSIGN, BY, now, Words(said=_short(move.reason), to=move.to))
            if not isinstance(carry_out(session, book, other, act), Refused):
                made.append(move)
    return Sent(choice, tuple(made))


def _short(said: Said) -> Said:
    return Said(said.en[:NOTE], said.zh[:NOTE])
