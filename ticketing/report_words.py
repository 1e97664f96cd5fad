"""The words of a report in English and Chinese, and how its figures are written."""

from dataclasses import dataclass

from ticketing.kpi import Better, By, Definition
from ticketing.kpi_figure import Figure
from ticketing.limit_zh import CLOCKS_ZH


@dataclass(frozen=True, slots=True)
class Words:
    """Every text of one language."""

    lang: str
    report: str
    made: str
    running: str
    change: str
    nothing: str
    figures: str
    figure: str
    value: str
    target: str
    before: str
    trend: str
    groups: dict[By, str]
    penalties: str
    clause: str
    breach: str
    due: str
    amount: str
    none: str
    corrective: str
    total: str
    definition: str


EN = Words(
    lang="en",
    report="Service report",
    made="As of",
    running="The period still runs.",
    change="Three things to change",
    nothing="Every target was met.",
    figures="Figures",
    figure="Figure",
    value="Value",
    target="Target",
    before="Period before",
    trend="Trend",
    groups={By.BUILDING: "By building", By.CLASS: "By equipment class", By.SUPPLIER: "By supplier"},
    penalties="Penalties",
    clause="Clause",
    breach="Breach",
    due="Due",
    amount="Amount",
    none="None.",
    corrective="Corrective action due: {month}, {breaches} breaches.",
    total="Total",
    definition="Definitions",
)
ZH = Words(
    lang="zh-CN",
    report="服务报告",
    made="截至",
    running="本期尚未结束。",
    change="三项改进",
    nothing="全部达标。",
    figures="指标",
    figure="指标",
    value="数值",
    target="目标",
    before="上期",
    trend="趋势",
    groups={By.BUILDING: "按楼宇", By.CLASS: "按设备类别", By.SUPPLIER: "按供应商"},
    penalties="违约金",
    clause="条款",
    breach="违约",
    due="截止时间",
    amount="金额",
    none="无。",
    corrective="需采取纠正措施：{month}，{breaches} 次违约。",
    total="合计",
    definition="定义",
)
UNITS_ZH = {
    "orders": "单",
    "min": "分钟",
    "h": "小时",
    "d": "天",
    "complaints": "件",
    "of 10": "/ 10",
    "points": "分",
    "money": "",
}


def words_of(language: str) -> Words:
    """The texts of a language; English for one that is not there."""
    return ZH if language.startswith("zh") else EN


def name_of(one: Definition, words: Words) -> str:
    """A figure's name."""
    return one.name_zh if words is ZH else one.name


def shown(one: Definition, figure: Figure | None, words: Words) -> str:
    """A figure with its unit; a dash for a figure of nothing."""
    if figure is None:
        return "–"
    if one.unit == "money":
        return ", ".join(f"{amount:,.2f} {currency}" for currency, amount in sorted(figure.money.items())) or "0"
    return "–" if figure.value is None else f"{number(figure.value)} {unit_of(one, words)}".strip()


def unit_of(one: Definition, words: Words) -> str:
    """The unit in a language."""
    if words is ZH:
        return UNITS_ZH.get(one.unit, one.unit)
    return "" if one.unit in ("orders", "complaints", "money") else one.unit


def clock_of(name: str, words: Words) -> str:
    """A clock's name; one that a contract has named itself stays as it is."""
    return CLOCKS_ZH.get(name, name) if words is ZH else name


def number(value: float) -> str:
    """At most one decimal, with thousands apart."""
    return f"{value:,.1f}".removesuffix(".0")


def is_missed(one: Definition, figure: Figure) -> bool:
    """Whether a figure misses its target."""
    if one.target is None or figure.value is None:
        return False
    return figure.value < one.target if one.better is Better.HIGHER else figure.value > one.target
