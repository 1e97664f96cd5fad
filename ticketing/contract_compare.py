"""Two contracts over the same orders: which level each order falls under, which clocks break, what that costs. Pure.

An order keeps its history. One that nobody touched, as in a backtest, is worked on by a stated habit: so long until
somebody arrives, so long until it is done; without a habit it counts as done when its telemetry recovered.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby

from facility.asset import Criticality
from facility.finding import OrderKind, Severity
from facility.registry import Registry
from ticketing.contract import Contract
from ticketing.contract_book import ContractBook
from ticketing.level import facts_about
from ticketing.order_clock import OrderClocks, decide_clocks
from ticketing.penalty import Breach, Corrective, Penalty, decide_correctives, decide_penalties, find_breaches
from ticketing.telemetry import RECOVER
from ticketing.terms import Circumstances, PenaltyTerms
from ticketing.work_order import Change, Status, Verb

DESK = "desk"


@dataclass(frozen=True, slots=True)
class Case:
    """An order as far as a contract asks about it. `history` is complete, in order of writing."""

    id: str
    number: str
    title: str
    asset_id: str
    building_id: str
    rule_id: str
    kind: OrderKind
    severity: Severity
    opened_at: datetime
    history: tuple[Change, ...]
    planned_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Habit:
    """How untouched orders are worked on: calendar time from the opening to arrival and to completion."""

    arrives: timedelta | None = None
    completes: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """One order under one contract."""

    case: Case
    level_id: str
    priority: int
    is_default: bool
    clocks: OrderClocks
    breaches: tuple[Breach, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """All orders under one contract. `penalties` has every one, those that came to nothing too."""

    contract_id: str
    currency: str
    judged: tuple[Judgement, ...]
    penalties: tuple[Penalty, ...]
    correctives: tuple[Corrective, ...]

    @property
    def total(self) -> Decimal:
        """All penalties together, after caps and waivers."""
        return sum((one.amount for one in self.penalties), Decimal(0))

    def figures(self) -> dict[str, str]:
        """What is laid side by side: a name and a figure each, in the same order for every contract."""
        levels = Counter(one.level_id for one in self.judged)
        breaches = Counter(breach.clock for one in self.judged for breach in one.breaches)
        rows = {
            "orders": str(len(self.judged)),
            "at the default level": str(sum(one.is_default for one in self.judged)),
        }
        rows |= {f"priority {each}": str(sum(one.priority == each for one in self.judged)) for each in range(1, 5)}
        rows |= {f"level {name}": str(count) for name, count in sorted(levels.items())}
        rows["breaches"] = str(breaches.total())
        rows |= {f"breaches of {name}": str(count) for name, count in sorted(breaches.items())}
        rows["penalties"] = f"{self.total} {self.currency}".strip()
        rows["corrective actions"] = ", ".join(one.month for one in self.correctives) or "none"
        return rows


def judge_contract(
    contract: Contract, cases: Iterable[Case], registry: Registry, now: datetime, habit: Habit | None = None
) -> Outcome:
    """Every order as this contract would have had it, as of `now` (aware UTC)."""
    book = ContractBook([contract])
    judged = tuple(_judge(book, case, registry, now, habit or Habit()) for case in cases)
    penalties: list[Penalty] = []
    correctives: list[Corrective] = []
    currency = ""
    in_order = sorted(judged, key=lambda one: one.case.opened_at)
    for revision, group in groupby(in_order, key=lambda one: contract.revision_at(one.case.opened_at)):
        terms: PenaltyTerms | None = revision.terms.penalties if revision is not None else None
        if terms is not None:
            breaches = [breach for one in group for breach in one.breaches]
            penalties += decide_penalties(breaches, terms, contract.zone)
            correctives += decide_correctives(breaches, terms, contract.zone)
            currency = terms.currency
    return Outcome(contract.id, currency, judged, tuple(penalties), tuple(correctives))


def side_by_side(one: Outcome, other: Outcome) -> list[tuple[str, str, str]]:
    """Rows of name, figure of the one and figure of the other; `-` where one has no such row."""
    first, second = one.figures(), other.figures()
    names = [*first, *(name for name in second if name not in first)]
    order = {name: index for index, name in enumerate((*_HEADS, *sorted(set(names) - set(_HEADS))))}
    return [(name, first.get(name, "-"), second.get(name, "-")) for name in sorted(names, key=order.__getitem__)]


def differences(one: Outcome, other: Outcome) -> list[tuple[Case, Judgement, Judgement]]:
    """The orders that the two contracts treat differently: another level, or other breaches."""
    pairs = zip(one.judged, other.judged, strict=True)
    return [
        (first.case, first, second)
        for first, second in pairs
        if (first.level_id, [b.clock for b in first.breaches]) != (second.level_id, [b.clock for b in second.breaches])
    ]


_HEADS = ("orders", "breaches", "penalties", "corrective actions", "at the default level")


def _judge(book: ContractBook, case: Case, registry: Registry, now: datetime, habit: Habit) -> Judgement:
    facts = facts_about(case, registry)
    choice = book.choose(facts, case.opened_at)
    asset = registry.assets.get(case.asset_id)
    is_key = asset is not None and asset.criticality is Criticality.KEY
    about = Circumstances(case.opened_at, case.building_id, case.asset_id, is_key, case.planned_due_at)
    level = book.terms(choice.contract_id, choice.revision, choice.level.id, about) or choice.level
    history = [line for line in _worked(case, habit) if line.at <= now and line.verb != Verb.RELEVEL]
    clocks = decide_clocks(level, case.opened_at, history, now)
    breaches = tuple(find_breaches(case.id, case.number, level.id, clocks.every(), facts))
    return Judgement(case, level.id, level.priority, choice.is_default, clocks, breaches)


def _worked(case: Case, habit: Habit) -> Sequence[Change]:
    """The order's own history; of one that nobody touched, what the habit or the recovery makes of it."""
    if any(line.by != DESK for line in case.history):
        return case.history
    recovered = max((line.at for line in case.history if line.verb == RECOVER), default=None)
    done = case.opened_at + habit.completes if habit.completes is not None else recovered
    there = case.opened_at + habit.arrives if habit.arrives is not None else done
    steps: list[Change] = []
    if there is not None:
        there = min(there, done) if done is not None else there
        steps += [_step(Verb.ACKNOWLEDGE, Status.ACKNOWLEDGED, there), _step(Verb.ARRIVE, Status.ARRIVED, there)]
    if done is not None:
        steps.append(_step(Verb.COMPLETE, Status.COMPLETED, done))
    return [*case.history, *steps]


def _step(verb: Verb, status: Status, at: datetime) -> Change:
    return Change(1, at, verb.value, "habit", status)
