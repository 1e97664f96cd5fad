"""`plantroom replay`: sends a wide CSV over MQTT to a running program, at a chosen speed."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ingest.map_file import parse_map
from ingest.wide_csv import WideCsv
from plantroom.files import read_texts
from plantroom.lifeline import stop_event
from plantroom.logs import set_up_logs
from plantroom.plant_files import load_registry
from plantroom.replay import messages, send
from plantroom.settings import load_settings
from simulators.wire import Wire


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def replay(
        readings: Annotated[Path, typer.Option(help="A wide CSV (.csv or .csv.gz).")],
        site: Annotated[Path, typer.Option(help="The site file.")],
        map: Annotated[Path, typer.Option(help="What the columns mean.")],  # noqa: A002 - the flag's name is --map
        speed: Annotated[float | None, typer.Option(help="History's seconds per second; without it, at once.")] = None,
        host: Annotated[str | None, typer.Option(help="Address of the broker.")] = None,
        mqtt_port: Annotated[int | None, typer.Option(help="Port of the broker.")] = None,
    ) -> None:
        """Send history over MQTT. The running program should live by the journal's clock: `run --clock journal`."""
        settings = load_settings(mqtt_host=host, mqtt_port=mqtt_port)
        set_up_logs(settings, "replay")
        registry, _ = load_registry([site])
        ((map_where, map_text),) = read_texts([map], "map").items()
        table = WideCsv(readings, parse_map(map_text, map_where, registry))
        console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        stop = stop_event()
        password = settings.mqtt_password.get_secret_value() if settings.mqtt_password is not None else None
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        wire = Wire(
            settings.mqtt_host, settings.mqtt_port, "plantroom-replay", username=settings.mqtt_user, password=password,
            wait_s=5.0,
        )  # fmt: skip
        with wire, Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task(f"rows of {readings.name}", total=table.rows)
            sent = send(
                messages(table.scans(), registry), wire, stop, speed=speed,
                progress=lambda _: bar.update(task, completed=table.report.rows),
            )  # fmt: skip
            drained = wire.drain(60.0, stop)
        for line in table.report.lines():
            console.print(line)
        console.print(f"{sent:,} messages sent" + ("" if drained else ", the last ones not acknowledged"))
