"""`plantroom export DIR`: everything the instance knows as CSV or Parquet, and the plan as iCalendar."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from facility.errors import refuse
from facility.instant import parse_instant, to_us
from plantroom.backup.bar import Bar
from plantroom.export.files import FileFormat
from plantroom.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def export(
        folder: Annotated[Path, typer.Argument(help="Folder to make; not there yet, or empty.")],
        kind: Annotated[FileFormat, typer.Option("--format", help="How tables are written.")] = FileFormat.CSV,
        readings_from: Annotated[
            str | None, typer.Option(help="Also readings from this instant on, such as 2026-11-01T00:00:00Z.")
        ] = None,
        readings_until: Annotated[str | None, typer.Option(help="End of the readings, exclusive.")] = None,
        var: Annotated[Path | None, typer.Option(help="Folder of the instance.")] = None,
    ) -> None:
        """Export orders, histories, findings, visits, costs, surveys, complaints, assets, points and readings. No
        passwords, tokens or messages."""
        from plantroom.export.write import Wanted, write_export  # noqa: PLC0415 - polars is slow to load

        span = None
        if readings_from is not None or readings_until is not None:
            span = _span(readings_from, readings_until)
        with Bar() as bar:
            rows = write_export(load_settings(var=var), folder, Wanted(kind, span), bar)
        table = Table("file", "rows", box=None)
        for name, count in rows.items():
            table.add_row(name, f"{count:,}")
        Console(highlight=False, markup=False).print(table)


def _span(start: str | None, end: str | None) -> tuple[int, int]:
    if start is None or end is None:
        raise refuse("readings", "a span has two ends", "Give --readings-from and --readings-until.")
    try:
        span = to_us(parse_instant(start)), to_us(parse_instant(end))
    except ValueError as error:
        raise refuse("readings", str(error), "Write instants such as 2026-11-01T00:00:00Z.") from error
    if span[0] >= span[1]:
        raise refuse("readings", f"{start} is not before {end}", "Swap the two.")
    return span
