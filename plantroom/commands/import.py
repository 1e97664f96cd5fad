"""`plantroom import`: assets and technicians from a table of a spreadsheet; a dry run says what is wrong where."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from facility.errors import refuse
from plantroom.files import write_atomically
from plantroom.imports import import_assets, import_people
from plantroom.plant_files import load_registry
from plantroom.settings import load_settings

File = Annotated[Path, typer.Argument(help="The table: CSV as a spreadsheet exports it.")]
Dry = Annotated[bool, typer.Option(help="Check everything and write nothing.")]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Assets and technicians from a table.", no_args_is_help=True)
    app.add_typer(group, name="import")
    console = Console(highlight=False, markup=False, soft_wrap=True)

    @group.callback()
    def _root() -> None:
        """Assets and technicians from a table."""

    @group.command()
    def assets(
        file: File,
        out: Annotated[Path, typer.Option(help="The site file to write; it adds to buildings that are known.")],
        *,
        dry_run: Dry = False,
    ) -> None:
        """Columns: id, name, class, building, space, parent, criticality, accepted_on, warranty_until, points."""
        if out.exists() and not dry_run:
            raise refuse("--out", f"{out} is there already", "Name a new file, or remove that one.")
        registry, _ = load_registry(load_settings().site_files)
        made = import_assets(_content(file), str(file), registry, str(out))
        if dry_run:
            console.print(f"{file}: {made.added} assets, nothing wrong; nothing was written")
            return
        write_atomically(out, made.text.encode())
        console.print(f"{out}: {made.added} assets; add it to PLANTROOM_SITE and they are watched")

    @group.command()
    def technicians(
        file: File,
        into: Annotated[Path, typer.Option(help="The roster file; people of the table replace those of the same id.")],
        *,
        dry_run: Dry = False,
    ) -> None:
        """Columns: id, name, language, roles, skills, certificates, buildings, home, shift, channels."""
        registry, _ = load_registry(load_settings().site_files)
        if not into.exists():
            raise refuse("--into", f"there is no {into}", "`plantroom init` writes one to begin with.")
        roster = str(into), into.read_text(encoding="utf-8")
        made = import_people(_content(file), str(file), roster, registry, os.environ)
        counted = f"{made.added} new, {made.replaced} replaced"
        if dry_run:
            console.print(f"{file}: {counted}, nothing wrong; nothing was written")
            return
        write_atomically(into, made.text.encode())
        console.print(f"{into}: {counted}")


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise refuse(str(file), f"cannot be read: {error.strerror}", "Name the table.") from error
