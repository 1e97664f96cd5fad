"""`plantroom calendar`: the addresses at which calendar programs follow what each person has to do."""

from pathlib import Path
from typing import Annotated

import typer

from facility.errors import refuse
from plantroom.office import link_secret, load_roster
from plantroom.plant_files import load_registry
from plantroom.secret_files import admin_token
from plantroom.service_office import show
from plantroom.settings import load_settings
from ticketing.ical_api import calendar_path


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Calendars of technicians.", no_args_is_help=True)
    app.add_typer(group, name="calendar")

    @group.callback()
    def _root() -> None:
        """Calendars of technicians."""

    @group.command("list")
    def list_(
        roster: Annotated[Path | None, typer.Option(help="Roster file; else that of the settings.")] = None,
    ) -> None:
        """Show the address of each person's calendar. Whoever has an address can read it: give it to her alone."""
        settings = load_settings(roster=roster)
        if settings.roster is None:
            raise refuse("setting roster", "is missing", "Give --roster FILE, or set PLANTROOM_ROSTER.")
        registry, _ = load_registry(settings.site_files)
        people, secret = load_roster(settings, registry), link_secret(admin_token(settings))
        for one in people.people.values():
            show(one.id, one.name, f"{people.address}{calendar_path(secret, one.id)}")
