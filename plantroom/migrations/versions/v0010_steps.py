"""Indexes: the steps of an order's life without the findings that joined it; pictures by their hash."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Lists read the steps of a hundred orders at once; a storm leaves thousands of joins between them."""
    steps = sa.text("verb <> 'join'")
    columns = ["work_order_id", "id"]
    op.create_index(
        "ix_work_order_event_steps", "work_order_event", columns, sqlite_where=steps, postgresql_where=steps
    )
    op.create_index("ix_attachment_sha256", "attachment", ["sha256"])
    op.create_index("ix_attachment_thumbnail", "attachment", ["thumbnail_sha256"])


def downgrade() -> None:
    """Remove them."""
    op.drop_index("ix_attachment_thumbnail", "attachment")
    op.drop_index("ix_attachment_sha256", "attachment")
    op.drop_index("ix_work_order_event_steps", "work_order_event")
