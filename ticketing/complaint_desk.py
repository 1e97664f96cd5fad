"""Takes complaints, counts repeats, carries out what people do to them, and tells somebody higher when it is time.

The caller owns the transaction.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from facility.fields import unknown
from facility.finding import Severity
from facility.registry import Registry
from ticketing import complaint_rows, repository, service_rows
from ticketing.complaint import (
    CLOCKS,
    ComplaintStatus,
    ComplaintVerb,
    decide_complaint,
    format_complaint,
    limits,
    why_escalate,
)
from ticketing.contract_book import ContractBook
from ticketing.level import LevelFacts
from ticketing.request import Declined
from ticketing.service_word import Teller, Word
from ticketing.tables_service import ComplaintRow
from ticketing.terms_service import ComplaintTerms

KIND = "complaint"
USUAL_WINDOW = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Grievance:
    """What somebody complains about: at least the building and words. `order` (id or number) is the order it is about;
    building and asset then follow from it. `survey_id` is the survey whose answers it comes from."""

    text: str
    building_id: str = ""
    space_id: str = ""
    asset_id: str = ""
    order: str = ""
    survey_id: str = ""
    contact: str = ""
    urgent: bool = False
    key: str | None = None

    def __post_init__(self) -> None:
        if not self.text.strip() or len(self.text) > 4_000:
            msg = "a complaint says in `text` what is wrong, in at most 4,000 characters"
            raise ValueError(msg)


class ComplaintDesk:
    """Receives, acts and escalates. `registry` gives the directory in force."""

    def __init__(self, book: ContractBook, registry: Callable[[], Registry], teller: Teller) -> None:
        self._book, self._registry, self._teller = book, registry, teller

    def receive(self, session: Session, said: Grievance, now: datetime) -> ComplaintRow | Declined:
        """Keep a complaint with its deadlines. The same key again gives the complaint it gave before."""
        service_rows.one_at_a_time(session, ComplaintRow)
        if said.key is not None and (known := complaint_rows.by_key(session, said.key)) is not None:
            return known
        order = repository.find_order(session, said.order) if said.order else None
        if said.order and order is None:
            return Declined(f"there is no work order {said.order!r}", "GET /api/work-orders lists them.")
        asset_id = said.asset_id or (order.asset_id if order is not None else "")
        building_id = said.building_id or (order.building_id if order is not None else "")
        asset = self._registry().assets.get(asset_id)
        building_id = building_id or (asset.building_id if asset is not None else "")
        building = self._registry().buildings.get(building_id)
        if building is None:
            what = unknown("building", building_id, self._registry().buildings)
            return Declined(what, "Name the building, the asset or the order.")
        facts = LevelFacts(Severity.MEDIUM, site_id=building.site_id, building_id=building_id)
        choice = self._book.choose(facts, now)
        contract = next((one for one in self._book.contracts if one.id == choice.contract_id), None)
        terms = self._terms(choice.contract_id, choice.revision)
        matter = f"asset {asset_id}" if asset_id else f"place {building_id}/{said.space_id}"
        window = terms.repeat_window if terms is not None else USUAL_WINDOW
        before = complaint_rows.last_of_matter(session, matter, now - window)
        due = limits(terms, now, urgent=said.urgent)
        row = ComplaintRow(
            id=service_rows.new_id("cp"),
            number=service_rows.next_number(session, ComplaintRow),
            status=ComplaintStatus.RECEIVED,
            text=said.text.strip(),
            building_id=building_id,
            space_id=said.space_id,
            asset_id=asset_id,
            equipment_class=asset.equipment_class.name if asset is not None else "",
            supplier=contract.supplier if contract is not None else "",
            contact=said.contact,
            urgent=said.urgent,
            matter_key=matter,
            received_at=now,
            accept_due_at=due["accept"],
            answer_due_at=due["answer"],
            resolve_due_at=due["resolve"],
            order_id=order.id if order is not None else None,
            survey_id=said.survey_id or None,
            repeat_of=before.id if before is not None else None,
            contract_id=choice.contract_id,
            contract_revision=choice.revision,
            key=said.key,
        )
        service_rows.insert(session, row)
        service_rows.append(session, KIND, row.id, now, "receive", said.contact or "occupant", row.text)
        if before is not None:
            note = f"A repeat of {format_complaint(before.number)}: {matter}."
            service_rows.append(session, KIND, row.id, now, "repeat", "desk", note)
        self._escalate(session, row, now)
        return row

    def act(
        self,
        session: Session,
        row: ComplaintRow,
        verb: ComplaintVerb,
        by: str,
        at: datetime,
        note: str = "",
        seen: int | None = None,
    ) -> ComplaintRow | Declined:
        """Carry out what a person does; `row` should be locked."""
        terms = self._terms(row.contract_id, row.contract_revision)
        status = ComplaintStatus(row.status)
        step = decide_complaint(status, row.version, verb, note, at, terms, urgent=row.urgent, seen=seen)
        if isinstance(step, Declined):
            return step
        if not service_rows.advance(session, row, {"status": step.to_status.value, **step.stamps}):
            return Declined("another person was first", "Read the complaint again and decide anew.")
        service_rows.append(session, KIND, row.id, at, verb.value, by, note)
        if row.contact and verb in (ComplaintVerb.ANSWER, ComplaintVerb.RESOLVE):
            number = format_complaint(row.number)
            subject = (
                f"{number}: {'answered' if verb is ComplaintVerb.ANSWER else 'resolved'}",
                f"{number}：" + ("已答复" if verb is ComplaintVerb.ANSWER else "已办结"),
            )
            word = Word(f"{row.id}/{verb}/{row.version}", KIND, at, subject, (note, note), contact=row.contact)
            self._teller.tell(session, word)
        return row

    def link(self, session: Session, row: ComplaintRow, order: str, by: str, at: datetime) -> ComplaintRow | Declined:
        """Say which order the complaint is about."""
        found = repository.find_order(session, order)
        if found is None:
            return Declined(f"there is no work order {order!r}", "GET /api/work-orders lists them.")
        if not service_rows.advance(session, row, {"order_id": found.id}):
            return Declined("another person was first", "Read the complaint again and decide anew.")
        service_rows.append(session, KIND, row.id, at, "link", by, f"About WO-{found.number:06d}.")
        return row

    def escalate(self, session: Session, now: datetime) -> int:
        """Tell somebody higher of every complaint that asks for it, each once; how many."""
        return sum(self._escalate(session, row, now) for row in complaint_rows.not_escalated(session))

    def _escalate(self, session: Session, row: ComplaintRow, now: datetime) -> bool:
        names = [*(f"{name}_due_at" for name in CLOCKS), *CLOCKS.values()]
        stamps = {name: getattr(row, name) for name in names}
        why = why_escalate(stamps, now, urgent=row.urgent, repeat=row.repeat_of is not None)
        terms = self._terms(row.contract_id, row.contract_revision)
        if why is None:
            return False
        complaint_rows.escalate(session, row.id, now)
        session.refresh(row)
        to = terms.escalate_to if terms is not None and terms.escalate_to else ("manager",)
        service_rows.append(session, KIND, row.id, now, "escalate", "desk", f"To {', '.join(to)}: {why[0]}.")
        number = format_complaint(row.number)
        subject = f"{number}: {why[0]}", f"{number}：{why[1]}"
        word = Word(f"{row.id}/escalate", KIND, now, subject, (row.text, row.text), to, order_id=row.order_id,
                    urgent=row.urgent)  # fmt: skip
        self._teller.tell(session, word)
        return True

    def _terms(self, contract_id: str | None, number: int | None) -> ComplaintTerms | None:
        revision = self._book.revision(contract_id, number)
        return revision.service.complaints if revision is not None else None
