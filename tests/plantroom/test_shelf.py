"""Taking a rule out of view: what is handed to the journal, what is refused, and the pages and routes around it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from asking import Client
from fastapi import FastAPI
from preview.plant import TOKEN, PreviewDoor, PreviewPlant

from dashboards.web.router import web_router
from facility.clock import JournalClock
from facility.errors import PlantroomError
from facility.finding import Finding, FindingState, Severity
from facility.instant import from_us, to_us
from facility.reading import Commit, RuleSetActivated, Shelved, SiteEdited
from ingest.control import submit, waiting
from plantroom.shelf_desk import EngineShelf
from rules.engine import Engine

HOST = "http://plant.local"
OWN = {"Origin": HOST}
SITE = """
site: {id: demo, zone: UTC}
buildings: [{id: tower, assets: [{id: lift-1, class: elevator, points: [motor_temperature]}]}]
"""


class Host:
    """An engine that is fed what the spool holds, as ingest and the host do."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.engine, self.touched = folder, Engine(allowance_us=0), 0
        self.seq = 0
        self.feed(SiteEdited("1", 1, {"site.yaml": SITE}), RuleSetActivated("2", 2, "", {}))

    def feed(self, *events: SiteEdited | RuleSetActivated | Shelved) -> None:
        self.seq += 1
        self.engine.feed(Commit(self.seq, 3, events))

    def take_up(self) -> list[Shelved]:
        taken = [item for item in waiting(self.folder) if isinstance(item.event, Shelved)]
        for item in taken:
            assert isinstance(item.event, Shelved)
            self.feed(item.event)
            item.path.unlink()
        return [item.event for item in taken if isinstance(item.event, Shelved)]

    def shelves(self) -> list[object]:
        return list(self.engine.shelves())

    def touch(self) -> None:
        self.touched += 1


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path / "control")


@pytest.fixture
def hot(finding: Callable[..., Finding]) -> Finding:
    return finding(severity=Severity.HIGH)


def desk_of(host: Host, *found: Finding) -> tuple[EngineShelf, JournalClock]:
    clock = JournalClock(found[0].raised_us + 60_000_000)
    known = {one.id: one for one in found}
    return EngineShelf(host, known.get, lambda event: submit(host.folder, event), clock), clock  # type: ignore[arg-type]  # Host gives objects that are Shelf


def test_a_rule_is_out_of_view_for_a_time_with_a_reason_and_can_be_taken_back(host: Host, hot: Finding) -> None:
    desk, clock = desk_of(host, hot)
    desk.shelve(hot.id, timedelta(hours=8), by="e.zhou", reason="  the sensor is\nchanged on Friday ")
    assert list(desk.shelves()) == [], "it counts when the journal has it"
    (event,) = host.take_up()
    assert (event.asset_id, event.rule_id, event.by) == (hot.asset_id, hot.rule_id, "e.zhou")
    assert event.reason == "the sensor is changed on Friday"
    (shelf,) = desk.shelves()
    assert shelf.until_at == from_us(clock.now_us()) + timedelta(hours=8)
    desk.unshelve(hot.asset_id, hot.rule_id, by="e.zhou")
    host.take_up()
    assert list(desk.shelves()) == []
    assert host.touched == 2
    desk.shelve(hot.id, timedelta(hours=4), by="e.zhou", reason="again")
    host.take_up()
    clock.advance(clock.now_us() + to_us(from_us(0) + timedelta(hours=5)))
    assert list(desk.shelves()) == [], "its time is over"


@pytest.mark.parametrize(
    ("severity", "hours", "reason", "words"),
    [(Severity.HIGH, 8, "  ", "says nothing"), (Severity.HIGH, 8, "x" * 501, "too long"),
     (Severity.HIGH, 0, "why", "cannot be out of view"), (Severity.HIGH, 721, "why", "at most 30 d"),
     (Severity.CRITICAL, 25, "why", "at most 1 d"), (Severity.CRITICAL, 24, "why", "")],
)  # fmt: skip
def test_what_will_not_do_is_refused_in_words(
    host: Host, finding: Callable[..., Finding], severity: Severity, hours: int, reason: str, words: str
) -> None:
    found = finding(severity=severity)
    desk, _ = desk_of(host, found)
    if not words:
        desk.shelve(found.id, timedelta(hours=hours), by="e", reason=reason)
        return
    with pytest.raises(PlantroomError, match=words):
        desk.shelve(found.id, timedelta(hours=hours), by="e", reason=reason)
    assert host.take_up() == []


def test_nothing_is_shelved_that_is_not_there_or_over(
    host: Host, hot: Finding, finding: Callable[..., Finding]
) -> None:
    over = finding(rule="other", state=FindingState.CLEARED, cleared_us=hot.raised_us + 1)
    desk, _ = desk_of(host, hot, over)
    with pytest.raises(PlantroomError, match="no finding"):
        desk.shelve("none", timedelta(hours=1), by="e", reason="why")
    with pytest.raises(PlantroomError, match="has cleared"):
        desk.shelve(over.id, timedelta(hours=1), by="e", reason="why")
    with pytest.raises(PlantroomError, match="not out of view"):
        desk.unshelve(hot.asset_id, hot.rule_id, by="e")


def test_the_engineer_shelves_on_the_findings_page_and_sees_what_is_shelved(host: Host) -> None:
    plant = PreviewPlant(from_us(1_795_000_000_000_000))
    clock = JournalClock(to_us(plant.now))
    desk = EngineShelf(host, plant.finding, lambda event: submit(host.folder, event), clock)  # type: ignore[arg-type]  # as above
    app = FastAPI()
    app.include_router(web_router(plant, PreviewDoor("e.zhou"), shelf=desk))
    client = Client(app, HOST)
    client.post("/login", data={"token": TOKEN}, headers=OWN)
    active = next(one for one in plant.findings(active=True) if one.severity is not Severity.CRITICAL)
    critical = next(one for one in plant.findings(active=True) if one.severity is Severity.CRITICAL)
    assert "30 days" in client.get(f"/findings/{active.id}").text
    assert "30 days" not in client.get(f"/findings/{critical.id}").text
    path = f"/findings/{active.id}/shelve"
    assert client.post(path, data={"span": "8h", "reason": "x"}).status_code == 403, "another site's form"
    kept = client.post(path, data={"span": "", "reason": "a <b>word</b>"}, headers=OWN)
    assert (kept.status_code, "a &lt;b&gt;word&lt;/b&gt;</textarea>" in kept.text) == (422, True), (
        "what was typed stays"
    )
    done = client.post(path, data={"span": "8h", "reason": "works on it"}, headers=OWN)
    assert done.headers["location"] == f"/findings/{active.id}?done=shelved"
    assert "as soon as the journal has it" in client.get(done.headers["location"]).text
    host.take_up()
    listed = client.get("/findings/shelved?lang=zh").text
    for words in ("已搁置的规则", "works on it", "e.zhou", "恢复"):
        assert words in listed
    back = {"asset_id": active.asset_id, "rule_id": active.rule_id}
    assert client.post("/findings/shelved/back", data=back, headers=OWN).status_code == 303
    host.take_up()
    assert client.post("/findings/shelved/back", data=back, headers=OWN).status_code == 409
    assert client.post("/findings/none/shelve", data={"span": "8h", "reason": "x"}, headers=OWN).status_code == 404
