"""Every page, in both languages, over the made-up building: true, escaped, self-contained and guarded."""

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from asking import Client
from fastapi import FastAPI
from preview.plant import TOKEN, PreviewDoor, PreviewPlant, site_text
from punctuation import half_width_on

from dashboards.web.router import web_router
from dashboards.web.static_files import static_file

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
HOST = "http://plant.local"
OWN = {"Origin": HOST}
CHINESE = {"Accept-Language": "zh-CN"}


def client_of(plant: PreviewPlant) -> Client:
    app = FastAPI()
    app.include_router(web_router(plant, PreviewDoor("m.chen")))
    client = Client(app, HOST)
    assert client.post("/login", data={"token": TOKEN}, headers=OWN).status_code == 303
    return client


@pytest.fixture
def plant() -> PreviewPlant:
    return PreviewPlant(NOW)


@pytest.fixture
def client(plant: PreviewPlant) -> Client:
    return client_of(plant)


def paths(plant: PreviewPlant) -> list[str]:
    assets = [f"/assets/{each}" for each in plant.registry().assets]
    findings = [f"/findings/{each.id}" for each in plant.findings()]
    orders = [f"/work-orders/{each.id}" for each in plant.work_orders()]
    lists = [
        "/",
        "/findings",
        "/findings?show=all",
        "/work-orders",
        "/work-orders?show=all&kind=fault",
        "/dead-letters",
    ]
    buildings = [f"/buildings/{each}" for each in plant.registry().buildings]
    spans = [f"/assets/ahu-1?span={span}" for span in ("1h", "24h", "7d", "30d")]
    return [*lists, "/health", "/login", *buildings, *assets, *spans, *findings, *orders]


class Links(HTMLParser):
    """What a page refers to, how its tags nest, and which ids it gives."""

    VOID = frozenset({"meta", "link", "img", "input", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.ids: list[str] = []
        self.inline: list[str] = []
        self.labelled: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src", "action", "formaction"):
                self.urls.append(value or "")
            if name == "id":
                self.ids.append(value or "")
            if name == "style" or name.startswith("on"):
                self.inline.append(f"{tag} {name}")
            if name in ("aria-labelledby", "for", "aria-describedby"):
                self.labelled += (value or "").split()
        if tag == "script" and not dict(attrs).get("src"):
            self.inline.append("script")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_opens_in_both_languages_and_needs_nothing_from_elsewhere(
    client: Client, plant: PreviewPlant, language: str
) -> None:
    client.cookies["plantroom_language"] = language
    for path in paths(plant):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["content-language"] == language
        page = Links(answer.text)
        assert page.open == ["html"] or not page.open, path
        assert not [url for url in page.urls if not url.startswith(("/", "?", "#")) or url.startswith("//")], path
        assert not page.inline, path
        assert len(page.ids) == len(set(page.ids)), path
        assert set(page.labelled) <= set(page.ids), path
        assert "http" not in re.sub(r'xmlns="[^"]*"', "", answer.text), path
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert not half_width_on(answer.text), path


def test_every_link_of_every_page_leads_somewhere(client: Client, plant: PreviewPlant) -> None:
    found = {url for path in paths(plant) for url in Links(client.get(path).text).urls if url.startswith("/")}
    targets = {url for url in found if not url.startswith("/work-orders/") or url.count("/") == 2} - {"/logout"}
    assert len(targets) > 30
    for url in sorted(targets):
        assert client.get(url).status_code == 200, url


def test_chinese_pages_have_no_english_left_of_ours(client: Client) -> None:
    text = client.get("/buildings/tower-a?lang=zh").text
    for word in ("Overview", "Open orders", "Newest findings", "min left", "Elevators", "Acknowledged"):
        assert word not in text
    for word in ("总览", "未完工单", "最新发现", "电梯", "乘客被困", "时区：Asia/Shanghai (UTC+8)", "模拟时间 ×60"):
        assert word in text


@pytest.mark.parametrize("asked", ["zh-TW,zh;q=0.9,en;q=0.5", "zh-Hant-HK", "zh-HK"])
def test_traditional_is_derived_from_simplified_for_whoever_asks(client: Client, asked: str) -> None:
    answer = client.get("/buildings/tower-a", headers={"Accept-Language": asked})
    assert answer.headers["content-language"] == "zh-Hant"
    for words in ('lang="zh-Hant"', "總覽", "未完工單", "電梯", "乘客被困", "時區：Asia/Shanghai", "小時"):
        assert words in answer.text, words
    for words in ("总览", "电梯", "小时"):
        assert words not in answer.text, words
    assert "總覽" in client.get("/?lang=hant").text
    assert "總覽" in client.get("/", headers={"Accept-Language": "en"}).text, "the choice is kept"


def test_the_language_is_kept_and_read_from_the_browser(client: Client) -> None:
    assert "总览" in client.get("/", headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}).text
    assert "Overview" in client.get("/", headers={"Accept-Language": "de, en;q=0.4, zh;q=nonsense"}).text
    client.get("/?lang=zh")
    assert "总览" in client.get("/", headers={"Accept-Language": "en"}).text
    assert "总览" in client.get("/?lang=fr").text


@pytest.mark.parametrize("path", ["/assets/none", "/buildings/none", "/findings/none", "/work-orders/none"])
def test_what_is_not_there_is_said_in_words(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "none" in answer.text
    assert "Back to the overview" in answer.text


@pytest.mark.parametrize(
    "path", ["/assets/%3Cscript%3E", "/findings/..%2f..%2fetc", "/static/..%2frouter.py", "/static/x"]
)
def test_strange_paths_are_refused_without_echoing_markup(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "<script>" not in answer.text


def test_every_text_is_escaped() -> None:
    nasty = "\"<script>alert(1)</script>&'"
    site = (
        site_text()
        .replace("name: Lift 1,", f"name: {json.dumps(nasty)},")
        .replace("name: Tower A", "name: '<b>Tower</b>'")
    )
    plant = PreviewPlant(NOW, site=site)
    client = client_of(plant)
    assert plant.registry().assets["lift-1"].name == nasty
    for path in paths(plant):
        text = client.get(path).text
        assert "<script>alert" not in text, path
        assert "<b>" not in re.sub(r"<b>(?!Tower|broken)", "", text), path
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in client.get("/assets/lift-1").text
    assert "&lt;b&gt;broken&lt;/b&gt;" in client.get("/dead-letters").text


def test_a_visitor_without_a_session_is_sent_to_sign_in_and_back(plant: PreviewPlant) -> None:
    app = FastAPI()
    app.include_router(web_router(plant, PreviewDoor()))
    client = Client(app, HOST)
    for path in paths(plant):
        if path != "/login":
            answer = client.get(path)
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/login?next=/")
    assert client.get("/live").status_code == 303
    order = plant.work_orders()[0]
    assert client.post(f"/work-orders/{order.id}/acknowledge", headers=OWN).status_code == 303
    assert plant.work_order(order.id) == order
    wrong = client.post("/login", data={"token": "wrong"}, headers=OWN)
    assert wrong.status_code == 401
    assert "Nobody has this token" in wrong.text
    right = client.post("/login", data={"token": f" {TOKEN}\n", "next": "/assets/ahu-1?span=1h"}, headers=OWN)
    assert right.headers["location"] == "/assets/ahu-1?span=1h"
    cookie = right.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie.split(";")[0].split("=")[1]
    assert client.get("/health").status_code == 200
    assert client.post("/logout", headers=OWN).headers["location"] == "/login"
    assert client.get("/health").status_code == 303


def test_a_program_reads_pages_by_bearer_token(plant: PreviewPlant) -> None:
    app = FastAPI()
    app.include_router(web_router(plant, PreviewDoor()))
    client = Client(app, HOST)
    assert client.get("/health", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert client.get("/health", headers={"Authorization": "Bearer wrong"}).status_code == 303
    assert client.cookies == {}


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example", "/\\evil", "javascript:1", "/a\nb"])
def test_signing_in_never_leads_to_another_site(plant: PreviewPlant, target: str) -> None:
    app = FastAPI()
    app.include_router(web_router(plant, PreviewDoor()))
    client = Client(app, HOST)
    answer = client.post("/login", data={"token": TOKEN, "next": target}, headers=OWN)
    assert answer.headers["location"] == "/"


def test_live_tells_the_time(client: Client) -> None:
    assert client.get("/live").json()["now_ms"] == NOW.timestamp() * 1000


@pytest.mark.parametrize(("lang", "units"), [("en", "d h min s"), ("zh", "天 小时 分 秒"), ("hant", "天 小時 分 秒")])
def test_countdowns_run_in_the_script_of_the_page(client: Client, lang: str, units: str) -> None:
    assert f'data-units="{units}"' in client.get(f"/?lang={lang}").text


def test_dark_by_choice_is_the_same_as_dark_by_the_system() -> None:
    css = static_file("style.css").decode()
    system = re.search(r":root:not\(\[data-theme=\"light\"\]\) \{(.*?)\}", css, re.DOTALL)
    chosen = re.search(r":root\[data-theme=\"dark\"\] \{(.*?)\}", css, re.DOTALL)
    assert system
    assert chosen
    assert system[1].split() == chosen[1].split()


def test_every_region_that_is_kept_true_names_what_it_shows(plant: PreviewPlant, client: Client) -> None:
    known = {"order", "finding", "values", "pending", "letters", "time", "pulse"}
    named = [one for path in paths(plant) for one in re.findall(r'data-live="([^"]*)"', client.get(path).text)]
    assert named
    assert {topic.partition("/")[0] for one in named for topic in one.split()} <= known
    assert all(one.split() for one in named)
    assert {len(topic.split("/")) for one in named for topic in one.split()} == {1, 3}


@pytest.mark.parametrize(("kind", "rate", "words"), [("real", "1.0", ""), ("scaled", "60", "Simulated time ×60"),
                                                     ("journal", "0.0", "Replayed time")])  # fmt: skip
def test_the_clock_is_shown_when_it_is_not_real(kind: str, rate: str, words: str) -> None:
    assert kind in ("real", "scaled", "journal")
    client = client_of(PreviewPlant(NOW, kind=kind))  # type: ignore[arg-type]  # the parameter is one of the three kinds
    text = client.get("/").text
    assert f'data-rate="{rate}"' in text
    assert ("chip clock" in text) == bool(words)
    assert words in text
    assert ("Time runs 60 times as fast here, deadlines too" in text) == (kind == "scaled")
    assert ("此处时间快 60 倍，时限也随之加快" in client.get("/", headers=CHINESE).text) == (kind == "scaled")
    assert "times as fast" not in client.get("/work-orders").text, "it is said once"


def test_times_stand_in_the_zone_of_the_building(client: Client) -> None:
    assert "Times in Asia/Shanghai (UTC+8)" in client.get("/assets/lift-1").text
    text = client.get("/assets/meter-1").text
    assert "Times in Europe/Berlin (UTC+1)" in text
    assert ">09:59:00</time>" in text


def test_a_single_building_is_the_first_page_and_an_empty_plant_says_what_to_do() -> None:
    one = site_text().split("  - id: mall")[0]
    assert "<h1>Tower A</h1>" in client_of(PreviewPlant(NOW, site=one)).get("/").text
    bare = "site: {id: s, zone: UTC}\nbuildings: [{id: b, name: Bare}]\n"
    text = client_of(PreviewPlant(NOW, site=bare)).get("/").text
    assert "No open orders." in text


@pytest.mark.parametrize("path", ["/work-orders", "/findings", "/buildings/tower-a"])
def test_lists_say_what_it_is_and_name_the_asset_once(client: Client, path: str) -> None:
    page = client.get(path).text
    assert ">Supply air off its set point</a>" in page
    assert "set point: ahu-1" not in page
