"""Takes requests of occupants, joins duplicates, and makes orders of those that a person accepts.

The caller owns the transaction. What the contract's request limits are counted from is the entry.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from facility.fields import unknown
from facility.finding import Finding, FindingState, OrderKind, Severity
from facility.instant import to_us
from facility.registry import Registry
from ticketing import request_rows, service_rows
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.finding_rows import REPORTED
from ticketing.level import LevelFacts
from ticketing.promised import due_at
from ticketing.request import (
    Declined,
    Entry,
    RequestStatus,
    RequestVerb,
    decide_review,
    find_duplicate,
    format_request,
)
from ticketing.service_word import Teller, Word
from ticketing.tables_service import RequestRow
from ticketing.terms_service import RequestTerms

KIND = "request"
RULE = f"{REPORTED}request"
USUAL_WINDOW = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Review:
    """What a person decides about a request: when (aware UTC), with her words, and the version she saw.

    An accepted one becomes an order on `asset_id` (else the request's own asset, else its place) of a severity, or
    joins the open order `order_id`.
    """

    verb: RequestVerb
    by: str
    at: datetime
    note: str = ""
    seen: int | None = None
    asset_id: str = ""
    severity: Severity | None = None
    order_id: str = ""


class RequestDesk:
    """Receives and reviews. `registry` gives the directory in force."""

    def __init__(self, book: ContractBook, registry: Callable[[], Registry], desk: Desk, teller: Teller) -> None:
        self._book, self._registry, self._desk, self._teller = book, registry, desk, teller

    def building_of(self, asset_id: str) -> str:
        """The building of an asset; empty for one we do not know."""
        asset = self._registry().assets.get(asset_id)
        return asset.building_id if asset is not None else ""

    def receive(self, session: Session, entry: Entry, now: datetime) -> RequestRow | Declined:
        """Keep a request. The same key again gives the request it gave before; a duplicate joins the earlier one."""
        service_rows.one_at_a_time(session, RequestRow)
        if entry.key is not None and (known := request_rows.by_key(session, entry.key)) is not None:
            return known
        if strange := self._strange(entry):
            return strange
        contract_id, revision, terms = self._terms(entry.building_id, now)
        window = terms.duplicate_window if terms is not None else USUAL_WINDOW
        earlier = request_rows.earlier_open(session, entry.building_id, now - window)
        joined = find_duplicate(entry, now, earlier, window)
        row = RequestRow(
            id=service_rows.new_id("rq"),
            number=service_rows.next_number(session, RequestRow),
            status=RequestStatus.JOINED if joined is not None else RequestStatus.RECEIVED,
            category=entry.category,
            text=entry.text.strip(),
            building_id=entry.building_id,
            space_id=entry.space_id,
            asset_id=entry.asset_id,
            contact=entry.contact,
            language=entry.language,
            urgent=entry.urgent,
            received_at=now,
            review_due_at=due_at(terms.review, terms.calendar, now) if terms is not None else None,
            visit_due_at=due_at(terms.visit, terms.calendar, now) if terms is not None else None,
            order_id=joined.earlier.order_id if joined is not None else None,
            joined_to=joined.earlier.id if joined is not None else None,
            contract_id=contract_id,
            contract_revision=revision,
            key=entry.key,
        )
        service_rows.insert(session, row)
        service_rows.append(session, KIND, row.id, now, "receive", entry.contact or "occupant", row.text)
        if joined is not None:
            service_rows.append(session, KIND, row.id, now, "join", "desk", joined.reason)
        else:
            number = format_request(row.number)
            subject = f"{number}: to be reviewed", f"{number}：待审核"
            word = Word(f"{row.id}/receive", "request", now, subject, (row.text, row.text), ("dispatcher",))
            self._teller.tell(session, word)
        return row

    def review(self, session: Session, row: RequestRow, review: Review) -> RequestRow | Declined:
        """Accept, reject or withdraw; `row` should be locked. Accepting opens an order, or joins an open one."""
        decision = decide_review(RequestStatus(row.status), row.version, review.verb, review.note, review.seen)
        if isinstance(decision, Declined):
            return decision
        values: dict[str, object] = {"status": decision.value}
        note = review.note
        if review.verb is not RequestVerb.WITHDRAW:
            values["reviewed_at"] = review.at
        if decision is RequestStatus.ACCEPTED:
            asset_id = review.asset_id or row.asset_id
            if asset_id and asset_id not in self._registry().assets:
                return Declined(unknown("asset", asset_id, self._registry().assets), "GET /api/assets lists them.")
            order_id = review.order_id or self._order(session, row, review, asset_id)
            values |= {"order_id": order_id, "asset_id": asset_id}
            note = f"{note} Order {order_id}.".strip()
        if not service_rows.advance(session, row, values):
            return Declined("another person was first", "Read the request again and decide anew.")
        if row.order_id is not None:
            request_rows.give_order(session, row.id, row.order_id)
        service_rows.append(session, KIND, row.id, review.at, review.verb.value, review.by, note)
        self._answer(session, row, review)
        return row

    def _order(self, session: Session, row: RequestRow, review: Review, asset_id: str) -> str:
        place = asset_id or row.space_id or row.building_id
        usual = Severity.HIGH if row.urgent else Severity.MEDIUM
        name = hashlib.blake2b(row.id.encode(), digest_size=12).hexdigest()
        at_us = to_us(review.at)
        finding = Finding(
            id=f"fi_{name}",
            rule_id=RULE,
            asset_id=place,
            building_id=row.building_id,
            kind=OrderKind.FAULT,
            severity=review.severity or usual,
            state=FindingState.ACTIVE,
            title=f"{format_request(row.number)}: {row.text.splitlines()[0][:80]}",
            advice=f"{row.text} {review.note}".strip(),
            cause_key=f"{place}/{RULE}/{row.category}",
            onset_us=to_us(row.received_at),
            raised_us=at_us,
        )
        received = self._desk.receive(session, [finding])
        return (*received.opened, *received.reopened, *received.joined)[0]

    def _answer(self, session: Session, row: RequestRow, review: Review) -> None:
        number = format_request(row.number)
        en = {"accept": "accepted, somebody will come", "reject": "not accepted", "withdraw": "withdrawn"}
        zh = {"accept": "已受理，将派人处理", "reject": "未受理", "withdraw": "已撤回"}
        subject = f"{number}: {en[review.verb.value]}", f"{number}：{zh[review.verb.value]}"
        for one in (row, *request_rows.followers(session, row.id)):
            if one.contact:
                key = f"{one.id}/{review.verb}/{row.version}"
                body = review.note or row.text
                word = Word(
                    key, "request", review.at, subject, (body, body), contact=one.contact, order_id=row.order_id
                )
                self._teller.tell(session, word)

    def _strange(self, entry: Entry) -> Declined | None:
        known = self._registry()
        for noun, name, names in (
            ("building", entry.building_id, known.buildings),
            ("space", entry.space_id, known.spaces),
            ("asset", entry.asset_id, known.assets),
        ):
            if (name or noun == "building") and name not in names:
                return Declined(unknown(noun, name, names), f"GET /api/{noun}s lists them.")
        if entry.asset_id and known.assets[entry.asset_id].building_id != entry.building_id:
            what = f"asset {entry.asset_id!r} is not in building {entry.building_id!r}"
            return Declined(what, f"It is in {known.assets[entry.asset_id].building_id!r}.")
        return None

    def _terms(self, building_id: str, now: datetime) -> tuple[str | None, int | None, RequestTerms | None]:
        building = self._registry().buildings[building_id]
        facts = LevelFacts(Severity.MEDIUM, site_id=building.site_id, building_id=building_id)
        choice = self._book.choose(facts, now)
        revision = self._book.revision(choice.contract_id, choice.revision)
        return choice.contract_id, choice.revision, revision.service.requests if revision is not None else None
