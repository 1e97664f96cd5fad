"""The tables of what leaves the program and of who may send it: outbox, watched orders, leases, and kept answers.

`due_at` and `look_at` are instants of the program's clock; leases and tries run on the holder's wall clock.
"""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, String, Text
from sqlmodel import Field, SQLModel

from ticketing.tables import UtcInstant


class OutboxRow(SQLModel, table=True):
    """One message to one receiver. `key` is the receiver's idempotency key: the same key is never written twice.

    `state`: waiting, delivered, digested (told within a digest), dropped (no longer true) or failed. `clock` is the
    clock an escalation is about: when it stops first, the message is dropped. `channels` are names in the order of
    trying, `channel` the one that is next.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_state", "state", "next_try_at"),
        Index("ix_outbox_order", "work_order_id"),
        Index("ix_outbox_person", "person", "state"),
    )

    key: str = Field(sa_column=Column(String(200), primary_key=True))
    kind: str
    event: str
    work_order_id: str | None = Field(default=None, sa_column=Column(String(64), ForeignKey("work_order.id")))
    person: str
    channels: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    channel: int = 0
    language: str = "en"
    subject: str = Field(sa_column=Column(Text, nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    urgent: bool = False
    late: bool = False
    digest: bool = False
    clock: str | None = None
    due_at: datetime = Field(sa_column=Column(UtcInstant, nullable=False))
    created_at: datetime = Field(sa_column=Column(UtcInstant, nullable=False))
    state: str = "waiting"
    tries: int = 0
    next_try_at: datetime = Field(sa_column=Column(UtcInstant, nullable=False))
    claimed_by: str | None = None
    lease_until: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    ended_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    delivered_by: str | None = None
    error: str = Field(default="", sa_column=Column(Text, nullable=False))


class WatchRow(SQLModel, table=True):
    """When an order has to be looked at next: at once after every line of its history, then at its next escalation.

    Lines up to `told_event_id` have been told. `look_at` is None when nothing is to come.
    """

    __tablename__ = "order_watch"

    work_order_id: str = Field(sa_column=Column(String(64), ForeignKey("work_order.id"), primary_key=True))
    look_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant, index=True))
    told_event_id: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))


class LeaseRow(SQLModel, table=True):
    """Who runs the jobs until when. `epoch` grows with every change of holder, and writes are conditional on it."""

    __tablename__ = "lease"

    name: str = Field(sa_column=Column(String(64), primary_key=True))
    holder: str
    epoch: int = Field(sa_column=Column(BigInteger, nullable=False))
    until: datetime = Field(sa_column=Column(UtcInstant, nullable=False))


class KeptAnswerRow(SQLModel, table=True):
    """The answer to a call that carried an idempotency key: the same call again gets it again. `key` begins with a hash
    of whoever called; without an `answer` the call was carried out and nobody knows what was said."""

    __tablename__ = "kept_answer"

    key: str = Field(sa_column=Column(String(200), primary_key=True))
    fingerprint: str = Field(sa_column=Column(String(64), nullable=False))
    answer: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = Field(sa_column=Column(UtcInstant, nullable=False))
    status: int = 200
    media_type: str = "application/json"
    etag: str | None = None
