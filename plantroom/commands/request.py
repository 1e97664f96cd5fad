"""`plantroom request`: what occupants report: list it, send one, review it."""

from typing import Annotated

import typer

from facility.finding import Severity
from plantroom.service_office import done_or_refused, local, missing, service_office, show
from ticketing import request_rows, service_rows
from ticketing.request import CATEGORIES, Entry, RequestStatus, RequestVerb, format_request
from ticketing.request_desk import Review
from ticketing.tables_service import RequestRow


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Requests of occupants.", no_args_is_help=True)
    app.add_typer(group, name="request")

    @group.callback()
    def _root() -> None:
        """Requests of occupants."""

    @group.command("list")
    def list_(
        status: Annotated[RequestStatus | None, typer.Option(help="Only those with this status.")] = None,
        limit: Annotated[int, typer.Option(help="At most this many.")] = 50,
    ) -> None:
        """Show requests; of those received the one to be reviewed first comes first."""
        with service_office() as office, office.database.reading() as session:
            for row in request_rows.list_requests(session, status=status, limit=limit):
                _show(row)

    @group.command()
    def send(
        text: Annotated[str, typer.Argument(help="What is wrong, in words.")],
        building: Annotated[str, typer.Option(help="The building; follows from the asset.")] = "",
        space: Annotated[str, typer.Option(help="The floor, room or zone.")] = "",
        asset: Annotated[str, typer.Option(help="The asset.")] = "",
        category: Annotated[str, typer.Option(help=f"One of {', '.join(CATEGORIES)}.")] = "other",
        contact: Annotated[str, typer.Option(help="How the sender can be reached.")] = "",
        *,
        urgent: Annotated[bool, typer.Option(help="It cannot wait.")] = False,
    ) -> None:
        """Send a request as an occupant would."""
        with service_office() as office, office.database.writing() as session:
            place = building or office.desks.requests.building_of(asset)
            entry = Entry(place, text, category, space, asset, contact, urgent=urgent)
            _show(done_or_refused(office.desks.requests.receive(session, entry, office.now)))

    @group.command()
    def review(
        request: Annotated[str, typer.Argument(help="Number or id.")],
        verb: Annotated[RequestVerb, typer.Argument(help="accept, reject or withdraw.")],
        by: Annotated[str, typer.Option(help="Who decides.")],
        note: Annotated[str, typer.Option(help="Why; a rejection needs it.")] = "",
        asset: Annotated[str, typer.Option(help="What it is about, when the request does not say.")] = "",
        severity: Annotated[Severity | None, typer.Option(help="How bad it is.")] = None,
        order: Annotated[str, typer.Option(help="The open order it joins, by its id.")] = "",
    ) -> None:
        """Accept a request (it becomes an order), reject it, or withdraw it."""
        with service_office() as office, office.database.writing() as session:
            row = service_rows.find(session, RequestRow, "RQ-", request, lock=True)
            if row is None:
                missing("request", request)
            wanted = Review(verb, by, office.now, note, None, asset, severity, order)
            _show(done_or_refused(office.desks.requests.review(session, row, wanted)))


def _show(row: RequestRow) -> None:
    order = f"order {row.order_id}" if row.order_id else ""
    due = f"review by {local(row.review_due_at)}"
    show(
        format_request(row.number),
        row.status,
        due,
        row.asset_id or row.building_id,
        order,
        row.text.split("\n")[0][:80],
    )
