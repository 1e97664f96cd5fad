"""The route of key figures."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query

from facility.clock import Clock
from facility.registry import Registry
from ticketing.api import Sessions
from ticketing.contract_book import ContractBook
from ticketing.kpi import By
from ticketing.kpi_period import Period, parse_period
from ticketing.kpi_read import read_period
from ticketing.kpi_views import KpiView, kpi_view
from ticketing.problem import REFUSALS, refuse


def build_router(sessions: Sessions, clock: Clock, book: ContractBook, registry: Callable[[], Registry]) -> APIRouter:
    """The route. Who may call is decided where it is mounted."""
    router = APIRouter(prefix="/api", tags=["figures"], responses=REFUSALS)

    @router.get("/kpi")
    def kpi(
        period: Annotated[str, Query(description="a month (2026-03), a quarter (2026-Q1) or a year (2026)")],
        by: Annotated[By, Query(description="what the figures are told apart by")] = By.ALL,
    ) -> KpiView:
        """Every key figure of a period in the site's zone, each with its definition; penalties with their clause."""
        chosen = period_or_refuse(period)
        with sessions.reading() as session:
            reading = read_period(session, book, registry(), chosen, clock.now())
        return kpi_view(reading, by)

    return router


def period_or_refuse(text: str) -> Period:
    """The period, or 422 with the forms there are."""
    try:
        return parse_period(text)
    except ValueError as error:
        refuse(422, str(error), "?period=", "Write one of these forms.")
