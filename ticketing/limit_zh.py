"""Limits and durations as a Chinese reader sees them. `ticketing.limit` writes them as contracts do."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from facility.instant import format_duration
from ticketing.limit import Limit, LimitUnit, format_hours

_UNITS = {"h": "小时", "min": "分钟", "s": "秒", "d": "天"}
_MODES = {LimitUnit.DAYS: "", LimitUnit.DAYS_NEXT_OPEN: "，顺延至下次开放", LimitUnit.DAYS_END: "，至当日结束"}


def hours_zh(duration: timedelta) -> str:
    """`33 小时 5 分钟`: as `format_hours`."""
    words = format_hours(duration).split(" ")
    return " ".join(_UNITS.get(word, word) for word in words)


def duration_zh(duration: timedelta) -> str:
    """`1 天 2 小时`: as `format_duration`."""
    words = format_duration(duration).split(" ")
    return " ".join(_UNITS.get(word, word) for word in words)


def limit_zh(limit: Limit) -> str:
    """`30 分钟`, `4 小时（工作时间）`, `2 个工作日，至当日结束`."""
    if limit.unit is LimitUnit.CALENDAR:
        return hours_zh(limit.duration)
    if limit.unit is LimitUnit.OPEN:
        return f"{hours_zh(limit.duration)}（工作时间）"
    return f"{limit.days} 个工作日{_MODES[limit.unit]}"


CLOCKS_ZH: Mapping[str, str] = MappingProxyType(
    {
        "response": "响应", "resolution": "解决", "answer": "接听", "arrive": "到场", "contain": "控制",
        "first_answer": "首次答复", "follow_up": "回访", "review": "审核", "survey": "现场勘查", "start": "开工",
    }
)  # fmt: skip
"""The clocks that contracts usually name; another stays as its contract names it."""
PAUSES_ZH: Mapping[str, str] = MappingProxyType(
    {
        "access": "无法进入", "parts": "等待配件", "third_party": "第三方原因", "customer": "客户原因",
        "force_majeure": "不可抗力",
    }
)  # fmt: skip
"""The reasons of a pause."""
