"""The tables of what people send and answer, and of what work costs: requests, complaints, surveys, stock, quotes.

Money is a whole number of the currency's hundredth (`*_cents`) beside its currency. Histories are append-only lines in
`service_event`, one table for all of them; triggers refuse a change.
"""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from ticketing.tables import UtcInstant

_BIG = BigInteger().with_variant(Integer(), "sqlite")


class RequestRow(SQLModel, table=True):
    """What an occupant reported. `order_id` is the order it became or joined, `joined_to` the request it repeats.

    `key` is the sender's own idempotency key: the same key again is the same request.
    """

    __tablename__ = "request"
    __table_args__ = (
        Index("ix_request_status", "status", "received_at"),
        Index("ix_request_asset", "asset_id"),
        Index("ix_request_order", "order_id"),
    )

    id: str = Field(sa_column=Column(String(64), primary_key=True))
    number: int = Field(sa_column=Column(Integer, nullable=False, unique=True))
    version: int = 1
    status: str
    category: str
    text: str = Field(sa_column=Column(Text, nullable=False))
    building_id: str
    space_id: str = ""
    asset_id: str = ""
    contact: str = ""
    language: str = "en"
    urgent: bool = False
    received_at: datetime = Field(sa_column=Column(UtcInstant, nullable=False))
    review_due_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    reviewed_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    visit_due_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    order_id: str | None = Field(default=None, sa_column=Column(String(64), ForeignKey("work_order.id")))
    joined_to: str | None = Field(default=None, sa_column=Column(String(64), ForeignKey("request.id")))
    contract_id: str | None = None
    contract_revision: int | None = None
    key: str | None = Field(default=None, sa_column=Column(String(200), unique=True))


class AttachmentRow(SQLModel, table=True):
    """A photo or signature of a request, a complaint or an order: what is kept of it lies in the folder of attachments
    under its hash. `content` is of rows from before there was that folder, as it came."""

    __tablename__ = "attachment"
    __table_args__ = (
        Index("ix_attachment_owner", "owner_kind", "owner_id"),
        Index("ix_attachment_sha256", "sha256"),
        Index("ix_attachment_thumbnail", "thumbnail_sha256"),
        UniqueConstraint("owner_kind", "owner_id", "kind", "sha256", name="attachment_owner_sha256"),
    )

    id: str = Field(sa_column=Column(String(64), primary_key=True))
    owner_kind: str
    owner_id: str = Field(sa_column=Column(String(64), nullable=False))
    kind: str = "photo"
    media_type: str
    size: int
    width: int | None = None
    height: int | None = None
    sha256: str = Field(sa_column=Column(String(64), nullable=False))
    thumbnail_sha256: str | None = Field(default=None, sa_column=Column(String(64)))
    content: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    at: datetime = Field(sa_column=Column(UtcInstant, nullable=False))
    by: str


class ComplaintRow(SQLModel, table=True):
    """A complaint with its own clocks. `repeat_of` is the complaint of the same matter that came before it."""

    __tablename__ = "complaint"
    __table_args__ = (
        Index("ix_complaint_status", "status", "received_at"),
        Index("ix_complaint_received", "received_at"),
        Index("ix_complaint_order", "order_id"),
        Index("ix_complaint_matter", "matter_key", "number"),
    )

    id: str = Field(sa_column=Column(String(64), primary_key=True))
    number: int = Field(sa_column=Column(Integer, nullable=False, unique=True))
    version: int = 1
    status: str
    text: str = Field(sa_column=Column(Text, nullable=False))
    building_id: str
    space_id: str = ""
    asset_id: str = ""
    equipment_class: str = ""
    supplier: str = ""
    contact: str = ""
    urgent: bool = False
    matter_key: str
    received_at: datetime = Field(sa_column=Column(UtcInstant, nullable=False))
    accept_due_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    answer_due_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    resolve_due_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    tell_due_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    accepted_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    answered_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    resolved_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    told_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    escalated_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    order_id: str | None = Field(default=None, sa_column=Column(String(64), ForeignKey("work_order.id")))
    survey_id: str | None = Field(default=None, sa_column=Column(String(64)))
    repeat_of: str | None = Field(default=None, sa_column=Column(String(64), ForeignKey("complaint.id")))
    contract_id: str | None = None
    contract_revision: int | None = None
    key: str | None = Field(default=None, sa_column=Column(String(200), unique=True))


class SurveyRow(SQLModel, table=True):
    """A form sent to somebody. `score` is 0 to 10 (in hundredths) whatever the form's own scale; `nps` is 0 to 10.

    `subject` makes it one per form and occasion: an order, or a building and half-year.
    """

    __tablename__ = "survey"
    __table_args__ = (
        UniqueConstraint("form_id", "subject", name="survey_form_subject"),
        Index("ix_survey_status", "status", "next_reminder_at"),
        Index("ix_survey_answered", "answered_at"),
        Index("ix_survey_sent", "sent_at"),
    )

    id: str = Field(sa_column=Column(String(64), primary_key=True))
    form_id: str
    form_kind: str
    subject: str = Field(sa_column=Column(String(200), nullable=False))
    status: str
    order_id: str | None = Field(default=None, sa_column=Column(String(64), ForeignKey("work_order.id")))
    building_id: str
    asset_id: str = ""
    equipment_class: str = ""
    supplier: str = ""
    contact: str = ""
    contract_id: str | None = None
    contract_revision: int | None = None
    sent_at: datetime = Field(sa_column=Column(UtcInstant, nullable=False))
    closes_at: datetime = Field(sa_column=Column(UtcInstant, nullable=False))
    next_reminder_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    reminders: int = 0
    answered_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    score_hundredths: int | None = None
    nps: int | None = None
    answers: dict[str, int] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    reason: str = Field(default="", sa_column=Column(Text, nullable=False))


class ServiceEventRow(SQLModel, table=True):
    """One line in the life of a request, complaint, survey, quote or part; never changed, never deleted."""

    __tablename__ = "service_event"
    __table_args__ = (Index("ix_service_event_owner", "owner_kind", "owner_id", "id"),)

    id: int | None = Field(default=None, sa_column=Column(_BIG, primary_key=True, autoincrement=True))
    owner_kind: str
    owner_id: str = Field(sa_column=Column(String(64), nullable=False))
    at: datetime = Field(sa_column=Column(UtcInstant, nullable=False))
    verb: str
    by: str
    note: str = Field(default="", sa_column=Column(Text, nullable=False))


class PartRow(SQLModel, table=True):
    """A part of the price list and how many are in stock. `stock` follows from its moves and is never set by hand."""

    __tablename__ = "part"

    id: str = Field(sa_column=Column(String(64), primary_key=True))
    name: str
    unit: str
    price_cents: int = Field(sa_column=Column(BigInteger, nullable=False))
    currency: str = Field(sa_column=Column(String(3), nullable=False))
    stock: int = 0
    reorder_at: int = 0


class CostLineRow(SQLModel, table=True):
    """One cost of an order: so many hundredths of an hour or of a piece, at a price. Never changed; a correction is a
    line of its own. `payer` says whose cost it is, `clause` why."""

    __tablename__ = "cost_line"
    __table_args__ = (Index("ix_cost_line_order", "order_id"), Index("ix_cost_line_at", "at"))

    id: int | None = Field(default=None, sa_column=Column(_BIG, primary_key=True, autoincrement=True))
    order_id: str = Field(sa_column=Column(String(64), ForeignKey("work_order.id"), nullable=False))
    kind: str
    what: str
    quantity_hundredths: int
    unit_cents: int = Field(sa_column=Column(BigInteger, nullable=False))
    amount_cents: int = Field(sa_column=Column(BigInteger, nullable=False))
    currency: str = Field(sa_column=Column(String(3), nullable=False))
    part_id: str | None = Field(default=None, sa_column=Column(String(64), ForeignKey("part.id")))
    payer: str
    clause: str = ""
    at: datetime = Field(sa_column=Column(UtcInstant, nullable=False))
    by: str
    key: str | None = Field(default=None, sa_column=Column(String(200), unique=True))


class QuoteRow(SQLModel, table=True):
    """What the customer is asked to approve before the work goes on."""

    __tablename__ = "quote"
    __table_args__ = (Index("ix_quote_order", "order_id"),)

    id: str = Field(sa_column=Column(String(64), primary_key=True))
    order_id: str = Field(sa_column=Column(String(64), ForeignKey("work_order.id"), nullable=False))
    version: int = 1
    status: str
    amount_cents: int = Field(sa_column=Column(BigInteger, nullable=False))
    currency: str = Field(sa_column=Column(String(3), nullable=False))
    lines: list[dict[str, str]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    standard: str = Field(sa_column=Column(Text, nullable=False))
    sent_at: datetime = Field(sa_column=Column(UtcInstant, nullable=False))
    sent_by: str
    decided_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    decided_by: str = ""
    reason: str = Field(default="", sa_column=Column(Text, nullable=False))
