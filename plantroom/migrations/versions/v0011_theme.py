"""Whether a user's pages are light or dark: as her device says, unless she chose."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Nobody has chosen yet."""
    op.add_column("account_user", sa.Column("theme", sa.String(8)))


def downgrade() -> None:
    """Remove the choice."""
    op.drop_column("account_user", "theme")
