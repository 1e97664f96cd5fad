"""Calendars of technicians: a feed at a signed address that any calendar program can follow, and the list of them."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel

from facility.clock import Clock
from ticketing.api import Sessions
from ticketing.ical import Event, is_signed, sign_calendar, write_calendar
from ticketing.ical_rows import orders_of
from ticketing.problem import REFUSALS, refuse
from ticketing.roster import Person, Roll, Roster
from ticketing.tables import WorkOrderRow
from ticketing.views import format_number

ALARM = timedelta(minutes=15)
Name = Annotated[str, Path(max_length=64)]


class CalendarView(BaseModel):
    """A person's calendar and the address at which it can be followed; who has the address can read it."""

    person: str
    name: str
    address: str


def build_calendar_router(people: Roll, secret: bytes) -> APIRouter:
    """The list of calendars, for whoever administers. Who may call is decided where it is mounted."""
    router = APIRouter(prefix="/api", tags=["calendars"], responses=REFUSALS)

    @router.get("/calendars")
    def calendars() -> list[CalendarView]:
        """The address of each person's calendar."""
        roster = people()
        return [
            CalendarView(person=one.id, name=one.name, address=f"{roster.address}{calendar_path(secret, one.id)}")
            for one in roster.people.values()
        ]

    return router


def build_feed_router(sessions: Sessions, clock: Clock, people: Roll, secret: bytes) -> APIRouter:
    """The feeds. The signature in the address stands for a token: calendar programs send none."""
    router = APIRouter(tags=["calendars"])

    @router.get("/calendar/{person}/{signature}.ics")
    def feed(person: Name, signature: Name) -> Response:
        """What a person has to do by when, and when she is on call."""
        roster = people()
        known = roster.people.get(person)
        if known is None or not is_signed(secret, person, signature):
            refuse(404, "there is no such calendar", f"calendar {person}", "Ask for its address: GET /api/calendars.")
        with sessions.reading() as session:
            rows = list(orders_of(session, (known.id, known.name)))
        events = [*_orders(rows, roster), *_turns(known, roster)]
        text = write_calendar(f"Plantroom: {known.name}", events, clock.now())
        return Response(
            text, media_type="text/calendar; charset=utf-8", headers={"Cache-Control": "private, max-age=300"}
        )

    return router


def calendar_path(secret: bytes, person: str) -> str:
    """The address of a calendar, without the program's own."""
    return f"/calendar/{person}/{sign_calendar(secret, person)}.ics"


def _orders(rows: Iterable[WorkOrderRow], roster: Roster) -> Iterator[Event]:
    for row in rows:
        number = format_number(row.number)
        link = f"{roster.address}/work-orders/{row.id}" if roster.address else ""
        text = f"{row.asset_id}, priority {row.priority}. {row.advice}"
        place = f"{row.building_id}, {row.asset_id}"
        title = f"{number} {row.title}"
        if row.planned_due_at is not None:
            day = (row.planned_due_at - timedelta(seconds=1)).astimezone(roster.zone).date()
            yield Event(row.id, title, text, row.opened_at, row.version, day=day, place=place, link=link)
        elif row.next_due_at is not None:
            start = max(row.opened_at, row.next_due_at - roster.visit_time)
            start = min(start, row.next_due_at)
            yield Event(
                row.id, title, text, row.opened_at, row.version, from_at=start, until_at=row.next_due_at, place=place,
                link=link, alarm=ALARM,
            )  # fmt: skip


def _turns(person: Person, roster: Roster) -> Iterator[Event]:
    for one in roster.on_call:
        if one.person == person.id:
            uid = f"turn-{one.team}-{one.person}-{one.from_at:%Y%m%dT%H%M%SZ}"
            title = f"On call: {one.team}"
            yield Event(uid, title, title, one.from_at, 0, from_at=one.from_at, until_at=one.until_at)
