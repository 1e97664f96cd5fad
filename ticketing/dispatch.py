"""Who is to go to an order, and why: skill, certificate, zone, shift, way, load and the order's deadline. Pure.

What has a higher priority goes before what somebody is doing now: for an entrapment the nearest who may do it is sent,
and what she had to do is given to others where they are in time.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from facility.instant import format_duration, to_us
from ticketing.limit_zh import duration_zh
from ticketing.roster import Person, Roster
from ticketing.said import NOTHING, Said, together
from ticketing.work_order import Status


@dataclass(frozen=True, slots=True)
class Task:
    """An order that is worked on or waits, as dispatch asks about it. `due_at` is its next deadline (aware UTC)."""

    order_id: str
    number: str
    equipment_class: str
    building_id: str
    priority: int
    due_at: datetime | None
    assignee: str = ""
    status: Status = Status.OPEN


@dataclass(frozen=True, slots=True)
class Candidate:
    """One person for one task: when she is there at the earliest, behind how many orders, and why.

    `against` says why she cannot go; then the rest means nothing. `interrupts` are the orders that wait for this one.
    """

    person: Person
    there_at: datetime
    ahead: int
    reasons: tuple[Said, ...]
    interrupts: tuple[Task, ...] = ()
    against: Said | None = None

    @property
    def explanation(self) -> Said:
        """In words."""
        who = self.person.id
        if self.against is not None:
            return Said(f"{who}: {self.against.en}", f"{who}：{self.against.zh}")
        numbers = ", ".join(task.number for task in self.interrupts)
        waits = Said(f"; {numbers} waits", f"；{numbers} 顺延") if numbers else NOTHING
        en, zh = ", ".join(one.en for one in self.reasons), "，".join(one.zh for one in self.reasons)
        return Said(f"{who}: {en}{waits.en}", f"{who}：{zh}{waits.zh}")


@dataclass(frozen=True, slots=True)
class Choice:
    """Everybody who was thought of, the best first, those who cannot go last. `chosen` is None when nobody can."""

    task: Task
    candidates: tuple[Candidate, ...]

    @property
    def chosen(self) -> Candidate | None:
        """The best one who can go."""
        return next((one for one in self.candidates if not one.against), None)

    @property
    def explanation(self) -> Said:
        """Why this one, in one line of history."""
        best = self.chosen
        others = [one.explanation for one in self.candidates if one is not best]
        en, zh = "; ".join(one.en for one in others), "；".join(one.zh for one in others)
        if best is None:
            return Said(f"Nobody can go: {en}", f"无人可派：{zh}")
        why = Said(f"{best.explanation.en}.", f"{best.explanation.zh}。")
        return together(why, Said(f"Others: {en}.", f"其他人：{zh}。")) if others else why


@dataclass(frozen=True, slots=True)
class Move:
    """An order that goes from one person to another because of a more urgent one."""

    task: Task
    to: str
    reason: Said


@dataclass(slots=True)
class Loads:
    """What everybody has to do now, by person id, the most urgent first."""

    tasks: Mapping[str, Sequence[Task]] = field(default_factory=dict)

    def of(self, person_id: str) -> Sequence[Task]:
        """The tasks of a person."""
        return self.tasks.get(person_id, ())


def loads_of(tasks: Iterable[Task], roster: Roster, now: datetime) -> Loads:
    """The tasks by whom they are with; an assignee the roster does not know counts for nobody."""
    found: dict[str, list[Task]] = {}
    for task in tasks:
        if task.assignee:
            for person in roster.resolve(task.assignee, now)[:1]:
                found.setdefault(person.id, []).append(task)
    return Loads({person: sorted(mine, key=_urgency) for person, mine in found.items()})


def decide_dispatch(task: Task, roster: Roster, loads: Loads, now: datetime) -> Choice:
    """Everybody who does this kind of work, judged for the task: who is there first, of those who may go.

    Of people who are there at the same time the one with the least to do goes; then by id, so that it is one choice.
    """
    workers = [person for person in roster.people.values() if person.skills or "technician" in person.roles]
    judged = [_judge(task, person, roster, loads.of(person.id), now) for person in workers]
    judged.sort(key=lambda one: (one.against is not None, one.there_at, len(loads.of(one.person.id)), one.person.id))
    return Choice(task, tuple(judged))


def decide_moves(choice: Choice, roster: Roster, loads: Loads, now: datetime) -> list[Move]:
    """What to give to others because the chosen one now goes to a more urgent order: each order of hers that would
    come too late, and for which somebody else is in time."""
    best = choice.chosen
    if best is None or not best.interrupts:
        return []
    without = Loads({person: mine for person, mine in loads.tasks.items() if person != best.person.id})
    rest = replace(roster, people={key: one for key, one in roster.people.items() if key != best.person.id})
    back_at = best.there_at + roster.visit_time
    moves = []
    for index, task in enumerate(best.interrupts):
        there_at = (
            back_at + index * roster.visit_time + roster.travel_between(choice.task.building_id, task.building_id)
        )
        if task.due_at is None or there_at <= task.due_at or task.status is Status.ARRIVED:
            continue
        other = decide_dispatch(task, rest, without, now).chosen
        if other is not None and other.there_at <= task.due_at:
            who, first = best.person.id, choice.task.number
            why = Said(
                f"{who} goes to {first} first and would come too late; {other.explanation.en}",
                f"{who} 先去 {first}，会来不及；{other.explanation.zh}",
            )
            moves.append(Move(task, other.person.id, why))
            mine = [*without.of(other.person.id), task]
            without = Loads({**without.tasks, other.person.id: sorted(mine, key=_urgency)})
    return moves


def _judge(task: Task, person: Person, roster: Roster, mine: Sequence[Task], now: datetime) -> Candidate:
    reasons: list[Said] = []
    against = _against(task, person, roster, now, reasons)
    starts_at = now
    if against is None and person.shift is not None and not person.shift.is_open(now):
        if roster.is_on_call(person.id, now):
            reasons.append(Said("on call", "值班"))
        else:
            starts_at = person.shift.next_open(now)
            wait = starts_at - now
            reasons.append(Said(f"on shift again in {format_duration(wait)}", f"{duration_zh(wait)}后上班"))
    elif against is None:
        reasons.append(Said("on shift", "当班") if person.shift is not None else Said("always there", "随时可派"))
    first = [one for one in mine if _urgency(one)[0] <= task.priority]
    waits = tuple(one for one in mine if _urgency(one)[0] > task.priority)
    place = next((one.building_id for one in mine if one.status is Status.ARRIVED), person.home)
    busy = len(first) * roster.visit_time
    way = roster.travel_between(first[-1].building_id if first else place, task.building_id)
    there_at = starts_at + busy + way
    if against is None:
        near = Said("in the building", "就在楼内")
        reasons.append(Said(f"{format_duration(way)} away", f"路程 {duration_zh(way)}") if way else near)
        if first:
            go = "go" if len(first) > 1 else "goes"
            reasons.append(Said(f"behind {len(first)} that {go} first", f"前面还有 {len(first)} 单"))
        left = task.due_at - there_at if task.due_at is not None else None
        if left is not None:
            late = Said(f"{format_duration(-left)} late", f"迟到 {duration_zh(-left)}")
            reasons.append(Said("in time", "来得及") if left >= timedelta(0) else late)
    return Candidate(person, there_at, len(first), tuple(reasons), waits, against)


def _against(task: Task, person: Person, roster: Roster, now: datetime, reasons: list[Said]) -> Said | None:
    """Why the person may not go; else what speaks for her is added to the reasons."""
    kind = task.equipment_class
    if kind and person.skills and kind not in person.skills:
        return Said(f"has no skill for {kind}", f"不具备 {kind} 技能")
    if person.buildings and task.building_id not in person.buildings:
        return Said(f"{task.building_id} is outside her zone", f"{task.building_id} 不在其片区")
    if kind in roster.certified_classes:
        today = now.astimezone(roster.zone).date()
        papers = [one for one in person.certificates if one.equipment_class == kind]
        good = [one for one in papers if one.until >= today]
        if not papers:
            return Said(f"has no certificate for {kind}", f"没有 {kind} 证书")
        if not good:
            newest = max(papers, key=lambda one: one.until)
            name, until = newest.name, newest.until
            return Said(f"certificate {name!r} expired on {until}", f"证书“{name}”已于 {until} 到期")
        name, until = good[0].name, good[0].until
        reasons.append(Said(f"certificate {name!r} until {until}", f"证书“{name}”有效期至 {until}"))
    return None


def _urgency(task: Task) -> tuple[int, int, str]:
    due_us = to_us(task.due_at) if task.due_at is not None else sys.maxsize
    return task.priority, due_us, task.order_id
