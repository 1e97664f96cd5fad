"""A person opens an order: on its own, or as a part of another one."""

from datetime import datetime

from sqlmodel import Session

from facility.asset import Asset
from ticketing import repository
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.manual_order import Wanted, reported_finding
from ticketing.tables import WorkOrderRow
from ticketing.transition import Act, carry_out
from ticketing.work_order import Refused, Verb, Words


def open_by_hand(
    session: Session, desk: Desk, book: ContractBook, wanted: Wanted, asset: Asset, at: datetime
) -> WorkOrderRow | Refused:
    """Open it at `at` (aware UTC); level and deadlines come from the contract, as for any other. Refused when it cannot
    be part of the order it names: the caller then writes nothing."""
    (order_id,) = desk.receive(session, [reported_finding(wanted, asset, at)]).opened
    row = repository.find_order(session, order_id, lock=True)
    if row is None:  # the desk has just said that it opened it
        msg = f"order {order_id} was opened, but it is not there"
        raise RuntimeError(msg)
    if wanted.part_of:
        done = carry_out(session, book, row, Act(Verb.PARENT, wanted.by, at, Words(to=wanted.part_of)))
        if isinstance(done, Refused):
            return done
    return row
