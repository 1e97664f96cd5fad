"""The tables of work on orders beside their life: links between them, answers to check lists, meters of assets."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Integer, String, Text
from sqlmodel import Field, SQLModel

from ticketing.tables import UtcInstant

_BIG = BigInteger().with_variant(Integer(), "sqlite")


class LinkRow(SQLModel, table=True):
    """Two orders that have to do with each other; read from both sides."""

    __tablename__ = "work_order_link"

    work_order_id: str = Field(sa_column=Column(String(64), ForeignKey("work_order.id"), primary_key=True))
    other_id: str = Field(sa_column=Column(String(64), ForeignKey("work_order.id"), primary_key=True, index=True))
    by: str
    at: datetime = Field(sa_column=Column(UtcInstant, nullable=False))


class CheckAnswerRow(SQLModel, table=True):
    """An answer to one item of a visit's check list. Never changed: a later answer to the item stands for it.

    `finding_id` is the finding that a failed item became.
    """

    __tablename__ = "check_answer"

    id: int | None = Field(default=None, sa_column=Column(_BIG, primary_key=True, autoincrement=True))
    work_order_id: str = Field(sa_column=Column(String(64), ForeignKey("work_order.id"), nullable=False, index=True))
    item: int
    value: str = Field(sa_column=Column(Text, nullable=False))
    passed: bool
    note: str = Field(default="", sa_column=Column(Text, nullable=False))
    by: str
    at: datetime = Field(sa_column=Column(UtcInstant, nullable=False))
    finding_id: str | None = Field(default=None, sa_column=Column(String(64), ForeignKey("finding.id")))


class MeterRow(SQLModel, table=True):
    """What a meter of an asset (run hours, trips, door cycles) showed at an instant."""

    __tablename__ = "meter_value"

    asset_id: str = Field(sa_column=Column(String(200), primary_key=True))
    meter: str = Field(sa_column=Column(String(64), primary_key=True))
    at: datetime = Field(sa_column=Column(UtcInstant, primary_key=True))
    value: float = Field(sa_column=Column(Float, nullable=False))
    source: str = ""
