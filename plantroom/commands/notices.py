"""`plantroom notices`: what was told to whom, and what could not be."""

from enum import StrEnum
from typing import Annotated

import typer

from plantroom.service_office import local, service_office, show
from ticketing.outbox_rows import DELIVERED, DIGESTED, DROPPED, FAILED, WAITING, list_messages


class MessageState(StrEnum):
    """What became of a message."""

    WAITING = WAITING
    DELIVERED = DELIVERED
    DIGESTED = DIGESTED
    DROPPED = DROPPED
    FAILED = FAILED


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def notices(
        state: Annotated[MessageState | None, typer.Option(help="Only those of this state.")] = None,
        limit: Annotated[int, typer.Option(help="At most this many.")] = 50,
    ) -> None:
        """Show messages to people and other systems, the newest first, each with what became of it."""
        with service_office() as office, office.database.reading() as session:
            for row in list_messages(session, state.value if state is not None else None, limit, 0):
                told = f"by {row.delivered_by}" if row.delivered_by else f"{row.tries} tries" if row.tries else ""
                show(local(row.due_at), row.state, told, row.person, row.subject, row.error)
