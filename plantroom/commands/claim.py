"""`plantroom claim`: faults inside the warranty, and the installer's own limits."""

from datetime import datetime
from typing import Annotated

import typer

from plantroom.service_office import local, service_office, show
from ticketing.claim import ClaimClock
from ticketing.claim_desk import OpenClaim
from ticketing.views import format_number


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Warranty claims.", no_args_is_help=True)
    app.add_typer(group, name="claim")

    @group.callback()
    def _root() -> None:
        """Warranty claims."""

    @group.command("list")
    def list_(
        building: Annotated[str | None, typer.Option(help="Only those of this building.")] = None,
        limit: Annotated[int, typer.Option(help="At most this many.")] = 50,
    ) -> None:
        """Show faults that are with an installer, the newest first: who has them, why, and the installer's limits."""
        with service_office() as office, office.database.reading() as session:
            chosen = frozenset({building}) if building else None
            for one in office.desks.claims.claims(session, limit, 0, chosen):
                _show(one, office.now)

    @group.command()
    def route() -> None:
        """Give faults inside the warranty that nobody has to the installer; the running program does so each minute."""
        with service_office() as office, office.database.writing() as session:
            show(f"{office.desks.claims.route(session, office.now)} given to installers")


def _show(one: OpenClaim, now: datetime) -> None:
    row = one.order
    show(format_number(row.number), row.status, row.asset_id, one.installer, f"clause {one.clause}", row.title)
    show(" ", one.reason)
    show(" ", f"plan {_clock(one.claim.plan, now)}", f"visit {_clock(one.claim.visit, now)}")


def _clock(clock: ClaimClock, now: datetime) -> str:
    met = f", met {local(clock.met_at)}" if clock.met_at is not None else ""
    return f"due {local(clock.due_at)}{met}{', missed' if clock.is_breached(now) else ''}"
