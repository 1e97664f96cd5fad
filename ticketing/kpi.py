"""The key figures: each with its name, unit, definition in writing and function; and how they are grouped. Pure.

`docs/kpi.md` is written from here, so what is computed and what is said cannot drift apart.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from facility.heap import many_values
from ticketing import kpi_orders, kpi_voice
from ticketing.kpi_facts import AssetFact, ComplaintFact, MoneyFact, OrderFact, Scope, SurveyFact, WaitingFact
from ticketing.kpi_figure import Figure
from ticketing.kpi_zh import TEXTS_ZH

Fact = TypeVar("Fact", OrderFact, WaitingFact, AssetFact, ComplaintFact, SurveyFact, MoneyFact)


class Better(StrEnum):
    """Which way a figure should go."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


class By(StrEnum):
    """What figures are told apart by."""

    ALL = "all"
    BUILDING = "building"
    CLASS = "class"
    SUPPLIER = "supplier"


@dataclass(frozen=True, slots=True)
class Definition:
    """One figure. `target` is what the trade aims at, when it has a number; `weight` ranks advice."""

    id: str
    name: str
    name_zh: str
    unit: str
    better: Better
    text: str
    compute: Callable[[Scope], Figure]
    target: float | None = None

    @property
    def text_zh(self) -> str:
        """The definition in Chinese."""
        return TEXTS_ZH[self.id]


_ORDERS, _VOICE = kpi_orders, kpi_voice
_UP, _DOWN, _FLAT = Better.HIGHER, Better.LOWER, Better.NEITHER
DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        "faults", "Fault orders opened", "新增故障工单", "orders", _FLAT,
        "Fault orders opened in the period. A cancelled order was no fault and is left out.", _ORDERS.faults,
    ),
    Definition(
        "response_compliance", "Response compliance", "响应及时率", "%", _UP,
        "Of the response promises of fault orders that were decided in the period, the share kept. A promise is "
        "decided when somebody arrives or when its deadline passes, whichever comes first; it is kept when the "
        "arrival is not after the deadline. Orders without a deadline, and orders cancelled before it, do not count.",
        _ORDERS.response_compliance, 95,
    ),
    Definition(
        "resolution_compliance", "Resolution compliance", "解决及时率", "%", _UP,
        "The same for the resolution promise: decided when the work is completed or the deadline passes. Pauses that "
        "the contract allows have moved the deadline.", _ORDERS.resolution_compliance, 95,
    ),
    Definition(
        "mean_response", "Mean response", "平均响应时间", "min", _DOWN,
        "Mean time from opening to the first arrival, around the clock, of fault orders first arrived at in the "
        "period.",
        _ORDERS.mean_response,
    ),
    Definition(
        "mttr", "Mean time to repair (MTTR)", "平均修复时间", "h", _DOWN,
        "Mean time from opening to completion, around the clock and with all pauses, of fault orders completed in the "
        "period. Visits of the preventive plan do not count.", _ORDERS.mttr,
    ),
    Definition(
        "mtbf", "Mean time between failures (MTBF)", "平均故障间隔", "h", _UP,
        "Time in service of all assets of the group in the period, less the time in which they had a fault order "
        "(two at once count once), divided by the faults (orders opened, and those that came back). An asset is in "
        "service from its acceptance on. None when there was no failure.", _ORDERS.mtbf,
    ),
    Definition(
        "first_time_fix", "First-time fix", "一次修复率", "%", _UP,
        "Of the fault orders completed in the period, the share with one arrival at most, no reopening, and whose "
        "fault has not come back inside the contract's repeat window.", _ORDERS.first_time_fix, 85,
    ),
    Definition(
        "repeat_faults", "Repeat faults", "重复故障", "orders", _DOWN,
        "How often in the period a fault came back: the same cause within the repeat window after its order was "
        "closed, whether that reopened the order or opened one that names it.", _ORDERS.repeat_faults,
    ),
    Definition(
        "repeat_share", "Share of repeats", "重复故障率", "%", _DOWN,
        "Repeat faults of all faults of the period: orders opened and orders that the desk reopened.",
        _ORDERS.repeat_share, 5,
    ),
    Definition(
        "backlog", "Backlog", "积压工单", "orders", _DOWN,
        "Orders of either kind whose work was neither completed nor cancelled at the end of the period (or now, "
        "while it runs).", _ORDERS.backlog,
    ),
    Definition(
        "backlog_age", "Age of the backlog", "积压工单龄期", "d", _DOWN,
        "The median time since opening of the orders in the backlog.", _ORDERS.backlog_age,
    ),
    Definition(
        "backlog_oldest", "Oldest in the backlog", "最久积压", "d", _DOWN,
        "Time since opening of the oldest order in the backlog.", _ORDERS.backlog_oldest,
    ),
    Definition(
        "backlog_overdue", "Backlog past its deadline", "逾期工单", "orders", _DOWN,
        "Orders of the backlog whose resolution deadline (a visit's day) lay before the end of the period.",
        _ORDERS.backlog_overdue,
    ),
    Definition(
        "preventive_compliance", "Preventive compliance", "计划保养完成率", "%", _UP,
        "Of the visits of the plan decided in the period, the share completed by the end of the day they were due. A "
        "visit is decided when it is completed, cancelled, or its day ends; a cancelled one was not done.",
        _ORDERS.preventive_compliance, 95,
    ),
    Definition(
        "complaints", "Complaints", "投诉", "complaints", _DOWN, "Complaints received in the period.",
        _VOICE.complaints,
    ),
    Definition(
        "repeat_complaints", "Repeat complaints", "重复投诉", "complaints", _DOWN,
        "Complaints received in the period about a matter (the same asset, or the same space where no asset is named) "
        "that was complained about inside the contract's window before.", _VOICE.repeat_complaints,
    ),
    Definition(
        "complaint_compliance", "Complaints resolved in time", "投诉按时解决率", "%", _UP,
        "Of the complaints decided in the period (resolved, or past their limit), the share resolved by their limit.",
        _VOICE.complaint_compliance, 95,
    ),
    Definition(
        "satisfaction", "Satisfaction", "满意度", "of 10", _UP,
        "Mean score of the surveys answered in the period, each brought from its own scale to 0..10 by the weights "
        "of its form: 1-5 times 2, 100/80/60/40/0 divided by 10.", _VOICE.satisfaction, 8.5,
    ),
    Definition(
        "nps", "Net promoter score (NPS)", "净推荐值", "points", _UP,
        "Of those who answered the question in the period: share of 9 and 10 less share of 0 to 6, from -100 to 100.",
        _VOICE.nps,
    ),
    Definition(
        "answer_rate", "Surveys answered", "问卷回收率", "%", _UP,
        "Of the surveys sent in the period, the share answered so far.", _VOICE.answer_rate,
    ),
    Definition(
        "penalties", "Penalties", "违约金", "money", _DOWN,
        "What the breaches whose deadline lay in the period cost under the contract's clauses, after caps and waivers, "
        "by currency.", _VOICE.penalties,
    ),
    Definition(
        "costs", "Costs", "维修费用", "money", _DOWN,
        "Cost lines (labour, parts, call-out) booked in the period, whoever pays, by currency. By class: the cost of "
        "each class.", _VOICE.costs,
    ),
    Definition(
        "record_completeness", "Record completeness", "记录完整率", "%", _UP,
        "Of the fields that the record of a completed fault order should hold (who did it, cause, work done, test, "
        "acceptance, cost), the share that is filled, over the fault orders completed in the period.",
        _ORDERS.record_completeness, 95,
    ),
    Definition(
        "follow_up_rate", "Follow-up rate", "回访率", "%", _UP,
        "Of the fault orders completed in the period, the share whose customer was asked afterwards (a follow_up in "
        "the history).", _ORDERS.follow_up_rate, 80,
    ),
)  # fmt: skip
"""Every figure, in the order of the report."""


def figures(scope: Scope) -> dict[str, Figure]:
    """Every figure of one scope by id."""
    return {one.id: one.compute(scope) for one in DEFINITIONS}


def figures_by(scope: Scope, by: By) -> dict[str, dict[str, Figure]]:
    """Every figure of each group, by the group's name; of `all` one group called `all`."""
    with many_values():
        return {name: figures(part) for name, part in split(scope, by).items()}


def split(scope: Scope, by: By) -> dict[str, Scope]:
    """The scope as one for each group, by name. A fact that names no supplier or class is in the group `-`."""
    if by is By.ALL:
        return {"all": scope}
    name = _NAMES[by]
    orders, assets = _grouped(scope.orders, name), _grouped(scope.assets, name)
    waiting = _grouped(scope.waiting, name)
    complaints, surveys = _grouped(scope.complaints, name), _grouped(scope.surveys, name)
    costs, penalties = _grouped(scope.costs, name), _grouped(scope.penalties, name)
    every = sorted({*orders, *waiting, *assets, *complaints, *surveys, *costs, *penalties})
    return {
        group: replace(
            scope,
            orders=orders.get(group, ()),
            waiting=waiting.get(group, ()),
            assets=assets.get(group, ()),
            complaints=complaints.get(group, ()),
            surveys=surveys.get(group, ()),
            costs=costs.get(group, ()),
            penalties=penalties.get(group, ()),
        )
        for group in every
    }


_NAMES: Mapping[By, str] = {By.BUILDING: "building_id", By.CLASS: "equipment_class", By.SUPPLIER: "supplier"}


def _grouped(facts: Iterable[Fact], name: str) -> dict[str, tuple[Fact, ...]]:
    found: dict[str, list[Fact]] = {}
    for fact in facts:
        found.setdefault(getattr(fact, name) or "-", []).append(fact)
    return {group: tuple(each) for group, each in found.items()}
