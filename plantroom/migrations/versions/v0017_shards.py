"""Which shard a building belongs to and how its move stands, and in whose journal a dead letter stands."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """There was one journal: what stands in it is that of `main`, and so is every building."""
    with op.batch_alter_table("dead_letter") as table:
        table.add_column(sa.Column("shard", sa.String(32), nullable=False, server_default="main"))
        table.drop_constraint("dead_letter_seq_entry", type_="unique")
        table.create_unique_constraint("dead_letter_shard_seq_entry", ["shard", "seq", "entry"])
    op.create_table(
        "building_shard",
        sa.Column("building_id", sa.String(64), primary_key=True),
        sa.Column("shard", sa.String(32), nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False, server_default="0"),
        sa.Column("to_shard", sa.String(32)),
        sa.Column("phase", sa.String(16), nullable=False, server_default=""),
        sa.Column("after_seq", sa.BigInteger),
        sa.Column("memory", sa.LargeBinary),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    """The letters of `main` alone."""
    op.drop_table("building_shard")
    op.execute("DELETE FROM dead_letter WHERE shard <> 'main'")
    with op.batch_alter_table("dead_letter") as table:
        table.drop_constraint("dead_letter_shard_seq_entry", type_="unique")
        table.create_unique_constraint("dead_letter_seq_entry", ["seq", "entry"])
        table.drop_column("shard")
