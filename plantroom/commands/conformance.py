"""`plantroom conformance TOPIC...`: listens to a device for a while and says how it behaves, point by point."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from facility.instant import SECOND_US
from ingest.conformance import Mark, Verdict, worst
from ingest.conformance_examine import examine
from ingest.conformance_listen import Guest
from plantroom.broker_address import broker_address
from plantroom.clocks import clock_for
from plantroom.lifeline import stop_event
from plantroom.plant_files import load_registry
from plantroom.settings import load_settings

_COLOURS = {Verdict.PASS: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red", Verdict.UNSEEN: "dim"}


def show(marks: list[Mark], console: Console) -> None:
    """A table: device, point, aspect, verdict, what was found and what to do."""
    table = Table("device", "point", "aspect", "verdict", "found", "to do", show_lines=False)
    for mark in marks:
        verdict = f"[{_COLOURS[mark.verdict]}]{mark.verdict}[/]"
        cells = [_plain(text) for text in (mark.device, mark.point, mark.aspect)]
        table.add_row(*cells, verdict, _plain(mark.said), _plain(mark.advice))
    console.print(table)
    console.print(f"{worst(marks)}: {', '.join(f'{_count(marks, one)} {one}' for one in Verdict)}", markup=False)


def _plain(text: str) -> str:
    """What a device sent is no markup."""
    return text.replace("[", r"\[")


def _count(marks: list[Mark], verdict: Verdict) -> int:
    return sum(mark.verdict is verdict for mark in marks)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def conformance(
        topics: Annotated[list[str], typer.Argument(help="Topics or filters (+, #) of the device.")],
        seconds: Annotated[float, typer.Option(help="How long to listen.", min=0.1)] = 300.0,
        site: Annotated[list[Path] | None, typer.Option(help="Site files that describe the device.")] = None,
        host: Annotated[str | None, typer.Option(help="Address of the broker.")] = None,
        mqtt_port: Annotated[int | None, typer.Option(help="Port of the broker.")] = None,
        clock: Annotated[str | None, typer.Option(help="real, or scaled for the demo's simulated time.")] = None,
        var: Annotated[Path | None, typer.Option(help="Folder of the program, for its simulated time.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="A JSON list instead of a table.")] = False,  # noqa: FBT002 - Typer's way to declare a flag
    ) -> None:
        """Listen to a device and report cadence, ranges, units, instants, QoS and more; exit code 1 when it fails."""
        settings = load_settings(site=site, mqtt_host=host, mqtt_port=mqtt_port, clock=clock, var=var)
        registry = load_registry(settings.site_files)[0] if settings.site_files else None
        lived_by, stop = clock_for(settings), stop_event()
        with Guest(broker_address(settings), topics, lived_by) as guest:
            heard = list(guest.hear(seconds, stop))
        span_us = round(seconds * SECOND_US * lived_by.factor)
        marks = examine(heard, topics, registry, span_us=span_us, factor=max(1.0, lived_by.factor))
        if as_json:
            Console(highlight=False, markup=False, soft_wrap=True).print(
                json.dumps([asdict(mark) for mark in marks], ensure_ascii=False, indent=2)
            )
        else:
            show(marks, Console(highlight=False))
        raise typer.Exit(int(worst(marks) is Verdict.FAIL))
