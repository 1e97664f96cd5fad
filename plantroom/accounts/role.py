"""The five roles and what each may. Data: a new right is a line here and a line in `policy`."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What a person is to the plant; see the people of the design."""

    TECHNICIAN = "technician"
    ENGINEER = "engineer"
    MANAGER = "manager"
    CUSTOMER = "customer"
    ADMIN = "admin"


class Right(StrEnum):
    """What a route asks for. `OWN` is everybody's who is signed in; `WATCH` is a customer's too, in its buildings;
    `BACKTEST` reads how rules judge and runs them over the readings kept, `TUNE` changes how they judge."""

    OWN = "own"
    WATCH = "watch"
    SEE = "see"
    WORK = "work"
    BACKTEST = "backtest"
    TUNE = "tune"
    MANAGE = "manage"
    ADMINISTER = "administer"


_STAFF = frozenset({Right.OWN, Right.WATCH, Right.SEE, Right.WORK})
GRANTS: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        Role.CUSTOMER: frozenset({Right.OWN, Right.WATCH}),
        Role.TECHNICIAN: _STAFF,
        Role.ENGINEER: _STAFF | {Right.BACKTEST, Right.TUNE},
        Role.MANAGER: _STAFF | {Right.BACKTEST, Right.MANAGE},
        Role.ADMIN: frozenset(Right),
    }
)

CUSTOMER_VERBS = frozenset({"accept", "reopen"})
"""What a customer may do to an order: take the repair as good, or say that it is not."""
