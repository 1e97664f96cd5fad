"""`plantroom check FILE...`: checks site, contract, rule, scenario and map files without connecting to anything."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from facility.errors import InputError, Problem
from facility.registry import Registry
from facility.site_file import parse_site
from plantroom.documents import DocumentKind, kind_of
from plantroom.files import read_texts


def check_texts(texts: dict[str, str]) -> tuple[list[tuple[str, str]], list[Problem]]:
    """(file, kind) of every good file, and every problem found. A site file among them is used for the others."""
    kinds: dict[str, DocumentKind] = {}
    problems: list[Problem] = []
    registries: list[Registry] = []
    for where, text in texts.items():
        try:
            kinds[where] = kind_of(text, where)
            if kinds[where].name == "site":
                registries.append(parse_site(text, where))
        except InputError as error:
            problems += error.problems
            kinds.pop(where, None)
    registry: Registry | None = None
    try:
        registry = Registry.merge(registries) if registries else None
    except InputError as error:
        problems += error.problems
    good = []
    for where, kind in kinds.items():
        try:
            kind.check(texts[where], where, registry)
            good.append((where, kind.name))
        except InputError as error:
            problems += error.problems
    return good, problems


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def check(
        files: Annotated[list[Path], typer.Argument(help="Files or folders of .yaml files.", show_default=False)],
    ) -> None:
        """Check files people write. Give the site file too, and contracts, rules and maps are checked against it."""
        good, problems = check_texts(read_texts(files, "yaml"))
        console = Console(highlight=False, markup=False, soft_wrap=True)
        for where, kind in good:
            console.print(f"{where}: good {kind} file")
        if problems:
            raise InputError(problems)
