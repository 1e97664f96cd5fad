"""Indexes: orders of one status, and those of one asset, by time left."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """A list of one status or asset takes its hundred from the index instead of sorting all of them."""
    op.create_index("ix_work_order_status_due", "work_order", ["status", "next_due_at", "number"])
    op.create_index("ix_work_order_asset_due", "work_order", ["asset_id", "next_due_at", "number", "status"])
    op.drop_index("ix_work_order_asset", "work_order")


def downgrade() -> None:
    """As before."""
    op.create_index("ix_work_order_asset", "work_order", ["asset_id"])
    op.drop_index("ix_work_order_asset_due", "work_order")
    op.drop_index("ix_work_order_status_due", "work_order")
