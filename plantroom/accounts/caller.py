"""Whoever asks: a person with a session, or a program with a token."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from facility.fields import unknown
from plantroom.accounts.role import GRANTS, Right, Role


class Scope(StrEnum):
    """What a token may at most, whatever its owner's role: read only, read and work on orders, or all of the role."""

    READ = "read"
    WORK = "work"
    ALL = "all"


_SCOPED = {
    Scope.READ: frozenset({Right.OWN, Right.WATCH, Right.SEE}),
    Scope.WORK: frozenset({Right.OWN, Right.WATCH, Right.SEE, Right.WORK}),
    Scope.ALL: frozenset(Right),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """`buildings` are the only ones it may see; None is all of them. `user_id` is empty for the program's own token."""

    name: str
    role: Role
    user_id: str = ""
    buildings: frozenset[str] | None = None
    scope: Scope = Scope.ALL
    language: str = ""
    units: str = ""
    theme: str = ""

    def __post_init__(self) -> None:
        if self.role is Role.CUSTOMER and self.buildings is None:
            msg = f"{self.name!r} is a customer without buildings; expected the buildings it may see"
            raise ValueError(msg)

    @property
    def rights(self) -> frozenset[Right]:
        """What the role grants and the token's scope leaves."""
        return GRANTS[self.role] & _SCOPED[self.scope]

    @property
    def may_change(self) -> bool:
        """Whether it may do more than look."""
        return self.scope is not Scope.READ


def check_buildings(role: Role, buildings: Iterable[str], known: Iterable[str]) -> frozenset[str] | None:
    """The buildings of a new user: None for all. Raises ValueError for an unknown one, and for a customer's none."""
    chosen, there = frozenset(buildings), frozenset(known)
    for building in sorted(chosen - there):
        raise ValueError(unknown("building", building, there))
    if role is Role.CUSTOMER and not chosen:
        msg = "a customer sees only its buildings: name at least one"
        raise ValueError(msg)
    return chosen or None
