"""`plantroom score`: simulated months with known faults through the engine: what was found, missed and false."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from facility.errors import refuse
from plantroom.files import write_atomically
from plantroom.score import Month
from plantroom.score_board import Scoreboard, as_json, delay, details, headline, markdown
from plantroom.score_page import html, put_table
from plantroom.score_run import Case, find_cases, run_cases

_COLUMNS = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())


def _run(cases: list[Case], days: int, workers: int, console: Console) -> list[Month]:
    with Progress(*_COLUMNS, console=console, transient=True) as bar:
        tasks = [bar.add_task(case.name, total=1.0) for case in cases]
        months = run_cases(cases, days, workers, lambda index, share: bar.update(tasks[index], completed=share))
        for task in tasks:
            bar.update(task, completed=1.0)
    return months


def _table(board: Scoreboard) -> Table:
    table = Table("fault", "part", "times", "found", "right", "delay", "orders by")
    for row in board.rows():
        numbers = (str(row.times), str(row.found), str(row.right))
        table.add_row(row.fault, row.component, *numbers, delay(row.delay_s), ", ".join(row.rules) or "nobody")
    return table


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def score(
        folder: Annotated[Path, typer.Argument(help="site.yaml and scenario files, here or in folders under it.")],
        days: Annotated[int, typer.Option(help="Days of each scenario, from its start.", min=1, max=366)] = 28,
        seeds: Annotated[int, typer.Option(help="How often each is lived through, each time otherwise.", min=1)] = 1,
        only: Annotated[str, typer.Option(help="Only scenarios with this in their FOLDER/NAME.")] = "",
        workers: Annotated[int, typer.Option(help="Processes; 0: one for each core.", min=0, max=64)] = 0,
        json: Annotated[Path | None, typer.Option(help="Write everything as JSON here.")] = None,
        page: Annotated[Path | None, typer.Option(help="Write the scoreboard as an HTML page here.")] = None,
        table: Annotated[
            Path | None, typer.Option(help="Put the table into this Markdown page, between its scoreboard marks.")
        ] = None,
        verbose: Annotated[bool, typer.Option("--verbose", help="Also say every fault and every false order.")] = False,  # noqa: FBT002 - Typer's way to declare a flag
    ) -> None:
        """Live through simulated months with known faults: found or missed, delay, right part, false orders."""
        for out in (json, page, table):
            if out is not None and not out.parent.is_dir():
                raise refuse(str(out.parent), "is no folder", "Make it first, or write somewhere else.")
        console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        cases = find_cases(folder, seeds, only)
        board = Scoreboard(tuple(_run(cases, days, workers or os.cpu_count() or 1, console)))
        answer = Console(highlight=False, markup=False)
        answer.print(_table(board))
        for line in details(board) if verbose else ():
            answer.print(line, soft_wrap=True)
        answer.print(headline(board), soft_wrap=True)
        if json is not None:
            write_atomically(json, as_json(board))
        if page is not None:
            write_atomically(page, html(board).encode())
        if table is not None:
            write_atomically(table, put_table(table.read_text("utf-8"), str(table), markdown(board)).encode())
