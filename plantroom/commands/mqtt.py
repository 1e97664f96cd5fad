"""`plantroom mqtt credentials`: the broker's users, passwords and access list, from the site files."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from facility.errors import refuse
from ingest.broker_users import broker_users
from plantroom.broker_credentials import read_hashes, update_credentials
from plantroom.plant_files import load_registry
from plantroom.production_files import Place
from plantroom.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="The broker of docker-compose.yml.", no_args_is_help=True)
    app.add_typer(group, name="mqtt")

    @group.callback()
    def mqtt() -> None:
        """The broker of docker-compose.yml."""

    @group.command()
    def credentials(
        folder: Annotated[Path, typer.Argument(help="Where `plantroom init --production` wrote.")] = Path(),
        site: Annotated[
            list[Path] | None, typer.Option(help="Site files; default PLANTROOM_SITE, else plant/site.yaml.")
        ] = None,
        rotate: Annotated[list[str] | None, typer.Option(help="A user that gets another password.")] = None,
    ) -> None:
        """Give every device a user that may write its own topics only.

        Devices that have a password keep it, those that left lose it. Passwords stand in secrets/device-passwords.csv
        (mode 600) for who installs them; delete it afterwards.
        """
        place = Place(folder)
        settings = load_settings(site=tuple(site) if site else None)
        files = settings.site_files or (place.plant / "site.yaml",)
        if not place.broker.is_dir():
            raise refuse(str(place.broker), "is no folder", "Run `plantroom init --production` there first.")
        further = [shard.name for shard in settings.all_shards if not shard.is_main]
        users = broker_users(load_registry(files)[0], read_hashes(place.broker / "passwords"), further)
        done = update_credentials(users, place.broker, place.handover, rotate or ())
        console = Console(highlight=False, markup=False, soft_wrap=True)
        counts = (("new", done.made), ("rotated", done.rotated), ("removed", done.removed), ("kept", done.kept))
        console.print(f"{len(users)} users: " + ", ".join(f"{len(names)} {word}" for word, names in counts))
        for word, names in counts[:3]:
            for name in names:
                console.print(f"{word}: {name}")
        console.print(f"passwords for who installs devices: {place.handover}")
        console.print("next: docker compose exec mosquitto sh /mosquitto/config/start.sh reload")
