"""The catalogue of texts is complete, and values, units and times are written as people expect."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dashboards.web
from dashboards.web.language import Words, choose_language, text_keys
from dashboards.web.units import convert, restate, shown_unit
from dashboards.web.wording import (
    format_at,
    format_full,
    format_limit,
    format_month,
    format_number,
    format_span,
    format_value,
    format_weekday,
    own_name,
    parse_month,
    zone_label,
)

FOLDER = Path(dashboards.web.__file__).parent
EN, ZH = Words("en"), Words("zh")
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def test_both_languages_have_every_text_with_the_same_marks() -> None:
    for key in text_keys():
        marks = [{name for _, name, _, _ in Formatter().parse(words(key)) if name} for words in (EN, ZH)]
        assert marks[0] == marks[1], key
        assert bool(EN(key)) == bool(ZH(key)), key


def test_every_key_the_pages_use_is_in_the_catalogue_and_no_other() -> None:
    sources = [*FOLDER.glob("templates/*.html"), *FOLDER.glob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    whole = set(re.findall(r"['\"]([a-z]+(?:\.[a-z]+)*)['\"]", text))
    prefixes = set(re.findall(r"['\"]([a-z]+(?:\.[a-z]+)*)\.?['\"{]", text))
    for key in text_keys():
        head = key.rsplit(".", 1)[0]
        assert key in whole or (head != key and head in prefixes), f"{key} is not used"
    for key in re.findall(r"\bt\(\s*'([^']+)'\s*[,)]", text):
        assert key in text_keys(), f"{key} has no text"


@pytest.mark.parametrize(
    ("value", "text"),
    [(18.25, "18.2"), (0.0, "0"), (-0.0, "0"), (1234.5, "1234"), (123456.7, "123,457"), (0.05, "0.05"), (-3.5, "−3.5"),
     (float("nan"), "–"), (float("inf"), "∞"), (99.96, "100"), (0.00012, "0.00012"), (7, "7")],
)  # fmt: skip
def test_numbers_have_no_digits_that_say_nothing(value: float, text: str) -> None:
    assert format_number(value) == text


@settings(deadline=None)
@given(st.floats(allow_nan=True, allow_infinity=True))
def test_any_number_can_be_written(value: float) -> None:
    assert 0 < len(format_number(value)) < 500


@pytest.mark.parametrize(
    ("value", "unit", "english", "chinese"),
    [(18.3, "degC", "18.3 °C", "18.3 °C"), (1.0, "bool", "yes", "是"), (0.0, "bool", "no", "否"),
     ("fire_return", "enum", "fire return", "火灾返回"), ("E42", "code", "E42", "E42"), (4.0, "count", "4", "4"),
     (3.4, "delta_degC", "3.4 K", "3.4 K")],
)  # fmt: skip
def test_a_value_stands_with_its_unit(value: float | str, unit: str, english: str, chinese: str) -> None:
    assert (format_value(value, unit, EN), format_value(value, unit, ZH)) == (english, chinese)


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [(0, "0 s", "0 秒"), (59, "59 s", "59 秒"), (3725, "1 h 2 min", "1 小时 2 分"), (86400, "1 d", "1 天"),
     (-90, "1 min 30 s", "1 分 30 秒"), (86460, "1 d", "1 天")],
)  # fmt: skip
def test_a_span_shows_its_two_biggest_parts(seconds: int, english: str, chinese: str) -> None:
    span = timedelta(seconds=seconds)
    assert (format_span(span, EN), format_span(span, ZH)) == (english, chinese)


def test_an_instant_is_local_and_says_only_what_is_needed() -> None:
    shanghai = ZoneInfo("Asia/Shanghai")
    assert format_at(NOW, shanghai, EN, now=NOW) == "17:00"
    assert format_at(NOW - timedelta(days=1), shanghai, EN, now=NOW) == "20 Nov 17:00"
    assert format_at(NOW - timedelta(days=400), shanghai, ZH, now=NOW) == "2025年10月17日 17:00"
    assert format_full(NOW, shanghai) == "2026-11-21 17:00:00 +08:00"
    assert zone_label(ZoneInfo("Asia/Kolkata"), NOW) == "Asia/Kolkata (UTC+5:30)"
    assert zone_label(ZoneInfo("America/St_Johns"), NOW) == "America/St_Johns (UTC−3:30)"


def test_an_unknown_word_of_another_stage_is_shown_as_it_is() -> None:
    assert ZH.or_raw("order.status", "waiting_for_lift") == "waiting for lift"
    with pytest.raises(KeyError):
        EN("no.such.key")


@settings(deadline=None)
@given(st.one_of(st.none(), st.text(max_size=60)))
def test_any_accept_language_header_gives_a_language(header: str | None) -> None:
    assert choose_language(None, None, header) in ("en", "zh", "hant")


def test_traditional_has_every_text_with_the_same_marks() -> None:
    hant = Words("hant")
    assert (hant.language, hant.tag) == ("zh", "zh-Hant")
    for key in text_keys():
        marks = [{name for _, name, _, _ in Formatter().parse(words(key)) if name} for words in (ZH, hant)]
        assert marks[0] == marks[1], key
    assert hant.pick({"en": "Elevator", "zh": "电梯"}) == "電梯"
    assert format_span(timedelta(hours=2), hant) == "2 小時"
    assert hant("kind.fault") == "故障"
    assert hant("error.no.user", name="软件") == "沒有用戶 软件。", "what people typed stays as it is"


@pytest.mark.parametrize(
    ("tag", "language"),
    [("zh", "zh"), ("zh-CN", "zh"), ("zh-Hans-HK", "zh"), ("zh-TW", "hant"), ("ZH-hant", "hant"), ("en-GB", "en"),
     ("de", "en")],
)  # fmt: skip
def test_a_tag_names_a_language_and_a_script(tag: str, language: str) -> None:
    assert choose_language(None, None, tag) == language


@pytest.mark.parametrize(
    ("value", "unit", "shown", "as_unit"),
    [(20.0, "degC", 68.0, "degF"), (-40.0, "degC", -40.0, "degF"), (1.0, "m3/h", 4.4029, "gpm"), (5.0, "%", 5.0, "%"),
     (100.0, "kPa", 14.5038, "psi"), (250.0, "Pa", 1.00366, "inH2O"), (2.0, "delta_degC", 3.6, "delta_degF"),
     (500.0, "lx", 46.4515, "fc")],
)  # fmt: skip
def test_units_of_the_united_states(value: float, unit: str, shown: float, as_unit: str) -> None:
    assert convert(value, unit, "us") == pytest.approx(shown, rel=1e-4)
    assert shown_unit(unit, "us") == as_unit
    assert (convert(value, unit, "metric"), shown_unit(unit, "metric")) == (value, unit)


@pytest.mark.parametrize(
    ("text", "chinese"),
    [("30 min", "30 分钟"), ("4 open hours", "4 个工作小时"), ("2 open days, end of day", "2 个工作日（当日结束前）"),
     ("1 open day", "1 个工作日"), ("every half month", "每半个月"), ("every 3 months or every 500 of run_hours",
      "每 3 个月 或 run_hours 每累计 500")],
)  # fmt: skip
def test_a_limit_of_a_contract_is_said_in_chinese(text: str, chinese: str) -> None:
    assert (format_limit(text, EN), format_limit(text, ZH)) == (text, chinese)


def test_months_and_days_are_written_in_the_language() -> None:
    on = date(2026, 3, 2)
    assert (format_month(on, EN), format_month(on, ZH)) == ("March 2026", "2026年3月")
    assert (format_weekday(on, EN), format_weekday(on, ZH), format_weekday(on, Words("hant"))) == (
        "Mon",
        "周一",
        "週一",
    )
    assert parse_month("2026-03") == date(2026, 3, 1)
    assert [parse_month(text) for text in ("", "2026-13", "26-01", "2026-03-01", "1999-01", "x")] == [None] * 6


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Supply air above 30 °C", "Supply air above 86 °F"),
        ("Falls by 5 K in 2 h", "Falls by 9 °F in 2 h"),
        ("流量低于 2.5 m³/h", "流量低于 11 gpm"),
        ("温度高于30 °C时", "温度高于86 °F时"),
        ("Filter above 250 Pa", "Filter above 1 inH2O"),
        ("Pump B2 at 3 kPapa, 10 m", "Pump B2 at 3 kPapa, 32.8 ft"),
        ("Sensor T-30 °C, 10–30 °C", "Sensor T-30 °C, 10–30 °C"),
    ],
)
def test_quantities_in_a_text_are_in_the_units_of_the_reader(text: str, shown: str) -> None:
    def write(value: float, unit: str) -> str:
        return format_value(value, unit, EN)

    assert restate(text, "us", write) == shown
    assert restate(text, "metric", write) == text


@pytest.mark.parametrize(
    ("name", "english", "chinese"),
    [
        ("1号客梯 / Elevator 1", "Elevator 1", "1号客梯"),
        ("Lift 1 / 客梯", "Lift 1", "客梯"),
        ("North / South", "North / South", "North / South"),
        ("主楼", "主楼", "主楼"),
        ("a / b / 主楼", "a / b / 主楼", "a / b / 主楼"),
    ],
)
def test_a_name_in_both_languages_is_shown_in_one(name: str, english: str, chinese: str) -> None:
    assert (own_name(name, EN), own_name(name, ZH)) == (english, chinese)
