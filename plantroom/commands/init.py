"""`plantroom init DIR`: a commented starter set for one's own building; with --production also secrets and keys."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from facility.clock import RealClock
from facility.errors import InputError, Problem, refuse
from plantroom.production_files import write_production

STARTER = ("site.yaml", "contract.yaml", "rules/own.yaml", "README.md")


def write_starter(folder: Path) -> list[Path]:
    """Write the starter files. Raises InputError when one of them is there already; then nothing is written."""
    targets = [folder / name for name in STARTER]
    there = [path for path in targets if path.exists()]
    if there:
        hint = "Choose an empty folder, or move the file away."
        raise InputError(Problem(str(path), "is there already", hint) for path in there)
    for name, path in zip(STARTER, targets, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((files("plantroom") / "starter" / name).read_bytes())
    return targets


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def init(
        folder: Annotated[
            Path | None,
            typer.Argument(help="Folder to write into; made when missing. my-building; with --production this one."),
        ] = None,
        production: Annotated[  # noqa: FBT002 - Typer's way to declare a flag
            bool, typer.Option("--production", help="What docker-compose.yml needs too: secrets, keys, certificates.")
        ] = False,
        host: Annotated[
            list[str] | None, typer.Option(help="What devices and browsers call this machine; the first is the pages'.")
        ] = None,
        simulator: Annotated[  # noqa: FBT002 - as above
            bool, typer.Option("--simulator", help="With --production: the demo's building, simulated in real time.")
        ] = False,
    ) -> None:
        """Write a commented starter set for your own building."""
        console = Console(highlight=False, markup=False, soft_wrap=True)
        if not production:
            if host or simulator:
                raise refuse("init", "--host and --simulator go with --production", "Add it, or leave them out.")
            where = folder or Path("my-building")
            for path in write_starter(where):
                console.print(f"wrote {path}")
            console.print(f"next: plantroom check {where}/*.yaml {where}/rules, then read {where}/README.md")
            return
        where = folder or Path()
        for path in write_production(where, host or [], RealClock().now(), simulator=simulator):
            console.print(f"wrote {path}")
        console.print(f"next: put your site.yaml and contract.yaml into {where / 'plant'}, then: docker compose up -d")
