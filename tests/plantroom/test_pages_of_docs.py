"""The how-to pages: what they show is what the program takes, and their links lead somewhere."""

import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import typer.main
from commanding import Commands
from markdown import Page
from ruamel.yaml import YAML
from running import ROOT

from plantroom.cli import app, load_commands
from plantroom.commands.init import write_starter

PAGES = {path.relative_to(ROOT).as_posix(): Page(path) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]}
SHOWN = [(name, line) for name, page in PAGES.items() for line in page.commands() if "plantroom " in line]


def test_screenshots_are_shown_and_small() -> None:
    shots = {path.name: path.stat().st_size for path in (ROOT / "docs/screenshots").glob("*.png")}
    shown = {Path(link).name for page in PAGES.values() for link in page.links() if "screenshots/" in link}
    assert set(shots) == shown
    assert max(shots.values()) < 200_000


@pytest.mark.parametrize(("name", "line"), SHOWN, ids=[f"{name}:{index}" for index, (name, _) in enumerate(SHOWN)])
def test_every_command_shown_is_one_the_program_takes(name: str, line: str) -> None:
    words = shlex.split(line, comments=True)
    at = next((at for at, word in enumerate(words) if word.rpartition("/")[2] == "plantroom"), None)
    if at is None or words[0] in ("sudo", "psql"):  # there it is the name of a database
        pytest.skip(f"{name} shows a command of another program")
    load_commands([])
    command: Any = typer.main.get_command(app)
    arguments = words[at + 1 :]
    while hasattr(command, "commands"):
        if not arguments and command.invoke_without_command:
            break
        assert next(iter(arguments), "") in command.commands, line
        command = command.commands[arguments.pop(0)]
    try:
        command.make_context("plantroom", arguments)
    except click.ClickException as error:
        pytest.fail(f"{line}: {error.format_message()}")
    for word in arguments:
        if word.startswith(("examples/", "plantroom/")):
            assert (ROOT / word).exists(), word


def test_the_contracts_of_the_page_are_good(plantroom: Commands) -> None:
    write_starter(Path())
    whole, *parts = [YAML(typ="safe").load(block) for block in PAGES["docs/write-a-contract.md"].blocks("yaml")]
    assert {key for part in parts for key in part} == {"levels", "calendars"}
    revision = whole["revisions"][0]
    for part in parts:
        revision["levels"] += part.get("levels", [])
        revision["calendars"] |= part.get("calendars", {})
    with Path("contract.yaml").open("w", encoding="utf-8") as file:
        YAML().dump(whole, file)
    answer = plantroom("check", "site.yaml", "contract.yaml")
    assert answer.code == 0, answer.err


def test_the_map_of_the_page_is_good(plantroom: Commands) -> None:
    (block,) = PAGES["docs/backtest.md"].blocks("yaml")
    Path("map.yaml").write_text(block, encoding="utf-8")
    answer = plantroom("check", str(ROOT / "examples/lbnl/site.yaml"), "map.yaml")
    assert answer.code == 0, answer.err


@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_link_leads_somewhere(name: str) -> None:
    page = PAGES[name]
    missing = [link for link in page.links() if not (page.path.parent / link).exists()]
    assert not missing
