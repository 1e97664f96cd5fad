"""`plantroom order`: list work orders, look at one, and do to it what a person does."""

from typing import Annotated

import typer

from facility.errors import PermanentError
from plantroom.service_office import local, missing, service_office, show
from ticketing import repository
from ticketing.contract import PauseReason
from ticketing.order_query import OrderQuery
from ticketing.tables import WorkOrderRow
from ticketing.transition import Act, carry_out
from ticketing.views import format_number
from ticketing.work_order import OPEN_STATUSES, Refused, Status, Verb, Words, allowed_verbs

Order = Annotated[str, typer.Argument(help="Number or id.")]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Work orders.", no_args_is_help=True)
    app.add_typer(group, name="order")

    @group.callback()
    def _root() -> None:
        """Work orders."""

    @group.command("list")
    def list_(
        asset: Annotated[str | None, typer.Option(help="Only those of this asset.")] = None,
        limit: Annotated[int, typer.Option(help="At most this many.")] = 50,
        *,
        every: Annotated[bool, typer.Option("--all", help="Those that are over as well.")] = False,
    ) -> None:
        """Show open orders by time left: the nearest deadline first."""
        statuses = frozenset() if every else OPEN_STATUSES
        with service_office() as office, office.database.reading() as session:
            for row in repository.list_orders(session, OrderQuery(statuses, asset, limit=limit)):
                _show(row)

    @group.command("show")
    def show_(order: Order) -> None:
        """Show an order, its history, and what can be done to it now."""
        with service_office() as office, office.database.reading() as session:
            row = repository.find_order(session, order)
            if row is None:
                missing("order", order)
            _show(row)
            for line in repository.histories(session, [row.id])[row.id]:
                show(" ", local(line.at), line.verb, f"by {line.by}", line.note)
            show("possible now:", ", ".join(allowed_verbs(Status(row.status))) or "nothing")

    @group.command()
    def act(
        order: Order,
        verb: Annotated[Verb, typer.Argument(help="acknowledge, arrive, diagnose, repair, test, complete ...")],
        by: Annotated[str, typer.Option(help="Who does it.")],
        note: Annotated[str, typer.Option(help="What there is to say.")] = "",
        reason: Annotated[PauseReason | None, typer.Option(help="Of a hold.")] = None,
        to: Annotated[str, typer.Option(help="Who takes it over, or the level of a relevel.")] = "",
        override: Annotated[str, typer.Option(help="Why it is accepted although it is still active.")] = "",
    ) -> None:
        """Do a verb to an order, or say why it is not possible."""
        with service_office() as office, office.database.writing() as session:
            row = repository.find_order(session, order, lock=True)
            if row is None:
                missing("order", order)
            words = Words(note, reason, to, override)
            decision = carry_out(session, office.book, row, Act(verb, by, office.now, words))
            if isinstance(decision, Refused):
                msg = f"{decision.what}. {decision.hint}"
                raise PermanentError(msg)
            _show(row)


def _show(row: WorkOrderRow) -> None:
    due = f"due {local(row.next_due_at)}"
    show(format_number(row.number), row.status, f"priority {row.priority}", due, row.asset_id, row.assignee, row.title)
