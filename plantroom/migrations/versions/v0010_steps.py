"""An index of the lines that are steps of an order's life, without those of findings that joined it."""

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


def downgrade() -> None:
    """Remove it."""
    op.drop_index("ix_work_order_event_steps", "work_order_event")
