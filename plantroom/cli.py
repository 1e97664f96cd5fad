"""The `plantroom` command: one subcommand per file of `plantroom/commands`."""

import sys
from collections.abc import Sequence
from importlib import import_module

import typer
from rich.console import Console

from facility.errors import PlantroomError
from plantroom import __version__

COMMANDS = (
    "demo",
    "run",
    "check",
    "init",
    "certificates",
    "simulate",
    "replay",
    "backtest",
    "score",
    "contract",
    "dispatch",
    "report",
    "order",
    "meter",
    "notices",
    "request",
    "complaint",
    "survey",
    "cost",
    "claim",
    "calendar",
    "import",
    "db",
    "backup",
    "restore",
    "export",
    "capacity",
    "schema",
    "grafana",
    "doctor",
    "devices",
    "mqtt",
    "shards",
    "conformance",
    "user",
)
EXIT_INPUT = 2
_registered: set[str] = set()

app = typer.Typer(
    name="plantroom",
    help="Watches buildings over MQTT and sends someone before, or as soon as, something breaks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(given: bool) -> None:  # noqa: FBT001 - Typer's callback signature
    if given:
        Console().print(__version__, highlight=False)
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),  # noqa: FBT001, FBT003 - handled by its callback
) -> None:
    """Watches buildings over MQTT and sends someone before, or as soon as, something breaks."""


def load_commands(words: Sequence[str]) -> None:
    """Register the command that `words` begin with, or every one when they begin with none (help, a misspelling)."""
    wanted = [words[0]] if words and words[0] in COMMANDS else COMMANDS
    for name in wanted:
        if name not in _registered:
            import_module(f"plantroom.commands.{name}").register(app)
            _registered.add(name)


def main() -> None:
    """Run the command; an error we know becomes its text on standard error and exit code 2."""
    load_commands(sys.argv[1:])
    try:
        app(prog_name="plantroom")
    except PlantroomError as error:
        Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(f"plantroom: {error}")
        sys.exit(EXIT_INPUT)
