"""Who is sent and why; what an entrapment changes; the visits of a day with and without OR-Tools."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from asking import Client, bare_app

from facility.clock import JournalClock
from facility.finding import Finding, OrderKind, Severity
from facility.instant import to_us
from facility.registry import Registry
from plantroom.database import Database
from ticketing import route_ortools
from ticketing.api import build_router
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.dispatch import Loads, Task, decide_dispatch, decide_moves, loads_of
from ticketing.dispatch_api import build_dispatch_router
from ticketing.roster import Certificate, Person, Roster
from ticketing.roster_file import parse_roster
from ticketing.route import Job, Orders, Worker, decide_day
from ticketing.work_order import Status

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)  # 09:00 in Shanghai
TEXT = (Path(__file__).parents[1] / "data/ticketing/roster.yaml").read_text(encoding="utf-8")
SECRETS = {"WANG": "json://a", "LI": "json://b", "CHEN": "json://c", "ERP": "http://e", "ERP_SECRET": "0" * 16}


@pytest.fixture
def roster(registry: Registry) -> Roster:
    return parse_roster(TEXT, "roster.yaml", SECRETS, registry)


def task(number: int = 1, kind: str = "elevator", priority: int = 2, due: float = 2, **more: object) -> Task:
    one = Task(f"wo_{number}", f"WO-{number:06d}", kind, "tower", priority, AT + timedelta(hours=due))
    return replace(one, **more)  # type: ignore[arg-type]  # fields of a task


def test_only_who_has_skill_and_certificate_may_go_and_the_choice_says_why(roster: Roster) -> None:
    choice = decide_dispatch(task(), roster, Loads(), AT)
    assert choice.chosen is not None
    assert choice.chosen.person.id == "wang"
    assert choice.explanation.en == (
        "wang: certificate 'lift mechanic' until 2026-12-31, on shift, in the building, in time. "
        "Others: li: has no skill for elevator."
    )


def test_a_certificate_that_has_expired_counts_no_more(roster: Roster) -> None:
    old = Certificate("lift mechanic", "elevator", date(2026, 3, 1))
    wang = replace(roster.people["wang"], certificates=(old,))
    choice = decide_dispatch(task(), replace(roster, people={"wang": wang}), Loads(), AT)
    assert choice.chosen is None
    assert choice.explanation.en == "Nobody can go: wang: certificate 'lift mechanic' expired on 2026-03-01"
    last_day = replace(wang, certificates=(replace(old, until=date(2026, 3, 2)),))
    assert decide_dispatch(task(), replace(roster, people={"wang": last_day}), Loads(), AT).chosen is not None


def test_zone_way_and_shift_decide(roster: Roster) -> None:
    people = {
        "far": Person("far", "Far", skills=frozenset({"ahu"}), home="annex"),
        "out": Person("out", "Out", skills=frozenset({"ahu"}), buildings=frozenset({"annex"})),
        "off": Person("off", "Off", skills=frozenset({"ahu"}), home="tower", shift=roster.people["li"].shift),
    }
    choice = decide_dispatch(task(kind="ahu"), replace(roster, people=people), Loads(), AT - timedelta(hours=3))
    assert [one.person.id for one in choice.candidates] == ["far", "off", "out"]
    assert "20 min away" in choice.candidates[0].explanation.en
    assert "on shift again in 2 h" in choice.candidates[1].explanation.en
    assert choice.candidates[2].explanation.en == "out: tower is outside her zone"


def test_of_two_the_one_with_less_to_do_goes(roster: Roster) -> None:
    busy = loads_of([task(7, "ahu", assignee="li")], roster, AT)
    choice = decide_dispatch(task(kind="ahu"), roster, busy, AT)
    assert choice.chosen is not None
    assert choice.chosen.person.id == "wang"
    assert "behind 1 that goes first" in choice.candidates[1].explanation.en


def test_an_entrapment_goes_before_what_somebody_does_and_others_take_that_over(roster: Roster) -> None:
    mine = [task(5, "ahu", due=1.2, assignee="wang"), task(6, "ahu", due=9, assignee="wang")]
    loads = loads_of(mine, roster, AT)
    choice = decide_dispatch(task(1, priority=1, due=0.5), roster, loads, AT)
    assert choice.chosen is not None
    assert (choice.chosen.person.id, choice.chosen.there_at) == ("wang", AT)
    assert [one.number for one in choice.chosen.interrupts] == ["WO-000005", "WO-000006"]
    (move,) = decide_moves(choice, replace(roster, visit_time=timedelta(hours=2)), loads, AT)
    assert (move.task.number, move.to) == ("WO-000005", "li")
    assert "wang goes to WO-000001 first and would come too late" in move.reason.en
    there = [replace(one, status=Status.ARRIVED) for one in mine]
    held = loads_of(there, roster, AT)
    assert decide_moves(decide_dispatch(task(1, priority=1), roster, held, AT), roster, held, AT) == []


@pytest.fixture
def client(database: Database, book: ContractBook, roster: Roster, registry: Registry) -> Client:
    app, clock = bare_app(), JournalClock(to_us(AT))
    app.include_router(build_router(database, clock, book))
    app.include_router(build_dispatch_router(database, clock, book, lambda: roster, lambda: registry))
    return Client(app)


def test_dispatch_over_the_api_writes_who_and_why_and_replans_for_an_entrapment(
    client: Client, database: Database, desk: Desk, finding: NewFinding
) -> None:
    with database.writing() as session:
        desk.receive(session, [finding(), finding(rule="b", asset="ahu-1", kind=OrderKind.PREVENTIVE)])
    thought = client.get("/api/work-orders/1/candidates").json()
    sent = client.post("/api/dispatch/1").json()
    assert thought == sent
    assert sent["chosen"] == "wang"
    order = client.get("/api/work-orders/1").json()
    assert (order["assignee"], order["history"][-1]["verb"], order["history"][-1]["by"]) == (
        "wang", "dispatch", "dispatch")  # fmt: skip
    assert "certificate 'lift mechanic'" in order["history"][-1]["note"]
    with database.writing() as session:
        desk.receive(session, [finding(rule="trapped", severity=Severity.CRITICAL)])
    urgent = client.post("/api/dispatch/3").json()
    assert (urgent["chosen"], "WO-000001 waits" in urgent["explanation"]) == ("wang", True)
    assert client.post("/api/dispatch/9").status_code == 404


def test_nobody_can_go_is_a_refusal_with_every_reason(
    database: Database, book: ContractBook, registry: Registry, roster: Roster, desk: Desk, finding: NewFinding
) -> None:
    later = datetime(2027, 1, 5, 2, tzinfo=UTC)
    with database.writing() as session:
        desk.receive(session, [finding(at=later)])
    app = bare_app()
    app.include_router(
        build_dispatch_router(database, JournalClock(to_us(later)), book, lambda: roster, lambda: registry)
    )
    answer = Client(app).post("/api/dispatch/1")
    assert answer.status_code == 409
    told = answer.json()["detail"]["what"]
    assert told.startswith("Nobody can go: ")
    assert "wang: certificate 'lift mechanic' expired on 2026-12-31" in told
    assert "li: has no skill for elevator" in told


# --- the visits of a day ---------------------------------------------------------------------------------------------

DAY = date(2026, 3, 2)
SHANGHAI = ZoneInfo("Asia/Shanghai")
KM = {("home", "a"): 10, ("home", "b"): 40, ("a", "b"): 30}


def local(hour: float) -> datetime:
    return datetime.combine(DAY, time(), SHANGHAI).astimezone(UTC) + timedelta(hours=hour)


def way(one: str, other: str) -> timedelta:
    return timedelta(minutes=0 if one == other else KM.get((one, other), KM.get((other, one), 60)))


def job(name: str, place: str = "a", opens: float = 0, due: float = 24, **more: object) -> Job:
    hours = [(local(9), local(17))]
    who = frozenset({"li", "wang"})
    one = Job(name, name, f"asset-{name}", place, local(opens), local(due), timedelta(hours=1), True, who, hours)
    return replace(one, **more)  # type: ignore[arg-type]  # fields of a job


LI = Worker("li", "home", [(local(8), local(12)), (local(13), local(18))])
WANG = Worker("wang", "home", [(local(8), local(12)), (local(13), local(18))])
MANY = [job(f"{place}{number}", place) for place in "ab" for number in range(4)]


@pytest.mark.parametrize("solver", ["plain", "or-tools"])
def test_a_day_keeps_windows_service_hours_shifts_and_who_may_do_what(solver: str) -> None:
    jobs = [
        *MANY,
        job("early", due=10.5),
        job("late", opens=15, due=16.5),
        job("hers", "b", workers=frozenset({"wang"})),
    ]
    plan = decide_day(DAY, jobs, [LI, WANG], way, _wanted(solver, jobs, [LI, WANG]), solver)
    stops = {stop.job.order_id: (route.person, stop) for route in plan.routes for stop in route.stops}
    assert {one for one, _ in plan.left} == set()
    assert len(stops) == len(jobs)
    for person, stop in stops.values():
        assert person in stop.job.workers
        assert stop.job.opens_at <= stop.starts_at
        assert stop.ends_at <= stop.job.due_at
        assert any(low <= stop.starts_at and stop.ends_at <= high for low, high in LI.hours)
        assert any(low <= stop.starts_at and stop.ends_at <= high for low, high in stop.job.hours)
    assert stops["early"][1].ends_at <= local(10.5)
    assert stops["hers"][0] == "wang"
    for route in plan.routes:
        for before, after in zip(route.stops, route.stops[1:], strict=False):
            assert before.ends_at + after.travel <= after.starts_at


def _wanted(solver: str, jobs: Sequence[Job], workers: Sequence[Worker]) -> Orders | None:
    if solver == "plain":
        return None
    if not route_ortools.is_installed():
        pytest.skip("OR-Tools is not installed: pip install 'plantroom[planning]'")
    wanted = route_ortools.order_visits(jobs, workers, way)
    assert wanted is not None
    return wanted


def test_or_tools_does_not_travel_more_than_the_plain_method() -> None:
    workers = [LI, WANG]
    plain = decide_day(DAY, MANY, workers, way)
    better = decide_day(DAY, MANY, workers, way, _wanted("or-tools", MANY, workers), "or-tools")
    assert sum((route.travel for route in better.routes), timedelta(0)) <= sum(
        (route.travel for route in plain.routes), timedelta(0)
    )


def test_what_is_left_over_says_why() -> None:
    jobs = [job("nobody", workers=frozenset()), job("night", hours=[(local(20), local(22))]), job("may", must=False)]
    jobs += [job(f"x{number}") for number in range(9)]
    plan = decide_day(DAY, jobs, [LI], way)
    reasons = {one.order_id: reason for one, reason in plan.left}
    assert reasons["nobody"] == "nobody in the roster may do it (skill, certificate or zone)"
    assert reasons["night"] == "its window and service hours leave no time within a shift"
    assert reasons["may"] == "no time is left in the shifts of those who may do it"


def test_the_day_over_the_api(client: Client, database: Database, desk: Desk, finding: NewFinding) -> None:
    visit = finding(rule="plan.monthly", kind=OrderKind.PREVENTIVE, asset="ahu-1", cause_key="visit")
    with database.writing() as session:
        desk.receive(session, [visit], planned={visit.id: local(24)})
    plan = client.get("/api/dispatch/day").json()
    assert (plan["on"], plan["left"]) == ("2026-03-02", [])
    ((route,), (stop,)) = plan["routes"], plan["routes"][0]["stops"]
    assert (route["person"] in ("li", "wang"), stop["asset_id"], stop["starts_at"]) == (True, "ahu-1", "09:00")
    assert client.get("/api/dispatch/day", params={"on": "x"}).status_code == 422
    assert client.get("/api/dispatch/day", params={"on": "2026-03-01"}).json()["routes"] == []
