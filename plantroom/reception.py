"""The occupant's reception over requests, orders, surveys and complaints. A code stands in for a login.

A sticker's code is the asset's id and a keyed hash of it; the code by which a request is followed is its id, which
nobody can guess. Names of technicians, other people's words and contacts are never shown.
"""

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlmodel import Session

from dashboards.web.reception import Asked, KnownWork, Place, Report, Told, TooOftenError
from facility.clock import Clock, RealClock
from facility.errors import PermanentError, refuse
from facility.finding import OrderKind
from facility.registry import Registry
from plantroom.plant_view import PlantSources
from ticketing import repository, service_rows, survey_rows
from ticketing.api import Sessions
from ticketing.attachment import AttachmentKind, Owner, OwnerKind
from ticketing.attachment_desk import AttachmentDesk
from ticketing.attachment_rows import attachments_of
from ticketing.complaint import format_complaint
from ticketing.complaint_desk import Grievance
from ticketing.contract_book import ContractBook
from ticketing.photo import PhotoError, clean_photo
from ticketing.repository import OrderQuery
from ticketing.request import Declined, Entry, format_request
from ticketing.request_desk import KIND
from ticketing.service_desks import ServiceDesks
from ticketing.service_word import Teller
from ticketing.survey import SurveyStatus
from ticketing.tables import WorkOrderRow
from ticketing.tables_service import RequestRow, SurveyRow
from ticketing.transition import Act, carry_out
from ticketing.work_order import OPEN_STATUSES, Refused, Status, Verb, Words

OCCUPANT = "occupant"
MOST, WITHIN = 8, timedelta(minutes=10)
_ADDRESSES = 10_000
_CATEGORIES = {"elevator": "elevator", "hvac": "air_conditioning", "lighting": "lighting", "water": "water"}
_KNOWN_MOST = 5


class Flood:
    """Who has sent how much of late; remembers at most ten thousand addresses, the newest."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sent: OrderedDict[str, list[datetime]] = OrderedDict()

    def pass_(self, address: str) -> None:
        """Count one. Raises TooOftenError above eight in ten minutes."""
        now = self._clock.now()
        recent = [at for at in self._sent.pop(address, []) if now - at < WITHIN]
        self._sent[address] = recent
        while len(self._sent) > _ADDRESSES:
            self._sent.popitem(last=False)
        if len(recent) >= MOST:
            msg = f"{MOST} in ten minutes are enough; wait a little, or call the building's desk"
            raise TooOftenError(msg)
        recent.append(now)


def open_reception(
    sources: PlantSources,
    registry: Callable[[], Registry],
    teller: Teller,
    secret: bytes,
) -> "OccupantReception":
    """The reception of a running plant; floods are held back by the wall clock."""
    desks = ServiceDesks(sources.book, registry, teller)
    return OccupantReception(
        sources.database, registry, sources.book, desks, sources.clock, RealClock(), secret, sources.attachments
    )


class OccupantReception:
    """Implements the pages' `Reception`. `wall` is the real clock, by which floods are held back."""

    def __init__(
        self,
        sessions: Sessions,
        registry: Callable[[], Registry],
        book: ContractBook,
        desks: ServiceDesks,
        clock: Clock,
        wall: Clock,
        secret: bytes,
        attachments: AttachmentDesk,
    ) -> None:
        self._sessions, self._registry, self._book, self._desks = sessions, registry, book, desks
        self._clock, self._secret, self._flood, self._attachments = clock, secret, Flood(wall), attachments

    def code_of(self, asset_id: str) -> str:
        """The id and 80 bits of its keyed hash: short enough for a small sticker."""
        mac = hmac.new(self._secret, f"sticker {asset_id}".encode(), hashlib.sha256).hexdigest()[:20]
        return f"{asset_id}.{mac}"

    def place(self, code: str) -> Place | None:
        """The asset of a sticker, with what is known about it: titles and states only."""
        asset = self._registry().assets.get(code.rpartition(".")[0])
        if asset is None or not hmac.compare_digest(code.encode(), self.code_of(asset.id).encode()):
            return None
        query = OrderQuery(statuses=OPEN_STATUSES, asset_id=asset.id, kind=OrderKind.FAULT.value, limit=_KNOWN_MOST)
        with self._sessions.reading() as session:
            rows = repository.list_orders(session, query)
        known = [KnownWork(row.id, row.rule_id, row.title, row.status, row.opened_at) for row in rows]
        category = _CATEGORIES.get(asset.equipment_class.system.value, "other")
        return Place(code, asset.id, asset.building_id, category, known)

    def report(self, code: str, report: Report, address: str) -> str:
        """Keep the request, and its photo in the same transaction."""
        self._flood.pass_(address)
        place = self.place(code)
        if place is None:
            msg = "the code of the sticker is not known any more"
            raise PermanentError(msg)
        entry = Entry(
            place.building_id, report.text, category=place.category, asset_id=place.asset_id, contact=report.contact,
            language=report.language, urgent=report.urgent, key=f"page/{report.key}" if report.key else None,
        )  # fmt: skip
        try:
            photo = clean_photo(report.photo.content) if report.photo is not None else None
        except PhotoError as error:
            raise refuse("photo", str(error)) from error
        now = self._clock.now()
        with self._sessions.writing() as session:
            row = self._desks.requests.receive(session, entry, now)
            if isinstance(row, Declined):
                raise refuse("request", row.what, row.hint)
            if photo is not None and not attachments_of(session, OwnerKind.REQUEST, [row.id]):
                owner = Owner(OwnerKind.REQUEST, row.id, row.building_id)
                self._attachments.receive(session, owner, AttachmentKind.PHOTO, photo, now, OCCUPANT)
            return row.id

    def told(self, code: str) -> Told | None:
        """The request, how far its order is, and what may be said of it now."""
        with self._sessions.reading() as session:
            row = session.get(RequestRow, code)
            if row is None:
                return None
            order = self._order(session, row)
            survey = self._survey(session, order)
            photos = len(attachments_of(session, OwnerKind.REQUEST, [row.id]))
            history = service_rows.histories(session, KIND, [row.id]).get(row.id, [])
        note = next((line.note for line in reversed(history) if line.verb == "reject"), "")
        form = self._desks.surveys.form_of(survey) if survey is not None else None
        asked = [
            Asked(one.id, {"en": one.text, "zh": one.text_zh or one.text}, one.scale.allowed)
            for one in (form.questions if form is not None else ())
        ]
        done = order is not None and order.status == Status.COMPLETED
        return Told(
            code=row.id, number=format_request(row.number), text=row.text, status=row.status,
            received_at=row.received_at, asset_id=row.asset_id, building_id=row.building_id,
            review_due_at=row.review_due_at, order_status=order.status if order is not None else "",
            due_at=order.resolution_due_at if order is not None else None, note=note,
            verbs=("accept", "reopen") if done else (), survey=asked, photos=photos,
        )  # fmt: skip

    def judge(self, code: str, verb: str, note: str, address: str) -> None:
        """Through the same decision as everybody's verbs."""
        self._flood.pass_(address)
        if verb not in ("accept", "reopen"):
            msg = f"{verb!r} is not something an occupant says of a repair"
            raise PermanentError(msg)
        with self._sessions.writing() as session:
            row = session.get(RequestRow, code)
            order = self._order(session, row) if row is not None else None
            locked = repository.find_order(session, order.id, lock=True) if order is not None else None
            if locked is None:
                msg = "there is no repair to judge yet"
                raise PermanentError(msg)
            act = Act(Verb(verb), OCCUPANT, self._clock.now(), Words(note))
            decision = carry_out(session, self._book, locked, act)
            if isinstance(decision, Refused):
                raise refuse("repair", decision.what, decision.hint)

    def answer(self, code: str, answers: Mapping[str, int], reason: str, address: str) -> None:
        """Answer the survey about the order of this request."""
        self._flood.pass_(address)
        with self._sessions.writing() as session:
            row = session.get(RequestRow, code)
            survey = self._survey(session, self._order(session, row)) if row is not None else None
            locked = survey_rows.find_survey(session, survey.id, lock=True) if survey is not None else None
            if locked is None:
                msg = "there is no open survey about this repair"
                raise PermanentError(msg)
            done = self._desks.surveys.answer(session, locked, answers, reason, self._clock.now())
            if isinstance(done, Declined):
                raise refuse("survey", done.what, done.hint)

    def complain(self, code: str, text: str, address: str) -> str:
        """A complaint about the request's order, or about its place."""
        self._flood.pass_(address)
        if not text:
            raise refuse("complaint", "it says nothing", "Say what is wrong.")
        with self._sessions.writing() as session:
            row = session.get(RequestRow, code)
            if row is None:
                msg = "there is no such request"
                raise PermanentError(msg)
            said = Grievance(
                text, building_id=row.building_id, space_id=row.space_id, asset_id=row.asset_id,
                order=row.order_id or "", contact=row.contact,
            )  # fmt: skip
            made = self._desks.complaints.receive(session, said, self._clock.now())
            if isinstance(made, Declined):
                raise refuse("complaint", made.what, made.hint)
            return format_complaint(made.number)

    def _order(self, session: Session, row: RequestRow) -> WorkOrderRow | None:
        """The order of a request, or of the one it joined."""
        order_id = row.order_id
        if order_id is None and row.joined_to is not None:
            joined = session.get(RequestRow, row.joined_to)
            order_id = joined.order_id if joined is not None else None
        return repository.find_order(session, order_id) if order_id is not None else None

    def _survey(self, session: Session, order: WorkOrderRow | None) -> SurveyRow | None:
        if order is None:
            return None
        found = survey_rows.list_surveys(session, status=SurveyStatus.SENT, order_id=order.id, limit=1)
        now = self._clock.now()
        return next((row for row in found if row.closes_at > now), None)
