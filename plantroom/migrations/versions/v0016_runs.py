"""Which run of the journal's writer wrote the commit the engine has come to: a number alone may be another's."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """It is not known before the next commit is judged."""
    op.add_column("engine_state", sa.Column("run", sa.String(64), nullable=False, server_default=""))


def downgrade() -> None:
    """As before."""
    op.drop_column("engine_state", "run")
