"""What the program says on an order in Chinese too: why this level, and the notes of its history."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """What was said before stays in English."""
    op.add_column("work_order", sa.Column("level_reason_zh", sa.Text))
    op.add_column("work_order_event", sa.Column("note_zh", sa.Text))


def downgrade() -> None:
    """Remove the Chinese ones."""
    op.drop_column("work_order_event", "note_zh")
    op.drop_column("work_order", "level_reason_zh")
