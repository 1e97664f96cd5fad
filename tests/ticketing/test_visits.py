"""Visits by meter, check lists with typed answers, and what the law lets nobody leave out, on both databases."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asking import Client, bare_app
from pictures import picture

from facility.clock import JournalClock
from facility.errors import InputError
from facility.finding import Finding, OrderKind
from facility.instant import to_us
from facility.registry import Registry
from plantroom.database import Database
from ticketing.api import build_router
from ticketing.attachment_api import build_attachment_router
from ticketing.attachment_desk import AttachmentDesk
from ticketing.attachment_store import AttachmentStore
from ticketing.checklist import judge_answer
from ticketing.checklist_api import build_checklist_router
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.contract_match import Match
from ticketing.desk import Desk
from ticketing.meter_rows import Shown, counted_since, keep_counter, keep_value
from ticketing.plan import Anchor, AnswerKind, CheckItem, LastVisit, MeterTerm, Visit, decide_visits, parse_every
from ticketing.preventive import due

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
TEXT = (Path(__file__).parents[1] / "data/ticketing/contract.yaml").read_text(encoding="utf-8")
PLAN = """
    preventive:
      - id: fortnight
        clause: "7.3"
        name: Half-month maintenance
        match: {class: elevator}
        every: half month
        first_on: 2026-03-02
        statutory: true
        checklist:
          - Clean the door sill
          - {text: Brake gap, answer: number, unit: mm, minimum: 0.3, maximum: 0.7}
          - {text: Rope, answer: choice, options: [good, worn, broken], fails: [broken]}
          - {text: Machine room, answer: photo}
      - {id: filters, name: Filters, match: {class: ahu}, meter: {name: run_hours, every: 500}}
"""


def book_of(plan: str = PLAN) -> ContractBook:
    text = TEXT.replace('    default_level: {clause: "1.9"', f'{plan[1:]}    default_level: {{clause: "1.9"', 1)
    return ContractBook([parse_contract(text, "contract.yaml")])


class Plant:
    """The routes, the minute's job, and a clock that the test moves."""

    def __init__(self, database: Database, registry: Registry, folder: Path) -> None:
        self.database, self.registry, self.book = database, registry, book_of()
        self.clock = JournalClock(to_us(AT))
        app = bare_app()
        desk = AttachmentDesk(AttachmentStore(folder))
        app.include_router(build_attachment_router(database, self.clock, desk))
        app.include_router(build_checklist_router(database, self.clock, self.book, lambda: registry))
        app.include_router(build_router(database, self.clock, self.book))
        self.client = Client(app)

    def later(self, **span: float) -> None:
        self.clock.advance(to_us(self.clock.now() + timedelta(**span)))

    def minute(self) -> tuple[str, ...]:
        with self.database.writing() as session:
            return due(session, Desk(self.book, lambda: self.registry), self.book, self.registry, self.clock.now())

    def post(self, path: str, status: int = 200, **body: Any) -> Any:  # noqa: ANN401 - any JSON
        answer = self.client.post(f"/api/{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def get(self, path: str) -> Any:  # noqa: ANN401 - any JSON
        answer = self.client.get(f"/api/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def attach(self, order: str, kind: str) -> str:
        answer = self.client.post(f"/api/work-orders/{order}/attachments?kind={kind}", content=picture())
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def arrive(self, order: str) -> None:
        for verb in ("acknowledge", "arrive"):
            self.post(f"work-orders/{order}/{verb}")


@pytest.fixture
def plant(database: Database, registry: Registry, tmp_path: Path) -> Plant:
    return Plant(database, registry, tmp_path / "attachments")


def refused(answer: Any) -> str:  # noqa: ANN401 - any JSON
    return " | ".join(answer["detail"].values())


def test_every_kind_of_answer_is_judged_and_a_failed_item_opens_one_fault_order(plant: Plant) -> None:
    (visit,) = plant.minute()
    url = f"work-orders/{visit}/checklist"
    assert [one["text"] for one in plant.get(url)["items"]][:2] == ["Clean the door sill", "Brake gap"]
    assert "answered on site" in refused(plant.post(url, 409, item=1, value="ok"))
    plant.arrive(visit)
    plant.post(url, item=1, value="ok", by="Wang")
    failed = plant.post(url, item=2, value="0.82", note="Left side.", by="Wang", severity="high")
    assert (failed["answered"], failed["items"][1]["passed"]) == (2, False)
    fault = plant.get(f"work-orders/{failed['items'][1]['order']}")
    assert (fault["title"], fault["severity"], fault["links"]) == (
        "Brake gap: 0.82 mm is above 0.7 mm", "high", ["WO-000001"])  # fmt: skip
    again = plant.post(url, item=2, value="0.9")
    assert again["items"][1]["order"] == fault["id"]
    assert len(plant.get("work-orders")) == 2
    assert plant.post(url, item=3, value="worn")["items"][2]["passed"]
    assert "is no photo of WO-000001; it has: none yet" in refused(plant.post(url, 422, item=4, value="attachment-17"))
    signature, photo = (plant.attach(visit, kind) for kind in ("signature", "photo"))
    assert f"it has: {photo}" in refused(plant.post(url, 422, item=4, value=signature))
    assert plant.post(url, item=4, value=photo)["items"][3]["value"] == photo
    for item, value, says in ((2, "wide", "'wide' is no number; write what was measured in mm"),
                              (2, "nan", "is no number"), (3, "odd", "write one of: good, worn, broken"),
                              (1, "perhaps", "write ok or failed")):  # fmt: skip
        assert says in refused(plant.post(url, 422, item=item, value=value))
    assert "no item 9" in refused(plant.post(url, 404, item=9, value="ok"))


def test_the_laws_visit_is_not_left_out_silently(plant: Plant) -> None:
    (visit,) = plant.minute()
    assert "asked for by law" in refused(plant.post(f"work-orders/{visit}/cancel", 409))
    plant.arrive(visit)
    plant.post(f"work-orders/{visit}/checklist", item=1, value="ok")
    told = refused(plant.post(f"work-orders/{visit}/complete", 409))
    assert "3 items of the check list are not answered: Brake gap; Rope; Machine room" in told
    done = plant.post(f"work-orders/{visit}/complete", override="Access was refused to the machine room.")
    assert done["history"][-1]["note"] == "3 items were not answered. Access was refused to the machine room."


def test_the_laws_visit_is_not_merged_away_silently(plant: Plant, finding: Callable[..., Finding]) -> None:
    (visit,) = plant.minute()
    with plant.database.writing() as session:
        worn = finding(rule="brake-wear", kind=OrderKind.PREVENTIVE)
        (other,) = Desk(plant.book, lambda: plant.registry).receive(session, [worn]).opened
    assert "asked for by law" in refused(plant.post(f"work-orders/{visit}/merge", 409, to=other))
    merged = plant.post(f"work-orders/{visit}/merge", to=other, note="Both are done on one day.")
    assert (merged["status"], merged["history"][-1]["note"][-25:]) == ("cancelled", "Both are done on one day.")


def test_a_visit_by_meter_is_due_when_the_meter_has_counted_enough_since_the_last_was_done(plant: Plant) -> None:
    plant.minute()
    meter = "assets/ahu-1/meters/run_hours"
    plant.post(meter, value=1000.0)
    assert plant.minute() == ()  # where it stands when it is first read is where it counts from
    plant.later(days=3)
    plant.post(meter, value=1499.0)
    assert plant.minute() == ()
    plant.later(days=1)
    plant.post(meter, value=1510.0)
    (visit,) = plant.minute()
    assert plant.minute() == ()
    order = plant.get(f"work-orders/{visit}")
    assert "By its meter: run_hours counted 510 since the last one; due at 500." in order["advice"]
    plant.arrive(visit)
    plant.post(f"work-orders/{visit}/complete")
    assert plant.minute() == ()  # its baseline is what the meter showed at the close
    plant.later(days=1)
    plant.post(meter, value=2009.0)
    assert plant.minute() == ()
    plant.later(days=1)
    plant.post(meter, value=2010.0)
    assert len(plant.minute()) == 1


def test_a_meter_that_goes_back_is_refused_unless_it_was_changed(plant: Plant) -> None:
    meter = "assets/ahu-1/meters/run_hours"
    plant.post(meter, value=90.0)
    plant.later(hours=1)
    assert "showed 90 already; 5 is less" in refused(plant.post(meter, 409, value=5.0))
    plant.post(meter, value=5.0, reset=True)
    assert plant.get(meter)["value"] == 5.0
    assert "did you mean 'ahu-1'" in refused(plant.post("assets/ahu-2/meters/run_hours", 404, value=1.0))
    assert plant.client.get("/api/assets/lift-1/meters/trips").status_code == 404


def test_what_a_meter_counted_goes_on_over_a_change_of_the_meter(database: Database) -> None:
    with database.writing() as session:
        for hour, value in enumerate((100.0, 140.0, 10.0, 30.0)):
            keep_value(session, "a", "m", Shown(value, AT + timedelta(hours=hour)), "Li")
        end = AT + timedelta(hours=9)
        assert counted_since(session, "a", "m", None, end) == 40 + 10 + 20
        assert counted_since(session, "a", "m", AT + timedelta(hours=1), end) == 10 + 20
        assert counted_since(session, "a", "other", None, end) is None


def test_a_counter_is_kept_once_an_hour(database: Database) -> None:
    with database.writing() as session:
        for minute, value in ((0, 1.0), (30, 2.0), (60, 3.0), (61, 0.0)):
            keep_counter(session, "a", "m", value, AT + timedelta(minutes=minute))
        assert counted_since(session, "a", "m", None, AT + timedelta(days=1)) == 2  # 1, 3, then from 0


def meter_visit(every: str | None, follows: Anchor = Anchor.FIXED) -> Visit:
    interval = parse_every(every) if every else None
    return Visit("v", "7", "v", Match(), interval, follows, meter=MeterTerm("trips", 100))


@pytest.mark.parametrize("follows", list(Anchor))
def test_whichever_comes_first(follows: Anchor) -> None:
    visit, begin = meter_visit("month", follows), date(2026, 1, 10)

    def days(counted: float, today: date, last: LastVisit | None = None) -> list[tuple[date, bool]]:
        known = {"v": last} if last is not None else {}
        found = decide_visits([visit], known, begin, today, {"v": counted})
        return [(one.due_on, bool(one.by_meter)) for one in found]

    done = LastVisit(date(2026, 1, 10), date(2026, 1, 10))
    assert days(99, date(2026, 1, 20), done) == []
    assert days(100, date(2026, 1, 20), done) == [(date(2026, 1, 20), True)]
    assert days(5, date(2026, 2, 10), done) == [(date(2026, 2, 10), False)]
    assert days(500, date(2026, 2, 10), done) == [(date(2026, 2, 10), False)]  # both on one day are one visit
    assert days(500, date(2026, 1, 25), LastVisit(date(2026, 1, 20), None, is_open=True)) == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("meter: {name: run_hours, every: 500}", "clause: '1'", "is never due; give `every`, `meter`, or both"),
        ("every: 500", "every: 0", "greater than 0"),
        ("every: 500}", "every: 500}, early_days: 3", "goes by its meter alone"),
        ("fails: [broken]", "fails: [torn]", "`fails` names ['torn'], which are none of the options"),
    ],
)
def test_a_wrong_plan_is_refused(old: str, new: str, says: str) -> None:
    assert old in PLAN
    with pytest.raises(InputError) as caught:
        book_of(PLAN.replace(old, new, 1))
    assert says in str(caught.value)


def test_a_signature_needs_a_name() -> None:
    with pytest.raises(ValueError, match="a signature needs the name"):
        judge_answer(CheckItem("Signed", AnswerKind.SIGNATURE), " ")
