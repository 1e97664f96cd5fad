"""`plantroom run`: the program, whole or one role of it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from plantroom.launch import launch
from plantroom.logs import set_up_logs
from plantroom.roles import run_role
from plantroom.settings import load_settings


class Role(StrEnum):
    """What one process does; ALL starts every other as a child."""

    ALL = "all"
    BROKER = "broker"
    INGEST = "ingest"
    ENGINE = "engine"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def run(
        role: Annotated[Role, typer.Option(help="What this process does.")] = Role.ALL,
        site: Annotated[list[Path] | None, typer.Option(help="Site files.")] = None,
        contract: Annotated[list[Path] | None, typer.Option(help="Contract files.")] = None,
        rules: Annotated[Path | None, typer.Option(help="Folder of own rule files.")] = None,
        var: Annotated[Path | None, typer.Option(help="Folder for everything the program writes.")] = None,
        clock: Annotated[str | None, typer.Option(help="real, scaled or journal.")] = None,
        http_port: Annotated[int | None, typer.Option(help="Port of the pages.")] = None,
        mqtt_port: Annotated[int | None, typer.Option(help="Port of the broker.")] = None,
        mqtt_listen: Annotated[
            str | None,
            typer.Option(help="Address the embedded broker listens on; only with a password."),
        ] = None,
    ) -> None:
        """Run the program until Ctrl-C. Every setting can also come from the environment (PLANTROOM_...)."""
        settings = load_settings(
            site=site, contract=contract, rules=rules, var=var, clock=clock, http_port=http_port, mqtt_port=mqtt_port,
            mqtt_listen=mqtt_listen,
        )  # fmt: skip
        set_up_logs(settings, "plantroom" if role is Role.ALL else role.value)
        if role is Role.ALL:
            launch(settings)
        else:
            run_role(role.value, settings)
