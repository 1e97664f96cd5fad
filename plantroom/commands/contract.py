"""`plantroom contract`: explain a contract in words, check it against its buildings, compare two over real orders."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.table import Table

from facility.clock import RealClock
from facility.errors import refuse
from facility.instant import parse_duration, parse_instant
from facility.registry import Registry
from facility.site_file import parse_site
from plantroom.contract_texts import explain_contract_zh
from plantroom.database import Database
from plantroom.files import read_texts
from plantroom.order_cases import cases_of
from rules.catalogue import shipped_files
from rules.rule_set import RuleSet
from ticketing.contract import Contract
from ticketing.contract_book import ContractBook
from ticketing.contract_check import check_contract
from ticketing.contract_compare import Case, Habit, Outcome, differences, judge_contract, side_by_side
from ticketing.contract_explain import explain_contract
from ticketing.contract_load import parse_contract
from ticketing.lists import read_orders
from ticketing.repository import OrderQuery
from ticketing.views import WorkOrderView

Sites = Annotated[list[Path] | None, typer.Option(help="Site files, to check the contract against.")]


def _contract(file: Path) -> Contract:
    ((where, text),) = read_texts([file], "contract").items()
    return parse_contract(text, where)


def _registry(sites: list[Path]) -> Registry:
    return Registry.merge(parse_site(text, name) for name, text in read_texts(sites, "site").items())


def _orders(file: Path) -> list[WorkOrderView]:
    """The orders of a backtest's output, or of the API's own list."""
    ((where, text),) = read_texts([file], "orders").items()
    hint = "Give what `plantroom backtest --out` wrote, or an answer of GET /api/work-orders."
    try:
        data = json.loads(text)
        listed = data["work_orders"] if isinstance(data, dict) else data
        return TypeAdapter(list[WorkOrderView]).validate_python(listed)
    except (json.JSONDecodeError, KeyError) as error:
        raise refuse(where, f"holds no work orders: {error}", hint) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise refuse(where, f"holds no work orders: {place}: {first['msg']}", hint) from error


def _kept(url: str) -> list[WorkOrderView]:
    database = Database(url)
    try:
        database.check()
        with database.reading() as session:
            return read_orders(session, ContractBook(), OrderQuery(limit=None), RealClock().now())
    finally:
        database.close()


def _duration(text: str | None, flag: str) -> timedelta | None:
    try:
        return parse_duration(text) if text is not None else None
    except ValueError as error:
        raise refuse(flag, str(error)) from error


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise refuse("--until", str(error)) from error


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Contracts: in words, checked, compared.", no_args_is_help=True)
    app.add_typer(group, name="contract")
    console = Console(highlight=False, markup=False, soft_wrap=True)

    @group.callback()
    def _root() -> None:
        """Contracts: in words, checked, compared."""

    @group.command()
    def explain(
        file: Annotated[Path, typer.Argument(help="The contract file.")],
        site: Sites = None,
        language: Annotated[str, typer.Option(help="en or zh.")] = "en",
    ) -> None:
        """Say what a contract promises, clause by clause."""
        contract = _contract(file)
        if site:
            check_contract(contract, _registry(site))
        if language not in ("en", "zh"):
            raise refuse("--language", f"{language!r} is not a language we write", "Write en or zh.")
        explained = explain_contract_zh if language == "zh" else explain_contract
        for line in explained(contract, RealClock().now()):
            console.print(line)

    @group.command()
    def check(
        files: Annotated[list[Path], typer.Argument(help="Contract files.")],
        site: Sites = None,
        *,
        rules: Annotated[bool, typer.Option(help="Refuse rules that the shipped catalogue does not have.")] = False,
    ) -> None:
        """Check contract files, alone and together, and against the buildings they are for."""
        registry = _registry(site) if site else None
        known = RuleSet.load(shipped_files()).rules if rules else None
        contracts = [_contract(file) for file in files]
        ContractBook(contracts)
        for contract, file in zip(contracts, files, strict=True):
            if registry is not None:
                check_contract(contract, registry, known)
            levels = sum(len(revision.every) for revision in contract.revisions)
            against = " against its buildings" if registry is not None else ""
            console.print(
                f"{file}: {contract.id}: {len(contract.revisions)} revision(s), {levels} levels: good{against}."
            )

    @group.command()
    def compare(
        one: Annotated[Path, typer.Argument(help="The one contract file.")],
        other: Annotated[Path, typer.Argument(help="The other contract file.")],
        site: Annotated[list[Path], typer.Option(help="Site files of the orders' assets.")],
        orders: Annotated[Path | None, typer.Option(help="What `plantroom backtest` wrote.")] = None,
        database: Annotated[str | None, typer.Option(help="Or the address of a database with orders.")] = None,
        arrives: Annotated[
            str | None, typer.Option(help="Untouched orders: time to arrival, such as '40 min'.")
        ] = None,
        completes: Annotated[str | None, typer.Option(help="Untouched orders: time to completion.")] = None,
        until: Annotated[str | None, typer.Option(help="Judge as of this instant; else of the newest line.")] = None,
        *,
        detail: Annotated[bool, typer.Option(help="Also list the orders treated differently, and penalties.")] = False,
    ) -> None:
        """Lay two contracts side by side over the same orders: levels, breaches, penalties."""
        if (orders is None) == (database is None):
            raise refuse("plantroom contract compare", "needs orders", "Give --orders FILE or --database ADDRESS.")
        views = _orders(orders) if orders is not None else _kept(database or "")
        cases = cases_of(views)
        newest = max((line.at for case in cases for line in case.history), default=RealClock().now())
        now = _instant(until) if until is not None else newest
        habit = Habit(_duration(arrives, "--arrives"), _duration(completes, "--completes"))
        registry = _registry(site)
        first, second = (judge_contract(_contract(file), cases, registry, now, habit) for file in (one, other))
        names = (first.contract_id, second.contract_id)
        _show(console, names if len(set(names)) == 2 else (str(one), str(other)), first, second, detail=detail)


def _show(console: Console, names: tuple[str, str], first: Outcome, second: Outcome, *, detail: bool) -> None:
    table = Table("", *names, box=None, pad_edge=False)
    for row in side_by_side(first, second):
        table.add_row(*row)
    console.print(table)
    if not detail:
        return
    for case, left, right in differences(first, second):
        console.print(f"{case.number} {_name(case)}: {left.level_id} / {right.level_id}")
    for name, outcome in zip(names, (first, second), strict=True):
        for penalty in outcome.penalties:
            console.print(f"{name}: {penalty.amount} {penalty.currency}: {penalty.reason}")


def _name(case: Case) -> str:
    return f"{case.title} ({case.asset_id})"
