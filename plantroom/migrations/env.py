"""How Alembic runs the steps: on the connection that `plantroom.database` gives, inside its transaction."""

from alembic import context
from sqlmodel import SQLModel

import ingest.tables
import plantroom.accounts.tables
import ticketing.tables
import ticketing.tables_outbox
import ticketing.tables_plant
import ticketing.tables_service
import ticketing.tables_shard
import ticketing.tables_work

TABLES = (  # importing them fills the metadata
    ingest.tables,
    plantroom.accounts.tables,
    ticketing.tables,
    ticketing.tables_outbox,
    ticketing.tables_plant,
    ticketing.tables_service,
    ticketing.tables_shard,
    ticketing.tables_work,
)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
