"""`plantroom restore DIR`: a backup put back into an empty folder and an empty database."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from plantroom.backup.bar import Bar
from plantroom.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def restore(
        folder: Annotated[Path, typer.Argument(help="A backup, or a folder of backups: then its newest one.")],
        var: Annotated[Path | None, typer.Option(help="Folder of the instance; empty or not there.")] = None,
    ) -> None:
        """Put a backup back, whole or not at all: into an empty folder and, on PostgreSQL, an empty database."""
        from plantroom.backup.make import choose_backup  # noqa: PLC0415 - the database library is slow to load
        from plantroom.backup.restore import report, restore_backup  # noqa: PLC0415 - as above

        settings = load_settings(var=var)
        with Bar() as bar:
            restored = restore_backup(settings, choose_backup(folder), bar)
        console = Console(highlight=False, markup=False, soft_wrap=True)
        for line in report(restored, settings):
            console.print(line)
