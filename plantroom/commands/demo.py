"""`plantroom demo`: the whole system on embedded parts, with a simulated building that breaks on schedule."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer

from facility.clock import RealClock
from plantroom.launch import free_port, launch
from plantroom.logs import set_up_logs
from plantroom.settings import ClockKind, Mode, Settings, StoreKind, load_settings
from plantroom.supervisor import ProcessSpec
from simulators.scenario import parse_scenario


def demo_settings(var: Path | None, http_port: int, mqtt_port: int, speed: float, folder: Path) -> Settings:
    """Embedded parts on loopback, simulated time, and the demo building's files."""
    host = "127.0.0.1"
    return load_settings(
        mode=Mode.EMBEDDED,
        var=var,
        site=(folder / "site.yaml",),
        contract=(folder / "contract.yaml",),
        clock=ClockKind.SCALED,
        clock_factor=speed,
        store=StoreKind.PARQUET,
        http_host=host,
        mqtt_host=host,
        http_port=free_port(host, http_port, "--port", fixed=False),
        mqtt_port=free_port(host, mqtt_port, "--mqtt-port", fixed=False),
    )


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def demo(
        port: Annotated[
            int,
            typer.Option(envvar="PLANTROOM_HTTP_PORT", help="Port of the pages; the next free one when it is taken."),
        ] = 8600,
        mqtt_port: Annotated[
            int, typer.Option(envvar="PLANTROOM_MQTT_PORT", help="Port of the broker; the next free one when taken.")
        ] = 1883,
        speed: Annotated[float, typer.Option(help="Simulated seconds per second.")] = 60.0,
        var: Annotated[Path | None, typer.Option(help="Folder for everything it writes.")] = None,
    ) -> None:
        """The whole system on embedded parts with a simulated building. Ctrl-C ends it; the next start goes on."""
        with as_file(files("plantroom") / "demo") as folder:
            settings = demo_settings(var, port, mqtt_port, speed, folder)
            set_up_logs(settings, "plantroom")
            scenario_file = folder / "scenario.yaml"
            scenario = parse_scenario(scenario_file.read_text(encoding="utf-8"), str(scenario_file))

            def simulator(ready: Settings) -> ProcessSpec:
                arguments = ["simulate", str(scenario_file), "--follow-clock"]
                return ProcessSpec("simulators", arguments, ready.environment())

            launch(settings, first_us=scenario.start_us or RealClock().now_us(), extra=[simulator])
