"""`plantroom report`: the report on a period as a page, a PDF or a table."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from facility.errors import refuse
from facility.instant import parse_instant
from plantroom.clocks import clock_for
from plantroom.contracts import load_contracts
from plantroom.database import Database
from plantroom.files import read_texts
from plantroom.plant_files import load_registry
from plantroom.settings import load_settings
from ticketing.kpi_period import Period, parse_period
from ticketing.report import make_report
from ticketing.report_api import Format, write_report


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def report(
        period: Annotated[str, typer.Argument(help="A month (2026-03), a quarter (2026-Q1) or a year (2026).")],
        out: Annotated[Path, typer.Option(help="The file to write.")] = Path("report.html"),
        kind: Annotated[Format | None, typer.Option("--format", help="By the file's name when left out.")] = None,
        language: Annotated[str, typer.Option(help="en or zh.")] = "en",
        now: Annotated[str | None, typer.Option(help="As of this instant instead of the program's clock.")] = None,
    ) -> None:
        """Write the report on a period: figures with targets and trend, groups, penalties, three things to change."""
        settings = load_settings()
        chosen, written = _period(period), kind or _kind(out)
        registry, _ = load_registry(settings.site_files)
        book = load_contracts(read_texts(settings.contract, "contract"), registry)
        at = parse_instant(now) if now is not None else clock_for(settings).now()
        database = Database(settings.database_address())
        try:
            database.check()
            with database.reading() as session:
                made = make_report(session, book, registry, chosen, at)
        finally:
            database.close()
        out.write_bytes(write_report(made, written, language))
        Console(highlight=False, markup=False, soft_wrap=True).print(
            f"{out}: {chosen}, {len(made.penalties)} penalties"
        )


def _period(text: str) -> Period:
    try:
        return parse_period(text)
    except ValueError as error:
        raise refuse("period", str(error)) from error


def _kind(out: Path) -> Format:
    known = {f".{one.value}": one for one in Format}
    if out.suffix not in known:
        raise refuse("--out", f"{out} says no format", "Name it .html, .pdf or .csv, or give --format.")
    return known[out.suffix]
