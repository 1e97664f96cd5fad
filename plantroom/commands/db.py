"""`plantroom db upgrade`: brings the database to this program's schema."""

import typer
from rich.console import Console

from plantroom.database import Database
from plantroom.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="The database of orders.", no_args_is_help=True)
    app.add_typer(group, name="db")

    @group.callback()
    def _root() -> None:
        """The database of orders."""

    @group.command()
    def upgrade() -> None:
        """Bring the schema to this program's version. Safe to run again, and while the program runs."""
        database = Database(load_settings().database_address())
        try:
            before, after = database.upgrade()
        finally:
            database.close()
        Console(highlight=False).print(f"schema {before or 'none'} -> {after}")
