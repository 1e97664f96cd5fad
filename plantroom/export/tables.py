"""What is exported of the database: files, their columns, and what each column means.

Left out on purpose: users, passwords, sessions, tokens and the audit; messages and addresses; keys of links and calls.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlmodel import SQLModel

from ticketing.complaint import format_complaint
from ticketing.request import format_request
from ticketing.tables import EventRow, FindingRow, MemberRow, WorkOrderRow
from ticketing.tables_service import (
    AttachmentRow,
    ComplaintRow,
    CostLineRow,
    PartRow,
    QuoteRow,
    RequestRow,
    ServiceEventRow,
    SurveyRow,
)
from ticketing.tables_work import CheckAnswerRow, LinkRow, MeterRow
from ticketing.views import format_number

_ORDER, _ASSET, _BUILDING, _CENTS = (
    "id of the order",
    "id of the asset",
    "id of the building",
    "in hundredths of `currency`",
)
_CONTRACT = {
    "contract_id": "contract it falls under",
    "contract_revision": "revision of the contract that was in force",
}


@dataclass(frozen=True, slots=True)
class Table:
    """One file. `columns` are those of the table in their order, with their meaning; `numbers` writes its number."""

    row: type[SQLModel]
    about: str
    columns: Mapping[str, str]
    order_by: tuple[str, ...]
    number: Callable[[int], str] | None = None


TABLES: Mapping[str, Table] = {
    "orders": Table(WorkOrderRow, "every work order as it stands", {
        "id": _ORDER, "number": "its number, as people say it", "version": "counts decisions of people",
        "kind": "fault or preventive", "status": "where it stands", "priority": "1 is the most urgent",
        "severity": "of the fault", "building_id": _BUILDING, "asset_id": _ASSET, "rule_id": "rule that opened it",
        "finding_id": "finding that opened it", "cause_key": "what is one cause", "title": "what is wrong",
        "advice": "what to do", "diagnoses": "what it may be (JSON list)", **_CONTRACT,
        "service_level": "level of the contract", "level_reason": "why this level",
        "level_reason_zh": "the same in Chinese", "default_level": "no level matched", "opened_at": "opened",
        "response_due_at": "to be on site by", "resolution_due_at": "to be repaired by",
        "acknowledged_at": "accepted by whoever works on it", "arrived_at": "on site", "completed_at": "work done",
        "accepted_at": "accepted by the customer", "closed_at": "closed", "cancelled_at": "cancelled",
        "reopened_at": "reopened for the last time", "assignee": "who works on it",
        "repeats": "how often the cause came back", "repeat_of": "id of the order that did not last",
        "key_equipment": "key equipment at opening", "planned_due_at": "end of the day a visit is due",
        "parent_id": "id of the order it is part of", "merged_into": "id of the order that took it over",
    }, ("number",), format_number),
    "history": Table(EventRow, "every line of every order's history", {
        "id": "counts lines", "work_order_id": _ORDER, "version": "version of the order after it", "at": "when",
        "verb": "what was done", "by": "by whom", "note": "words to it", "note_zh": "the program's words in Chinese",
        "reason": "reason of a hold or cancellation", "from_status": "status before", "to_status": "status after",
        "finding_id": "finding that joined", "proof": "what proves it",
    }, ("id",)),
    "order_findings": Table(MemberRow, "which finding belongs to which order", {
        "finding_id": "id of the finding", "work_order_id": _ORDER,
    }, ("finding_id",)),
    "order_links": Table(LinkRow, "orders that have to do with each other", {
        "work_order_id": _ORDER, "other_id": "id of the other", "by": "who said so", "at": "when",
    }, ("work_order_id", "other_id")),
    "findings": Table(FindingRow, "every finding that was raised", {
        "id": "id of the finding", "rule_id": "rule", "asset_id": _ASSET, "building_id": _BUILDING,
        "kind": "fault or preventive", "severity": "severity", "state": "active, cleared ...", "title": "what is wrong",
        "advice": "what to do", "cause_key": "what is one cause", "onset_at": "condition true since",
        "raised_at": "raised", "cleared_at": "cleared", "suppressed_by": "finding that explains it",
        "shelved_by": "who took it out of view", "shelved_until": "until when", "shelved_reason": "why",
        "latched": "stays until a visit", "flapping": "comes and goes", "days_left": "forecast in days",
        "confidence": "of the forecast, 0 to 1", "diagnoses": "what it may be (JSON list)",
        "evidence": "readings and parameters that led to it (JSON list)",
    }, ("raised_at", "id")),
    "check_answers": Table(CheckAnswerRow, "answers to the check lists of visits", {
        "id": "counts answers; a later one to the same item stands", "work_order_id": _ORDER,
        "item": "item of the list", "value": "answer", "passed": "as it should be", "note": "words to it",
        "by": "by whom", "at": "when",
        "finding_id": "finding it led to",
    }, ("id",)),
    "costs": Table(CostLineRow, "every cost that was booked", {
        "id": "counts lines", "order_id": _ORDER, "kind": "labour, part or call_out", "what": "what for",
        "quantity_hundredths": "hours or pieces, in hundredths", "unit_cents": f"price of one {_CENTS}",
        "amount_cents": f"amount {_CENTS}", "currency": "ISO 4217", "part_id": "part", "payer": "who pays",
        "clause": "clause that says so", "at": "booked", "by": "by whom",
    }, ("id",)),
    "quotes": Table(QuoteRow, "every quote", {
        "id": "id of the quote", "order_id": _ORDER, "version": "counts decisions", "status": "where it stands",
        "amount_cents": f"amount {_CENTS}", "currency": "ISO 4217", "lines": "what it is made of (JSON)",
        "standard": "cost standard of the contract", "sent_at": "sent", "sent_by": "by whom", "decided_at": "decided",
        "decided_by": "by whom", "reason": "why",
    }, ("sent_at", "id")),
    "parts": Table(PartRow, "the price list and the stock", {
        "id": "id of the part", "name": "name", "unit": "unit", "price_cents": f"price {_CENTS}",
        "currency": "ISO 4217", "stock": "in stock", "reorder_at": "order again at",
    }, ("id",)),
    "requests": Table(RequestRow, "what occupants reported", {
        "id": "id of the request", "number": "its number", "version": "counts decisions", "status": "where it stands",
        "category": "what it is about", "text": "what was written", "building_id": _BUILDING,
        "space_id": "id of the space", "asset_id": _ASSET, "contact": "how to reach who sent it",
        "language": "language", "urgent": "said to be urgent",
        "received_at": "received", "review_due_at": "to be looked at by", "reviewed_at": "looked at",
        "visit_due_at": "somebody there by", "order_id": _ORDER, "joined_to": "request that says the same", **_CONTRACT,
    }, ("number",), format_request),
    "complaints": Table(ComplaintRow, "every complaint", {
        "id": "id of the complaint", "number": "its number", "version": "counts decisions", "status": "where it stands",
        "text": "what was written", "building_id": _BUILDING, "space_id": "id of the space", "asset_id": _ASSET,
        "equipment_class": "class of the asset", "supplier": "who is meant", "contact": "how to reach who sent it",
        "urgent": "urgent", "received_at": "received", "accept_due_at": "to be accepted by",
        "answer_due_at": "to be answered by", "resolve_due_at": "to be resolved by", "tell_due_at": "to be told by",
        "accepted_at": "accepted", "answered_at": "answered", "resolved_at": "resolved", "told_at": "told",
        "escalated_at": "escalated", "order_id": _ORDER, "survey_id": "survey it came from",
        "repeat_of": "complaint that came before", **_CONTRACT,
    }, ("number",), format_complaint),
    "surveys": Table(SurveyRow, "every survey that was sent, and its answers", {
        "id": "id of the survey", "form_id": "form of the contract", "form_kind": "repair, nps ...",
        "subject": "what it is about", "status": "sent, answered or expired", "order_id": _ORDER,
        "building_id": _BUILDING, "asset_id": _ASSET, "equipment_class": "class of the asset",
        "supplier": "who is judged", "contact": "who was asked", **_CONTRACT, "sent_at": "sent", "closes_at": "closes",
        "reminders": "reminders sent", "answered_at": "answered", "score_hundredths": "score of 0 to 10, in hundredths",
        "nps": "0 to 10", "answers": "question and score (JSON)", "reason": "what was written",
    }, ("sent_at", "id")),
    "service_history": Table(ServiceEventRow, "what happened to requests, complaints, surveys, quotes and parts", {
        "id": "counts lines", "owner_kind": "to what", "owner_id": "its id", "at": "when", "verb": "what was done",
        "by": "by whom", "note": "words to it",
    }, ("id",)),
    "attachments": Table(AttachmentRow, "photos and signatures; the pictures are in a backup", {
        "id": "id of the attachment", "owner_kind": "of an order, request or complaint", "owner_id": "its id",
        "kind": "photo or signature", "media_type": "media type", "size": "bytes", "width": "pixels",
        "height": "pixels", "sha256": "SHA-256 of the picture, its name in `var/attachments`", "at": "when",
        "by": "by whom",
    }, ("at", "id")),
    "meters": Table(MeterRow, "what meters of assets showed", {
        "asset_id": _ASSET, "meter": "run hours, trips ...", "at": "when", "value": "in the meter's unit",
        "source": "where from",
    }, ("asset_id", "meter", "at")),
}  # fmt: skip
