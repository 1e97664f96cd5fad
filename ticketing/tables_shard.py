"""Which shard judges which building, and how a move between two stands."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String
from sqlmodel import Field, SQLModel

from ticketing.tables import UtcInstant


class BuildingShardRow(SQLModel, table=True):
    """One building. `epoch` counts its moves. `since_at`: when the phase began, or it came where it is (wall clock).

    While it moves, `to_shard` is where to and `phase` how far (`ticketing.shard_rows.Phase`). `memory` is what the
    engine it leaves remembers of it. `after_seq`: the event of this phase stands in the journal behind this commit.
    """

    __tablename__ = "building_shard"

    building_id: str = Field(sa_column=Column(String(64), primary_key=True))
    shard: str = Field(sa_column=Column(String(32), nullable=False))
    epoch: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    to_shard: str | None = Field(default=None, sa_column=Column(String(32)))
    phase: str = Field(default="", sa_column=Column(String(16), nullable=False, server_default=""))
    after_seq: int | None = Field(default=None, sa_column=Column(BigInteger))
    memory: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    since_at: datetime = Field(sa_column=Column(UtcInstant, nullable=False))
