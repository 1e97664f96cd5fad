"""The office of a running program: roster, lease, courier and signed links, put together from the settings."""

import hashlib
import os
from collections.abc import Mapping
from datetime import timedelta

from facility.clock import Clock, RealClock
from facility.registry import Registry
from plantroom.database import Database
from plantroom.files import read_texts
from plantroom.jobs import LEASE, Office
from plantroom.process_name import process_name
from plantroom.settings import Settings
from ticketing.attachment_store import AttachmentStore
from ticketing.courier import Courier
from ticketing.egress import Egress
from ticketing.lease import Lease
from ticketing.meter_rows import MeterSource
from ticketing.notice import ActLink
from ticketing.notice_apprise import tell
from ticketing.roster import NOBODY, Roll, Roster
from ticketing.roster_file import parse_roster
from ticketing.signed_link import GOOD_FOR, Errand, sign_errand
from ticketing.work_order import Verb


def load_roster(settings: Settings, registry: Registry, environment: Mapping[str, str] = os.environ) -> Roster:
    """The roster of the settings, or one with nobody in it. Raises InputError with every problem."""
    if settings.roster is None:
        return NOBODY
    ((where, text),) = read_texts([settings.roster], "roster").items()
    return parse_roster(text, where, environment, registry)


def link_secret(token: str) -> bytes:
    """The secret of signed links: another one with every admin token."""
    return hashlib.sha256(f"signed links {token}".encode()).digest()


def act_link(people: Roll, secret: bytes, clock: Clock, good_for: timedelta = GOOD_FOR) -> ActLink:
    """Makes signed links that begin with the address of the roster in force; none without one."""

    def link(order_id: str, verb: Verb, person: str) -> str:
        address = people().address
        if not address:
            return ""
        return f"{address}/act/{sign_errand(secret, Errand(order_id, verb, person, clock.now() + good_for))}"

    return link


def open_office(
    database: Database,
    clock: Clock,
    people: Roll,
    secret: bytes,
    meters: MeterSource | None = None,
    pictures: AttachmentStore | None = None,
    egress: Egress | None = None,
) -> Office:
    """The office of this process; its name tells it from every other one. Without `egress`, public addresses only."""
    wall, name = RealClock(), process_name()
    lease = Lease(database, LEASE, name, wall)
    courier = Courier(lease, people, tell, egress or Egress(), clock, wall, name)
    return Office(people, lease, courier, act_link(people, secret, clock), wall, meters, pictures)
