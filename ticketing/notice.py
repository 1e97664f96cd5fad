"""Who is told what about an order, when, and in which words: notices and webhooks as values. Pure.

One notice per person and event, whatever roles she has. Quiet hours and digests wait; an entrapment (severity
critical, or priority 1) never does.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from facility.instant import format_instant
from ticketing.escalation import EscalationDue
from ticketing.event import Event, event_of, names_person
from ticketing.notice_text import DEADLINE, Happening, OrderFacts, write_notice
from ticketing.roster import NoticeRule, Person, Roster
from ticketing.work_order import Change, Status, Verb

LATE_AFTER = timedelta(minutes=1)
URGENT_PRIORITY, URGENT_SEVERITY = 1, "critical"
ActLink = Callable[[str, Verb, str], str]
"""Order id, verb and person to a signed link; empty when links cannot be made."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to one receiver, due at `due_at` (aware UTC). `key` names it for ever.

    `channels` are names in the order of trying; without any it cannot be told, and `error` says why.
    """

    key: str
    kind: str
    event: str
    order_id: str
    person: str
    channels: tuple[str, ...]
    language: str
    subject: str
    body: str
    due_at: datetime
    urgent: bool = False
    late: bool = False
    digest: bool = False
    clock: str | None = None
    error: str = ""


def is_urgent(order: OrderFacts) -> bool:
    """Whether people are in danger: then nothing is held back."""
    return order.severity == URGENT_SEVERITY or order.priority == URGENT_PRIORITY


def notices_of_line(
    order: OrderFacts, line_id: int, change: Change, roster: Roster, now: datetime, link: ActLink
) -> Iterator[Notice]:
    """What a line of history is told as: to people by the roster's rules and by name, to other systems by webhook."""
    event = event_of(change.verb)
    names = [name for rule in roster.notices if _concerns(rule, event, order) for name in rule.to]
    if names_person(change.verb) and change.reason:
        names.insert(0, change.reason)
    reason = (change.reason or "") if event is Event.HELD else ""
    what = Happening(event, change.at, change.by, change.note, reason, note_zh=change.note_zh)
    named = event in (Event.DISPATCHED, Event.ESCALATED)
    yield from _to_people(order, f"{order.id}/{line_id}", what, names, roster, now, link, may_wait=not named)
    for hook in roster.webhooks:
        if not hook.events or event in hook.events:
            key = f"{order.id}/{line_id}/{hook.id}"
            body = _payload(order, key, event, change)
            yield Notice(
                key, "webhook", event, order.id, hook.id, (hook.id,), "en", hook.id, body, now, is_urgent(order)
            )


def notices_of_escalation(
    order: OrderFacts, due: EscalationDue, roster: Roster, now: datetime, link: ActLink
) -> Iterator[Notice]:
    """What an escalation that is due is told as; marked late when its instant passed while nobody looked."""
    one = due.escalation
    placed = f"{one.percent:f} %" if not one.offset else f"{one.offset} {one.unit}"
    what = Happening(DEADLINE, due.at, clock=one.clock, placed=placed, late=now - due.at > LATE_AFTER)
    yield from _to_people(order, f"{order.id}/{one.id}", what, one.to, roster, now, link, may_wait=False)


def _to_people(
    order: OrderFacts,
    key: str,
    what: Happening,
    names: Iterable[str],
    roster: Roster,
    now: datetime,
    link: ActLink,
    *,
    may_wait: bool,
) -> Iterator[Notice]:
    told: set[str] = set()
    for name in names:
        people = roster.resolve(order.assignee if name == "assignee" else name, now)
        if not people and name != "assignee" and name not in told:
            told.add(name)
            yield _nobody(order, f"{key}/{name}", what, name, roster, now)
        for person in people:
            if person.id not in told:
                told.add(person.id)
                yield _to_person(order, f"{key}/{person.id}", what, person, roster, now, link, may_wait=may_wait)


def _to_person(
    order: OrderFacts,
    key: str,
    what: Happening,
    person: Person,
    roster: Roster,
    now: datetime,
    link: ActLink,
    *,
    may_wait: bool,
) -> Notice:
    waits_for_her = order.status == Status.OPEN and what.name in (Event.OPENED, Event.DISPATCHED, DEADLINE)
    act = link(order.id, Verb.ACKNOWLEDGE, person.id) if waits_for_her else ""
    see = f"{roster.address}/work-orders/{order.id}" if roster.address else ""
    subject, body = write_notice(order, what, person.language, roster.zone, order_link=see, act_link=act)
    urgent = is_urgent(order)
    digest = may_wait and not urgent and person.digest_at is not None
    channels = tuple(channel.name for channel in person.channels)
    return Notice(
        key=key,
        kind="notice",
        event=what.name,
        order_id=order.id,
        person=person.id,
        channels=channels,
        language=person.language,
        subject=subject,
        body=body,
        due_at=now if urgent else _due_at(person, roster, now, digest=digest),
        urgent=urgent,
        late=what.late,
        digest=digest,
        clock=what.clock or None,
        error="" if channels else f"{person.id} has no channel in the roster",
    )


def _nobody(order: OrderFacts, key: str, what: Happening, name: str, roster: Roster, now: datetime) -> Notice:
    subject, body = write_notice(order, what, "en", roster.zone)
    error = f"the roster knows no person, team or role {name!r}"
    return Notice(key, "notice", what.name, order.id, name, (), "en", subject, body, now, is_urgent(order),
                  what.late, clock=what.clock or None, error=error)  # fmt: skip


def _due_at(person: Person, roster: Roster, now: datetime, *, digest: bool) -> datetime:
    due_at = now
    if digest and person.digest_at is not None:
        local = now.astimezone(roster.zone)
        on = local.date() + timedelta(days=local.time() >= person.digest_at)
        due_at = datetime.combine(on, person.digest_at, roster.zone).astimezone(UTC)
    quiet_until = person.quiet.ends_at(due_at, roster.zone) if person.quiet is not None else None
    return quiet_until or due_at


def _concerns(rule: NoticeRule, event: Event, order: OrderFacts) -> bool:
    return (
        rule.event == event
        and (not rule.severities or order.severity in rule.severities)
        and (not rule.buildings or order.building_id in rule.buildings)
    )


def _payload(order: OrderFacts, key: str, event: Event, change: Change) -> str:
    body = {
        "id": key,
        "event": event.value,
        "at": format_instant(change.at),
        "verb": change.verb,
        "by": change.by,
        "note": change.note,
        "reason": change.reason,
        "order": {
            "id": order.id,
            "number": order.number,
            "title": order.title,
            "kind": order.kind,
            "status": change.to_status.value,
            "severity": order.severity,
            "priority": order.priority,
            "asset_id": order.asset_id,
            "building_id": order.building_id,
            "assignee": order.assignee or None,
            "service_level": order.level,
            "next_due_at": format_instant(order.due_at) if order.due_at is not None else None,
        },
    }
    return json.dumps(body, ensure_ascii=False, sort_keys=True)
