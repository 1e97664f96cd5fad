"""What an open order costs if its next deadline passes, or has cost by now when it has passed. Pure.

Before any cap: the cap of a period is filled by all of its breaches together, and that is not for one order to say.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ticketing.level import LevelFacts
from ticketing.order_clock import OrderClock
from ticketing.penalty import Breach, Penalty, decide_penalties, find_breaches
from ticketing.terms import PenaltyTerms

_INSTANT = timedelta(microseconds=1)


class Subject(NamedTuple):
    """The order: its id, its number for people, and its level."""

    order_id: str
    number: str
    level_id: str


def at_stake(
    subject: Subject, clocks: Mapping[str, OrderClock], facts: LevelFacts, terms: PenaltyTerms, zone: ZoneInfo
) -> list[Penalty]:
    """The penalties of the running clocks that are past; with none past, of the clock that runs out next."""
    running = {name: clock for name, clock in clocks.items() if clock.stopped_at is None}
    breaches = find_breaches(*subject, running, facts)
    if not breaches and running:
        name, clock = min(running.items(), key=lambda item: item[1].deadline.due_at)
        due_at = clock.deadline.due_at
        breaches = [Breach(*subject, name, clock.deadline.clause, due_at, due_at + _INSTANT, _INSTANT, waived=False,
                           facts=facts)]  # fmt: skip
    return decide_penalties(breaches, replace(terms, cap_amount=None, cap_percent=None), zone)
