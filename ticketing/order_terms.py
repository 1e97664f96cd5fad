"""The terms one order stands on, from what is kept of it: its row and its history. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from ticketing.contract import LevelChange, ServiceLevel
from ticketing.contract_book import ContractBook
from ticketing.terms import Circumstances, PriorityChange
from ticketing.work_order import Change, Verb


class Pinned(Protocol):
    """What is kept of an order about its terms."""

    @property
    def contract_id(self) -> str | None:
        """None under no contract."""

    @property
    def contract_revision(self) -> int | None:
        """The revision in force at the opening."""

    @property
    def service_level(self) -> str:
        """The level's id."""

    @property
    def opened_at(self) -> datetime:
        """Aware UTC, event time."""

    @property
    def building_id(self) -> str:
        """Where."""

    @property
    def asset_id(self) -> str:
        """What."""

    @property
    def key_equipment(self) -> bool:
        """Whether the asset was key equipment at the opening."""

    @property
    def planned_due_at(self) -> datetime | None:
        """The end of the day of a visit of the plan."""


def order_terms(book: ContractBook, row: Pinned, history: Iterable[Change]) -> ServiceLevel | None:
    """The level in force for an order, modified, with what it had before a change of level; None when not loaded.

    The level it was opened at is the first of its history's changes of level, or the one on the row.
    """
    changes = [line for line in history if line.verb == Verb.RELEVEL and line.reason]
    facts = Circumstances(
        opened_at=row.opened_at,
        building_id=row.building_id,
        asset_id=row.asset_id,
        key_equipment=row.key_equipment,
        planned_due_at=row.planned_due_at,
    )

    def terms(level_id: str) -> ServiceLevel | None:
        return book.terms(row.contract_id, row.contract_revision, level_id, facts)

    revision = book.revision(row.contract_id, row.contract_revision)
    from_change = revision is not None and revision.terms.priority_change is PriorityChange.FROM_CHANGE
    first = changes[0].reason.split(CHANGED)[0] if changes and changes[0].reason else row.service_level
    level = terms(first)
    for line in changes:
        found = terms((line.reason or "").split(CHANGED)[-1])
        if found is None or level is None:
            return found
        level = replace(found, change=LevelChange(level, line.at, from_change))
    return level


CHANGED = ">"
"""Between the two level ids in the reason of a change of level."""
