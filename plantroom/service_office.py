"""What the commands of requests, complaints, surveys and costs work with: database, desks, clock and console."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, TypeVar

from rich.console import Console

from facility.clock import RealClock
from facility.errors import PermanentError
from facility.registry import Registry
from plantroom.clocks import clock_for
from plantroom.contracts import load_contracts
from plantroom.database import Database
from plantroom.files import read_texts
from plantroom.office import load_roster
from plantroom.plant_files import load_registry
from plantroom.settings import load_settings
from ticketing.contract_book import ContractBook
from ticketing.request import Declined
from ticketing.service_desks import ServiceDesks
from ticketing.service_outbox import OutboxTeller

Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class ServiceOffice:
    """One command's tools. `now` is the instant it acts at (aware UTC)."""

    database: Database
    book: ContractBook
    desks: ServiceDesks
    now: datetime
    registry: Registry


@contextmanager
def service_office() -> Iterator[ServiceOffice]:
    """Open the database of the settings, with the desks under its contracts, and close it again."""
    settings = load_settings()
    registry, _ = load_registry(settings.site_files)
    book = load_contracts(read_texts(settings.contract, "contract"), registry)
    roster = load_roster(settings, registry)
    teller = OutboxTeller(lambda: roster, RealClock())
    database = Database(settings.database_address())
    try:
        database.check()
        desks = ServiceDesks(book, lambda: registry, teller)
        yield ServiceOffice(database, book, desks, clock_for(settings).now(), registry)
    finally:
        database.close()


def done_or_refused(result: Done | Declined) -> Done:
    """What was done. Raises PermanentError with why not, and what to do."""
    if isinstance(result, Declined):
        msg = f"{result.what}. {result.hint}"
        raise PermanentError(msg)
    return result


def missing(noun: str, name: str) -> NoReturn:
    """There is no such thing. Raises PermanentError."""
    msg = f"there is no {noun} {name!r}; `plantroom {noun} list` shows them"
    raise PermanentError(msg)


def show(*values: object) -> None:
    """Print one line."""
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print("  ".join(str(value) for value in values if value not in ("", None)))


def local(at: datetime | None) -> str:
    """An instant in short, UTC."""
    return f"{at:%Y-%m-%d %H:%M}Z" if at is not None else "-"
