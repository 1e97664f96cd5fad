"""`plantroom import`: assets and technicians from a table of a spreadsheet; a dry run says what is wrong where."""

import io
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from ruamel.yaml import YAML

from facility.errors import refuse
from facility.registry import Registry
from facility.site_file import parse_site
from plantroom.files import write_atomically
from plantroom.plant_files import load_registry
from plantroom.settings import load_settings
from ticketing.import_assets import read_assets
from ticketing.import_people import read_people
from ticketing.roster_file import parse_roster

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
        data = read_assets(_content(file), str(file), registry)
        text = _yaml(data)
        Registry.merge([registry, parse_site(text, str(out))])  # what no single cell shows
        number = sum(len(building["assets"]) for building in data["buildings"])
        if dry_run:
            console.print(f"{file}: {number} assets, nothing wrong; nothing was written")
            return
        write_atomically(out, text.encode())
        console.print(f"{out}: {number} assets; add it to PLANTROOM_SITE and they are watched")

    @group.command()
    def technicians(
        file: File,
        into: Annotated[Path, typer.Option(help="The roster file; people of the table replace those of the same id.")],
        *,
        dry_run: Dry = False,
    ) -> None:
        """Columns: id, name, language, roles, skills, certificates, buildings, home, shift, channels."""
        registry, _ = load_registry(load_settings().site_files)
        yaml = YAML()
        if not into.exists():
            raise refuse("--into", f"there is no {into}", "`plantroom init` writes one to begin with.")
        data = yaml.load(into.read_text(encoding="utf-8"))
        people = read_people(_content(file), str(file), registry, data.get("shifts", {}))
        new = {one["id"]: one for one in people}
        kept = data.setdefault("people", [])
        before = [one["id"] for one in kept]
        for index, name in enumerate(before):
            kept[index] = new.get(name, kept[index])
        kept.extend(one for one in people if one["id"] not in before)
        out = io.StringIO()
        yaml.dump(data, out)
        parse_roster(out.getvalue(), str(into), os.environ, registry)  # what no single cell shows
        replaced = sum(1 for name in new if name in before)
        counted = f"{len(new) - replaced} new, {replaced} replaced"
        if dry_run:
            console.print(f"{file}: {counted}, nothing wrong; nothing was written")
            return
        write_atomically(into, out.getvalue().encode())
        console.print(f"{into}: {counted}")


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise refuse(str(file), f"cannot be read: {error.strerror}", "Name the table.") from error


def _yaml(data: dict[str, Any]) -> str:
    out = io.StringIO()
    YAML().dump(data, out)
    return out.getvalue()
