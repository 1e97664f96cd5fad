"""Every router of what people send and ask for, put together: figures, requests, complaints, surveys, costs."""

from collections.abc import Callable

from fastapi import APIRouter

from facility.clock import Clock
from facility.registry import Registry
from ticketing.api import Sessions
from ticketing.contract_book import ContractBook
from ticketing.kpi_api import build_router as kpi_router


def service_routers(
    sessions: Sessions, clock: Clock, book: ContractBook, registry: Callable[[], Registry]
) -> list[APIRouter]:
    """The routers. Who may call is decided where they are mounted."""
    return [kpi_router(sessions, clock, book, registry)]
