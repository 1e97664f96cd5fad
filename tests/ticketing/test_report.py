"""Reports: the same figures as page, table and PDF; what to change; Chinese that can be read."""

import csv
import io
import re
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html import unescape
from pathlib import Path

import pytest
from asking import Client, bare_app
from people import service_book

from facility.clock import JournalClock
from facility.finding import Finding
from facility.instant import to_us
from facility.registry import Registry
from plantroom.database import Database
from ticketing import repository
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.kpi import DEFINITIONS, By
from ticketing.kpi_figure import Figure, share
from ticketing.kpi_period import parse_period
from ticketing.report import Report, make_report
from ticketing.report_advice import advise
from ticketing.report_api import build_report_router
from ticketing.report_csv import csv_report
from ticketing.report_html import html_report
from ticketing.report_pdf import pdf_report
from ticketing.report_plot import line_plot
from ticketing.transition import Act, carry_out
from ticketing.work_order import Verb, Words

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
LATER = datetime(2026, 4, 2, tzinfo=UTC)
PENALTIES = """    penalties: {currency: CNY, terms: [{id: late, clause: "违约 5.1", amount: 500, clocks: [response]}]}
"""


@pytest.fixture
def book() -> ContractBook:
    return service_book(PENALTIES)


@pytest.fixture
def report(database: Database, book: ContractBook, registry: Registry, finding: NewFinding) -> Report:
    """March: one lift order kept, one late; one air handler waits."""
    desk = Desk(book, lambda: registry)
    for number, arrives in enumerate((1, 3)):
        with database.writing() as session:
            received = desk.receive(session, [finding(rule=f"door-{number}", title="<门> & 轿厢 stuck")])
        for verb, hours in ((Verb.ACKNOWLEDGE, arrives), (Verb.ARRIVE, arrives), (Verb.COMPLETE, arrives + 2)):
            with database.writing() as session:
                row = repository.find_order(session, received.opened[0], lock=True)
                assert row is not None
                carry_out(session, book, row, Act(verb, "Li", AT + timedelta(hours=hours), Words("as said")))
    with database.writing() as session:
        desk.receive(session, [finding(asset="ahu-1", rule="belt")])
    with database.reading() as session:
        return make_report(session, book, registry, parse_period("2026-03"), LATER)


def test_the_page_says_figures_penalties_and_what_to_change(report: Report) -> None:
    page = html_report(report)
    text = unescape(re.sub(r"<[^>]+>", " ", page))
    for one in DEFINITIONS:
        assert one.name in text
        assert one.text in text
    assert "违约 5.1" in text
    assert "Clause 违约 5.1: response of WO-000002 1 h over; 500 CNY per breach." in text
    assert "Response compliance is 33.3 %; the target is 95 %" in text
    assert page.count("<svg ") == 11
    assert "<门> & 轿厢" not in page  # what people write is escaped wherever it is shown
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_the_page_in_chinese(report: Report) -> None:
    page = html_report(report, "zh")
    assert '<html lang="zh-CN">' in page
    for word in ("服务报告 2026-03", "三项改进", "响应及时率为 33.3 %，目标 95 %", "违约金", "按设备类别"):
        assert word in page


def test_the_trend_ends_with_the_period_itself(report: Report) -> None:
    assert [str(period) for period, _ in report.trend] == [
        "2025-09", "2025-10", "2025-11", "2025-12", "2026-01", "2026-02", "2026-03"]  # fmt: skip
    assert report.trend[-1][1] is report.figures
    assert report.complete


def test_the_table_has_every_figure_of_every_group(report: Report) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_report(report).removeprefix("\ufeff"))))
    found = {(row["by"], row["group"], row["figure"]): row["value"] for row in rows}
    assert found["all", "all", "faults"] == "3.0"
    assert found["class", "elevator", "response_compliance"] == "50.0"
    assert found["class", "ahu", "satisfaction"] == ""
    assert found["all", "all", "penalties"] == "1000"
    breaches = [(row["clause"], row["breach"], row["currency"]) for row in rows if row["by"] == "penalty"]
    assert breaches == [("违约 5.1", "WO-000002 response", "CNY"), ("违约 5.1", "WO-000003 response", "CNY")]


def test_no_cell_of_the_table_is_a_formula(report: Report) -> None:
    evil = {By.BUILDING: {"=1+1": report.figures}}
    text = csv_report(replace(report, groups=evil))
    assert ",'=1+1," in text
    assert ",=1+1," not in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_pdf_can_be_read_and_is_the_same_twice(report: Report, language: str, tmp_path: Path) -> None:
    content = pdf_report(report, language)
    assert content.startswith(b"%PDF-")
    assert content == pdf_report(report, language)
    if shutil.which("pdftotext") is None:
        pytest.skip("no pdftotext: apt-get install poppler-utils")
    path = tmp_path / "report.pdf"
    path.write_bytes(content)
    read = subprocess.run(["pdftotext", "-enc", "UTF-8", path, "-"], check=True, capture_output=True)
    if b"Missing language pack" in read.stderr:
        pytest.skip("pdftotext has no tables for Chinese: apt-get install poppler-data")
    text = read.stdout.decode()
    words = ("服务报告", "响应及时率", "违约金") if language == "zh" else ("Service report", "Response compliance")
    for word in (*words, "违约 5.1", "WO-000002"):
        assert word in text.replace("\n", " "), word


def figures(**values: float) -> dict[str, Figure]:
    empty = {one.id: Figure(None, 0, 0) for one in DEFINITIONS}
    return empty | {name: Figure(value, value, 10) for name, value in values.items()}


def test_what_is_worst_comes_first_and_three_is_enough() -> None:
    now = figures(response_compliance=60, resolution_compliance=90, satisfaction=8.4, repeat_share=9, follow_up_rate=10)
    found = advise(now, {}, {}, [])
    assert [one.figure_id for one in found] == ["follow_up_rate", "repeat_share", "response_compliance"]
    assert found[0].text == "Follow-up rate is 10 %; the target is 80 %."


def test_what_grew_worse_weighs_more_and_names_who_is_behind_it() -> None:
    now, before = figures(response_compliance=70, satisfaction=6), figures(response_compliance=90, satisfaction=6)
    groups = {By.CLASS: {"elevator": figures(response_compliance=40), "ahu": figures(response_compliance=100)}}
    first, second = advise(now, before, groups, [])
    assert (first.figure_id, second.figure_id) == ("response_compliance", "satisfaction")
    assert first.text.endswith("the target is 95 %, 90 % before. Begin with class elevator (40 %).")
    assert first.text_zh == "响应及时率为 70 %，目标 95 %，上期 90 %。先从设备类别 elevator（40 %）着手。"


def test_when_every_target_is_met_there_is_nothing_to_change(report: Report) -> None:
    assert advise(figures(response_compliance=95), {}, {}, []) == []
    assert "Every target was met." in html_report(replace(report, advice=()))


def test_a_plot_has_a_gap_where_there_is_no_figure() -> None:
    svg = line_plot("A & B", [("1", 1.0), ("2", 2.0), ("3", None), ("4", 3.0)], "%", 2.5)
    assert (svg.count("<circle"), svg.count("<polyline"), svg.count('class="target"')) == (3, 1, 1)
    assert 'aria-label="A &amp; B"' in svg
    assert share(0, 0).value is None


def test_the_route_gives_each_format(database: Database, book: ContractBook, registry: Registry) -> None:
    app = bare_app()
    app.include_router(build_report_router(database, JournalClock(to_us(LATER)), book, lambda: registry))
    client = Client(app)
    for kind, media in (("html", "text/html"), ("csv", "text/csv"), ("pdf", "application/pdf")):
        answer = client.get("/api/report", params={"period": "2026-Q1", "format": kind, "language": "zh"})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(media)
        if kind == "html":  # what the policy lets in is the style that is there, and no other is
            styles = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
            allowed = [f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" for style in styles]
            assert f"style-src {' '.join(allowed)};" in answer.headers["content-security-policy"]
            assert "style=" not in answer.text
    assert client.get("/api/report", params={"period": "spring"}).status_code == 422
