"""What the API shows of requests, complaints and surveys. Instants are aware UTC, ISO 8601 with Z."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel

from ticketing.attachment import AttachmentKind, OwnerKind
from ticketing.complaint import CLOCKS, ComplaintStatus, format_complaint
from ticketing.request import RequestStatus, format_request
from ticketing.survey import SurveyStatus
from ticketing.tables_service import AttachmentRow, ComplaintRow, RequestRow, ServiceEventRow, SurveyRow
from ticketing.terms_service import Form, FormKind, Scale


class ServiceLineView(BaseModel):
    """One line of a history; never changed."""

    at: datetime
    verb: str
    by: str
    note: str


class AttachmentView(BaseModel):
    """A photo or signature, without its content. `of` is the order, request or complaint it belongs to; `width` and
    `height` (pixels) are missing for one from an older release."""

    id: str
    kind: AttachmentKind
    of: OwnerKind
    of_id: str
    media_type: str
    size: int
    width: int | None
    height: int | None
    at: datetime
    by: str


class RequestView(BaseModel):
    """An occupant's request. `overdue`: it was not reviewed within the contract's limit."""

    id: str
    number: str
    version: int
    status: RequestStatus
    category: str
    text: str
    building_id: str
    space_id: str
    asset_id: str
    contact: str
    language: str
    urgent: bool
    received_at: datetime
    review_due_at: datetime | None
    reviewed_at: datetime | None
    visit_due_at: datetime | None
    overdue: bool
    work_order_id: str | None
    joined_to: str | None
    photos: list[AttachmentView]
    history: list[ServiceLineView]


class ComplaintClockView(BaseModel):
    """One clock of a complaint: accept, answer, resolve, or tell (from the resolution)."""

    due_at: datetime | None
    stopped_at: datetime | None
    breached: bool


class ComplaintView(BaseModel):
    """A complaint with its clocks. `repeat_of` is the one about the same matter before it."""

    id: str
    number: str
    version: int
    status: ComplaintStatus
    text: str
    building_id: str
    space_id: str
    asset_id: str
    equipment_class: str
    supplier: str
    contact: str
    urgent: bool
    received_at: datetime
    clocks: dict[str, ComplaintClockView]
    escalated_at: datetime | None
    work_order_id: str | None
    survey_id: str | None
    repeat_of: str | None
    photos: list[AttachmentView]
    history: list[ServiceLineView]


class QuestionView(BaseModel):
    """One question, in both languages, and what may be answered."""

    id: str
    text: str
    text_zh: str
    scale: Scale
    allowed: list[int]


class SurveyView(BaseModel):
    """A survey. `score` is 0 to 10 whatever the form's scale."""

    id: str
    form_id: str
    kind: FormKind
    status: SurveyStatus
    work_order_id: str | None
    building_id: str
    asset_id: str
    equipment_class: str
    supplier: str
    sent_at: datetime
    closes_at: datetime
    reminders: int
    answered_at: datetime | None
    score: Decimal | None
    nps: int | None
    answers: dict[str, int]
    reason: str
    questions: list[QuestionView]


def attachment_view(row: AttachmentRow) -> AttachmentView:
    """An attachment as others see it."""
    values = row.model_dump(include={"id", "media_type", "size", "width", "height", "at", "by"})
    owner = OwnerKind(row.owner_kind)
    return AttachmentView(**values, kind=AttachmentKind(row.kind), of=owner, of_id=row.owner_id)


def request_view(
    row: RequestRow, lines: Iterable[ServiceEventRow], photos: Iterable[AttachmentRow], now: datetime
) -> RequestView:
    """A request as others see it."""
    values = row.model_dump(exclude={"number", "order_id", "contract_id", "contract_revision", "key"})
    due = row.review_due_at
    return RequestView(
        **values,
        number=format_request(row.number),
        work_order_id=row.order_id,
        overdue=due is not None and (row.reviewed_at or now) > due and row.joined_to is None,
        photos=[attachment_view(one) for one in photos],
        history=lines_view(lines),
    )


def complaint_view(
    row: ComplaintRow, lines: Iterable[ServiceEventRow], photos: Iterable[AttachmentRow], now: datetime
) -> ComplaintView:
    """A complaint as others see it."""
    stamps = {f"{name}_due_at" for name in CLOCKS} | set(CLOCKS.values())
    hidden = {"number", "order_id", "contract_id", "contract_revision", "key", "matter_key"} | stamps
    return ComplaintView(
        **row.model_dump(exclude=hidden),
        number=format_complaint(row.number),
        work_order_id=row.order_id,
        clocks={name: _clock(row, name, stamp, now) for name, stamp in CLOCKS.items()},
        photos=[attachment_view(one) for one in photos],
        history=lines_view(lines),
    )


def survey_view(row: SurveyRow, form: Form | None) -> SurveyView:
    """A survey as others see it, with its questions when its form is loaded."""
    hidden = {"form_kind", "order_id", "score_hundredths", "subject", "contact", "contract_id", "contract_revision"}
    questions = form.questions if form is not None else ()
    return SurveyView(
        **row.model_dump(exclude=hidden | {"next_reminder_at"}),
        kind=FormKind(row.form_kind),
        work_order_id=row.order_id,
        score=Decimal(row.score_hundredths) / 100 if row.score_hundredths is not None else None,
        questions=[
            QuestionView(
                id=one.id, text=one.text, text_zh=one.text_zh, scale=one.scale, allowed=sorted(one.scale.allowed)
            )
            for one in questions
        ],
    )


def of(histories: Mapping[str, list[ServiceEventRow]], owner_id: str) -> list[ServiceEventRow]:
    """The lines of one owner, none when it has none."""
    return histories.get(owner_id, [])


def _clock(row: ComplaintRow, name: str, stamp: str, now: datetime) -> ComplaintClockView:
    due_at: datetime | None = getattr(row, f"{name}_due_at")
    stopped_at: datetime | None = getattr(row, stamp)
    running = row.status != ComplaintStatus.WITHDRAWN or stopped_at is not None
    breached = due_at is not None and running and (stopped_at or now) > due_at
    return ComplaintClockView(due_at=due_at, stopped_at=stopped_at, breached=breached)


def lines_view(lines: Iterable[ServiceEventRow]) -> list[ServiceLineView]:
    """A history as others see it."""
    return [ServiceLineView(at=one.at, verb=one.verb, by=one.by, note=one.note) for one in lines]
