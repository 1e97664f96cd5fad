"""The contracts of the installation, checked against the buildings they are for."""

from collections.abc import Iterable, Mapping

from facility.errors import InputError, Problem
from facility.registry import Registry
from ticketing.contract_book import ContractBook
from ticketing.contract_check import check_contract
from ticketing.contract_load import parse_contract


def load_contracts(texts: Mapping[str, str], registry: Registry, rule_ids: Iterable[str] | None = None) -> ContractBook:
    """The book of these contract files. Raises InputError with every problem of every file."""
    problems: list[Problem] = []
    contracts = []
    known = tuple(rule_ids) if rule_ids is not None else None
    for where, text in texts.items():
        try:
            contract = parse_contract(text, where)
            check_contract(contract, registry, known)
            contracts.append(contract)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return ContractBook(contracts)
