"""`plantroom cost`: what an order costs and who pays, the price list, quotes."""

from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer
from sqlmodel import Session

from facility.errors import refuse
from plantroom.service_office import done_or_refused, missing, service_office, show
from ticketing import cost_rows, repository
from ticketing.cost import CostKind, Part, cost_standard, total
from ticketing.cost_desk import CostDesk, Wanted
from ticketing.payer import PayerKind
from ticketing.quote import QuoteVerb
from ticketing.tables import WorkOrderRow

Order = Annotated[str, typer.Argument(help="Number or id of the order.")]
By = Annotated[str, typer.Option(help="Who does it.")]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Costs, parts and quotes.", no_args_is_help=True)
    app.add_typer(group, name="cost")

    @group.callback()
    def _root() -> None:
        """Costs, parts and quotes."""

    @group.command("show")
    def show_(order: Order) -> None:
        """Show who pays for an order, the cost standard, and what was booked."""
        with service_office() as office, office.database.reading() as session:
            _show(session, office.desks.costs, _order(session, order))

    @group.command()
    def book(
        order: Order,
        kind: Annotated[CostKind, typer.Argument(help="labour, part or call_out.")],
        quantity: Annotated[str, typer.Argument(help="Hours of labour, pieces of a part.")] = "1",
        part: Annotated[str, typer.Option(help="The part's id.")] = "",
        by: By = "operator",
    ) -> None:
        """Book a cost; a part leaves the stock."""
        with service_office() as office, office.database.writing() as session:
            row = _order(session, order)
            wanted = Wanted(kind, _number("quantity", quantity), part)
            done_or_refused(office.desks.costs.book(session, row, wanted, by, office.now))
            _show(session, office.desks.costs, row)

    @group.command()
    def quote(
        order: Order,
        lines: Annotated[list[str], typer.Argument(help="labour=HOURS, call_out, or PART=PIECES.")],
        by: By = "operator",
    ) -> None:
        """Send the customer a quote over the whole work."""
        with service_office() as office, office.database.writing() as session:
            wanted = [_wanted(line) for line in lines]
            made = done_or_refused(office.desks.costs.quote(session, _order(session, order), wanted, by, office.now))
            show(made.id, made.status, f"{Decimal(made.amount_cents) / 100} {made.currency}")

    @group.command()
    def decide(
        quote: Annotated[str, typer.Argument(help="The quote's id.")],
        by: By,
        reason: Annotated[str, typer.Option(help="Why; a rejection needs it.")] = "",
        *,
        approve: Annotated[bool, typer.Option("--approve/--reject", help="What was decided.")],
    ) -> None:
        """Write down what the customer decided about a quote."""
        with service_office() as office, office.database.writing() as session:
            row = cost_rows.find_quote(session, quote, lock=True)
            if row is None:
                missing("quote", quote)
            done = done_or_refused(office.desks.costs.decide(session, row, by, office.now, reason, approve=approve))
            show(done.id, done.status, done.decided_by)

    @group.command()
    def withdraw(
        quote: Annotated[str, typer.Argument(help="The quote's id.")],
        reason: Annotated[str, typer.Option(help="Why it is taken back.")],
        by: By = "operator",
    ) -> None:
        """Take a quote back that nobody has decided about."""
        with service_office() as office, office.database.writing() as session:
            row = cost_rows.find_quote(session, quote, lock=True)
            if row is None:
                missing("quote", quote)
            done = done_or_refused(
                office.desks.costs.act(session, row, QuoteVerb.WITHDRAW, by, office.now, reason.strip())
            )
            show(done.id, done.status, done.decided_by)

    @group.command()
    def part(
        id: Annotated[str, typer.Argument(help="The part's id.")],  # noqa: A002 - the documented name
        name: Annotated[str, typer.Argument(help="What people call it.")],
        price: Annotated[str, typer.Argument(help="The price of a piece.")],
        currency: Annotated[str, typer.Argument(help="The contract's currency, such as CNY.")],
        receive: Annotated[int, typer.Option(help="Pieces that came in.")] = 0,
        reorder_at: Annotated[int, typer.Option(help="Order more at so many.")] = 0,
        by: By = "operator",
    ) -> None:
        """Put a part on the price list or change it, and put pieces into stock."""
        with service_office() as office, office.database.writing() as session:
            new = Part(id, name, "piece", _number("price", price), currency, 0, reorder_at)
            cost_rows.save_part(session, new)
            if receive:
                done_or_refused(office.desks.costs.receive(session, id, receive, by, office.now, ""))
            for one in cost_rows.list_parts(session):
                if one.id == id:
                    show(one.id, one.name, f"{one.price} {one.currency}", f"{one.stock} in stock")


def _order(session: Session, name: str) -> WorkOrderRow:
    row = repository.find_order(session, name)
    if row is None:
        missing("order", name)
    return row


def _wanted(line: str) -> Wanted:
    name, _, quantity = line.partition("=")
    number = _number("lines", quantity or "1")
    kinds = {one.value for one in CostKind} - {CostKind.PART.value}
    return Wanted(CostKind(name), number) if name in kinds else Wanted(CostKind.PART, number, name)


def _number(where: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise refuse(where, f"{text!r} is no number", "Write it like 1.5.")
    return number


def _show(session: Session, desk: CostDesk, row: WorkOrderRow) -> None:
    basis, lines = done_or_refused(desk.basis(row)), cost_rows.lines_of(session, row.id)
    for line in (basis.payer.reason, *cost_standard(basis.terms, basis.payer)[0]):
        show(line)
    for sent in cost_rows.quotes_of(session, row.id):
        show(f"quote {sent.id}:", sent.status, f"{Decimal(sent.amount_cents) / 100} {sent.currency}")
    for one in lines:
        show(f"{one.kind}:", one.what, f"{one.quantity} x {one.unit_price}", f"{one.amount} {one.currency}", one.payer)
    customer = total(lines, PayerKind.CUSTOMER)
    show(f"total {total(lines)} {basis.terms.currency}, the customer pays {customer}")
