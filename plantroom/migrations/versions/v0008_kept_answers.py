"""Answers to every kind of call are kept, not only those that showed an order: status, kind and ETag beside them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns; what is kept from before were answers of 200 and JSON."""
    op.add_column("kept_answer", sa.Column("status", sa.Integer, nullable=False, server_default="200"))
    op.add_column(
        "kept_answer", sa.Column("media_type", sa.String(), nullable=False, server_default="application/json")
    )
    op.add_column("kept_answer", sa.Column("etag", sa.String()))


def downgrade() -> None:
    """Remove them."""
    for name in ("etag", "media_type", "status"):
        op.drop_column("kept_answer", name)
