"""The tables of work orders: findings, orders, members, append-only history, and where the engine stands.

Instants are `UtcInstant`: aware UTC to the microsecond on SQLite and on PostgreSQL. The migrations in
`plantroom/migrations` make the same tables (a test compares them) and add the triggers that keep history append-only.
"""

import math
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import JSON, BigInteger, Column, Dialect, ForeignKey, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.types import DateTime, TypeDecorator
from sqlmodel import Field, SQLModel

from facility.finding import Evidence
from ticketing.work_order import OPEN_STATUSES

OPEN_CONDITION = "status IN ({})".format(", ".join(f"'{status}'" for status in sorted(OPEN_STATUSES)))
NO_JOIN = text("verb <> 'join'")
"""Lines but those of findings that joined. Spelt out, so that the database sees that its index holds them all."""

_BIG = BigInteger().with_variant(Integer(), "sqlite")


class UtcInstant(TypeDecorator[datetime]):
    """An aware UTC instant, exact to the microsecond. Refuses naive datetimes.

    PostgreSQL keeps it as `timestamp with time zone`; SQLite as fixed-width text, so that it also sorts.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            msg = f"an instant needs its time zone, got the naive {value.isoformat()}"
            raise ValueError(msg)
        at = value.astimezone(UTC)
        return at.replace(tzinfo=None) if dialect.name == "sqlite" else at

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class EvidenceList(TypeDecorator[tuple[Evidence, ...]]):
    """Evidence as a JSON list; a number that is not finite is kept as text, for JSON has none."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: tuple[Evidence, ...] | None, dialect: Dialect) -> Any:  # noqa: ANN401, ARG002 - SQLAlchemy's signature
        return [_plain(item) for item in value or ()]

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[Evidence, ...]:  # noqa: ANN401, ARG002 - SQLAlchemy's signature
        return msgspec.convert(value or [], tuple[Evidence, ...])


def _plain(item: Evidence) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(item)
    if isinstance(item.value, float) and not math.isfinite(item.value):
        fields["value"] = str(item.value)
    return fields


class FindingRow(SQLModel, table=True):
    """A finding as it stands now. Pending ones are not kept: nobody has been told of them."""

    model_config = {"arbitrary_types_allowed": True}  # Evidence is a msgspec struct
    __tablename__ = "finding"
    __table_args__ = (Index("ix_finding_state", "state", "raised_at"), Index("ix_finding_asset", "asset_id"))

    id: str = Field(sa_column=Column(String(64), primary_key=True))
    rule_id: str
    asset_id: str
    building_id: str
    kind: str
    severity: str
    state: str
    title: str = Field(sa_column=Column(Text, nullable=False))
    advice: str = Field(sa_column=Column(Text, nullable=False))
    cause_key: str
    onset_at: datetime = Field(sa_column=Column(UtcInstant, nullable=False))
    raised_at: datetime = Field(sa_column=Column(UtcInstant, nullable=False))
    cleared_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    suppressed_by: str | None = None
    shelved_by: str | None = None
    shelved_until: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    shelved_reason: str = Field(default="", sa_column=Column(Text, nullable=False))
    latched: bool = False
    flapping: bool = False
    days_left: float | None = None
    confidence: float | None = None
    diagnoses: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    evidence: tuple[Evidence, ...] = Field(default=(), sa_column=Column(EvidenceList, nullable=False))


class WorkOrderRow(SQLModel, table=True):
    """One order. `cause_key` is unique among open ones, and the database enforces it.

    `version` counts decisions of people and guards against two at once. `next_due_at` is the deadline that runs
    now (response until arrival, then resolution until completion, then none): lists sort by it. `repeats` counts how
    often the cause returned inside the contract's window; `repeat_of` is the order that did not last. `key_equipment`
    (at opening) and `planned_due_at` (of a visit of the plan) are what its terms need besides. `parent_id` is the order
    it is part of, `merged_into` the order that took over its findings and its cause.
    """

    model_config = {"arbitrary_types_allowed": True}  # Evidence is a msgspec struct
    __tablename__ = "work_order"
    __table_args__ = (
        Index("ux_work_order_open_cause", "cause_key", unique=True,
              sqlite_where=text(OPEN_CONDITION), postgresql_where=text(OPEN_CONDITION)),
        Index("ix_work_order_due", "next_due_at", "number"),
        Index("ix_work_order_status", "status", "number"),
        Index("ix_work_order_status_due", "status", "next_due_at", "number"),
        Index("ix_work_order_asset_due", "asset_id", "next_due_at", "number", "status"),
        Index("ix_work_order_rule", "rule_id"),
        Index("ix_work_order_cause", "cause_key", "number"),
        Index("ix_work_order_parent", "parent_id"),
        Index("ix_work_order_merged", "merged_into"),
        Index("ix_work_order_opened", "opened_at"),
        Index("ix_work_order_completed", "completed_at", "opened_at"),
    )  # fmt: skip

    id: str = Field(sa_column=Column(String(64), primary_key=True))
    number: int = Field(sa_column=Column(Integer, nullable=False, unique=True))
    version: int = 1
    kind: str
    status: str
    priority: int
    severity: str
    building_id: str
    asset_id: str
    rule_id: str
    finding_id: str = Field(sa_column=Column(String(64), ForeignKey("finding.id"), nullable=False))
    cause_key: str
    title: str = Field(sa_column=Column(Text, nullable=False))
    advice: str = Field(sa_column=Column(Text, nullable=False))
    diagnoses: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    evidence: tuple[Evidence, ...] = Field(default=(), sa_column=Column(EvidenceList, nullable=False))
    contract_id: str | None = None
    contract_revision: int | None = None
    service_level: str
    level_reason: str = Field(sa_column=Column(Text, nullable=False))
    level_reason_zh: str | None = Field(default=None, sa_column=Column(Text))
    default_level: bool = False
    opened_at: datetime = Field(sa_column=Column(UtcInstant, nullable=False))
    response_due_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    resolution_due_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    next_due_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    acknowledged_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    arrived_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    completed_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    accepted_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    closed_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    cancelled_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    reopened_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    assignee: str | None = None
    repeats: int = 0
    repeat_of: str | None = Field(default=None, sa_column=Column(String(64)))
    key_equipment: bool = False
    planned_due_at: datetime | None = Field(default=None, sa_column=Column(UtcInstant))
    parent_id: str | None = Field(default=None, sa_column=Column(String(64)))
    merged_into: str | None = Field(default=None, sa_column=Column(String(64)))


class MemberRow(SQLModel, table=True):
    """A finding belongs to exactly one order, for ever."""

    __tablename__ = "work_order_finding"

    finding_id: str = Field(sa_column=Column(String(64), ForeignKey("finding.id"), primary_key=True))
    work_order_id: str = Field(sa_column=Column(String(64), ForeignKey("work_order.id"), nullable=False, index=True))


class EventRow(SQLModel, table=True):
    """One line of an order's history; never changed, never deleted (triggers refuse it).

    `version` is the order's version after the line; the desk's own lines leave it as it was. `note_zh` is the note in
    Chinese where the program has a part in it; what people typed stands in `note` alone.
    """

    __tablename__ = "work_order_event"
    __table_args__ = (
        Index("ix_work_order_event_verb", "work_order_id", "verb"),
        Index("ix_work_order_event_steps", "work_order_id", "id", sqlite_where=NO_JOIN, postgresql_where=NO_JOIN),
    )

    id: int | None = Field(default=None, sa_column=Column(_BIG, primary_key=True, autoincrement=True))
    work_order_id: str = Field(sa_column=Column(String(64), ForeignKey("work_order.id"), nullable=False, index=True))
    version: int
    at: datetime = Field(sa_column=Column(UtcInstant, nullable=False))
    verb: str
    by: str
    note: str = Field(default="", sa_column=Column(Text, nullable=False))
    reason: str | None = None
    from_status: str | None = None
    to_status: str
    finding_id: str | None = Field(default=None, sa_column=Column(String(64), ForeignKey("finding.id")))
    proof: str | None = Field(default=None, sa_column=Column(Text))
    note_zh: str | None = Field(default=None, sa_column=Column(Text))


class EngineStateRow(SQLModel, table=True):
    """How far one engine has come in the journal, and its last snapshot with the sequence number it belongs to.

    `rewinds` counts how often the journal was cut back after it had been judged: who follows begins at the snapshot.
    `run` names the run of the journal's writer that wrote commit `cursor_seq`: under another one it is another commit.
    """

    __tablename__ = "engine_state"

    name: str = Field(sa_column=Column(String(64), primary_key=True))
    cursor_seq: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    snapshot: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    snapshot_seq: int | None = Field(default=None, sa_column=Column(BigInteger))
    rewinds: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    run: str = Field(default="", sa_column=Column(String(64), nullable=False, server_default=""))
