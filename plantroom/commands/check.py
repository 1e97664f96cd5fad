"""`plantroom check FILE...`: checks site, contract, rule, scenario and map files without connecting to anything.

The tests inside rule files are run too, beside the shipped catalogue, as the program would load them.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from facility.errors import InputError, Problem
from facility.registry import Registry
from facility.site_file import parse_site
from plantroom.documents import DocumentKind, kind_of
from plantroom.files import read_texts
from plantroom.plant_files import shipped_rule_files
from rules.scenario import Tally, check_scenarios


def check_texts(texts: dict[str, str]) -> tuple[list[tuple[str, str]], list[Problem]]:
    """(file, what it is) of every good file, and every problem found. A site file is used for the others."""
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
    rules = {where: texts[where] for where, kind in good if kind == "rules"}
    if rules and not problems:
        tallies, problems = _run_tests(rules)
        good = [(where, f"{kind} file{_spell(tallies.get(where))}") for where, kind in good]
    else:
        good = [(where, f"{kind} file") for where, kind in good]
    return good, problems


def _run_tests(rules: dict[str, str]) -> tuple[dict[str, Tally], list[Problem]]:
    beside = {name: text for name, text in shipped_rule_files().items() if text not in rules.values()}
    try:
        return check_scenarios(rules, beside)
    except InputError as error:
        return {}, list(error.problems)


def _spell(tally: Tally | None) -> str:
    if tally is None:
        return ""
    untested = f", {tally.untested} of them without a test" if tally.untested else ""
    return f": {_count(tally.rules, 'rule')}{untested}; {_count(tally.passed, 'test')} passed"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def check(
        files: Annotated[list[Path], typer.Argument(help="Files or folders of .yaml files.", show_default=False)],
    ) -> None:
        """Check files people write and run the tests inside rule files.

        Give the site file too, and contracts and maps are checked against it.
        """
        good, problems = check_texts(read_texts(files, "yaml"))
        console = Console(highlight=False, markup=False, soft_wrap=True)
        for where, kind in good:
            console.print(f"{where}: good {kind}")
        if problems:
            raise InputError(problems)
