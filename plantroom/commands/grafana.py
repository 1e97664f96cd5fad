"""`plantroom grafana FOLDER`: the dashboards of Grafana with this installation's own address and bucket in them."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from facility.errors import refuse
from plantroom.files import write_atomically
from plantroom.settings import load_settings


def own_dashboards(address: str, bucket: str) -> dict[str, str]:
    """File name -> JSON text of each shipped dashboard, with where Plantroom's pages are and the name of the bucket."""
    found = {}
    for path in sorted((files("dashboards.grafana") / "built").iterdir(), key=lambda path: path.name):
        board = json.loads(path.read_text(encoding="utf-8"))
        for variable in board["templating"]["list"]:
            if variable["name"] == "plantroom":
                variable["query"] = address
            if variable["name"] == "store":
                for name in ("query", "definition"):
                    variable[name] = variable[name].replace("'plantroom", f"'{bucket}")
        found[path.name] = json.dumps(board, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    return found


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def grafana(
        folder: Annotated[Path, typer.Argument(help="where the dashboards go, for Grafana's file provisioning")],
        address: Annotated[str, typer.Option(help="Plantroom's pages as browsers reach them")],
    ) -> None:
        """Write Grafana's dashboards with this installation's address and InfluxDB bucket in them."""
        if not address.startswith(("http://", "https://")):
            raise refuse("--address", f"{address!r} is no address of pages", "Write https://plant.example")
        written = own_dashboards(address.rstrip("/"), load_settings().influx_bucket)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in written.items():
                write_atomically(folder / name, text.encode())
        except OSError as error:
            raise refuse(str(folder), f"cannot be written: {error.strerror}", "Choose another folder.") from error
        Console(highlight=False, markup=False, soft_wrap=True).print(f"{len(written)} dashboards are in {folder}")
