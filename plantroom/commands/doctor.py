"""`plantroom doctor`: looks at everything the program needs and says what to do."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from plantroom.doctor import Check, as_json, as_lines, exit_code
from plantroom.doctor_certificates import check_certificates
from plantroom.doctor_files import check_clock, check_disk, check_papers
from plantroom.doctor_servers import check_broker, check_database, check_store
from plantroom.doctor_shards import check_shards
from plantroom.settings import Settings, load_settings


def examine(settings: Settings) -> list[Check]:
    """Every check, cheap ones first. Changes nothing."""
    papers = check_papers(settings)
    return [
        *papers.checks,
        check_disk(settings),
        *check_clock(settings),
        *check_broker(settings, papers.registry),
        *check_certificates(settings, Path()),
        check_store(settings, papers.registry),
        check_database(settings),
        *check_shards(settings),
    ]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def doctor(
        site: Annotated[list[Path] | None, typer.Option(help="Site files.")] = None,
        contract: Annotated[list[Path] | None, typer.Option(help="Contract files.")] = None,
        rules: Annotated[Path | None, typer.Option(help="Folder of own rule files.")] = None,
        var: Annotated[Path | None, typer.Option(help="Folder of everything the program writes.")] = None,
        mqtt_port: Annotated[int | None, typer.Option(help="Port of the broker.")] = None,
        as_json_: Annotated[bool, typer.Option("--json", help="One JSON list instead of lines.")] = False,  # noqa: FBT002 - Typer's way to declare a flag
    ) -> None:
        """Check broker, certificates, store, database, disk, clock, site, rules and contract; exit code 1 when
        something is bad."""
        settings = load_settings(site=site, contract=contract, rules=rules, var=var, mqtt_port=mqtt_port)
        checks = examine(settings)
        console = Console(highlight=False, markup=False, soft_wrap=True)
        for line in [as_json(checks)] if as_json_ else as_lines(checks):
            console.print(line)
        raise typer.Exit(exit_code(checks))
