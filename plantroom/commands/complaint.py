"""`plantroom complaint`: complaints and what is done about them."""

from typing import Annotated

import typer

from plantroom.service_office import done_or_refused, local, missing, service_office, show
from ticketing import complaint_rows, service_rows
from ticketing.complaint import ComplaintStatus, ComplaintVerb, format_complaint
from ticketing.complaint_desk import Grievance
from ticketing.tables_service import ComplaintRow


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Complaints.", no_args_is_help=True)
    app.add_typer(group, name="complaint")

    @group.callback()
    def _root() -> None:
        """Complaints."""

    @group.command("list")
    def list_(
        status: Annotated[ComplaintStatus | None, typer.Option(help="Only those with this status.")] = None,
        limit: Annotated[int, typer.Option(help="At most this many.")] = 50,
    ) -> None:
        """Show complaints, the newest first."""
        with service_office() as office, office.database.reading() as session:
            for row in complaint_rows.list_complaints(session, status=status, limit=limit):
                _show(row)

    @group.command()
    def send(
        text: Annotated[str, typer.Argument(help="What is wrong, in words.")],
        building: Annotated[str, typer.Option(help="The building; follows from asset or order.")] = "",
        asset: Annotated[str, typer.Option(help="The asset.")] = "",
        order: Annotated[str, typer.Option(help="The order it is about.")] = "",
        contact: Annotated[str, typer.Option(help="How the sender can be reached.")] = "",
        *,
        urgent: Annotated[bool, typer.Option(help="It cannot wait.")] = False,
    ) -> None:
        """Complain."""
        with service_office() as office, office.database.writing() as session:
            said = Grievance(text, building, asset_id=asset, order=order, contact=contact, urgent=urgent)
            _show(done_or_refused(office.desks.complaints.receive(session, said, office.now)))

    @group.command()
    def act(
        complaint: Annotated[str, typer.Argument(help="Number or id.")],
        verb: Annotated[ComplaintVerb, typer.Argument(help="accept, answer, resolve, tell, reopen or withdraw.")],
        by: Annotated[str, typer.Option(help="Who does it.")],
        note: Annotated[str, typer.Option(help="What was answered, done or told.")] = "",
    ) -> None:
        """Say what was done about a complaint."""
        with service_office() as office, office.database.writing() as session:
            row = service_rows.find(session, ComplaintRow, "CP-", complaint, lock=True)
            if row is None:
                missing("complaint", complaint)
            _show(done_or_refused(office.desks.complaints.act(session, row, verb, by, office.now, note)))


def _show(row: ComplaintRow) -> None:
    again = "repeat" if row.repeat_of else ""
    due = local(row.resolve_due_at)
    show(format_complaint(row.number), row.status, f"resolve by {due}", row.asset_id or row.building_id, again,
         row.text.splitlines()[0][:80])  # fmt: skip
