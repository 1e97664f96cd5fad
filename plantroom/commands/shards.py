"""`plantroom shards`: which shard judges which building, and moving one to another."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from facility.clock import RealClock
from facility.errors import RetryableError, refuse
from facility.instant import format_instant
from ingest.shard import MAIN_SHARD
from plantroom.building_owner import WAITS
from plantroom.database import Database
from plantroom.plant_files import load_registry
from plantroom.settings import Settings, load_settings
from plantroom.shard import find_shard
from ticketing import shard_rows
from ticketing.shard_rows import Phase
from ticketing.tables_shard import BuildingShardRow

_LOOK_S = 0.2


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Buildings and the shards that judge them.", invoke_without_command=True)
    app.add_typer(group, name="shards")

    @group.callback()
    def shards(context: typer.Context) -> None:
        """Which shard judges which building; with a move, how far it is."""
        if context.invoked_subcommand is None:
            settings = load_settings()
            with _open(settings) as database, database.reading() as session:
                rows = shard_rows.list_buildings(session)
            _show(settings, rows)

    @group.command()
    def move(
        building: Annotated[str, typer.Argument(help="Id of the building.")],
        shard: Annotated[str, typer.Argument(help="Where to: main, or one that the setting shards names.")],
        wait: Annotated[bool, typer.Option(help="Wait until it is there.")] = True,  # noqa: FBT002 - Typer's way
    ) -> None:
        """Let another shard judge a building from here on. Messages, timers and findings go on as if nothing had
        happened; engines and ingest of both shards must run. One building moves at a time. To the shard where it is: a
        move is taken back while the old engine has not been told to let go."""
        settings, console = load_settings(), Console(highlight=False, markup=False, soft_wrap=True)
        find_shard(settings.all_shards, shard, "shard")
        with _open(settings) as database:
            _want(settings, database, building, shard)
            if not wait:
                console.print(f"{building} is on its way to {shard}; `plantroom shards` says how far it is")
                return
            _wait(database, building, shard, console)
        console.print(f"{building} is judged by {shard} now")


@contextmanager
def _open(settings: Settings) -> Iterator[Database]:
    with closing(Database(settings.database_address())) as database:
        database.check()
        yield database


def _show(settings: Settings, rows: Sequence[BuildingShardRow]) -> None:
    console = Console(highlight=False, markup=False)
    table = Table("building", "shard", "moves", "to", "phase", "since", box=None, header_style="bold")
    known = {row.building_id for row in rows}
    for row in rows:
        since = format_instant(row.since_at.replace(microsecond=0))
        table.add_row(row.building_id, row.shard, str(row.epoch), row.to_shard or "", row.phase, since)
    for building in load_registry(settings.site_files)[0].buildings if settings.site_files else ():
        if building not in known:
            table.add_row(building, MAIN_SHARD, "0", "", "", "")
    console.print(table)
    for row in rows:
        if row.phase:
            console.print(f"{row.building_id} {WAITS[Phase(row.phase)]}", soft_wrap=True)


def _want(settings: Settings, database: Database, building: str, shard: str) -> None:
    """Ask for the move. Raises InputError with why not."""
    known = load_registry(settings.site_files)[0].buildings
    now = RealClock().now()
    with database.writing() as session:
        if building not in known and session.get(BuildingShardRow, building) is None:
            hint = f"Buildings are: {', '.join(sorted(known)[:20])}."
            raise refuse("building", f"no site file describes {building!r}", hint)
        shard_rows.add_buildings(session, [building], MAIN_SHARD, now)
        if shard_rows.want_move(session, building, shard, now):
            return
        rows = {row.building_id: row for row in shard_rows.list_buildings(session)}
        if rows[building].shard == shard and shard_rows.take_back(session, building, now):
            return
    if rows[building].shard == shard and not rows[building].phase:
        raise refuse("shard", f"{building!r} is judged by {shard!r} already", "Nothing is to be done.")
    moving = [f"{row.building_id} to {row.to_shard}" for row in rows.values() if row.phase]
    hint = "Wait until it is there (`plantroom shards`); engines and ingest of both shards must run."
    raise refuse("building", f"another move is under way: {', '.join(moving)}", hint)


def _wait(database: Database, building: str, shard: str, console: Console) -> None:
    """Until the row says that it is there. Ctrl-C ends the waiting, not the move."""
    pause, columns = threading.Event(), (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(f"{building} to {shard}", total=None)
        while True:
            try:
                with database.reading() as session:
                    row = session.get(BuildingShardRow, building)
            except RetryableError as error:  # it goes on when the database is back
                progress.update(task, description=str(error))
            else:
                if row is None or (row.shard == shard and not row.phase):
                    return
                progress.update(task, description=f"{building} to {shard}: {WAITS.get(Phase(row.phase), '')}")
            pause.wait(_LOOK_S)
