"""The contracts of the installation, checked against the buildings they are for."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from facility.document import load_yaml
from facility.errors import InputError, Problem
from facility.registry import Registry
from ticketing.contract import Contract
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


def check_renewal(in_force: Mapping[str, str], renewed: Mapping[str, str], now: datetime) -> None:
    """Raises InputError where a revision that has been in force (`now` is aware UTC) is changed or gone: the deadlines
    of its orders would move. Both are contract files, by name, that can be read."""
    before = {one.id: (one, _revisions(in_force[where])) for where in in_force for one in [_parse(in_force, where)]}
    problems: list[Problem] = []
    after = {one.id: (where, _revisions(renewed[where])) for where in renewed for one in [_parse(renewed, where)]}
    for contract_id, (contract, revisions) in before.items():
        where, kept = after.get(contract_id, ("", {}))
        for revision in contract.revisions:
            if revision.effective_at > now:
                continue
            name = f"revision {revision.number} of {contract_id}"
            if not where:
                what = f"{name} has been in force and is in no file any more"
                problems.append(Problem(contract.where, what, "Leave it; end the contract by `ends_on`."))
            elif kept.get(revision.number, (None, None))[0] != revisions[revision.number][0]:
                line = kept.get(revision.number, (None, None))[1]
                gone = revision.number not in kept
                what = f"{name} has been in force and is {'gone' if gone else 'changed'}; orders stand on it"
                problems.append(Problem(where, what, "Leave it as it was and add a revision.", "revisions", line))
    if problems:
        raise InputError(problems)


def _parse(texts: Mapping[str, str], where: str) -> Contract:
    return parse_contract(texts[where], where)


def _revisions(text: str) -> dict[int, tuple[Any, int | None]]:
    return dict(_numbered(text))


def _numbered(text: str) -> Iterator[tuple[int, tuple[Any, int | None]]]:
    """Each revision's number with what the file says of it and its line."""
    data, places = load_yaml(text, "contract")
    for index, entry in enumerate(data["revisions"]):
        _, line, _ = places.find(("revisions", index, "revision"))
        yield int(entry["revision"]), (entry, line)
