"""Sends surveys when the contract says so, reminds, takes the answers, and makes a complaint of a low one.

The caller owns the transaction. Nothing is sent twice: a form has one survey for each occasion; the database says so.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from facility.asset import Building
from facility.finding import Severity
from facility.registry import Registry
from ticketing import request_rows, service_rows, survey_rows
from ticketing.complaint_desk import ComplaintDesk, Grievance
from ticketing.contract import Contract, Revision
from ticketing.contract_book import ContractBook
from ticketing.level import LevelFacts, covers, facts_about
from ticketing.order_subject import Subject
from ticketing.request import Declined
from ticketing.service_word import Teller, Word
from ticketing.survey import SurveyStatus, judge_answers, next_reminder
from ticketing.tables import WorkOrderRow
from ticketing.tables_service import SurveyRow
from ticketing.terms_service import Form, SendOn, SurveyTerms

KIND = "survey"
CUSTOMER = "customer"
_SUBJECT = "Please tell us how it went", "请评价本次服务"
_REMINDER = "A reminder: please tell us how it went", "提醒：请评价本次服务"


class SurveyDesk:
    """Sends, reminds and takes answers. `registry` gives the directory in force."""

    def __init__(
        self, book: ContractBook, registry: Callable[[], Registry], complaints: ComplaintDesk, teller: Teller
    ) -> None:
        self._book, self._registry, self._complaints, self._teller = book, registry, complaints, teller

    def send_due(self, session: Session, now: datetime) -> int:
        """Send every form whose occasion has come: a fault order completed, a half-year begun; how many."""
        sent = 0
        for contract in self._book.contracts:
            revision = contract.revision_at(now)
            terms = revision.service.surveys if revision is not None else None
            if revision is not None and terms is not None:
                for form in terms.forms:
                    send = self._after_orders if form.send_on is SendOn.COMPLETE else self._half_yearly
                    sent += send(session, contract, revision, form, now)
        return sent

    def remind(self, session: Session, now: datetime) -> tuple[int, int]:
        """Remind of open surveys and close those whose time is over: how many of each."""
        reminded = closed = 0
        for row in survey_rows.open_and_due(session, now):
            terms = self._terms(row)
            form = _form(terms, row.form_id)
            if row.closes_at <= now or form is None:
                survey_rows.change(session, row.id, {"status": SurveyStatus.EXPIRED.value, "next_reminder_at": None})
                service_rows.append(session, KIND, row.id, now, "expire", "desk")
                closed += 1
                continue
            number = row.reminders + 1
            values = {"reminders": number, "next_reminder_at": next_reminder(form, row.sent_at, number)}
            if survey_rows.change(session, row.id, values):
                service_rows.append(session, KIND, row.id, now, "remind", "desk")
                self._tell(session, row, _REMINDER, f"remind/{number}", now)
                reminded += 1
        return reminded, closed

    def answer(
        self, session: Session, row: SurveyRow, answers: Mapping[str, object], reason: str, now: datetime
    ) -> SurveyRow | Declined:
        """Take the answers of a person once; a low one opens a complaint. `row` should be locked."""
        if row.status != SurveyStatus.SENT or now > row.closes_at:
            return Declined(f"the survey is {row.status} and closed at {row.closes_at:%Y-%m-%d %H:%M} UTC",
                            "It is answered once, before it closes.")  # fmt: skip
        terms = self._terms(row)
        form = _form(terms, row.form_id)
        if terms is None or form is None:
            return Declined(
                f"form {row.form_id!r} is no longer in the contract", "Load the contract it was sent under."
            )
        judged = judge_answers(form, terms, answers)
        if isinstance(judged, Declined):
            return judged
        values = {
            "status": SurveyStatus.ANSWERED.value,
            "answered_at": now,
            "next_reminder_at": None,
            "answers": dict(judged.answers),
            "score_hundredths": int(judged.score * 100) if judged.score is not None else None,
            "nps": judged.nps,
            "reason": reason.strip(),
        }
        if not survey_rows.change(session, row.id, values):
            return Declined("the survey was answered a moment ago", "It is answered once.")
        session.refresh(row)
        score = f"Score {judged.score} of 10." if judged.score is not None else f"NPS {judged.nps}."
        service_rows.append(
            session, KIND, row.id, now, "answer", row.contact or "occupant", f"{score} {reason}".strip()
        )
        if judged.low:
            said = (
                f"Low answers to {', '.join(f'{one} ({judged.answers[one]})' for one in judged.low)}. {reason}".strip()
            )
            grievance = Grievance(
                said, building_id=row.building_id, asset_id=row.asset_id, order=row.order_id or "", survey_id=row.id,
                contact=row.contact, key=f"survey/{row.id}",
            )  # fmt: skip
            complaint = self._complaints.receive(session, grievance, now)
            if isinstance(complaint, Declined):
                service_rows.append(session, KIND, row.id, now, "complain", "desk", f"Not possible: {complaint.what}.")
        return row

    def form_of(self, row: SurveyRow) -> Form | None:
        """The form a survey asks; None when its contract is no longer loaded."""
        return _form(self._terms(row), row.form_id)

    def _after_orders(self, session: Session, contract: Contract, revision: Revision, form: Form, now: datetime) -> int:
        sent = 0
        for order in survey_rows.completed_unasked(session, form.id, now - form.closes, now):
            facts = facts_about(Subject.of_order(order), self._registry())
            if order.contract_id == contract.id and covers(form.match, facts):
                asked = request_rows.of_order(session, order.id)
                contact = next((one.contact for one in asked if one.contact), "")
                sent += self._send(session, contract, revision, form, now, order.id, contact, order=order)
        return sent

    def _half_yearly(self, session: Session, contract: Contract, revision: Revision, form: Form, now: datetime) -> int:
        sent = 0
        for building in self._registry().buildings.values():
            facts = LevelFacts(Severity.LOW, site_id=building.site_id, building_id=building.id)
            if (
                contract.covers(building.site_id, building.id)
                and self._book.choose(facts, now).contract_id == contract.id
            ):
                half, began_at = _half_year(now, building.zone)
                if began_at >= revision.effective_at and now - began_at < form.closes:  # later it is of no use
                    subject = f"{building.id}/{half}"
                    sent += self._send(session, contract, revision, form, now, subject, "", building=building)
        return sent

    def _send(
        self,
        session: Session,
        contract: Contract,
        revision: Revision,
        form: Form,
        now: datetime,
        subject: str,
        contact: str,
        *,
        order: WorkOrderRow | None = None,
        building: Building | None = None,
    ) -> bool:
        asset = self._registry().assets.get(order.asset_id) if order is not None else None
        place = order.building_id if order is not None else building.id if building is not None else ""
        survey_id = service_rows.new_id("sv")
        values: dict[str, Any] = {
            "id": survey_id, "form_id": form.id, "form_kind": form.kind.value, "subject": subject,
            "status": SurveyStatus.SENT.value, "order_id": order.id if order is not None else None,
            "building_id": place, "asset_id": order.asset_id if order is not None else "",
            "equipment_class": asset.equipment_class.name if asset is not None else "", "supplier": contract.supplier,
            "contact": contact, "contract_id": contract.id, "contract_revision": revision.number, "sent_at": now,
            "closes_at": now + form.closes, "next_reminder_at": next_reminder(form, now, 0), "reminders": 0,
            "answers": {}, "reason": "",
        }  # fmt: skip
        if not survey_rows.send(session, values):
            return False
        service_rows.append(session, KIND, survey_id, now, "send", "desk", f"To {contact or CUSTOMER}.")
        row = survey_rows.find_survey(session, survey_id)
        if row is not None:
            self._tell(session, row, _SUBJECT, "send", now)
        return True

    def _tell(self, session: Session, row: SurveyRow, subject: tuple[str, str], key: str, now: datetime) -> None:
        body = f"/surveys/{row.id}"
        to = () if row.contact else (CUSTOMER,)
        word = Word(f"{row.id}/{key}", KIND, now, subject, (body, body), to, row.contact, row.order_id)
        self._teller.tell(session, word)

    def _terms(self, row: SurveyRow) -> SurveyTerms | None:
        revision = self._book.revision(row.contract_id, row.contract_revision)
        return revision.service.surveys if revision is not None else None


def _form(terms: SurveyTerms | None, form_id: str) -> Form | None:
    return next((one for one in terms.forms if one.id == form_id), None) if terms is not None else None


def _half_year(now: datetime, zone: ZoneInfo) -> tuple[str, datetime]:
    on = now.astimezone(zone).date()
    first = on.replace(month=1 if on.month <= 6 else 7, day=1)
    return f"{first.year}-H{1 if first.month == 1 else 2}", datetime.combine(first, time(), zone).astimezone(UTC)
