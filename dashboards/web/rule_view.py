"""What the pages of rules show and may ask for: the Protocol of this package. The program implements it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from dashboards.web.backtest_report import BacktestReport
from dashboards.web.language import Words
from dashboards.web.plot import Plot
from dashboards.web.standing_view import RuleStanding
from facility.finding import OrderKind, Severity

TrialKind = Literal["backtest", "tune"]
TrialState = Literal["running", "done", "failed"]
JudgeState = Literal["active", "shelved", "suppressed", "pending", "quiet", "not_applicable"]


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule in the list. `classes` empty: any; `own`: not of the shipped catalogue; counts are of assets."""

    id: str
    name: Mapping[str, str]
    classes: tuple[str, ...]
    kind: OrderKind
    severity: Severity
    own: bool
    active: int
    pending: int
    judged: int
    not_applicable: int


@dataclass(frozen=True, slots=True)
class Setting:
    """A value set for a parameter. `scope`: an asset id, `class:NAME` or `site:ID`; `source`: `site` (the site file)
    or `running` (while it runs)."""

    value: float
    scope: str
    source: str


@dataclass(frozen=True, slots=True)
class RuleParameter:
    """A number of the rule, in `unit`, with the rule's own `value` and what is set otherwise, where and by what."""

    name: str
    value: float
    unit: str
    note: str
    settings: tuple[Setting, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleAsset:
    """How the rule stands on one asset. `since_us`: onset; `missing`: points it lacks or still learns; `values`: the
    parameters that hold here, where they are not the rule's own."""

    asset_id: str
    state: JudgeState
    since_us: int | None = None
    finding_id: str = ""
    note: str = ""
    missing: tuple[str, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExampleRow:
    """One plot of the rule's own firing test."""

    title: str
    unit: str
    plot: Plot


@dataclass(frozen=True, slots=True)
class RuleDetail:
    """A rule of the active set. `persistence` and `clear_persistence` are microseconds, or the name of the parameter
    that says how long; `clear` is empty where the condition's end clears it. `chinese` by English text."""

    line: RuleLine
    let: Mapping[str, str]
    when: str
    clear: str
    persistence: int | str
    clear_persistence: int | str
    advice: str
    diagnosis: tuple[str, ...]
    checklist: tuple[str, ...]
    reference: str
    file: str
    points: tuple[str, ...]
    suppresses: tuple[str, ...]
    explained_by: tuple[str, ...]
    parameters: tuple[RuleParameter, ...]
    assets: tuple[RuleAsset, ...]
    chinese: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrialWish:
    """What somebody wants to try: `days` of the readings kept, up to now; for `tune` the parameter from low to high.

    Without them it goes from half of the rule's own value to one and a half times it.
    """

    rule_id: str
    kind: TrialKind
    days: int
    parameter: str = ""
    low: float | None = None
    high: float | None = None
    steps: int = 5


@dataclass(frozen=True, slots=True)
class TrialView:
    """A trial that was asked for. `percent` 0 to 100; `error` in words when it failed."""

    id: str
    wish: TrialWish
    state: TrialState
    percent: int
    by: str
    asked_at: datetime
    error: str = ""


class RuleDesk(Protocol):
    """The rules in force, how they stand, and trials of them over the readings kept. Thread-safe.

    `assets` are those the visitor may see; what concerns others is left out.
    """

    def lines(self, assets: frozenset[str]) -> Sequence[RuleLine]:
        """Every rule of the active set, in the order in which it judges."""

    def detail(self, rule_id: str, assets: frozenset[str]) -> RuleDetail | None:
        """One rule; None when there is none of this id."""

    def standings(self, asset_id: str) -> Sequence[RuleStanding]:
        """Every rule meant for the asset's class, as it stands on it now; empty for an unknown asset."""

    def example(self, rule_id: str, words: Words) -> Sequence[ExampleRow]:
        """Its firing test, drawn; empty when no test fires."""

    def begin(self, wish: TrialWish, by: str) -> TrialView:
        """Start a trial, one at a time. Raises PlantroomError with the words to show when that cannot be."""

    def trial(self, trial_id: str) -> TrialView | None:
        """A trial; None when there is none of this id (any more)."""

    def trials(self, rule_id: str) -> Sequence[TrialView]:
        """Those of a rule that are kept, the newest first."""

    def report(self, trial_id: str) -> BacktestReport | None:
        """What a trial that is done found."""
