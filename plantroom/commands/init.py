"""`plantroom init DIR`: a commented starter set: site, contract, own rules, and how to run it."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from facility.errors import InputError, Problem

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
        folder: Annotated[Path, typer.Argument(help="Folder to write into; made when missing.")] = Path("my-building"),
    ) -> None:
        """Write a commented starter set for your own building."""
        console = Console(highlight=False, markup=False, soft_wrap=True)
        for path in write_starter(folder):
            console.print(f"wrote {path}")
        console.print(f"next: plantroom check {folder}/*.yaml {folder}/rules, then read {folder}/README.md")
