"""The units a user reads: metric, or those of the United States."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Nobody has chosen yet."""
    op.add_column("account_user", sa.Column("units", sa.String(8)))


def downgrade() -> None:
    """Remove the choice."""
    op.drop_column("account_user", "units")
