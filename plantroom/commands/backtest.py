"""`plantroom backtest`: rules and contract over a history: the findings and orders that would have been."""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer
from rich.console import Console

from dashboards.web.backtest_page import report_page
from facility.errors import refuse
from facility.instant import parse_duration, parse_instant, to_us
from facility.registry import Registry
from plantroom.backtest import Backtest
from plantroom.backtest_compare import compare as differ
from plantroom.backtest_compare import compared, parse_tuning, tuned
from plantroom.backtest_gather import Setting, gather
from plantroom.backtest_history import CsvHistory, History
from plantroom.backtest_trial import Trial, csv_history, parse_setting, read_book, store_history
from plantroom.files import write_atomically
from plantroom.plant_files import load_registry, load_rule_files
from rules.rule_set import RuleSet


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise refuse("--attended", str(error), "Give one like 1 h, or leave it out.") from error


def _instant(text: str | None, flag: str) -> int | None:
    try:
        at: datetime | None = parse_instant(text) if text is not None else None
    except ValueError as error:
        raise refuse(flag, str(error), "Write it like 2026-03-01T00:00:00Z.") from error
    return to_us(at) if at is not None else None


def _history(
    registry: Registry,
    readings: Path | None,
    wide_map: Path | None,
    store: str | None,
    span: tuple[str | None, str | None],
) -> History:
    if (readings is None) == (store is None):
        raise refuse("plantroom backtest", "needs readings", "Give --readings FILE with --map, or --store FOLDER.")
    if store is not None:
        return store_history(store, registry, _instant(span[0], "--from"), _instant(span[1], "--to"))
    if readings is None or wide_map is None:
        raise refuse("--map", "is missing", "Say what the file's columns mean: --map map.yaml.")
    if span != (None, None):
        raise refuse("--from", "goes with --store", "A file is read whole; leave --from and --to out.")
    return csv_history(readings, wide_map, registry)


def _writable(path: Path | None, flag: str) -> None:
    if path is not None and not path.parent.is_dir():
        raise refuse(str(path.parent), "is no folder", f"Make it first, or write somewhere else with {flag}.")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def backtest(
        site: Annotated[list[Path], typer.Option(help="The site file; may be given more than once.")],
        readings: Annotated[
            Path | None, typer.Option(help="A wide CSV (.csv or .csv.gz): a time column and one per point.")
        ] = None,
        map: Annotated[Path | None, typer.Option(help="What the file's columns mean.")] = None,  # noqa: A002 - the flag's name is --map
        store: Annotated[
            str | None,
            typer.Option(
                help="Instead of a file: the folder of a Parquet store (the program's var, or var/readings), or influx "
                "for the InfluxDB of the settings."
            ),
        ] = None,
        from_: Annotated[str | None, typer.Option("--from", help="With --store: from this instant on.")] = None,
        to: Annotated[str | None, typer.Option(help="With --store: up to this instant.")] = None,
        out: Annotated[
            Path | None,
            typer.Option(help="Where to write findings and work orders (JSON); with --report all that it shows."),
        ] = None,
        report: Annotated[Path | None, typer.Option(help="Where to write the report as a page (HTML).")] = None,
        language: Annotated[Literal["en", "zh"], typer.Option(help="The language of the page: en or zh.")] = "en",
        rules: Annotated[Path | None, typer.Option(help="Folder of own rules beside the shipped catalogue.")] = None,
        contract: Annotated[list[Path] | None, typer.Option(help="The contract; without it the default level.")] = None,
        set: Annotated[  # noqa: A002 - the flag's name is --set
            list[str] | None,
            typer.Option(help="RULE.PARAM=VALUE for all sites, or with @ASSET, @class:NAME or @site:ID behind it."),
        ] = None,
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
        if out is None and report is None:
            raise refuse(
                "plantroom backtest", "has nowhere to write", "Give --out FILE.json, --report FILE.html or both."
            )
        _writable(out, "--out")
        _writable(report, "--report")
        registry, site_texts = load_registry(site)
        rule_set = RuleSet.load(load_rule_files(rules))
        trial = Trial(
            registry=registry,
            site_texts=site_texts,
            history=_history(registry, readings, map, store, (from_, to)),
            book=read_book(contract or (), registry, rules),
            console=console,
            attended=_duration(attended) if attended is not None else None,
            workers=(os.cpu_count() or 1) if workers is None else workers,
        )
        tuning = parse_tuning(tune, rule_set.rules) if tune is not None else None
        overrides = [one for text in set or () for one in parse_setting(text, rule_set.rules, registry)]
        result = trial.run(rule_set.files, overrides)
        answer: dict[str, Any] = {"findings": result.findings, "work_orders": result.work_orders}
        answer["readings"] = _readings(trial.history)
        other: Backtest | None = None
        if compare is not None:
            other = trial.run(load_rule_files(compare), overrides, f"({compare})")
            answer["compare"] = differ({**answer}, {"findings": other.findings, "work_orders": other.work_orders})
        curve = tuned(trial, tuning, rule_set, overrides) if tuning is not None else None
        if curve is not None:
            answer["tune"] = msgspec.to_builtins(curve.rows)
            for row in curve.rows:
                here = f"{curve.rule_id}.{curve.parameter} = {row.value:g}: {row.orders_per_month:g} orders a month"
                console.print(f"{here} of the rule, {row.all_orders_per_month:g} of all")
        if report is not None:
            setting = Setting(registry, rule_set, trial.book, trial.attended, tuple(set or ()))
            sides = compared(result, other, (str(rules or "catalogue"), str(compare or "catalogue")))
            page = gather(setting, trial.history, result, tuned=curve, compared=sides)
            answer["report"] = msgspec.to_builtins(page)
            write_atomically(report, report_page(page, language).encode())
        if out is not None:
            write_atomically(out, json.dumps(answer, indent=2, ensure_ascii=False).encode() + b"\n")
        for line in trial.history.lines():
            console.print(line)
        if other is not None:
            for name, only in answer["compare"].items():
                if name != "counts":
                    console.print(f"{name.replace('_', ' ')}: {len(only):,}")
        written = " and ".join(str(path) for path in (out, report) if path is not None)
        console.print(f"{len(result.findings):,} findings, {len(result.work_orders):,} work orders -> {written}")


def _readings(history: History) -> dict[str, Any]:
    held = {"lines": history.lines()}
    return held | msgspec.to_builtins(history.table.report) if isinstance(history, CsvHistory) else held
