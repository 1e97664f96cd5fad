"""A contract's terms in Chinese: blocks of a heading and its lines, as `ticketing` writes them in English."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from dashboards.web.language import Words
from dashboards.web.wording import format_limit
from facility.catalogue import equipment_classes
from facility.instant import format_duration
from ticketing.contract import PauseReason, Promise, Revision, ServiceLevel
from ticketing.contract_match import Match
from ticketing.limit_zh import CLOCKS_ZH, limit_zh
from ticketing.terms import CostTerms, Escalation, EscalationUnit, Modifier, ModifierKind, PenaltyPer, PenaltyTerms
from ticketing.terms_service import Form, SendOn, ServiceTerms

ZH = Words("zh")
CLOCKS, PENALTIES, VISITS = "其他时限", "违约金", "按日历的保养"
Blocks = Sequence[tuple[str, Sequence[str]]]
_WHO: Mapping[str, str] = {
    "manager": "经理", "dispatcher": "调度员", "technician": "技术员", "engineer": "工程师", "customer": "客户",
    "assignee": "接单人", "owner": "业主",
}  # fmt: skip
_UNITS: Mapping[str, str] = {"h": "小时", "min": "分钟", "s": "秒", "d": "天"}


def levels_zh(revision: Revision) -> list[str]:
    """A line for each service level."""
    return [_level(level) for level in revision.every]


def terms_zh(revision: Revision) -> Blocks:
    """What a revision agrees beside its levels; nothing for terms it does not have."""
    terms, every = revision.terms, revision.every
    blocks = (
        (CLOCKS, [
            f"{level.id}：{_clock(one.name)} {limit_zh(one.promise.limit)}，"
            f"{_verb(one.starts)}至{_verb(one.stops)}{_clause(one.clause or level.clause)}"
            for level in every for one in level.clocks
        ]),
        ("暂停上限", [line for level in every for line in _caps(level)]),
        ("时限调整（按此顺序）", [f"{n}. {_modifier(one)}" for n, one in enumerate(terms.modifiers, 1)]),
        ("重复故障", [line for level in every for line in _repeat(level)]),
        ("升级通知", [_escalation(one) for one in terms.escalations]),
        (PENALTIES, list(_penalties(terms.penalties)) if terms.penalties is not None else []),
        ("费用与质保", list(_costs(terms.costs)) if terms.costs is not None else []),
        (VISITS, [
            f"{one.id}{_clause(one.clause)}：{one.name}；{match_zh(one.match)}；{format_limit(str(one), ZH)}"
            f"{'；法定' if one.statutory else ''}{f'；可提前 {one.early_days} 天' if one.early_days else ''}"
            f"；{len(one.checklist)} 项检查"
            for one in revision.visits
        ]),
    )  # fmt: skip
    return [(head, lines) for head, lines in (*blocks, *_service(revision.service)) if lines]


def match_zh(match: Match) -> str:
    """What something is for."""
    parts = [f"{ZH.or_raw('match', part)} {'或'.join(_value(part, one) for one in sorted(values))}"
             for part, values in match.parts().items()]  # fmt: skip
    return "、".join(parts) or "全部"


def _value(part: str, value: str) -> str:
    kind = equipment_classes().get(value) if part == "class" else None
    return ZH.pick(kind.label, value) if kind is not None else ZH.or_raw(part, value) if part != "rule" else value


def _level(level: ServiceLevel) -> str:
    what = "其余情况" if level.is_default else match_zh(level.match)
    rank = f"，次序 {level.rank}" if level.rank else ""
    return (
        f"{level.clause or '–'} {level.name or level.id}：{what}{rank}；优先级 {level.priority}；"
        f"响应 {_promise(level.response)}；解决 {_promise(level.resolution)}；日历 {level.calendar.name}"
    )


def _promise(promise: Promise) -> str:
    limit = limit_zh(promise.limit)
    if not promise.pauses:
        return f"{limit}（不可暂停）"
    if promise.pauses == frozenset(PauseReason):
        return f"{limit}（可暂停）"
    return f"{limit}（可因{'、'.join(ZH.or_raw('pause', one) for one in sorted(promise.pauses))}暂停）"


def _clause(clause: str) -> str:
    return f"（条款 {clause}）" if clause else ""


def _clock(name: str) -> str:
    return CLOCKS_ZH.get(name, name)


def _verb(name: str) -> str:
    return ZH.or_raw("order.event", name) if name == "open" else ZH.or_raw("order.verb", name)


def _span(span: timedelta) -> str:
    return " ".join(_UNITS.get(word, word) for word in format_duration(span).split())


def _who(names: Sequence[str]) -> str:
    return "、".join(_WHO.get(one, one) for one in names)


def _only(levels: frozenset[str]) -> str:
    return f"，仅等级 {'、'.join(sorted(levels))}" if levels else ""


def _of(clocks: frozenset[str]) -> str:
    return f"（{'、'.join(_clock(one) for one in sorted(clocks))}）" if clocks else ""


def _caps(level: ServiceLevel) -> Iterator[str]:
    promises = (("response", level.response), ("resolution", level.resolution))
    for name, promise in (*promises, *((one.name, one.promise) for one in level.clocks)):
        for reason, cap in promise.caps:
            yield f"{level.id}：因{ZH.or_raw('pause', reason)}暂停{_clock(name)}最多 {_span(cap)}"


def _repeat(level: ServiceLevel) -> Iterator[str]:
    if level.repeat is not None:
        then = "重开原工单" if level.repeat.action == "reopen" else "新开工单并注明前一工单"
        yield f"{level.id}：归档后 {_span(level.repeat.window)} 内同一原因再次出现，{then}"


def _modifier(one: Modifier) -> str:
    when = {
        ModifierKind.OFF_PEAK: f"在 {one.calendar.name if one.calendar is not None else ''} 以外开立",
        ModifierKind.WEATHER: f"{'或'.join(sorted(one.warnings))} 天气预警期间",
        ModifierKind.KEY_EQUIPMENT: "关键设备",
    }[one.kind]
    what = [f"时限 × {one.factor}"] if one.factor != 1 else []
    what += [f"加 {_span(one.add)}"] if one.add else []
    what += [f"优先级提高 {one.priority_up}"] if one.priority_up else []
    return f"{one.id}{_clause(one.clause)}：{when}，{'，'.join(what)}{_of(one.clocks)}{_only(one.levels)}"


def _escalation(one: Escalation) -> str:
    clock = _clock(one.clock)
    if one.unit is EscalationUnit.PERCENT:
        at = f"{clock}时限用去 {one.percent} % 时"
    else:
        at = f"{clock}截止{'前' if one.unit is EscalationUnit.BEFORE else '后'} {_span(one.offset)}"
    return f"{one.id}：{at}通知{_who(one.to)}{_only(one.levels)}"


def _penalties(terms: PenaltyTerms) -> Iterator[str]:
    for one in terms.terms:
        each = f"{one.amount} {terms.currency}" if one.amount is not None else f"月费的 {one.percent} %"
        per = "每超时一小时（不足按一小时计）" if one.per is PenaltyPer.STARTED_HOUR else "每次违约"
        yield f"{one.id}{_clause(one.clause)}：{per} {each}{_of(one.clocks)}；{match_zh(one.match)}"
    if terms.cap is not None:
        yield f"每{ZH(f'contract.cap.{terms.cap_period}')}合计不超过 {terms.cap} {terms.currency}；不可抗力免责"
    if terms.corrective_after is not None:
        yield f"一个月内满 {terms.corrective_after} 次违约须提交纠正措施"


def _costs(costs: CostTerms) -> Iterator[str]:
    money = costs.currency
    if costs.chargeable:
        free = f"，{costs.free_parts_up_to} {money} 以内的配件免费" if costs.free_parts_up_to else ""
        call = f"{costs.call_out} {money}" if costs.call_out else "免费"
        yield f"质保期外{_clause(costs.clause)}：人工每小时 {costs.labour_per_hour} {money}，上门费 {call}{free}"
    else:
        yield f"质保期外{_clause(costs.clause)}：已含在月费内"
    if costs.quote_above is not None:
        yield f"超过 {costs.quote_above} {money} 须先批准报价"
    for one in costs.warranty:
        lasts = f"{one.seasons} 个完整{one.season.name}季" if one.season is not None else f"{one.months} 个月"
        yield f"{costs.installer} 的质保{_clause(one.clause)}：{match_zh(one.match)}，自验收起 {lasts}"


def _service(terms: ServiceTerms) -> Iterator[tuple[str, list[str]]]:
    if (asked := terms.requests) is not None:
        visit = f"，{limit_zh(asked.visit)} 内现场查看" if asked.visit is not None else ""
        yield (
            "报修",
            [
                f"受理后 {limit_zh(asked.review)} 内审核{visit}，日历 {asked.calendar.name}{_clause(asked.clause)}",
                f"{_span(asked.duplicate_window)} 内同一事项并入前一报修",
            ],
        )
    if (told := terms.complaints) is not None:
        tell = f"，其后 {limit_zh(told.tell)} 内告知结果" if told.tell is not None else ""
        limits = f"{limit_zh(told.accept)} 内受理，{limit_zh(told.answer)} 内答复，{limit_zh(told.resolve)} 内解决"
        lines = [f"{limits}{tell}，日历 {told.calendar.name}{_clause(told.clause)}"]
        if told.urgent:
            lines.append(f"紧急：{'，'.join(f'{name} {limit_zh(limit)}' for name, limit in told.urgent.items())}")
        lines.append(f"{_span(told.repeat_window)} 内同一事项视为重复投诉")
        if told.escalate_to:
            lines.append(f"紧急、重复与超时的投诉通知{_who(told.escalate_to)}")
        yield "投诉", lines
    if (survey := terms.surveys) is not None:
        low = f"评分 {survey.low}（满分 5）及以下即转为投诉；目标 {survey.target}（满分 10）{_clause(survey.clause)}"
        yield "满意度调查", [*(_form(form) for form in survey.forms), low]
    if (claims := terms.claims) is not None:
        again = f"；回访 {format_limit(str(claims.follow_up), ZH)}" if claims.follow_up is not None else ""
        limits = f"{limit_zh(claims.plan)} 内安排，{limit_zh(claims.visit)} 内到场，日历 {claims.calendar.name}"
        yield "质保索赔", [f"{limits}{_clause(claims.clause)}{again}"]
    yield "其他约定", [f"{one.about}{_clause(one.clause)}：{one.text}" for one in terms.clauses]


def _form(form: Form) -> str:
    when = "工单完工时" if form.send_on is SendOn.COMPLETE else "每年两次"
    asks = "、".join(f"{one.id}（{one.scale}）" for one in form.questions)
    reminded = f"；{'、'.join(_span(one) for one in form.reminders)}后提醒" if form.reminders else ""
    return f"{form.id}：{when}发送，{match_zh(form.match)}，开放 {_span(form.closes)}{reminded}：{asks}"
