"""The life of orders as a state machine: whatever people and data do, the promises hold. Both databases."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlmodel import Session

from facility.finding import Finding, FindingState
from facility.instant import to_us
from facility.registry import Registry
from plantroom.database import Database
from ticketing import repository
from ticketing.contract import PauseReason
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.lists import read_orders
from ticketing.order_clock import decide_clocks
from ticketing.order_terms import order_terms
from ticketing.outbox_rows import list_messages
from ticketing.repository import OrderQuery
from ticketing.roster import NoticeRule, Roster, Webhook
from ticketing.transition import Act, carry_out
from ticketing.views import WorkOrderView
from ticketing.watch import Instants, look
from ticketing.work_order import OPEN_STATUSES, Refused, Transition, Verb, Words, allowed_verbs

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
CAUSES = 3


class Life(RuleBasedStateMachine):
    """Three causes, two people who may be behind, and a clock that moves on. What each test adds: `place`."""

    database: Database
    book: ContractBook
    registry: Registry
    finding: NewFinding
    run = 0

    @initialize()
    def begin(self) -> None:
        Life.run += 1
        self.name = f"r{Life.run}"
        self.now = AT
        self.number = 0
        self.active: dict[int, list[Finding]] = {}
        self.seen: dict[str, tuple[tuple[Any, ...], ...]] = {}
        self.desk = Desk(self.book, lambda: self.registry)
        self.roster = Roster(ZoneInfo("UTC"), notices=(NoticeRule("opened", ("boss",)),),
                             webhooks=(Webhook("erp", "http://127.0.0.1:9/", "0" * 32),))  # fmt: skip

    @rule(minutes=st.integers(1, 600))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(cause=st.integers(0, CAUSES - 1))
    def a_finding_is_raised(self, cause: int) -> None:
        self.number += 1
        found = self.finding(
            rule=f"{self.name}-{self.number}", at=self.now, cause_key=f"{self.name}/{cause}", raised_us=to_us(self.now)
        )
        self.active.setdefault(cause, []).append(found)
        self.receive(found)

    @rule(cause=st.integers(0, CAUSES - 1))
    def the_data_recovers(self, cause: int) -> None:
        for found in self.active.pop(cause, []):
            self.receive(msgspec.structs.replace(found, state=FindingState.CLEARED, cleared_us=to_us(self.now)))

    @rule(cause=st.integers(0, CAUSES - 1))
    def the_same_findings_come_again(self, cause: int) -> None:
        before = len(self.orders())
        self.receive(*self.active.get(cause, []))
        assert len(self.orders()) == before

    @rule(
        pick=st.integers(0, 9),
        other=st.integers(0, 9),
        verb=st.sampled_from(list(Verb)),
        behind=st.booleans(),
        says=st.booleans(),
    )
    def a_person_acts(self, pick: int, other: int, verb: Verb, *, behind: bool, says: bool) -> None:
        orders = self.orders()
        if not orders:
            return
        order, second = orders[pick % len(orders)], orders[other % len(orders)]
        to = {Verb.RELEVEL: "entrapment"}.get(verb, second.number)
        words = Words("because", PauseReason.PARTS, to, "as agreed") if says else Words()
        version = order.version - 1 if behind and order.version > 1 else order.version
        with self.database.writing() as session:
            row = repository.find_order(session, order.id, lock=True)
            assert row is not None
            done = carry_out(session, self.book, row, Act(verb, "Li", self.now, words, version))
        after = next(one for one in self.orders() if one.id == order.id)
        if isinstance(done, Refused):
            assert done.what
            assert done.hint
            assert after.version == order.version
            if version != order.version:
                assert "changed since version" in done.what
        else:
            assert isinstance(done, Transition)
            assert verb in allowed_verbs(order.status)
            assert version == order.version
            assert after.version == order.version + 1

    @rule()
    def it_is_told(self) -> None:
        with self.database.writing() as session:
            while look(session, self.book, self.roster, Instants(self.now, self.now), lambda *_: ""):
                continue
        with self.database.reading() as session:
            hooks = [row for row in list_messages(session, None, 100_000, 0) if row.kind == "webhook"]
        lines = sum(len(order.history) for order in self.orders())
        mine = {order.id for order in self.orders()}
        assert len([row for row in hooks if row.work_order_id in mine]) == lines  # each line once

    @invariant()
    def a_cause_has_one_open_order(self) -> None:
        open_ones = [order.cause_key for order in self.orders() if order.status in OPEN_STATUSES]
        assert len(open_ones) == len(set(open_ones))

    @invariant()
    def history_is_only_appended_to_and_never_runs_backward(self) -> None:
        for order in self.orders():
            lines = tuple((line.at, line.verb, line.version, line.to_status, line.note) for line in order.history)
            assert lines[: len(self.seen.get(order.id, ()))] == self.seen.get(order.id, ())
            versions = [line.version for line in order.history]
            assert versions == sorted(versions)
            assert versions[-1] == order.version
            assert order.history[-1].to_status == order.status
            self.seen[order.id] = lines

    @invariant()
    def every_finding_is_in_one_order(self) -> None:
        with self.database.reading() as session:
            for found in (one for many in getattr(self, "active", {}).values() for one in many):
                assert found.id in repository.member_orders(session, [found.id])

    @invariant()
    def the_stored_deadlines_are_the_computed_ones(self) -> None:
        with self.database.reading() as session:
            for row in repository.list_orders(session, OrderQuery(limit=None)):
                self.compare(session, row.id)

    def compare(self, session: Session, order_id: str) -> None:
        row = repository.find_order(session, order_id)
        assert row is not None
        history = [repository.as_change(line) for line in repository.histories(session, [row.id])[row.id]]
        level = order_terms(self.book, row, history)
        if level is None or not row.cause_key.startswith(f"{self.name}/"):
            return
        decided_at = next(line.at for line in reversed(history) if line.version == row.version)
        clocks = decide_clocks(level, row.opened_at, history, decided_at)
        assert (row.response_due_at, row.next_due_at) == (clocks.response.deadline.due_at, clocks.next_due_at)

    def receive(self, *findings: Finding) -> None:
        with self.database.writing() as session:
            self.desk.receive(session, findings)

    def orders(self) -> list[WorkOrderView]:
        if not hasattr(self, "name"):
            return []
        with self.database.reading() as session:
            found = read_orders(session, self.book, OrderQuery(limit=None), self.now)
        return [order for order in found if order.cause_key.startswith(f"{self.name}/")]


def live(
    database: Database, book: ContractBook, registry: Registry, finding: NewFinding, examples: int, steps: int
) -> None:
    """Run the machine on one database; every example has causes of its own."""

    class Here(Life):
        pass

    Here.database, Here.book, Here.registry = database, book, registry
    Here.finding = staticmethod(finding)
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip


def test_a_short_life(database: Database, book: ContractBook, registry: Registry, finding: NewFinding) -> None:
    live(database, book, registry, finding, examples=3, steps=10)


@pytest.mark.soak
def test_a_long_life(database: Database, book: ContractBook, registry: Registry, finding: NewFinding) -> None:
    live(database, book, registry, finding, examples=20, steps=40)
