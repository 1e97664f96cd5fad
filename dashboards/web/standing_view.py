"""What an asset's page says of its rules: how each stands now, what its terms are, and how long it must still hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from facility.finding import Severity

StandState = Literal["active", "suppressed", "shelved", "pending", "unknown", "resting", "quiet", "learning", "lacking"]
ORDER: Final[tuple[StandState, ...]] = (
    "active", "pending", "suppressed", "shelved", "unknown", "resting", "quiet", "learning", "lacking",
)  # fmt: skip
"""As they stand on the page: what somebody must know first."""


@dataclass(frozen=True, slots=True)
class TermRow:
    """A let term with its `name`, or a part of the condition; `value` None is unknown, `unit` bool for conditions.

    `is_whole`: it must be true for the condition to hold.
    """

    text: str
    value: float | str | bool | None
    unit: str
    name: str = ""
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """A parameter as it holds here; `scope` and `source` as in `Setting`, empty where it is the rule's `own`."""

    name: str
    value: float
    unit: str
    own: float
    scope: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class RuleStanding:
    """One rule on the asset, or on one `point` of it. Instants are event time in microseconds.

    `since_us`: since when its condition holds; `until_us`: when it will be raised (pending) or cleared (active) if all
    stays as it is. `decides`: the part that keeps it from holding. `missing`: what it lacks or still learns.
    `shelved_by`, `shelved_until_us` and `note` also tell of a rule that is out of view and finds nothing.
    """

    rule_id: str
    name: Mapping[str, str]
    severity: Severity
    state: StandState
    point: str = ""
    since_us: int | None = None
    until_us: int | None = None
    finding_id: str = ""
    explained_by: str = ""
    latched: bool = False
    shelved_by: str = ""
    shelved_until_us: int | None = None
    note: str = ""
    decides: str = ""
    missing: tuple[str, ...] = ()
    terms: tuple[TermRow, ...] = ()
    parts: tuple[TermRow, ...] = ()
    parameters: tuple[ParameterRow, ...] = ()
    persistence_us: int = 0
    clear_persistence_us: int = 0

    @property
    def key(self) -> str:
        """Names it on the page."""
        return f"{self.rule_id}-{self.point}" if self.point else self.rule_id


def by_state(standings: Sequence[RuleStanding]) -> list[tuple[StandState, list[RuleStanding]]]:
    """The groups that have any, the gravest first in each."""
    gravity = list(Severity)
    groups = [(state, [one for one in standings if one.state == state]) for state in ORDER]
    return [(state, sorted(found, key=lambda one: gravity.index(one.severity))) for state, found in groups if found]
