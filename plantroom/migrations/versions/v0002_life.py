"""The rest of an order's life: reopening, repeats, the person it is with, and what its terms need besides."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns, and the index by which the last order of a cause is found."""
    for column in (
        sa.Column("reopened_at", sa.DateTime(timezone=True)),
        sa.Column("assignee", sa.String()),
        sa.Column("repeats", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("repeat_of", sa.String(64)),
        sa.Column("key_equipment", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("planned_due_at", sa.DateTime(timezone=True)),
    ):
        op.add_column("work_order", column)
    op.create_index("ix_work_order_cause", "work_order", ["cause_key", "number"])


def downgrade() -> None:
    """Take them out again, with what they hold."""
    op.drop_index("ix_work_order_cause", "work_order")
    for name in ("planned_due_at", "key_equipment", "repeat_of", "repeats", "assignee", "reopened_at"):
        op.drop_column("work_order", name)
