"""`plantroom certificates DIR`: new certificates of broker and pages, from the authority that devices trust already."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from facility.clock import RealClock
from facility.errors import refuse
from plantroom.production_files import Place, issue_servers


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def certificates(
        folder: Annotated[Path, typer.Argument(help="Where `plantroom init --production` wrote.")] = Path(),
        host: Annotated[
            list[str] | None,
            typer.Option(help="What devices and browsers call this machine; without it the names stay."),
        ] = None,
    ) -> None:
        """Issue the certificates of broker and pages anew: for other names, or before they end (825 days). The
        authority stays, so devices need nothing."""
        try:
            written = issue_servers(folder, host or [], RealClock().now())
        except ModuleNotFoundError as error:
            raise refuse("certificates", f"need {error.name}", "pip install 'plantroom[tls]'") from error
        console = Console(highlight=False, markup=False, soft_wrap=True)
        for path in written:
            console.print(f"wrote {path}")
        pages, _ = Place(folder).servers["pages"]
        if pages not in written:
            console.print(f"kept {pages}: another authority gave it; get a new one there")
        console.print("next: docker compose restart mosquitto proxy")
