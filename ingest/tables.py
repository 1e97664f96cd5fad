"""Tables of ingest. Migrations live with the program; instants are microseconds since the epoch."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from ingest.shard import MAIN_SHARD

_BIG = BigInteger().with_variant(Integer(), "sqlite")


class DeadLetterRow(SQLModel, table=True):
    """A message that could not be read. `seq` and `entry` say where it stands in the journal of `shard`, so it is kept
    once.

    `size` is the payload's size in bytes as it arrived; `payload` may be cut.
    """

    __tablename__ = "dead_letter"
    __table_args__ = (UniqueConstraint("shard", "seq", "entry", name="dead_letter_shard_seq_entry"),)

    id: int | None = Field(default=None, sa_column=Column(_BIG, primary_key=True, autoincrement=True))
    shard: str = Field(default=MAIN_SHARD, sa_column=Column(String(32), nullable=False, server_default=MAIN_SHARD))
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    entry: int
    at_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    topic: str = Field(sa_column=Column(Text, nullable=False))
    payload: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    size: int
    reason: str = Field(sa_column=Column(Text, nullable=False))
