"""What one of several engine processes does by the clock: visits that are due, escalations, notices, housekeeping.

A lease in the database says which process it is; every write is conditional on its epoch. The loop wakes for the next
stored instant, at the latest after a quarter of a second, so that an escalation leaves within a second of its instant.
"""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from dashboards.web.language import Words
from dashboards.web.wording import own_name
from facility.clock import Clock
from facility.errors import RetryableError
from facility.registry import Registry
from plantroom.database import Database
from ticketing.attachment_rows import drop_ownerless, named_hashes
from ticketing.attachment_store import PARTS, AttachmentStore
from ticketing.contract_book import ContractBook
from ticketing.courier import Courier
from ticketing.desk import Desk
from ticketing.dispatching import send_waiting
from ticketing.kept_answer_rows import forget_answers
from ticketing.lease import RENEW_S, Lease, LeaseLostError
from ticketing.meter_rows import MeterSource
from ticketing.notice import ActLink
from ticketing.outbox_rows import forget_messages, is_any_due
from ticketing.plant_rows import keep_plant
from ticketing.preventive import due
from ticketing.roster import Roll
from ticketing.service_desks import ServiceDesks
from ticketing.service_outbox import OutboxTeller
from ticketing.tables import WorkOrderRow
from ticketing.watch import Instants, look, send_digests
from ticketing.watch_rows import next_look

log = structlog.get_logger(__name__)
LEASE = "jobs"
ZH = Words("zh")
_BEAT_SECONDS = 0.25
_RENEW_SECONDS = 0.7
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_KEEP_MESSAGES = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Office:
    """Who is told, by whom, how links in messages are signed, and where pictures lie."""

    people: Roll
    lease: Lease
    courier: Courier
    link: ActLink
    wall: Clock
    meters: MeterSource | None = None
    pictures: AttachmentStore | None = None


class Plant(Protocol):
    """The engine's host, as far as jobs need it."""

    @property
    def registry(self) -> Registry:
        """The directory in force."""

    def rule_name(self, rule_id: str, language: str) -> str:
        """The name of a rule in force; empty when there is none in this language."""

    def touch(self) -> None:
        """Orders have changed: whoever watches should look again."""


class Jobs:
    """Runs in a thread of its own. What was missed is made up by the next beat: nothing depends on the beat."""

    def __init__(self, database: Database, host: Plant, book: ContractBook, clock: Clock, office: Office) -> None:
        self._database, self._host, self._book, self._clock, self._office = database, host, book, clock, office
        self._desk = Desk(book, lambda: host.registry)
        teller = OutboxTeller(office.people, office.wall)
        self._service = ServiceDesks(book, lambda: host.registry, teller)
        self._renew_at: datetime | None = None
        self._visits_at: datetime | None = None
        self._cleaned_at: datetime | None = None
        self._kept_plant: Registry | None = None

    def step(self) -> bool:
        """Do what is due now, if this process holds the lease; whether it does. Raises RetryableError."""
        if not self._clock.now_us():
            return False  # the journal's clock before the first event
        if not self._holds():
            return False
        self._keep_plant()
        instants = Instants(self._clock.now(), self._office.wall.now())
        if self._visits_at is None or not timedelta(0) <= instants.now - self._visits_at < _MINUTE:
            self._open_visits(instants)
            self._sweep_pictures(instants.wall)
            self._visits_at = instants.now
        looked = False
        while self._is_due(instants.now):
            looked = True
            with self._office.lease.writing() as session:
                if not look(session, self._book, self._office.people(), instants, self._office.link, self._chinese):
                    break
        if looked and self._dispatch(instants.now):
            return self.step()  # who was sent is told in this beat too
        if self._office.courier.has_sent or self._has_mail():
            self._office.courier.step()
        return True

    def run(self, stop: threading.Event) -> None:
        """Step until `stop`; a database that is away is asked again, and another process's lease is waited for."""
        away = False
        while not stop.is_set():
            try:
                self.step()
                if away:
                    log.info("jobs go on")
                away = False
            except LeaseLostError as error:
                log.warning("another process runs the jobs now", reason=str(error))
            except RetryableError as error:
                if not away:
                    log.warning("visits and notices wait for the database", reason=str(error))
                away = True
            stop.wait(_BEAT_SECONDS)
        try:
            self._office.courier.close()
            self._office.lease.let_go()
        except RetryableError as error:
            log.warning("the lease of the jobs runs out by itself", reason=str(error))

    def _chinese(self, row: WorkOrderRow) -> str:
        name, asset = self._host.rule_name(row.rule_id, "zh"), self._host.registry.assets.get(row.asset_id)
        return f"{name}：{own_name(asset.name, ZH)}" if name and asset is not None and asset.name else name

    def keep_lease(self, stop: threading.Event) -> None:
        """Renew the lease until `stop`, beside the thread that steps: a large job takes longer than it runs."""
        while not stop.wait(RENEW_S / 2):
            try:
                self._office.lease.renew()
            except RetryableError as error:
                log.debug("the lease of the jobs could not be renewed", reason=str(error))

    def _holds(self) -> bool:
        wall = self._office.wall.now()
        if self._office.lease.epoch is not None and self._renew_at is not None and wall < self._renew_at:
            return True
        had = self._office.lease.epoch
        held = self._office.lease.hold()
        self._renew_at = wall + timedelta(seconds=_RENEW_SECONDS)
        if held and had != self._office.lease.epoch:
            log.info("this process runs the jobs", epoch=self._office.lease.epoch)
        return held

    def _is_due(self, now: datetime) -> bool:
        with self._database.reading() as session:
            at = next_look(session)
        return at is not None and at <= now

    def _has_mail(self) -> bool:
        with self._database.reading() as session:
            return is_any_due(session, self._clock.now(), self._office.wall.now())

    def _dispatch(self, now: datetime) -> bool:
        if not self._office.people().auto:
            return False
        with self._office.lease.writing() as session:
            sent = send_waiting(session, self._book, self._office.people(), self._host.registry, now)
        if sent:
            log.info("orders dispatched", orders=len(sent))
            self._host.touch()
        return bool(sent)

    def _open_visits(self, instants: Instants) -> None:
        with self._office.lease.writing() as session:
            opened = due(session, self._desk, self._book, self._host.registry, instants.now, meters=self._office.meters)
            self._service.step(session, instants.now)
            send_digests(session, self._office.people(), instants)
            if self._cleaned_at is None or instants.wall - self._cleaned_at >= _DAY:
                forget_answers(session, instants.wall)
                forget_messages(session, instants.wall - _KEEP_MESSAGES)
                drop_ownerless(session, instants.wall - _DAY)
                self._cleaned_at = instants.wall
        self._dispatch(instants.now)
        if opened:
            log.info("visits of the plan opened", orders=len(opened))
            self._host.touch()

    def _keep_plant(self) -> None:
        """The database says of buildings and assets what the site files say, from the beat after those changed."""
        registry = self._host.registry
        if registry is self._kept_plant:
            return
        with self._office.lease.writing() as session:
            keep_plant(session, registry)
        self._kept_plant = registry

    def _sweep_pictures(self, wall: datetime) -> None:
        """One part of the folder a minute: a beat is never long, and all of it is swept in less than five hours."""
        store = self._office.pictures
        if store is None:
            return
        with self._database.reading() as session:
            part = int(wall.timestamp()) // 60 % PARTS
            removed = store.sweep(part, lambda hashes: named_hashes(session, hashes), wall - _DAY)
        if removed:
            log.info("pictures nobody names removed", pictures=removed)
