"""Every router of what people send and ask for, put together: figures, requests, complaints, surveys, costs."""

from collections.abc import Callable

from fastapi import APIRouter

from facility.clock import Clock
from facility.registry import Registry
from ticketing.api import Sessions
from ticketing.asker import Asker
from ticketing.claim_api import build_claim_router
from ticketing.complaint_api import build_complaint_router
from ticketing.contract_book import ContractBook
from ticketing.cost_api import build_cost_router
from ticketing.kpi_api import build_router as kpi_router
from ticketing.report_api import build_report_router
from ticketing.request_api import build_request_router
from ticketing.service_desks import ServiceDesks
from ticketing.service_word import Silent, Teller
from ticketing.survey_api import build_survey_router


def service_routers(
    sessions: Sessions,
    clock: Clock,
    book: ContractBook,
    registry: Callable[[], Registry],
    teller: Teller | None = None,
    asker: Asker | None = None,
) -> list[APIRouter]:
    """The routers. Who may call is decided where they are mounted."""
    desks = ServiceDesks(book, registry, teller or Silent())
    return [
        kpi_router(sessions, clock, book, registry),
        build_report_router(sessions, clock, book, registry),
        build_request_router(sessions, clock, desks.requests, asker),
        build_complaint_router(sessions, clock, desks.complaints, asker),
        build_cost_router(sessions, clock, desks.costs, asker),
        build_claim_router(sessions, clock, desks.claims, asker),
        build_survey_router(sessions, clock, desks.surveys, asker),
    ]
