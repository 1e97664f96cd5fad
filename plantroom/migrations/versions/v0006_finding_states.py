"""What a finding is besides active: shelved until when and why, latched, flapping; and what is left until a limit."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns; findings from before have none of it."""
    for column in (
        sa.Column("shelved_until", sa.DateTime(timezone=True)),
        sa.Column("shelved_reason", sa.Text, nullable=False, server_default=""),
        sa.Column("latched", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("flapping", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("days_left", sa.Float),
        sa.Column("confidence", sa.Float),
    ):
        op.add_column("finding", column)


def downgrade() -> None:
    """Remove them."""
    for name in ("shelved_until", "shelved_reason", "latched", "flapping", "days_left", "confidence"):
        op.drop_column("finding", name)
