"""Every router of ticketing in one list: what the program mounts, and what the tests of all routes go over."""

from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import APIRouter

from facility.clock import Clock
from facility.registry import Registry
from ticketing.api import Sessions, build_router
from ticketing.asker import Anybody, Asker
from ticketing.attachment_api import build_attachment_router
from ticketing.attachment_desk import AttachmentDesk
from ticketing.checklist_api import build_checklist_router
from ticketing.contract_book import ContractBook
from ticketing.dispatch_api import build_dispatch_router
from ticketing.ical_api import build_calendar_router, build_feed_router
from ticketing.link_api import build_link_router
from ticketing.opening_api import build_opening_router
from ticketing.outbox_api import build_outbox_router
from ticketing.roster import Roll
from ticketing.service_api import service_routers
from ticketing.service_word import Silent, Teller


@dataclass(frozen=True, slots=True)
class ApiParts:
    """What the routes work with. `secret` signs links and calendars; `asker` says who calls."""

    sessions: Sessions
    clock: Clock
    book: ContractBook
    registry: Callable[[], Registry]
    people: Roll
    secret: bytes
    attachments: AttachmentDesk
    teller: Teller = field(default_factory=Silent)
    asker: Asker = field(default_factory=Anybody)


def ticketing_routers(parts: ApiParts) -> list[APIRouter]:
    """The routers. Who may call is decided where they are mounted, and stays in this order."""
    sessions, clock, book, registry, who = parts.sessions, parts.clock, parts.book, parts.registry, parts.asker
    return [
        # before the verbs, which their paths look like one of
        build_attachment_router(sessions, clock, parts.attachments, who),
        build_checklist_router(sessions, clock, book, registry, who),
        build_router(sessions, clock, book, who),
        build_outbox_router(sessions, clock, book, who),
        build_opening_router(sessions, clock, book, registry, who),
        *service_routers(sessions, clock, book, registry, parts.teller, who),
        build_calendar_router(parts.people, parts.secret),
        build_dispatch_router(sessions, clock, book, parts.people, registry, who),
    ]


def signed_routers(parts: ApiParts) -> list[APIRouter]:
    """The routers whose signed addresses stand for a token: links in messages, feeds of calendars."""
    return [
        build_link_router(parts.sessions, parts.clock, parts.book, parts.people, parts.secret),
        build_feed_router(parts.sessions, parts.clock, parts.people, parts.secret),
    ]
