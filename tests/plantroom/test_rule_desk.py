"""The pages of rules: how a rule stands on each asset, and trials of it in a process over the readings kept."""

import re
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asking import Client
from fastapi import FastAPI
from preview.plant import TOKEN, PreviewDoor, PreviewPlant
from punctuation import half_width_on
from running import wait_until

from dashboards.web.protocols import RuleGap
from dashboards.web.router import web_router
from dashboards.web.visitor import Guest, Visitor
from facility.clock import JournalClock
from facility.instant import to_us
from facility.reading import (
    Commit,
    Entry,
    Heartbeat,
    ParameterOverridden,
    PointValue,
    Reading,
    RuleSetActivated,
    Scan,
    Shelved,
    SiteEdited,
)
from ingest.stores.parquet import ParquetStore
from plantroom.rule_desk import ProgramRules
from plantroom.settings import Settings
from rules.engine import Engine
from rules.rule_set import RuleSet

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
HOST = "http://plant.local"
OWN = {"Origin": HOST}
SITE = """\
site: {id: s, zone: UTC}
buildings:
  - id: b
    assets:
      - {id: tank, class: tank, name: Roof tank, points: {tank_level: {cadence: 60 s}}}
      - id: cellar
        class: tank
        name: Cellar tank
        points: {tank_level: {cadence: 60 s}}
        rule_parameters: {own-high: {limit: 90}}
      - {id: shelved, class: tank, name: Old tank, points: {tank_level: {cadence: 60 s}}}
      - {id: rising, class: tank, name: New tank, points: {tank_level: {cadence: 60 s}}}
      - {id: bare, class: tank, name: Bare tank, points: [water_flow]}
      - {id: pump, class: pump, name: Pump, points: [run_status]}
"""
RULES = """\
rules:
  - id: own-high
    class: tank
    name: {en: Tank above the mark, zh: 水箱超过标记}
    severity: high
    parameters: {limit: {value: 55, unit: "%", note: the mark}, hold: {value: 10, unit: min}}
    when: tank_level > limit
    for: hold
    advice: Look at the valve
    zh: {advice: 检查阀门}
    tests:
      - {name: rises, series: {tank_level: "50x5 60x20"}, expect: [{at: 15 min, state: active}]}
  - {id: own-pump, class: pump, name: {en: Pump on}, severity: low, when: run_status == 1, advice: Look}
"""


class Host:
    """An engine that was told of the site, the rules, an override and a shelf, and has judged half an hour."""

    def __init__(self, rules: str = RULES) -> None:
        self.lock, self.engine, self.touched = threading.RLock(), Engine(allowance_us=2_000_000), 0
        start_us = to_us(NOW - timedelta(minutes=30))
        files = {"own.yaml": rules}
        entries: list[Entry] = [
            SiteEdited("site", start_us, {"site.yaml": SITE}),
            RuleSetActivated("rules", start_us, RuleSet.load(files).digest, files),
            ParameterOverridden("o", start_us, "own-high", "limit", "tank", 40.0),
            Shelved("s", start_us, "shelved", "own-high", to_us(NOW) + 10**12, "li.wei", "being rebuilt"),
        ]
        for minute in range(30):
            at_us = start_us + minute * 60_000_000
            levels = {"tank": 50.0, "cellar": 80.0, "shelved": 60.0, "rising": 60.0 if minute > 24 else 50.0}
            entries += [
                Scan(asset_id, at_us, complete=True, values=(PointValue("tank_level", level),))
                for asset_id, level in levels.items()
            ]
            entries.append(Heartbeat(at_us + 1_000_000))
        self.engine.feed(Commit(1, start_us, tuple(entries)))

    def touch(self) -> None:
        self.touched += 1


@pytest.fixture
def host() -> Host:
    return Host()


class Lacking(PreviewPlant):
    """One rule cannot judge the bare tank."""

    def not_applicable(self, asset_id: str | None = None) -> Sequence[RuleGap]:
        return [RuleGap("own-high", "bare", ("tank_level",))] if asset_id in (None, "bare") else []


class Watched(PreviewDoor):
    """The visitor watches her buildings and sees nothing of how they are judged."""

    def visit(self, session: str, bearer: str) -> Guest | None:
        guest = super().visit(session, bearer)
        return guest and Guest(Visitor("owner", "customer", frozenset({"watch"})))


@pytest.fixture
def rules(host: Host, tmp_path: Path) -> ProgramRules:
    return rules_of(host, tmp_path)


def rules_of(host: Host, folder: Path) -> ProgramRules:
    clock = JournalClock()
    clock.advance(to_us(NOW))
    return ProgramRules(Settings(var=folder / "var"), host, dict, clock, nice=0)


@pytest.fixture
def client(rules: ProgramRules) -> Client:
    return signed_in(rules, PreviewDoor("m.chen"))


def signed_in(rules: ProgramRules, door: PreviewDoor) -> Client:
    app = FastAPI()
    app.include_router(web_router(Lacking(NOW, site=SITE), door, rules=rules))
    client = Client(app, HOST)
    assert client.post("/login", data={"token": TOKEN}, headers=OWN).status_code == 303
    return client


def test_a_rule_is_shown_as_it_stands(rules: ProgramRules, client: Client) -> None:
    everything = frozenset({"tank", "cellar", "shelved", "rising", "bare", "pump"})
    detail = rules.detail("own-high", everything)
    assert detail is not None
    assert {row.asset_id: row.state for row in detail.assets} == {
        "tank": "active", "cellar": "quiet", "shelved": "shelved", "rising": "pending", "bare": "not_applicable",
    }  # fmt: skip
    assert {row.asset_id: dict(row.values) for row in detail.assets if row.values} == {
        "tank": {"limit": 40}, "cellar": {"limit": 90},
    }  # fmt: skip
    assert [(one.value, one.scope, one.source) for one in detail.parameters[0].settings] == [
        (90, "cellar", "site"), (40, "tank", "running"),
    ]  # fmt: skip
    page = client.get("/rules/own-high").text
    for text in ("Tank above the mark", "tank_level &gt; limit", "55 %", "while running", "site file", "Old tank",
                 "Look at the valve", "Nothing found", "Cannot judge it", "being rebuilt", "Pending", 'class="plot"',
                 "<code>hold</code> (10 min)", 'class="line l0"'):  # fmt: skip
        assert text in page, text
    chinese = client.get("/rules/own-high?lang=zh").text
    assert not half_width_on(chinese)
    for text in ("水箱超过标记", "检查阀门", "未发现问题", "条件表达式", "运行中设定"):
        assert text in chinese, text
    assert client.get("/rules/no-such").status_code == 404


def test_an_assets_page_shows_its_rules_with_their_terms_now(client: Client) -> None:
    rising = client.get("/assets/rising").text
    for text in ("Rules with their terms now", '<details class="fold" id="now-pending" open>', 'id="now-own-high"',
                 "If it stays so, raised at", "tank_level &gt; limit", "55 %", "must hold for: 10 min"):  # fmt: skip
        assert text in rising, text
    tank = client.get("/assets/tank").text
    for text in ('id="now-active" open', "40 %", "Roof tank · while running · the rule&#39;s own is 55 %"):
        assert text in tank, text
    assert "90 %" in (cellar := client.get("/assets/cellar").text)
    assert "site file" in cellar
    assert "What keeps it from holding: <code>tank_level &gt; limit</code>" in cellar
    for text in ("Shelved by li.wei", "being rebuilt", 'id="now-shelved"'):
        assert text in client.get("/assets/shelved").text, text
    bare = client.get("/assets/bare?lang=zh").text
    assert not half_width_on(bare)
    for text in ('id="now-lacking"', "不适用", "需要：水箱液位", "规则及其当前取值"):
        assert text in bare, text
    assert "No rule is meant for this class." not in rising


def test_who_may_not_see_rules_reads_which_cannot_judge_an_asset(rules: ProgramRules) -> None:
    client = signed_in(rules, Watched("owner"))
    bare = client.get("/assets/bare").text
    for text in ("Rules that cannot judge this asset", "own-high", "tank_level"):
        assert text in bare, text
    assert "Every rule for this class can judge this asset." not in bare
    assert "Rules with their terms now" not in bare
    assert "Every rule for this class can judge this asset." in client.get("/assets/tank").text


HELD = """\
  - id: own-still
    class: tank
    name: {en: Tank stands still}
    severity: low
    when: tank_level > 90 and held(tank_level) > 1200
    advice: Look
"""


def test_terms_are_said_as_parameters_are_and_chinese_has_its_own_marks(tmp_path: Path) -> None:
    client = signed_in(rules_of(Host(RULES + HELD), tmp_path), PreviewDoor("m.chen"))
    page = client.get("/assets/tank").text
    assert "<b>28 min 1 s</b> <code>held(tank_level)</code>" in page
    assert "must hold for: 10 min. It clears" in page
    chinese = client.get("/assets/tank?lang=zh").text
    assert not half_width_on(chinese)
    chinese = chinese[chinese.index('id="h-now"') :]
    assert "条件须持续：10 分。条件不再成立" in chinese
    assert not re.findall(r"[\u4e00-\u9fff][:.] ", re.sub(r"<[^>]+>", "", chinese))


def test_somebody_with_buildings_of_her_own_sees_only_those(rules: ProgramRules) -> None:
    seen = rules.detail("own-high", frozenset({"cellar"}))
    assert seen is not None
    assert [row.asset_id for row in seen.assets] == ["cellar"]
    assert [one.scope for one in seen.parameters[0].settings] == ["cellar"]
    assert [(line.active, line.judged) for line in rules.lines(frozenset({"cellar"}))] == [(0, 1), (0, 0)]


def test_the_list_shows_what_judges_here(client: Client) -> None:
    assert "own-high" in client.get("/rules?show=active&lang=en").text
    active = client.get("/rules?show=active").text
    assert "own-pump" not in active
    assert "own-pump" in client.get("/rules?class=pump").text
    assert "own-high" not in client.get("/rules?class=pump").text


def keep(folder: Path) -> None:
    """A day of the roof tank: the level rose to 60 and to 70 % for an hour each."""
    levels = [30] * 120 + [60] * 60 + [30] * 120 + [70] * 60 + [30] * 120
    store = ParquetStore(folder)
    store.write(1, 1, [
        Reading("tank", "tank_level", to_us(NOW - timedelta(minutes=len(levels) - index)), float(level))
        for index, level in enumerate(levels)
    ])  # fmt: skip
    store.close()


def wait_for(rules: ProgramRules, address: str) -> None:
    """Until a trial is over."""

    def is_over() -> bool:
        trial = rules.trial(address.rpartition("/")[2])
        return trial is not None and trial.state != "running"

    wait_until(is_over, 300, "the trial to end")


TUNE = {"kind": "tune", "days": "1", "parameter": "hold", "low": "", "high": "65"}
"""From half of its ten minutes."""


def test_a_rule_is_tuned_over_the_readings_kept(
    client: Client, rules: ProgramRules, host: Host, tmp_path: Path
) -> None:
    keep(tmp_path / "var" / "readings")
    assert client.post("/rules/own-high/trials", data=TUNE).status_code == 403, "not from our own page"
    assert client.post("/rules/own-high/trials", data=TUNE | {"days": "400"}, headers=OWN).status_code == 422
    for wrong, why in (({"parameter": "mark"}, "no parameter"), ({"high": "5"}, "is no span")):
        refused = client.post("/rules/own-high/trials", data=TUNE | wrong, headers=OWN)
        assert (refused.status_code, why in refused.text) == (409, True)
    begun = client.post("/rules/own-high/trials", data=TUNE, headers=OWN)
    assert begun.status_code == 303, begun.text
    trial = begun.headers["Location"]
    second = client.post("/rules/own-high/trials", data={"kind": "backtest", "days": "1"}, headers=OWN)
    assert (second.status_code, "one at a time" in second.text) == (409, True)
    assert client.get(f"{trial}/report").status_code == 404, "it is not done yet"
    assert "<progress" in client.get(trial).text
    wait_for(rules, trial)
    assert f'href="{trial}/report"' in client.get(trial).text, client.get(trial).text
    assert host.touched >= 1
    report = client.get(f"{trial}/report").text
    for text in ("WO-000001", "WO-000002", 'aria-labelledby="tune-t', "now 10 min", "Roof tank: the whole span",
                 "own-high.limit = 40 (tank)"):  # fmt: skip
        assert text in report, text
    assert "<style" not in report
    for path in ("/rules?show=all", "/rules/own-high", trial, f"{trial}/report"):
        ids = re.findall(r' id="([^"]+)"', client.get(path).text)
        assert len(ids) == len(set(ids)), path
        assert 'style="' not in client.get(path).text, path
    found = rules.report(trial.rpartition("/")[2])
    assert found is not None
    assert found.tuned is not None
    assert [(row.value, row.orders) for row in found.tuned.rows] == [(5, 2), (20, 2), (35, 2), (50, 2), (65, 0)]
    assert found.ran.digest == RuleSet.load({"own.yaml": RULES}).digest, "the rules in force"
    assert trial in client.get("/rules/own-high").text


def test_a_trial_that_cannot_be_says_why_and_one_that_runs_ends_with_the_program(
    client: Client, rules: ProgramRules
) -> None:
    begun = client.post("/rules/own-high/trials", data={"kind": "backtest", "days": "1"}, headers=OWN)
    wait_for(rules, begun.headers["Location"])
    assert "holds no readings" in client.get(begun.headers["Location"]).text
    again = client.post("/rules/own-high/trials", data={"kind": "backtest", "days": "1"}, headers=OWN)
    assert again.status_code == 303
    rules.close()
    assert "<progress" not in client.get(again.headers["Location"]).text
