"""`plantroom user`: people who may sign in, straight in the database; works while the program runs, and while not."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlmodel import Session

from facility.clock import RealClock
from facility.errors import refuse
from plantroom.accounts import directory, repository
from plantroom.accounts.directory import Actor
from plantroom.accounts.role import Role
from plantroom.accounts.tables import UserRow
from plantroom.database import Database
from plantroom.plant_files import load_registry
from plantroom.settings import Settings, load_settings

_ACTOR = Actor("command line")
Name = Annotated[str, typer.Argument(help="The user's name.")]


@contextmanager
def _session(settings: Settings) -> Iterator[Session]:
    database = Database(settings.database_address())
    try:
        database.upgrade()
        with database.writing() as session:
            yield session
    finally:
        database.close()


def _found(session: Session, name: str) -> UserRow:
    row = repository.find_user(session, name, lock=True)
    if row is None:
        raise refuse("user", f"there is no user {name!r}", "`plantroom user` lists them.")
    return row


def _buildings(settings: Settings, wanted: list[str]) -> frozenset[str]:
    """The known buildings; needs the site files only when somebody names one."""
    if not wanted:
        return frozenset()
    if not settings.site:
        raise refuse("--building", "the site files are not known", "Name them with --site or PLANTROOM_SITE.")
    return frozenset(load_registry(settings.site_files)[0].buildings)


def _link(settings: Settings, session: Session, row: UserRow, now: datetime) -> str:
    code = directory.make_link(session, _ACTOR, now, row)
    return f"http://{settings.http_host}:{settings.http_port}/password/{code}"


def _list(settings: Settings, console: Console) -> None:
    table = Table("name", "role", "buildings", "state")
    with _session(settings) as session:
        for row in repository.list_users(session):
            state = "off" if row.disabled_at else "active" if row.password_hash else "no password yet"
            table.add_row(row.name, row.role, ", ".join(row.buildings) or "all", state)
    console.print(table)


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="People who may sign in.", invoke_without_command=True)
    app.add_typer(group, name="user")
    console, clock = Console(highlight=False, markup=False, soft_wrap=True), RealClock()

    @group.callback()
    def user(
        context: typer.Context,
        var: Annotated[Path | None, typer.Option(help="Folder of the program.")] = None,
        site: Annotated[list[Path] | None, typer.Option(help="Site files, to know the buildings.")] = None,
        port: Annotated[int | None, typer.Option(help="Port of the pages, for links.")] = None,
    ) -> None:
        """List users with role and state."""
        context.obj = load_settings(var=var, site=tuple(site) if site else None, http_port=port)
        if context.invoked_subcommand is None:
            _list(context.obj, console)

    @group.command("list")
    def list_(context: typer.Context) -> None:
        """List users with role and state."""
        _list(context.obj, console)

    @group.command()
    def add(
        context: typer.Context,
        name: Name,
        role: Annotated[str, typer.Option(help=", ".join(Role))],
        building: Annotated[list[str] | None, typer.Option(help="May see this building only; once for each.")] = None,
        display_name: Annotated[str, typer.Option(help="Name for people.")] = "",
    ) -> None:
        """Make a user, and print a link with which she sets her password."""
        settings: Settings = context.obj
        chosen = building or []
        with _session(settings) as session:
            row = directory.add_user(
                session, _ACTOR, clock.now(), name=name, role=role, buildings=chosen,
                known_buildings=_buildings(settings, chosen), display_name=display_name,
            )  # fmt: skip
            link = _link(settings, session, row, clock.now())
        console.print(f"{name}: {role}. Sets a password within a day, once, at\n{link}")

    @group.command()
    def link(context: typer.Context, name: Name) -> None:
        """Print a link with which a user sets a new password."""
        with _session(context.obj) as session:
            text = _link(context.obj, session, _found(session, name), clock.now())
        console.print(text)

    @group.command()
    def role(
        context: typer.Context,
        name: Name,
        role: Annotated[str, typer.Argument(help=", ".join(Role))],
        building: Annotated[list[str] | None, typer.Option(help="May see this building only; once for each.")] = None,
    ) -> None:
        """Give a user another role or other buildings; her sessions end."""
        chosen = building or []
        with _session(context.obj) as session:
            directory.change_user(
                session, _ACTOR, clock.now(), _found(session, name), role=role, buildings=chosen,
                known_buildings=_buildings(context.obj, chosen),
            )  # fmt: skip
        console.print(f"{name}: {role}")

    @group.command()
    def disable(context: typer.Context, name: Name) -> None:
        """A user may not sign in any more; her sessions and tokens end."""
        with _session(context.obj) as session:
            directory.disable_user(session, _ACTOR, clock.now(), _found(session, name))
        console.print(f"{name}: off")

    @group.command()
    def enable(context: typer.Context, name: Name) -> None:
        """A user may sign in again and is not locked."""
        with _session(context.obj) as session:
            directory.enable_user(session, _ACTOR, clock.now(), _found(session, name))
        console.print(f"{name}: active")

    @group.command()
    def token(
        context: typer.Context,
        name: Name,
        label: Annotated[str, typer.Option(help="What the token is for.")],
        scope: Annotated[str, typer.Option(help="read, work or all.")] = "read",
        days: Annotated[int | None, typer.Option(help="How long it lives; without it, until it is revoked.")] = None,
    ) -> None:
        """Make a token for a program that acts for a user. It is printed this once."""
        with _session(context.obj) as session:
            _, text = directory.add_token(
                session, _ACTOR, clock.now(), _found(session, name), label=label, scope=scope, days=days
            )
        console.print(text)
