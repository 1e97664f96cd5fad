"""Contracts for the manager's pages: in a list, in words with what each revision changed, and two over real orders."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from difflib import ndiff
from functools import partial

from sqlmodel import Session

from dashboards.web.language import Words
from dashboards.web.manage_view import (
    Buildings,
    CalendarText,
    Compared,
    ContractBrief,
    ContractText,
    LevelText,
    OpenDay,
    PenaltyText,
    PlannedText,
    PromiseText,
    RevisionText,
)
from dashboards.web.wording import format_weekday
from facility.registry import Registry
from plantroom.contract_zh import CLOCKS, PENALTIES, VISITS, ZH, levels_zh, terms_zh
from plantroom.order_cases import cases_of
from ticketing.calendar import Calendar
from ticketing.contract import Contract, PauseReason, Promise, Revision, ServiceLevel
from ticketing.contract_book import ContractBook
from ticketing.contract_compare import Habit, differences, judge_contract, side_by_side
from ticketing.contract_explain import explain_contract
from ticketing.contract_match import Match
from ticketing.lists import read_orders
from ticketing.repository import OrderQuery
from ticketing.terms import PenaltyPer
from ticketing.terms_explain import explain_terms
from ticketing.terms_service_explain import explain_service

WEEK = 7
MOST_ORDERS = 2_000
MOST_DIFFERENT = 50
_TOLD = ("Other clocks:", "Penalties:", "Visits by calendar:", CLOCKS, PENALTIES, VISITS)
EN = Words("en")
"""Blocks of the engine's own words that the page says by itself."""


def covered(contract: Contract, registry: Registry, buildings: Buildings) -> bool:
    """Whether it is about one of these buildings."""
    return buildings is None or bool(_buildings(contract, registry))


def brief_of(contract: Contract, now: datetime) -> ContractBrief:
    """Its line in the list."""
    current = contract.revision_at(now)
    number = current.number if current is not None else None
    return ContractBrief(
        contract.id, contract.name, contract.customer, contract.supplier, number, len(contract.revisions)
    )


def text_of(contract: Contract, registry: Registry, now: datetime, language: str = "en") -> ContractText:
    """All of it, the newest revision first; terms and changes in the language (`en` or `zh`)."""
    revisions = []
    for index, revision in enumerate(contract.revisions):
        following = contract.revisions[index + 1].effective_at if index + 1 < len(contract.revisions) else None
        ends = min((at for at in (following, contract.ends_at) if at is not None), default=None)
        before = contract.revisions[index - 1] if index else None
        revisions.append(_revision(contract, revision, before, ends, (now, language)))
    return ContractText(brief_of(contract, now), _buildings(contract, registry), contract.zone.key, revisions[::-1])


def explain_contract_zh(contract: Contract, now: datetime) -> list[str]:
    """`explain_contract` in Chinese; calendars show the week from `now` (aware), or from when a revision holds."""
    scope = [f"项目 {one}" for one in sorted(contract.sites)] + [f"楼宇 {one}" for one in sorted(contract.buildings)]
    lines = [
        f"合同 {contract.id}：{contract.name}",
        f"客户：{contract.customer or '未注明'}。供应商：{contract.supplier or '未注明'}。",
        f"适用于{'、'.join(scope) or '全部楼宇'}。时间均为 {contract.zone.key} 当地时间。",
    ]
    current = contract.revision_at(now)
    for revision in contract.revisions:
        mark = "，现行" if revision is current else ""
        since = revision.effective_at.astimezone(contract.zone)
        lines += ["", f"第 {revision.number} 版：自 {since:%Y-%m-%d} 起{mark}", "", *levels_zh(revision)]
        for head, block in terms_zh(revision):
            lines += ["", f"{head}：", *(f"  {line}" for line in block)]
        week_of = max(now, revision.effective_at)
        lines += ["", *(f"日历 {_week(one, week_of, ZH)}" for one in revision.calendars.values())]
    return lines


def compare_contracts(
    session: Session,
    one: Contract,
    other: Contract,
    since: date,
    registry: Registry,
    now: datetime,
    habit: Habit = Habit(),
) -> Compared:
    """Both over the newest orders opened since that day, as their histories are, untouched ones as the habit says;
    orders elsewhere are left out."""
    from_at = datetime.combine(since, time(), one.zone).astimezone(UTC)
    query = OrderQuery(limit=MOST_ORDERS, buildings=frozenset(registry.buildings))
    listed = read_orders(session, ContractBook(), query, now)
    cases = cases_of(order for order in listed if order.opened_at >= from_at)
    first, second = (judge_contract(contract, cases, registry, now, habit) for contract in (one, other))
    differ = [
        (case.id, case.number, case.title, left.level_id, right.level_id)
        for case, left, right in differences(first, second)
    ]
    return Compared(one.id, other.id, len(cases), side_by_side(first, second), differ[:MOST_DIFFERENT])


def _buildings(contract: Contract, registry: Registry) -> list[str]:
    return [one.id for one in registry.buildings.values() if contract.covers(one.site_id, one.id)]


def _revision(
    contract: Contract, revision: Revision, before: Revision | None, ends: datetime | None, told: tuple[datetime, str]
) -> RevisionText:
    now, language = told
    penalties = revision.terms.penalties
    money = penalties.currency if penalties is not None else ""
    return RevisionText(
        number=revision.number,
        from_at=revision.effective_at,
        until_at=ends,
        in_force=revision is contract.revision_at(now),
        levels=[_level(level) for level in revision.every],
        penalties=[
            PenaltyText(
                one.clause,
                f"{one.amount} {money}" if one.amount is not None else f"{one.percent} %",
                one.per is PenaltyPer.STARTED_HOUR,
                sorted(one.clocks),
                _parts(one.match),
            )
            for one in (penalties.terms if penalties is not None else ())
        ],
        cap=f"{penalties.cap} {money}" if penalties is not None and penalties.cap is not None else "",
        cap_period=penalties.cap_period.value if penalties is not None else "",
        corrective_after=penalties.corrective_after if penalties is not None else None,
        visits=[
            PlannedText(one.name, one.clause, _parts(one.match), str(one), one.statutory, one.early_days,
                        len(one.checklist))
            for one in revision.visits
        ],
        calendars=[_calendar(one, max(now, revision.effective_at)) for one in revision.calendars.values()],
        more=[block for block in _terms(revision, language) if block[0] not in _TOLD],
        changes=_changes(contract, before, revision, language) if before is not None else [],
    )  # fmt: skip


def _level(level: ServiceLevel) -> LevelText:
    clocks = [_promise("response", level.response), _promise("resolution", level.resolution)]
    clocks += [_promise(one.name, one.promise, one.clause, one.starts, one.stops) for one in level.clocks]
    return LevelText(
        level.id, level.name, level.clause, _parts(level.match), level.priority,
        level.calendar.name, clocks, level.is_default,
    )  # fmt: skip


def _parts(match: Match) -> list[tuple[str, list[str]]]:
    return [(part, sorted(values)) for part, values in match.parts().items()]


def _promise(name: str, promise: Promise, clause: str = "", starts: str = "", stops: str = "") -> PromiseText:
    pauses = ["all"] if promise.pauses == frozenset(PauseReason) else sorted(one.value for one in promise.pauses)
    return PromiseText(name, str(promise.limit), pauses, clause, starts, stops)


def _calendar(calendar: Calendar, from_at: datetime) -> CalendarText:
    first = from_at.astimezone(calendar.zone).date()
    days = []
    for offset in range(WEEK):
        day = calendar.day(first + timedelta(days=offset))
        days.append(OpenDay(day.on, ", ".join(f"{_clock(low)}–{_clock(high)}" for low, high in day.spans), day.name))
    start, end = (
        datetime.combine(first + timedelta(days=offset), time(), calendar.zone).astimezone(UTC) for offset in (0, WEEK)
    )
    return CalendarText(calendar.name, days, calendar.elapsed(start, end))


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _blocks(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The engine's blocks: a heading, then its indented lines."""
    head, found = "", list[str]()
    for line in [*lines, ""]:
        if line.startswith("  "):
            found.append(line.strip())
        elif line:
            head = line
        elif found:
            yield head, found
            head, found = "", []


def _terms(revision: Revision, language: str) -> Iterable[tuple[str, Sequence[str]]]:
    if language == "zh":
        return terms_zh(revision)
    return _blocks([*explain_terms(revision), *explain_service(revision.service)])


def _changes(contract: Contract, before: Revision, after: Revision, language: str) -> list[tuple[str, str]]:
    """Line by line; both calendars are shown for the same week, or a holiday in one of two weeks would be a change."""
    words = _words_zh if language == "zh" else partial(_words, contract)
    old, new = (words(one, after.effective_at) for one in (before, after))
    return [(line[0], line[2:].strip()) for line in ndiff(old, new) if line[0] in "+-" and line[2:].strip()]


def _words(contract: Contract, revision: Revision, week_of: datetime) -> list[str]:
    """The words of one revision, without the days of its calendars (they are other days in every week)."""
    alone = Contract(contract.id, contract.name, contract.zone, contract.sites, contract.buildings, (revision,))
    lines = [" ".join(line.split()) for line in explain_contract(alone, revision.effective_at)]
    end = next((index for index, line in enumerate(lines) if line.startswith("Calendar ")), len(lines))
    start = next(index for index, line in enumerate(lines) if line.startswith("Revision ")) + 4
    week = (f"calendar {_week(calendar, week_of)}" for calendar in revision.calendars.values())
    return [*lines[start:end], *week]


def _words_zh(revision: Revision, week_of: datetime) -> list[str]:
    blocks = [f"{head}：{line}" for head, lines in terms_zh(revision) for line in lines]
    week = (f"日历 {_week(calendar, week_of, ZH)}" for calendar in revision.calendars.values())
    return [*levels_zh(revision), *blocks, *week]


def _week(calendar: Calendar, from_at: datetime, words: Words = EN) -> str:
    days = sorted(_calendar(calendar, from_at).days, key=lambda day: day.on.weekday())
    spans = (f"{format_weekday(day.on, words)} {day.spans or words('contract.closed')}" for day in days)
    return f"{calendar.name}: {', '.join(spans)}"
