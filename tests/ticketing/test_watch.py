"""What is told of orders, to whom and when: stored instants, each once, on both databases."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facility.finding import Finding, FindingState, Severity
from facility.instant import to_us
from facility.registry import Registry
from plantroom.database import Database
from ticketing.contract import PauseReason
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.desk import Desk
from ticketing.notice import notices_of_line
from ticketing.outbox_rows import list_messages
from ticketing.repository import find_order
from ticketing.roster_file import parse_roster
from ticketing.tables_outbox import OutboxRow
from ticketing.transition import Act, carry_out
from ticketing.watch import Instants, facts_of_order, look, send_digests
from ticketing.watch_rows import next_look
from ticketing.work_order import Change, Status, Transition, Verb, Words

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)  # 09:00 in Shanghai
DATA = Path(__file__).parents[1] / "data/ticketing"
SECRETS = {
    "WANG": "json://a",
    "LI": "json://b",
    "CHEN": "json://c",
    "ERP": "http://e",
    "ERP_SECRET": "0123456789abcdef",
}
TERMS = """escalations:
      - {id: half, clock: response, at: "50 %", to: lifts}
      - {id: near, clock: resolution, at: "1 h before", to: [manager, dispatcher]}
      - {id: over, clock: response, at: "30 min after", to: owner}"""


class Watch:
    """Orders under a contract with escalations, a roster, and whoever looks at them."""

    def __init__(self, database: Database, registry: Registry) -> None:
        contract = (DATA / "contract.yaml").read_text(encoding="utf-8")
        text = contract.replace('effective_at: "2026-01-01"', f'effective_at: "2026-01-01"\n    {TERMS}')
        self.book = ContractBook([parse_contract(text, "contract.yaml")])
        self.roster = parse_roster((DATA / "roster.yaml").read_text(encoding="utf-8"), "roster.yaml", SECRETS, registry)
        self.database, self.desk = database, Desk(self.book, lambda: registry)

    def receive(self, *findings: Finding) -> None:
        with self.database.writing() as session:
            self.desk.receive(session, findings)

    def act(self, verb: Verb, minutes: float, words: Words | None = None) -> None:
        with self.database.writing() as session:
            row = find_order(session, "1", lock=True)
            assert row is not None
            act = Act(verb, "Zhao", minute(minutes), words or Words("as it was"))
            assert isinstance(carry_out(session, self.book, row, act), Transition)

    def look(self, minutes: float) -> set[str]:
        """Look as of so many minutes after AT; the keys of the messages this put into the outbox, without the order."""
        before = set(self.messages())
        with self.database.writing() as session:
            instants = Instants(minute(minutes), minute(minutes))
            while look(session, self.book, self.roster, instants, _link):
                continue
            send_digests(session, self.roster, instants)
        return set(self.messages()) - before

    def messages(self) -> dict[str, OutboxRow]:
        with self.database.reading() as session:
            rows = list_messages(session, None, 1000, 0)
        return {_short(row.key): row for row in rows if row.kind != "digest"}

    def digests(self) -> list[OutboxRow]:
        with self.database.reading() as session:
            return [row for row in list_messages(session, None, 1000, 0) if row.kind == "digest"]

    def next_look(self) -> datetime | None:
        with self.database.reading() as session:
            return next_look(session)


def _short(key: str) -> str:
    parts = key.split("/")
    return "/".join("line" if part.isdigit() else part for part in parts[1:])


def _link(_: str, verb: Verb, who: str) -> str:
    return f"act:{verb}:{who}"


def minute(count: float) -> datetime:
    return AT + timedelta(minutes=count)


@pytest.fixture
def watch(database: Database, registry: Registry) -> Watch:
    return Watch(database, registry)


def test_an_opening_is_told_once_to_a_person_with_two_roles_and_to_other_systems(
    watch: Watch, finding: NewFinding
) -> None:
    watch.receive(finding())
    assert watch.look(0) == {"line/chen", "line/erp"}
    assert watch.look(1) == set()
    told = watch.messages()["line/chen"]
    assert told.subject == "WO-000001 opened: Motor hot"
    assert "lift-1, tower, severity high, priority 2" in told.body
    assert "Next deadline: 2026-03-02 11:00" in told.body
    assert "Acknowledge: act:acknowledge:chen" in told.body
    assert '"event": "opened"' in watch.messages()["line/erp"].body


def test_an_escalation_falls_due_at_its_stored_instant_and_is_told_once(watch: Watch, finding: NewFinding) -> None:
    watch.receive(finding())
    watch.look(0)
    assert watch.next_look() == minute(60)  # half of two hours
    assert watch.look(59.99) == set()
    assert watch.look(60) == {"half/wang", "half/chen"}
    assert watch.look(60) == watch.look(61) == set()
    assert watch.next_look() == minute(150)
    told = watch.messages()["half/wang"]
    assert (told.subject, told.late) == ("WO-000001，响应时限 50 %：Motor hot", False)


def test_what_fell_due_while_the_program_was_down_is_told_on_start_and_marked_late(
    watch: Watch, finding: NewFinding
) -> None:
    watch.receive(finding())
    watch.look(0)
    assert watch.look(170) == {"half/wang", "half/chen", "over/owner"}
    told = watch.messages()["half/chen"]
    assert told.late
    assert told.body.startswith("Late: this was due at 2026-03-02 10:00.")


def test_a_name_that_is_nobodys_is_kept_as_a_message_that_failed(watch: Watch, finding: NewFinding) -> None:
    watch.receive(finding())
    watch.look(150)
    told = watch.messages()["over/owner"]
    assert (told.state, told.error) == ("failed", "the roster knows no person, team or role 'owner'")


def test_an_escalation_whose_clock_has_stopped_is_not_told_and_what_waits_is_dropped(
    watch: Watch, finding: NewFinding
) -> None:
    watch.receive(finding())
    assert watch.look(60)
    watch.act(Verb.ACKNOWLEDGE, 61)
    watch.act(Verb.ARRIVE, 62)
    watch.look(62)
    assert {watch.messages()[f"half/{name}"].state for name in ("wang", "chen")} == {"dropped"}
    assert watch.look(500) == set()  # "over" was of the response clock
    assert watch.look(23 * 60) == {"near/chen"}


def test_a_pause_moves_what_is_to_come(watch: Watch, finding: NewFinding) -> None:
    watch.receive(finding())
    watch.act(Verb.ACKNOWLEDGE, 1)
    watch.act(Verb.ARRIVE, 2)
    hold = Words("belt", to="")
    with watch.database.writing() as session:
        row = find_order(session, "1", lock=True)
        assert row is not None
        parts = Words("belt", reason=PauseReason.PARTS)
        assert isinstance(carry_out(session, watch.book, row, Act(Verb.HOLD, "Zhao", minute(10), parts)), Transition)
    watch.look(10)
    assert watch.look(23 * 60 + 5) == set()
    watch.act(Verb.RESUME, 610, hold)  # ten hours later
    watch.look(23 * 60 + 6)
    assert watch.next_look() == minute(23 * 60 + 600)
    assert watch.look(23 * 60 + 600) == {"near/chen"}


NIGHT = timedelta(hours=14)  # 23:00 in Shanghai


def test_quiet_hours_hold_back_what_can_wait_and_never_an_entrapment(watch: Watch, finding: NewFinding) -> None:
    watch.receive(finding(at=AT + NIGHT), finding(rule="entrapment", at=AT + NIGHT, severity=Severity.CRITICAL))
    watch.look(14 * 60 + 60)
    with watch.database.reading() as session:
        rows = [row for row in list_messages(session, None, 100, 0) if row.key.endswith("half/wang")]
    due = {row.urgent: row.due_at for row in rows}
    assert due == {True: AT + NIGHT + timedelta(hours=1), False: datetime(2026, 3, 2, 23, tzinfo=UTC)}  # 07:00


def test_a_digest_tells_in_one_message_what_was_not_urgent(watch: Watch, finding: NewFinding) -> None:
    watch.receive(finding(), finding(rule="b", severity=Severity.CRITICAL))
    watch.look(0)
    with watch.database.reading() as session:
        waiting = {row.digest: row for row in list_messages(session, None, 100, 0) if row.person == "chen"}
    assert waiting[True].due_at == datetime(2026, 3, 3, 0, tzinfo=UTC)  # 08:00 on the next day
    assert waiting[False].urgent
    watch.look(23 * 60 - 1)
    assert watch.digests() == []
    watch.look(23 * 60)
    (digest,) = watch.digests()
    assert (digest.subject, digest.state, "Motor hot" in digest.body) == ("1 notices", "waiting", True)
    watch.look(23 * 60 + 1)
    assert len(watch.digests()) == 1


def test_who_is_dispatched_is_told_in_her_language_with_a_link_to_acknowledge(
    watch: Watch, finding: NewFinding
) -> None:
    watch.receive(finding())
    watch.look(0)
    watch.act(Verb.DISPATCH, 5, Words("Take the spare belt.", to="wang"))
    assert watch.look(5) == {"line/wang"}
    told = watch.messages()["line/wang"]
    assert told.subject == "WO-000001 已派给您：Motor hot"
    assert "接单：act:acknowledge:wang" in told.body


def test_what_the_program_says_to_an_order_is_told_in_the_readers_language(watch: Watch, finding: NewFinding) -> None:
    watch.receive(finding())
    with watch.database.reading() as session:
        row = find_order(session, "1")
        assert row is not None
        facts = facts_of_order(row)
    sent = Change(2, AT, Verb.DISPATCH, "desk", Status.OPEN, Status.OPEN, "Nearest.", "wang", note_zh="离得最近。")
    (told,) = (one for one in notices_of_line(facts, 1, sent, watch.roster, AT, _link) if one.person == "wang")
    assert "离得最近。" in told.body
    assert "Nearest" not in told.body


def test_a_recovery_drops_nothing_and_a_cancelled_order_is_looked_at_no_more(watch: Watch, finding: NewFinding) -> None:
    watch.receive(finding())
    watch.look(0)
    watch.receive(finding(state=FindingState.CLEARED, cleared_us=to_us(minute(2))))
    watch.look(2)
    assert watch.next_look() == minute(60)
    watch.act(Verb.CANCEL, 3)
    watch.look(3)
    assert watch.next_look() is None
