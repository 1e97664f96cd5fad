"""How often the journal was cut back after it had been judged: a standby then begins at the snapshot."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """No journal was cut back as far as anybody follows."""
    op.add_column("engine_state", sa.Column("rewinds", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """As before."""
    op.drop_column("engine_state", "rewinds")
