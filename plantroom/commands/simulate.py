"""`plantroom simulate SCENARIO`: a simulated building that publishes to a broker."""

from pathlib import Path
from typing import Annotated

import typer

from facility.clock import Clock, RealClock, ScaledClock
from plantroom.clocks import clock_for
from plantroom.files import read_texts
from plantroom.lifeline import stop_event
from plantroom.logs import set_up_logs
from plantroom.settings import load_settings
from simulators.misbehave import Misbehaving, Misbehaviour
from simulators.pace import play
from simulators.run import Simulation
from simulators.scenario import Scenario, parse_scenario
from simulators.wire import Wire


def _clock(scenario: Scenario, speed: float | None) -> Clock:
    """The wall clock, or simulated time from the scenario's start when that or a speed is given."""
    factor = speed if speed is not None else scenario.factor
    now_us = RealClock().now_us()
    if scenario.start_us is None and factor == 1:
        return RealClock()
    return ScaledClock(scenario.start_us if scenario.start_us is not None else now_us, now_us, factor)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def simulate(
        scenario: Annotated[Path, typer.Argument(help="The scenario file.")],
        host: Annotated[str | None, typer.Option(help="Address of the broker.")] = None,
        mqtt_port: Annotated[int | None, typer.Option(help="Port of the broker.")] = None,
        speed: Annotated[float | None, typer.Option(help="Simulated seconds per second; default the file's.")] = None,
        follow_clock: Annotated[  # noqa: FBT002 - Typer's way to declare a flag
            bool, typer.Option("--follow-clock", help="Live by the program's clock (var/clock.json).")
        ] = False,
        misbehave: Annotated[
            Misbehaviour | None, typer.Option(help="Spoil every message in one way, to try `plantroom conformance` on.")
        ] = None,
    ) -> None:
        """Publish what a simulated building measures, with its faults at their times, until Ctrl-C."""
        settings = load_settings(mqtt_host=host, mqtt_port=mqtt_port)
        set_up_logs(settings, "simulators")
        ((where, text),) = read_texts([scenario], "scenario").items()
        plan = parse_scenario(text, where)
        clock = clock_for(settings) if follow_clock else _clock(plan, speed)
        stop = stop_event()
        simulation = Simulation(plan, clock.now_us())
        wire = Wire(
            settings.mqtt_host,
            settings.mqtt_port,
            f"plantroom-simulator-{plan.site_id}",
            username=settings.mqtt_user,
            password=settings.mqtt_password.get_secret_value() if settings.mqtt_password is not None else None,
            wait_s=30.0 if follow_clock else 5.0,
        )
        with wire:
            play(simulation, wire, clock, stop, spoil=Misbehaving(misbehave).spoil if misbehave is not None else list)
            wire.drain(5.0)
