"""Every contract of the installation: which is in force for a finding, and the terms an order was opened on. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import combinations

from facility.errors import InputError, Problem
from ticketing.contract import Contract, Revision, ServiceLevel
from ticketing.level import BUILT_IN_LEVEL, LevelChoice, LevelFacts, built_in_level, choose_level
from ticketing.modify import modify
from ticketing.said import Said, together
from ticketing.terms import Circumstances


class ContractBook:
    """A set of contracts. Two of one id, or of one scope, are refused by name; only `renew` changes it, all at once."""

    def __init__(self, contracts: Iterable[Contract] = ()) -> None:
        self.contracts: tuple[Contract, ...] = tuple(contracts)
        problems = [problem for pair in combinations(self.contracts, 2) for problem in _clash(*pair)]
        if problems:
            raise InputError(problems)

    def renew(self, other: "ContractBook") -> None:
        """Hold the contracts of another book from now on. Whoever changes terms that orders stand on moves their
        deadlines: let `plantroom.contracts.check_renewal` look first."""
        self.contracts = other.contracts

    def choose(self, facts: LevelFacts, at: datetime) -> LevelChoice:
        """The level for a finding raised at `at`, pinned with contract and revision; built-in when none is in force.

        A contract that names the building comes before one that names its site, and that before one without scope.
        """
        in_force = [
            (_closeness(contract, facts), contract, revision)
            for contract in self.contracts
            if contract.covers(facts.site_id, facts.building_id) and (revision := contract.revision_at(at)) is not None
        ]
        if not in_force:
            why = Said(
                f"No contract is in force for building {facts.building_id!r} then: the built-in default applies.",
                f"当时楼宇 {facts.building_id!r} 没有生效的合同：适用内置默认值。",
            )
            return LevelChoice(built_in_level(facts.severity), why)
        _, contract, revision = max(in_force, key=lambda entry: entry[0])
        choice = choose_level(revision, facts)
        pinned = Said(
            f"Contract {contract.id}, revision {revision.number}.", f"合同 {contract.id} 第 {revision.number} 版。"
        )
        reason = together(pinned, choice.reason)
        return LevelChoice(choice.level, reason, contract.id, revision.number)

    def terms(
        self, contract_id: str | None, revision: int | None, level_id: str, facts: Circumstances
    ) -> ServiceLevel | None:
        """The pinned level as it holds for one order, with every modifier applied; None as `level` says."""
        level = self.level(contract_id, revision, level_id)
        contract = next((one for one in self.contracts if one.id == contract_id), None)
        found = contract.revision(revision) if contract is not None and revision is not None else None
        if level is None or contract is None or found is None:
            return modify(level, (), (), facts) if level is not None else None
        return modify(level, found.terms.modifiers, contract.declared, facts)

    def revision(self, contract_id: str | None, number: int | None) -> Revision | None:
        """A revision of a contract; None when it is not loaded."""
        contract = next((one for one in self.contracts if one.id == contract_id), None)
        return contract.revision(number) if contract is not None and number is not None else None

    def level(self, contract_id: str | None, revision: int | None, level_id: str) -> ServiceLevel | None:
        """The terms pinned on an order; None when its contract, revision or level is no longer loaded."""
        if level_id == BUILT_IN_LEVEL:
            return built_in_level()
        for contract in self.contracts:
            if contract.id == contract_id and revision is not None:
                found = contract.revision(revision)
                return found.level(level_id) if found is not None else None
        return None

    @property
    def longest_repeat_window(self) -> timedelta:
        """The longest repeat window of any level; zero when no contract has one."""
        levels = (level for contract in self.contracts for revision in contract.revisions for level in revision.every)
        return max((level.repeat.window for level in levels if level.repeat is not None), default=timedelta(0))


def _closeness(contract: Contract, facts: LevelFacts) -> int:
    if facts.building_id in contract.buildings:
        return 2
    return 1 if facts.site_id in contract.sites else 0


def _clash(one: Contract, other: Contract) -> Iterable[Problem]:
    if one.id == other.id:
        yield Problem(other.where, f"contract id {one.id!r} is also in {one.where}", "Give one of them another id.")
        return
    apart = (one.ends_at is not None and one.ends_at <= other.revisions[0].effective_at) or (
        other.ends_at is not None and other.ends_at <= one.revisions[0].effective_at
    )
    both = sorted((one.buildings & other.buildings) | (one.sites & other.sites))
    everything = not (one.sites or one.buildings or other.sites or other.buildings)
    if not apart and (both or everything):
        what = f"contracts {one.id!r} and {other.id!r} both cover {', '.join(both) or 'everything'} at the same time"
        yield Problem(other.where, what, f"Take it out of one of them, or end one (the other is in {one.where}).")
