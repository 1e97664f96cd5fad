"""`plantroom dispatch day`: the preventive visits of a day, who makes which and when, from the program's database."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from facility.clock import RealClock
from facility.errors import refuse
from plantroom.contracts import load_contracts
from plantroom.database import Database
from plantroom.files import read_texts
from plantroom.office import load_roster
from plantroom.plant_files import load_registry
from plantroom.settings import load_settings
from ticketing.day_plan import plan_day
from ticketing.dispatch_api import DayPlanView, day_plan_view


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Who goes where.")
    app.add_typer(group, name="dispatch")

    @group.callback()
    def dispatch() -> None:
        """Who goes where."""

    @group.command()
    def day(
        on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day; today when left out.")] = None,
        site: Annotated[list[Path] | None, typer.Option(help="Site files; else those of the settings.")] = None,
        contract: Annotated[list[Path] | None, typer.Option(help="Contract files; else those of the settings.")] = None,
        roster: Annotated[Path | None, typer.Option(help="Roster file; else that of the settings.")] = None,
        json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag of Typer
        plain: Annotated[bool, typer.Option("--plain", help="Do without OR-Tools.")] = False,  # noqa: FBT002 - a flag
    ) -> None:
        """Plan the preventive visits of a day. Nothing is changed."""
        settings = load_settings(site=tuple(site) if site else None, contract=tuple(contract) if contract else None,
                                 roster=roster)  # fmt: skip
        if settings.roster is None:
            raise refuse("setting roster", "is missing", "Give --roster FILE, or set PLANTROOM_ROSTER.")
        registry, _ = load_registry(settings.site_files)
        people = load_roster(settings, registry)
        book = load_contracts(read_texts(settings.contract, "contract"), registry)
        database = Database(settings.database_address())
        database.check()
        now = RealClock().now()
        wanted = on.date() if on is not None else now.astimezone(people.zone).date()
        with database.reading() as session:
            plan = day_plan_view(plan_day(session, book, people, registry, wanted, now, plain=plain), people)
        database.close()
        if json:
            typer.echo(plan.model_dump_json(indent=2))
        else:
            _show(plan)


def _show(plan: DayPlanView) -> None:
    console = Console(highlight=False, markup=False, soft_wrap=True)
    table = Table("person", "from", "to", "order", "asset", "building", "way (min)")
    for route in plan.routes:
        for stop in route.stops:
            table.add_row(route.person, stop.starts_at, stop.ends_at, stop.order, stop.asset_id, stop.building_id,
                          str(stop.travel_minutes))  # fmt: skip
    console.print(f"{plan.on} (planned by {plan.method})")
    console.print(table)
    for one in plan.left:
        console.print(f"{one.order} is left over: {one.reason}")
