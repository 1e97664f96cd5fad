"""`plantroom backup DIR`: everything of a running instance into a folder, or a look whether a backup is whole."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from facility.clock import RealClock
from facility.errors import PermanentError
from plantroom.backup.bar import Bar
from plantroom.settings import load_settings

_Verify = Annotated[bool, typer.Option("--verify", help="Look whether the backup there (the newest) is whole.")]
_WithSecrets = Annotated[
    bool, typer.Option("--with-secrets", help="Also tokens, passwords and the addresses of the roster.")
]
_WithoutReadings = Annotated[
    bool, typer.Option("--without-readings", help="Leave out what the series store holds: InfluxDB, or files.")
]
_Full = Annotated[bool, typer.Option("--full", help="Copy also what the backup before has already.")]
EXIT_INCOMPLETE = 3


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def backup(
        folder: Annotated[Path, typer.Argument(help="Folder of backups; each gets a folder of its own in it.")],
        verify: _Verify = False,  # noqa: FBT002 - a flag of Typer
        with_secrets: _WithSecrets = False,  # noqa: FBT002 - a flag of Typer
        without_readings: _WithoutReadings = False,  # noqa: FBT002 - a flag of Typer
        full: _Full = False,  # noqa: FBT002 - a flag of Typer
        keep: Annotated[int | None, typer.Option(min=1, help="Keep so many backups, remove older ones.")] = None,
        var: Annotated[Path | None, typer.Option(help="Folder of the instance.")] = None,
    ) -> None:
        """Back up a running instance: database, journal, readings, pictures and your files, as they fit each other."""
        from plantroom.backup.check import check_backup  # noqa: PLC0415 - the database library is slow to load
        from plantroom.backup.make import choose_backup, make_backup, report  # noqa: PLC0415 - as above

        console = Console(highlight=False, markup=False, soft_wrap=True)
        with Bar() as bar:
            is_complete = True
            if verify:
                chosen = choose_backup(folder)
                manifest, problems = check_backup(chosen, bar)
                lines = [f"{chosen} is whole: {len(manifest.files):,} files, made {manifest.made_at}"]
                if manifest.influx_missing:
                    lines.append(f"it was made without the readings in InfluxDB: {manifest.influx_missing}")
            else:
                problems = []
                made = make_backup(
                    load_settings(var=var),
                    folder,
                    bar,
                    RealClock(),
                    with_secrets=with_secrets,
                    full=full,
                    keep=keep,
                    with_readings=not without_readings,
                )
                lines, is_complete = report(made), not made.manifest.influx_missing
        if problems:
            raise PermanentError("\n".join([*problems, "this backup is not whole; use another one"]))
        for line in lines:
            console.print(line)
        if not is_complete:
            what = "InfluxDB was away: the backup was made without its readings. Take another one when it is back"
            Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(f"plantroom: {what}")
            raise typer.Exit(EXIT_INCOMPLETE)
