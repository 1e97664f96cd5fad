"""`plantroom run`: the program, whole or one role of it."""

from pathlib import Path
from typing import Annotated

import typer

from ingest.shard import MAIN_SHARD
from plantroom.launch import launch
from plantroom.logs import set_up_logs
from plantroom.part import Role, check_shard, format_roles, parse_roles
from plantroom.roles import run_role
from plantroom.settings import load_settings
from plantroom.shard import find_shard


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def run(
        role: Annotated[
            str,
            typer.Option(
                help="What this process does: all (starts the others), broker, ingest, or one or more of engine, web "
                "and jobs, such as engine,web,jobs."
            ),
        ] = Role.ALL.value,
        shard: Annotated[
            str, typer.Option(help="Of the setting shards: whose journal ingest writes, or engine judges.")
        ] = MAIN_SHARD,
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
        roles = parse_roles(role)
        check_shard(roles, find_shard(settings.all_shards, shard, "--shard").name)
        name = "plantroom" if Role.ALL in roles else format_roles(roles)
        set_up_logs(settings, name if shard == MAIN_SHARD else f"{name}-{shard}")
        if Role.ALL in roles:
            launch(settings)
        else:
            run_role(roles, settings, shard)
