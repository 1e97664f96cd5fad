"""`plantroom order`: list work orders, look at one, and do to it what a person does."""

import uuid
from typing import Annotated, TypeVar

import typer
from sqlmodel import Session

from facility.errors import PermanentError, refuse
from facility.fields import unknown
from facility.finding import Severity
from plantroom.service_office import done_or_refused, local, missing, service_office, show
from ticketing import repository
from ticketing.checklist_desk import Answer, ChecklistDesk
from ticketing.checklist_rows import answers_of, visit_of
from ticketing.contract import PauseReason
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.manual_order import Wanted
from ticketing.opening import open_by_hand
from ticketing.order_query import OrderQuery
from ticketing.plan import CheckItem, Visit
from ticketing.tables import WorkOrderRow
from ticketing.transition import Act, carry_out
from ticketing.views import format_number
from ticketing.work_order import OPEN_STATUSES, Refused, Status, Verb, Words, allowed_verbs

Done = TypeVar("Done")
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
            row = _found(session, order)
            _show(row)
            for line in repository.histories(session, [row.id])[row.id]:
                show(" ", local(line.at), line.verb, f"by {line.by}", line.note)
            show("possible now:", ", ".join(allowed_verbs(Status(row.status))) or "nothing")

    @group.command("open")
    def open_(
        asset: Annotated[str, typer.Argument(help="Id of the asset.")],
        title: Annotated[str, typer.Argument(help="What is to be done, in a few words.")],
        by: Annotated[str, typer.Option(help="Who opens it.")],
        severity: Annotated[Severity, typer.Option(help="How bad it is.")] = Severity.MEDIUM,
        note: Annotated[str, typer.Option(help="What there is to say.")] = "",
        parent: Annotated[str, typer.Option(help="The order it is a part of.")] = "",
    ) -> None:
        """Open an order without a finding of the rules; level and deadlines come from the contract."""
        with service_office() as office, office.database.writing() as session:
            known, registry = office.registry.assets, office.registry
            if asset not in known:
                raise refuse("ASSET", unknown("asset", asset, known), "Write the id of an asset in the site files.")
            wanted = Wanted(uuid.uuid4().hex, title.strip()[:200], by, severity, note, parent)
            desk = Desk(office.book, lambda: registry)
            _show(_possible(open_by_hand(session, desk, office.book, wanted, known[asset], office.now)))

    @group.command()
    def checklist(order: Order) -> None:
        """Show the check list of a visit with its answers."""
        with service_office() as office, office.database.reading() as session:
            row = _found(session, order)
            visit, items = _visit(office.book, row)
            answers = answers_of(session, row.id)
            show(format_number(row.number), visit.name, "asked for by law" if visit.statutory else "")
            for number, item in enumerate(items, 1):
                given = answers.get(number)
                outcome = "" if given is None else f"{given.value}: {'passed' if given.passed else 'failed'}"
                show(f"  {number}.", item, outcome or "-", f"by {given.by}" if given is not None else "")

    @group.command()
    def answer(
        order: Order,
        item: Annotated[int, typer.Argument(help="Number of the item, from 1.")],
        value: Annotated[str, typer.Argument(help="ok, failed, a number, an option, or the id of an attachment.")],
        by: Annotated[str, typer.Option(help="Who looked.")],
        note: Annotated[str, typer.Option(help="What there is to say.")] = "",
        severity: Annotated[Severity, typer.Option(help="Of the fault order, if the item fails.")] = Severity.MEDIUM,
    ) -> None:
        """Answer an item of a visit's check list, on site. An item that fails opens a fault order."""
        with service_office() as office, office.database.writing() as session:
            row, registry = _found(session, order, lock=True), office.registry
            desk = ChecklistDesk(office.book, lambda: registry)
            judged = done_or_refused(desk.answer(session, row, Answer(item, value, by, note, severity), office.now))
            show(format_number(row.number), f"{item}.", judged.value, "passed" if judged.passed else judged.wrong)

    @group.command()
    def act(
        order: Order,
        verb: Annotated[Verb, typer.Argument(help="acknowledge, arrive, diagnose, repair, test, complete ...")],
        by: Annotated[str, typer.Option(help="Who does it.")],
        note: Annotated[str, typer.Option(help="What there is to say.")] = "",
        reason: Annotated[PauseReason | None, typer.Option(help="Of a hold.")] = None,
        to: Annotated[str, typer.Option(help="Who takes it over, or the level of a relevel.")] = "",
        override: Annotated[str, typer.Option(help="Why it is accepted although it is still active.")] = "",
        proof: Annotated[str, typer.Option(help="Of a hold: where its reason can be seen.")] = "",
    ) -> None:
        """Do a verb to an order, or say why it is not possible."""
        with service_office() as office, office.database.writing() as session:
            row = _found(session, order, lock=True)
            words = Words(note, reason, to, override, proof)
            _possible(carry_out(session, office.book, row, Act(verb, by, office.now, words)))
            _show(row)


def _found(session: Session, order: str, *, lock: bool = False) -> WorkOrderRow:
    row = repository.find_order(session, order, lock=lock)
    if row is None:
        missing("order", order)
    return row


def _possible(decision: Done | Refused) -> Done:
    if isinstance(decision, Refused):
        msg = f"{decision.what}. {decision.hint}"
        raise PermanentError(msg)
    return decision


def _visit(book: ContractBook, row: WorkOrderRow) -> tuple[Visit, tuple[CheckItem, ...]]:
    found = visit_of(book, row)
    if found is None:
        msg = f"{format_number(row.number)} has no check list. Only visits of a plan do."
        raise PermanentError(msg)
    return found


def _show(row: WorkOrderRow) -> None:
    due = f"due {local(row.next_due_at)}"
    show(format_number(row.number), row.status, f"priority {row.priority}", due, row.asset_id, row.assignee, row.title)
