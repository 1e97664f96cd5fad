"""The route of reports."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Response

from facility.clock import Clock
from facility.registry import Registry
from ticketing.api import Sessions
from ticketing.contract_book import ContractBook
from ticketing.kpi_api import period_or_refuse
from ticketing.problem import REFUSALS
from ticketing.report import Report, make_report
from ticketing.report_csv import csv_report
from ticketing.report_html import CONTENT_POLICY, html_report
from ticketing.report_pdf import pdf_report


class Format(StrEnum):
    """What a report is written as."""

    HTML = "html"
    PDF = "pdf"
    CSV = "csv"


MEDIA = {Format.HTML: "text/html", Format.PDF: "application/pdf", Format.CSV: "text/csv"}


def write_report(report: Report, kind: Format, language: str) -> bytes:
    """The report as a file. Raises PermanentError for a PDF without reportlab."""
    if kind is Format.PDF:
        return pdf_report(report, language)
    text = csv_report(report, language) if kind is Format.CSV else html_report(report, language)
    return text.encode()


def build_report_router(
    sessions: Sessions, clock: Clock, book: ContractBook, registry: Callable[[], Registry]
) -> APIRouter:
    """The route. Who may call is decided where it is mounted."""
    router = APIRouter(prefix="/api", tags=["figures"], responses=REFUSALS)

    @router.get("/report", response_class=Response)
    def report(
        period: Annotated[str, Query(description="a month (2026-03), a quarter (2026-Q1) or a year (2026)")],
        format: Annotated[Format, Query(description="html, pdf or csv")] = Format.HTML,  # noqa: A002 - the documented name
        language: Annotated[str, Query(description="en or zh")] = "en",
    ) -> Response:
        """A report on a period: figures, trend, groups, penalties with clause and breach, three things to change."""
        chosen = period_or_refuse(period)
        with sessions.reading() as session:
            made = make_report(session, book, registry(), chosen, clock.now())
        name = f"attachment; filename=report-{chosen}.{format}"
        page = {"Content-Security-Policy": CONTENT_POLICY}
        headers = page if format is Format.HTML else {"Content-Disposition": name}
        return Response(write_report(made, format, language), media_type=MEDIA[format], headers=headers)

    return router
