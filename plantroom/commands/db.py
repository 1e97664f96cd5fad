"""`plantroom db`: brings the database of orders, and InfluxDB, to what this program needs, and to a new journal."""

from contextlib import closing
from typing import Annotated

import typer
from rich.console import Console

from ingest.shard import MAIN_SHARD
from plantroom.database import Database
from plantroom.new_journal import take_new_journal
from plantroom.series_store import influx_address
from plantroom.settings import Settings, StoreKind, load_settings
from plantroom.shard import find_shard


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="The database of orders.", no_args_is_help=True)
    app.add_typer(group, name="db")

    @group.callback()
    def _root() -> None:
        """The database of orders."""

    @group.command()
    def upgrade() -> None:
        """Bring the database of orders to this program's schema, and InfluxDB to its buckets, retention and names for
        InfluxQL. Safe to run again, and while the program runs."""
        settings, console = load_settings(), Console(highlight=False, markup=False, soft_wrap=True)
        database = Database(settings.database_address())
        try:
            before, after = database.upgrade()
        finally:
            database.close()
        console.print(f"schema {before or 'none'} -> {after}")
        if settings.store is StoreKind.INFLUX:
            for line in set_up_influx(settings):
                console.print(line)

    @group.command()
    def new_journal(
        shard: Annotated[str, typer.Option(help="Of the setting shards: whose journal was lost.")] = MAIN_SHARD,
    ) -> None:
        """Go on with a journal that was begun anew, because the one that was judged is lost for good (or was put back
        from an older copy). Orders, findings and readings stay, dead letters go; what people set is said again in the
        new journal, and the rules learn anew. Every process of the instance must be stopped."""
        settings, console = load_settings(), Console(highlight=False, markup=False, soft_wrap=True)
        lost = find_shard(settings.all_shards, shard, "--shard")
        with closing(Database(settings.database_address())) as database:
            database.upgrade()
            for line in take_new_journal(settings, database, lost):
                console.print(line)


def set_up_influx(settings: Settings) -> list[str]:
    """Make buckets, retention and names for InfluxQL; a line for each bucket."""
    from ingest.stores.influx_setup import set_up  # noqa: PLC0415 - the client is slow to load, and few need it

    return set_up(influx_address(settings), settings.keep_policy())
