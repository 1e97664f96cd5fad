"""How values, units, instants and durations are written on the pages, in a language and a zone."""

import math
import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from dashboards.web.language import Words
from facility.asset import Point
from facility.instant import from_us
from facility.reading import Value

_UNITS = {
    "degC": "°C", "degF": "°F", "delta_degC": "K", "delta_degF": "°F", "m3/h": "m³/h", "m3": "m³", "mm/s2": "mm/s²",
    "ph": "pH", "ntu": "NTU", "bool": "", "enum": "", "text": "", "code": "", "ratio": "", "count": "", "floor": "",
}  # fmt: skip


def format_unit(unit: str) -> str:
    """The unit's usual sign; empty for what has none."""
    return _UNITS.get(unit, unit)


def format_number(value: float) -> str:
    """At most four significant figures below ten thousand, thousands in groups above; no digits that say nothing."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if size >= 10_000:
        text = f"{value:,.0f}"
    elif size == 0 or size >= 0.001:
        digits = max(0, min(3, 3 - (math.floor(math.log10(size)) + 1 if size else 3)))
        text = f"{value:.{digits}f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
    else:
        text = f"{value:.2g}"
    return ("0" if text == "-0" else text).replace("-", "−")


def format_value(value: Value, unit: str, words: Words) -> str:
    """A value with its unit: `18.3 °C`, `yes`, `closed`."""
    if isinstance(value, str):
        return words.enumeration(value)
    if unit == "bool" and value in (0.0, 1.0):
        return words("value.yes") if value else words("value.no")
    sign = format_unit(unit)
    return f"{format_number(value)} {sign}" if sign else format_number(value)


def is_nan(value: Value) -> bool:
    """Whether a value is the number that is none."""
    return isinstance(value, float) and math.isnan(value)


_HAN = re.compile(r"[\u3400-\u9fff]")


def own_name(name: str, words: Words) -> str:
    """A name given in both languages (`1号客梯 / Elevator 1`) as the reader has it; any other as it is."""
    halves = name.split(" / ")
    if len(halves) != 2 or bool(_HAN.search(halves[0])) == bool(_HAN.search(halves[1])):
        return name
    chinese, english = halves if _HAN.search(halves[0]) else halves[::-1]
    return words.in_script(chinese) if words.language == "zh" else english


def point_label(point: Point | None, name: str, words: Words) -> str:
    """The point's label in the language; its name where the catalogue has none."""
    return words.pick(point.type.label, name) if point else name.replace("_", " ")


def format_span(span: timedelta, words: Words) -> str:
    """The two biggest parts of a duration: `3 h 12 min`, `2 d 4 h`, `45 s`. Never negative."""
    seconds = max(0, round(abs(span).total_seconds()))
    parts: list[str] = []
    for sign, size in zip(span_units(words), (86_400, 3_600, 60, 1), strict=True):
        amount, seconds = divmod(seconds, size)
        if amount or (size == 1 and not parts):
            parts.append(f"{amount} {sign}")
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts)


def span_units(words: Words) -> tuple[str, ...]:
    """Days, hours, minutes and seconds as durations are written."""
    return ("d", "h", "min", "s") if words.language == "en" else tuple(map(words.in_script, ("天", "小时", "分", "秒")))


def format_at(at: datetime | int, zone: ZoneInfo, words: Words, *, now: datetime, seconds: bool = False) -> str:
    """A local date and time; the year only when it is not this one, the date only when it is not today."""
    local = (from_us(at) if isinstance(at, int) else at).astimezone(zone)
    today = now.astimezone(zone)
    clock = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
    if local.date() == today.date():
        return clock
    if words.language == "zh":
        day = f"{local.month}月{local.day}日"
        return f"{local.year}年{day} {clock}" if local.year != today.year else f"{day} {clock}"
    day = f"{local.day} {_MONTHS[local.month - 1]}"
    return f"{day} {local.year} {clock}" if local.year != today.year else f"{day} {clock}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def format_full(at: datetime | int, zone: ZoneInfo) -> str:
    """Date, time to the second and offset, the same in both languages: `2026-11-21 17:00:00 +08:00`."""
    local = (from_us(at) if isinstance(at, int) else at).astimezone(zone)
    return local.isoformat(sep=" ", timespec="seconds").replace("+", " +")


def zone_label(zone: ZoneInfo, at: datetime) -> str:
    """`Asia/Shanghai (UTC+8)`."""
    offset = at.astimezone(zone).utcoffset() or timedelta(0)
    sign = "−" if offset < timedelta(0) else "+"
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    return f"{zone.key} (UTC{sign}{hours}{f':{minutes:02d}' if minutes else ''})"


def parse_month(text: str) -> date | None:
    """The first day of a month such as `2026-03`; None for anything else, and for years nobody plans in."""
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
    return first if len(text) == 7 and 2000 <= first.year <= 2100 else None


def format_month(on: date, words: Words) -> str:
    """`March 2026`, `2026年3月`."""
    if words.language == "en":
        return f"{_MONTHS_LONG[on.month - 1]} {on.year}"
    return words.in_script(f"{on.year}年{on.month}月")


def format_weekday(on: date, words: Words) -> str:
    """`Mon`, `周一`."""
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun") if words.language == "en" else (
        "周一", "周二", "周三", "周四", "周五", "周六", "周日")  # fmt: skip
    return words.in_script(names[on.weekday()])


def format_day(on: date, words: Words) -> str:
    """`3 Mar 2026`, `2026年3月3日`."""
    if words.language == "en":
        return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"
    return f"{on.year}年{on.month}月{on.day}日"


_MONTHS_LONG = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
                "November", "December")  # fmt: skip


_LIMIT_ZH = (
    (r"(\d+) open days?, next open", r"\1 个工作日（顺延至开放时）"),
    (r"(\d+) open days?, end of day", r"\1 个工作日（当日结束前）"),
    (r"(\d+) open days?", r"\1 个工作日"),
    (r"(\d+) open hours?", r"\1 个工作小时"),
    (r"(\d+) open minutes?", r"\1 个工作分钟"),
    (r"every half month", "每半个月"),
    (r"every month", "每月"),
    (r"every day", "每天"),
    (r"every (\d+) half months", r"每 \1 个半月期"),
    (r"every (\d+) months", r"每 \1 个月"),
    (r"every (\d+) days", r"每 \1 天"),
    (r"every ([\d.e+]+) of (\w+)", r"\2 每累计 \1"),
    (r" or ", " 或 "),
    (r"(\d+) d\b", r"\1 天"),
    (r"(\d+) h\b", r"\1 小时"),
    (r"(\d+) min\b", r"\1 分钟"),
    (r"(\d+) s\b", r"\1 秒"),
)


def format_limit(text: str, words: Words) -> str:
    """A limit or an interval as a contract writes it (`4 open hours`, `every half month`) in the language."""
    if words.language == "en":
        return text
    for pattern, chinese in _LIMIT_ZH:
        text = re.sub(pattern, chinese, text)
    return words.in_script(text)


_LACK_ZH = (
    (r"design: (\w+)", r"铭牌参数 \1"),
    (r"occupied hours of the building", "楼宇的使用时段"),
    (r"baseline of (.+): warming up, (\d+) days? left", r"\1 的基线：学习中，还需 \2 天"),
    (r"trend of (.+): warming up, (\d+) days? left", r"\1 的趋势：学习中，还需 \2 天"),
    (r"joint behaviour of (.+): warming up, (\d+) days? left", r"\1 的联合特征：学习中，还需 \2 天"),
)


def format_lack(text: str, words: Words) -> str:
    """What a rule lacks that is no point of the catalogue (`design: rated_flow`), in the language."""
    if words.language == "en":
        return text.replace("design: ", "nameplate figure ")
    for pattern, chinese in _LACK_ZH:
        text = re.sub(pattern, chinese, text)
    return words.in_script(text)
