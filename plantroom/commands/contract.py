"""`plantroom contract explain FILE`: a contract in words: levels, clauses, limits, and when its calendars are open."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from facility.clock import RealClock
from facility.registry import Registry
from facility.site_file import parse_site
from plantroom.files import read_texts
from ticketing.contract_check import check_contract
from ticketing.contract_explain import explain_contract
from ticketing.contract_load import parse_contract


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Contracts in words.", no_args_is_help=True)
    app.add_typer(group, name="contract")

    @group.callback()
    def _root() -> None:
        """Contracts in words."""

    @group.command()
    def explain(
        file: Annotated[Path, typer.Argument(help="The contract file.")],
        site: Annotated[list[Path] | None, typer.Option(help="Site files, to check the contract against.")] = None,
    ) -> None:
        """Say what a contract promises, clause by clause."""
        ((where, text),) = read_texts([file], "contract").items()
        contract = parse_contract(text, where)
        if site:
            texts = read_texts(site, "site")
            check_contract(contract, Registry.merge(parse_site(text, name) for name, text in texts.items()))
        console = Console(highlight=False, markup=False, soft_wrap=True)
        for line in explain_contract(contract, RealClock().now()):
            console.print(line)
