"""The jobs of two processes on one database: one runs them, a change of leader keeps every deadline. Both databases."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from receiver import Receiver
from sqlmodel import select

from facility.clock import JournalClock
from facility.finding import Finding, Severity
from facility.instant import to_us
from facility.registry import Registry
from facility.site_file import parse_site
from plantroom.database import Database
from plantroom.jobs import LEASE, Jobs, Office
from ticketing import repository
from ticketing.attachment_store import PARTS, AttachmentStore
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.courier import Courier
from ticketing.desk import Desk
from ticketing.egress import Egress
from ticketing.lease import Lease, LeaseLostError
from ticketing.notice_apprise import tell
from ticketing.outbox_rows import list_messages
from ticketing.roster import Channel, Person, Roster, Webhook
from ticketing.tables_outbox import LeaseRow, OutboxRow
from ticketing.tables_plant import AssetRow, BuildingRow

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
TEXT = (Path(__file__).parents[1] / "data/ticketing/contract.yaml").read_text(encoding="utf-8")
NAMES = {("trapped", "zh"): "困人报警"}
TERMS = """escalations:
      - {id: half, clock: response, at: "50 %", to: li}
      - {id: over, clock: response, at: "30 min after", to: li}"""


class Plant:
    """What the jobs need of the engine's host."""

    def __init__(self, registry: Registry) -> None:
        self.registry, self.touched = registry, 0

    def rule_name(self, rule_id: str, language: str) -> str:
        return NAMES.get((rule_id, language), "")

    def touch(self) -> None:
        self.touched += 1


class Process:
    """One engine process, as far as its jobs go."""

    def __init__(
        self,
        name: str,
        url: str,
        clock: JournalClock,
        receiver: Receiver,
        registry: Registry,
        pictures: AttachmentStore | None = None,
        language: str = "en",
    ) -> None:
        text = TEXT.replace('effective_at: "2026-01-01"', f'effective_at: "2026-01-01"\n    {TERMS}')
        self.book = ContractBook([parse_contract(text, "contract.yaml")])
        li = Person(
            "li",
            "Li",
            language,
            skills=frozenset({"elevator"}),
            channels=(Channel("chat", f"json://127.0.0.1:{receiver.port}/"),),
        )
        hook = Webhook("erp", f"http://127.0.0.1:{receiver.port}/", "0" * 32)
        roster = Roster(ZoneInfo("Asia/Shanghai"), {"li": li}, webhooks=(hook,),
                        auto=frozenset({Severity.CRITICAL}))  # fmt: skip
        self.database = Database(url)
        self.lease = Lease(self.database, LEASE, name, clock)
        self.courier = Courier(self.lease, lambda: roster, tell, Egress("127.0.0.0/8"), clock, clock, name)
        office = Office(lambda: roster, self.lease, self.courier, lambda *_: "", clock, pictures=pictures)
        self.plant = Plant(registry)
        self.jobs = Jobs(self.database, self.plant, self.book, clock, office)

    def beat(self) -> bool:
        """One beat, and one more for what came back."""
        if not self.jobs.step():
            return False
        pause = threading.Event()
        while not self.courier.is_idle:
            pause.wait(0.01)
        return self.jobs.step()

    def rows(self) -> dict[str, OutboxRow]:
        with self.database.reading() as session:
            return {row.key: row for row in list_messages(session, None, 1000, 0)}


@pytest.fixture
def clock() -> JournalClock:
    return JournalClock(to_us(AT))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with closing(Receiver()) as listening:
        yield listening


@pytest.fixture
def two(
    database: Database, clock: JournalClock, receiver: Receiver, registry: Registry
) -> Iterator[tuple[Process, Process]]:
    url = database.url.render_as_string(hide_password=False)
    found = Process("one", url, clock, receiver, registry), Process("two", url, clock, receiver, registry)
    yield found
    for process in found:
        process.courier.close()
        process.database.close()


def at(clock: JournalClock, minutes: float) -> None:
    clock.advance(to_us(AT + timedelta(minutes=minutes)))


def test_the_database_has_the_buildings_and_assets_of_the_site_files_in_force(two: tuple[Process, Process]) -> None:
    one, _ = two

    def names() -> set[str]:
        with one.database.reading() as session:
            return {*session.exec(select(AssetRow.id)), *session.exec(select(BuildingRow.id))}

    one.beat()
    known = one.plant.registry
    assert names() == {*known.assets, *known.buildings} != set()
    site = "site: {id: s, zone: UTC}\nbuildings: [{id: b, assets: [{id: new, class: tank}]}]\n"
    one.plant.registry = parse_site(site, "site.yaml")
    one.beat()
    assert names() == {"b", "new"}


def test_a_beat_in_which_nothing_is_due_writes_nothing(two: tuple[Process, Process], clock: JournalClock) -> None:
    one, _ = two

    def leased_until() -> datetime:
        with one.database.reading() as session:
            return session.exec(select(LeaseRow.until)).one()

    one.beat()
    before = leased_until()
    clock.advance(clock.now_us() + 500_000)
    assert one.beat()
    assert leased_until() == before, "every transaction of the leaseholder moves it"
    clock.advance(clock.now_us() + 500_000)
    assert one.beat()
    assert leased_until() > before


def test_a_change_of_leader_keeps_every_deadline_and_tells_everything_once(
    two: tuple[Process, Process], clock: JournalClock, receiver: Receiver, registry: Registry, finding: NewFinding
) -> None:
    one, other = two
    with one.database.writing() as session:
        Desk(one.book, lambda: registry).receive(session, [finding(), finding(rule="b")])
    assert (one.beat(), other.beat()) == (True, False)
    assert receiver.wait_for(2)
    at(clock, 59.99)
    assert one.beat()
    assert len(receiver.taken) == 2
    at(clock, 60)  # both escalations fall due while the leader stands still
    clock.advance(clock.now_us() + 2_500_000)
    assert other.beat()
    told = {row.key: row.state for row in other.rows().values() if row.kind == "notice"}
    assert len(told) == 2
    assert set(told.values()) == {"delivered"}
    assert not one.beat()
    with pytest.raises(LeaseLostError):
        one.courier.step()
    at(clock, 150)
    assert other.beat()
    rows = other.rows()
    assert sorted(row.subject.split(",")[1].strip() for row in rows.values() if row.kind == "notice") == [
        "response 0:30:00 after: Motor hot", "response 0:30:00 after: Motor hot",
        "response 50 %: Motor hot", "response 50 %: Motor hot"]  # fmt: skip
    assert not any(row.late for row in rows.values())
    assert other.beat()
    assert len(other.rows()) == len(rows)


def test_an_escalation_leaves_in_the_beat_of_its_instant(
    two: tuple[Process, Process], clock: JournalClock, receiver: Receiver, registry: Registry, finding: NewFinding
) -> None:
    one, _ = two
    with one.database.writing() as session:
        Desk(one.book, lambda: registry).receive(session, [finding()])
    at(clock, 60)
    assert one.beat()
    (row,) = [row for row in one.rows().values() if row.kind == "notice"]
    assert (row.state, row.due_at, row.late) == ("delivered", AT + timedelta(hours=1), False)
    assert receiver.wait_for(2)


def test_an_entrapment_is_dispatched_and_told_by_the_program_itself(
    database: Database, clock: JournalClock, receiver: Receiver, registry: Registry, finding: NewFinding
) -> None:
    url = database.url.render_as_string(hide_password=False)
    one = Process("one", url, clock, receiver, registry, language="zh")
    with one.database.writing() as session:
        desk = Desk(one.book, lambda: registry)
        desk.receive(session, [finding(rule="trapped", severity=Severity.CRITICAL), finding()])
    assert one.beat()
    rows = {row.event: row for row in one.rows().values() if row.kind == "notice"}
    assert set(rows) == {"dispatched"}
    assert (rows["dispatched"].person, rows["dispatched"].state) == ("li", "delivered")
    assert rows["dispatched"].subject == "WO-000001 已派给您：困人报警：lift-1"
    with one.database.reading() as session:
        trapped, other = (repository.find_order(session, str(number)) for number in (1, 2))
    assert trapped is not None
    assert other is not None
    assert (trapped.assignee, other.assignee) == ("li", None)
    one.courier.close()
    one.database.close()


def test_a_leader_that_ends_hands_over_at_once(two: tuple[Process, Process]) -> None:
    one, other = two
    stop = threading.Event()
    assert one.beat()
    stop.set()
    one.jobs.run(stop)
    assert other.beat()


def test_a_picture_nobody_names_goes_within_five_hours_after_its_day(
    sqlite_file: Path, clock: JournalClock, receiver: Receiver, registry: Registry, tmp_path: Path
) -> None:
    url = f"sqlite:///{sqlite_file}"
    store = AttachmentStore(tmp_path / "attachments")
    path = store.folder / (name := store.put(b"nobody names me"))[:2] / name
    os.utime(path, (AT.timestamp(),) * 2)
    process = Process("one", url, clock, receiver, registry, store)
    turn = (int(name[:2], 16) - int(AT.timestamp()) // 60) % PARTS  # the minute that looks at its part of the folder
    at(clock, turn)
    assert process.jobs.step()
    assert path.exists()
    turns = range(1440 + turn, 1440 + turn + PARTS)
    at(clock, next(minute for minute in turns if (minute - turn) % PARTS == 0))
    assert process.jobs.step()
    assert not path.exists()
    process.courier.close()
    process.database.close()
