"""The words in which deadlines are explained, in English and Chinese; what stands in braces is filled in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ticketing.calendar_days import DayKind
from ticketing.contract import PauseReason
from ticketing.limit import Limit, format_hours, format_limit
from ticketing.limit_zh import PAUSES_ZH, hours_zh, limit_zh

_DAYS_ZH = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


@dataclass(frozen=True, slots=True)
class ExplainWords:
    """One language. `day` and `limit` and `hours` write a weekday, a limit and a duration."""

    limit_line: str
    clause: str
    on_calendar: str
    around: str
    starts: str
    gap: str
    due: str
    paused: str
    until_now: str
    pause: str
    pause_after: str
    pause_idle: str
    pause_removed: str
    open_time: str
    shared: str
    cap: str
    provisional: str
    skipped: str
    no_hours: str
    named: str
    open_day: str
    spent: str
    kinds: Mapping[DayKind, str]
    reasons: Mapping[PauseReason, str]
    weekday: Callable[[date], str]
    limit: Callable[[Limit], str]
    hours: Callable[[timedelta], str]

    def when(self, local: datetime) -> str:
        """A local instant with its weekday and offset; seconds only where there are any."""
        seconds = ":%S" if local.second or local.microsecond else ""
        offset = local.strftime("%z")
        stamp = local.strftime(f"%Y-%m-%d %H:%M{seconds} ")
        return f"{self.weekday(local.date())} {stamp}{offset[:3]}:{offset[3:5]}"

    def day(self, on: date) -> str:
        """A local date with its weekday."""
        return f"{self.weekday(on)} {on:%Y-%m-%d}"


EN = ExplainWords(
    limit_line="Limit: {limit}{clause}, counted {how}; times are in {zone}.",
    clause=" (clause {clause})",
    on_calendar="on calendar {name}",
    around="around the clock",
    starts="The clock starts {at}.",
    gap="Done from {low} until it was reopened {high}: not counted.",
    due="Deadline: {at}.",
    paused="Paused ({reason}), {left} left: resumed now, {now}, the deadline is {at}.",
    until_now="now, {at}",
    pause="Pause for {reason}, {low} to {high}",
    pause_after="{span}: begins after the deadline, changes nothing.",
    pause_idle="{span}: does not stop this clock.",
    pause_removed="{span}: {removed}{kind} removed{shared}{cap}.",
    open_time=" of open time",
    shared=" (the rest is in the pause before)",
    cap=" (its cap is used up, the clock runs on)",
    provisional=" (provisional: the year's official notice is not known)",
    skipped="{day}: skipped, {why}{note}.",
    no_hours="no hours on this weekday",
    named="{kind} ({name})",
    open_day="{day}{made}: open day {count}{note}.",
    spent="{day}{made}: {times} is {spent}, together {total}{note}.",
    kinds={kind: kind.value for kind in DayKind},
    reasons={reason: reason.value.replace("_", " ") for reason in PauseReason},
    weekday=lambda on: on.strftime("%a"),
    limit=format_limit,
    hours=format_hours,
)
ZH = ExplainWords(
    limit_line="时限：{limit}{clause}，{how}；时间均为 {zone} 当地时间。",
    clause="（条款 {clause}）",
    on_calendar="按日历 {name} 计时",
    around="全天候计时",
    starts="{at} 开始计时。",
    gap="{low} 完工至 {high} 重开之间不计时。",
    due="截止时间：{at}。",
    paused="已暂停（{reason}），剩余 {left}：若现在（{now}）恢复，截止时间为 {at}。",
    until_now="现在（{at}）",
    pause="因{reason}暂停，{low} 至 {high}",
    pause_after="{span}：在截止时间之后开始，不影响结果。",
    pause_idle="{span}：不停止此时限的计时。",
    pause_removed="{span}：扣除 {removed}{kind}{shared}{cap}。",
    open_time="工作时间",
    shared="（其余部分已计入前一次暂停）",
    cap="（已达暂停上限，继续计时）",
    provisional="（暂定：当年的官方放假通知尚未发布）",
    skipped="{day}：跳过，{why}{note}。",
    no_hours="当日不工作",
    named="{kind}（{name}）",
    open_day="{day}{made}：第 {count} 个工作日{note}。",
    spent="{day}{made}：{times}，计 {spent}，累计 {total}{note}。",
    kinds={
        DayKind.WEEKDAY: "平日", DayKind.DATED: "特定日期工作时间", DayKind.CLOSED: "停业", DayKind.HOLIDAY: "节假日",
        DayKind.MAKE_UP: "调休上班日",
    },
    reasons={reason: PAUSES_ZH[reason] for reason in PauseReason},
    weekday=lambda on: _DAYS_ZH[on.weekday()],
    limit=limit_zh,
    hours=hours_zh,
)  # fmt: skip


def explain_words(language: str) -> ExplainWords:
    """The words of a language; English for one that is not there."""
    return ZH if language.startswith("zh") else EN
