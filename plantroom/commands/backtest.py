"""`plantroom backtest`: rules and contract over a wide CSV: the findings and orders that would have been."""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from facility.errors import refuse
from facility.instant import parse_duration
from ingest.map_file import parse_map
from ingest.wide_csv import WideCsv
from plantroom.backtest import Backtest, run_backtest
from plantroom.backtest_compare import Tuning, parse_tuning, tune_row
from plantroom.backtest_compare import compare as differ
from plantroom.contracts import load_contracts
from plantroom.files import read_texts, write_atomically
from plantroom.plant_files import load_registry, load_rule_files
from rules.rule_set import RuleSet
from ticketing.contract_book import ContractBook


def backtest_files(
    readings: Path,
    site: Path,
    wide_map: Path,
    rules: Path | None,
    contract: Path | None,
    console: Console,
    attended: timedelta | None = None,
    *,
    workers: int = 0,
    tuning: tuple[Tuning, float] | None = None,
) -> tuple[Backtest, WideCsv]:
    """Run a backtest over files, with a progress bar on `console`. Raises InputError for what cannot be used.

    `tuning` sets a parameter to a value on all sites first.
    """
    registry, site_texts = load_registry([site])
    ((map_where, map_text),) = read_texts([wide_map], "map").items()
    table = WideCsv(readings, parse_map(map_text, map_where, registry))
    rule_files = load_rule_files(rules)
    texts = read_texts([contract], "contract") if contract is not None else {}
    book = load_contracts(texts, registry, RuleSet.load(rule_files).rules) if texts else ContractBook()
    overrides = tuning[0].overrides(tuning[1], registry.sites) if tuning is not None else []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(f"rows of {readings.name}", total=table.rows)
        result = run_backtest(
            table.scans(), registry, site_texts, rule_files, book, attended=attended, workers=workers,
            overrides=overrides, progress=lambda _: bar.update(task, completed=table.report.rows),
        )  # fmt: skip
    return result, table


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise refuse("--attended", str(error), "Give one like 1 h, or leave it out.") from error


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def backtest(
        readings: Annotated[Path, typer.Option(help="A wide CSV (.csv or .csv.gz): a time column and one per point.")],
        site: Annotated[Path, typer.Option(help="The site file.")],
        map: Annotated[Path, typer.Option(help="What the columns mean.")],  # noqa: A002 - the flag's name is --map
        out: Annotated[Path, typer.Option(help="Where to write findings and work orders (JSON).")],
        rules: Annotated[Path | None, typer.Option(help="Folder of own rules beside the shipped catalogue.")] = None,
        contract: Annotated[Path | None, typer.Option(help="The contract; without it the default level.")] = None,
        attended: Annotated[
            str | None,
            typer.Option(
                help="Somebody works on the orders: each is closed when its findings have been cleared for so long "
                "(1 h is usual). Without it nobody does, as in a replay over MQTT."
            ),
        ] = None,
        workers: Annotated[
            int | None,
            typer.Option(
                min=0,
                help="Processes that judge, an asset each, while this one reads; 0 for none. As many as CPUs.",
                show_default=False,
            ),
        ] = None,
        compare: Annotated[
            Path | None, typer.Option(help="Another folder of own rules: tell which findings and orders only one has.")
        ] = None,
        tune: Annotated[
            str | None,
            typer.Option(help="RULE.PARAM=a..b or =a..b/N: tell how orders a month change along a parameter."),
        ] = None,
    ) -> None:
        """Run rules and contract over history and write the findings and orders that would have been."""
        console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        work = _duration(attended) if attended is not None else None
        if not out.parent.is_dir():
            raise refuse(str(out.parent), "is no folder", "Make it first, or write somewhere else with --out.")
        processes = (os.cpu_count() or 1) if workers is None else workers
        tuning = parse_tuning(tune, RuleSet.load(load_rule_files(rules)).rules) if tune is not None else None

        def run(folder: Path | None, at: tuple[Tuning, float] | None = None) -> tuple[Backtest, WideCsv]:
            return backtest_files(readings, site, map, folder, contract, console, work, workers=processes, tuning=at)

        result, table = run(rules)
        report = {"lines": table.report.lines(), **msgspec.to_builtins(table.report)}
        answer: dict[str, Any] = {"findings": result.findings, "work_orders": result.work_orders, "readings": report}
        if compare is not None:
            other, _ = run(compare)
            answer["compare"] = differ({**answer}, {"findings": other.findings, "work_orders": other.work_orders})
        if tuning is not None and tune is not None:
            span_us = (table.report.last_us or 0) - (table.report.first_us or 0)
            answer["tune"] = rows = [
                tune_row(value, tuning, run(rules, (tuning, value))[0].work_orders, span_us) for value in tuning.values
            ]
            for row in rows:
                console.print(f"{tune.partition('=')[0]} = {row['value']:g}: {row['orders_per_month']:g} orders a month"
                              f" of the rule, {row['all_orders_per_month']:g} of all")  # fmt: skip
        write_atomically(out, json.dumps(answer, indent=2, ensure_ascii=False).encode() + b"\n")
        for line in table.report.lines():
            console.print(line)
        if compare is not None:
            for name, only in answer["compare"].items():
                if name != "counts":
                    console.print(f"{name.replace('_', ' ')}: {len(only):,}")
        console.print(f"{len(result.findings):,} findings, {len(result.work_orders):,} work orders -> {out}")
