"""How Alembic runs the steps: on the connection that `plantroom.database` gives, inside its transaction."""

from alembic import context
from sqlmodel import SQLModel

import ingest.tables
import ticketing.tables

TABLES = (ingest.tables, ticketing.tables)  # importing them fills the metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
