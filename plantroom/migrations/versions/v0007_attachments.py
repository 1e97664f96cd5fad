"""Attachments of orders and complaints too: what kind each is, its size in pixels, its thumbnail; pictures on disk.

A picture from before stays in its row; a new one has no content there and lies in the folder of attachments.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the columns, and let content be empty."""
    with op.batch_alter_table("attachment") as table:
        table.add_column(sa.Column("kind", sa.String(), nullable=False, server_default="photo"))
        table.add_column(sa.Column("width", sa.Integer))
        table.add_column(sa.Column("height", sa.Integer))
        table.add_column(sa.Column("thumbnail_sha256", sa.String(64)))
        table.alter_column("content", existing_type=sa.LargeBinary(), nullable=True)
        table.drop_constraint("attachment_owner_sha256", type_="unique")
        table.create_unique_constraint("attachment_owner_sha256", ["owner_kind", "owner_id", "kind", "sha256"])


def downgrade() -> None:
    """Forget what lies on disk, and remove the columns."""
    op.execute("DELETE FROM attachment WHERE content IS NULL")
    with op.batch_alter_table("attachment") as table:
        table.drop_constraint("attachment_owner_sha256", type_="unique")
        table.create_unique_constraint("attachment_owner_sha256", ["owner_kind", "owner_id", "sha256"])
        table.alter_column("content", existing_type=sa.LargeBinary(), nullable=False)
        for name in ("kind", "width", "height", "thumbnail_sha256"):
            table.drop_column(name)
