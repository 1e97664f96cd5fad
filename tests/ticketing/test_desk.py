"""The desk on both databases: one cause one order, each finding in exactly one, the same again changes nothing."""

import shutil
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facility.finding import Finding, FindingState, Severity
from facility.instant import to_us
from plantroom.database import Database
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk, DeskBusyError
from ticketing.lists import read_findings, read_orders
from ticketing.repository import OrderQuery, find_order
from ticketing.transition import Act, carry_out
from ticketing.views import WorkOrderView
from ticketing.work_order import Refused, Verb, Words

NewFinding = Callable[..., Finding]
LATER = datetime(2027, 1, 1, tzinfo=UTC)


def orders(database: Database, book: ContractBook) -> list[WorkOrderView]:
    with database.reading() as session:
        return sorted(read_orders(session, book, OrderQuery(limit=None), LATER), key=lambda order: order.number)


def receive(database: Database, desk: Desk, *findings: Finding) -> None:
    with database.writing() as session:
        desk.receive(session, findings)


def cleared(finding: Finding, after: timedelta = timedelta(hours=1)) -> Finding:
    at_us = finding.raised_us + after // timedelta(microseconds=1)
    return msgspec.structs.replace(finding, state=FindingState.CLEARED, cleared_us=at_us)


def do(database: Database, book: ContractBook, *verbs: Verb, name: str = "1", at: datetime = LATER) -> None:
    for verb in verbs:
        with database.writing() as session:
            row = find_order(session, name, lock=True)
            assert row is not None
            assert not isinstance(
                carry_out(session, book, row, Act(verb, "Li", at, Words("as it was", to="Wang", override="as agreed"))),
                Refused,
            )


def test_a_finding_opens_an_order_with_level_deadlines_and_evidence(
    database: Database, book: ContractBook, desk: Desk, finding: NewFinding
) -> None:
    raised = finding(severity=Severity.CRITICAL)
    receive(database, desk, raised)
    (order,) = orders(database, book)
    opened_at = datetime(2026, 3, 2, 1, tzinfo=UTC)
    assert (order.number, order.status, order.kind, order.priority) == ("WO-000001", "open", "fault", 1)
    assert (order.opened_at, order.response_due_at) == (opened_at, opened_at + timedelta(minutes=30))
    assert order.resolution_due_at == opened_at + timedelta(hours=4)
    assert (order.contract_id, order.contract_revision, order.service_level) == ("demo-2026", 1, "entrapment")
    assert not order.default_level
    assert "clause 3.1" in order.level_reason
    assert order.findings == [order.finding_id] == [raised.id]
    assert order.diagnoses == ["Bearing", "Fan"]
    (evidence,) = order.evidence
    assert (evidence.value, evidence.unit, evidence.at) == (96.5, "degC", opened_at - timedelta(minutes=1))
    (line,) = order.history
    assert (line.verb, line.by, line.from_status, line.to_status, line.note) == (
        "open", "desk", None, "open", order.level_reason)  # fmt: skip


def test_no_matching_level_means_the_marked_default_level(
    database: Database, book: ContractBook, desk: Desk, finding: NewFinding
) -> None:
    receive(database, desk, finding(asset="ahu-1"))
    (order,) = orders(database, book)
    assert (order.service_level, order.default_level, order.priority) == ("default", True, 4)
    assert "default level applies" in order.level_reason
    assert order.response_due_at == datetime(
        2026, 3, 2, 10, 0, tzinfo=UTC
    )  # 9-12 and 13-18 in Shanghai are 8 open hours


@pytest.mark.parametrize("changes", [{"at": datetime(2025, 6, 1, tzinfo=UTC)}, {"building_id": "elsewhere"}])
def test_without_a_contract_in_force_an_order_is_opened_at_the_built_in_level(
    database: Database, book: ContractBook, desk: Desk, finding: NewFinding, changes: dict[str, Any]
) -> None:
    receive(database, desk, finding(**changes))
    (order,) = orders(database, book)
    assert (order.contract_id, order.contract_revision, order.default_level) == (None, None, True)
    assert order.response_due_at is not None
    assert order.resolution_due_at is not None


def test_an_asset_the_site_does_not_know_still_gets_an_order(
    database: Database, book: ContractBook, desk: Desk, finding: NewFinding
) -> None:
    receive(database, desk, finding(asset="gone-9"))
    assert [order.asset_id for order in orders(database, book)] == ["gone-9"]


def test_the_revision_in_force_when_it_was_raised_applies(
    database: Database, book: ContractBook, desk: Desk, finding: NewFinding
) -> None:
    change = datetime(2026, 6, 30, 16, tzinfo=UTC)  # local midnight
    receive(database, desk, finding(at=change), finding(rule="other", at=change - timedelta(microseconds=1)))
    first, second = orders(database, book)
    assert (first.contract_revision, first.response_due_at) == (2, change + timedelta(hours=1))
    assert (second.contract_revision, second.contract_id) == (1, "demo-2026")


def test_the_same_cause_joins_the_open_order_and_the_worse_one_is_noted(
    database: Database, book: ContractBook, desk: Desk, finding: NewFinding
) -> None:
    first = finding(cause_key="zone-7")
    worse = finding(asset="ahu-1", cause_key="zone-7", severity=Severity.CRITICAL)
    receive(database, desk, first, worse)
    (order,) = orders(database, book)
    assert sorted(order.findings) == sorted([first.id, worse.id])
    assert order.severity is Severity.HIGH
    assert order.history[1].verb == "join"
    assert "more severe than the order (high)" in order.history[1].note


def test_a_recovery_is_noted_once_and_leaves_the_order_open(
    database: Database, book: ContractBook, desk: Desk, finding: NewFinding
) -> None:
    raised = finding()
    receive(database, desk, raised, cleared(raised))
    receive(database, desk, cleared(raised))
    (order,) = orders(database, book)
    assert [line.verb for line in order.history] == ["open", "recover"]
    assert order.history[1].at == order.opened_at + timedelta(hours=1)
    assert order.status == "open"
    with database.reading() as session:
        (view,) = read_findings(session, active=False, limit=None)
        assert read_findings(session, active=True, limit=None) == []
    assert (view.state, view.work_order_id) == ("cleared", order.id)


def test_a_fault_that_comes_back_after_completion_joins_with_a_line(
    database: Database, book: ContractBook, desk: Desk, finding: NewFinding
) -> None:
    receive(database, desk, finding())
    do(database, book, Verb.ACKNOWLEDGE, Verb.ARRIVE, Verb.COMPLETE)
    receive(database, desk, finding(at=datetime(2026, 3, 3, tzinfo=UTC)))
    (order,) = orders(database, book)
    assert order.status == "completed"
    assert "came back after the order was completed" in order.history[-1].note


def test_a_fault_that_comes_back_after_closing_opens_a_new_order(
    database: Database, book: ContractBook, desk: Desk, finding: NewFinding
) -> None:
    receive(database, desk, finding())
    do(database, book, Verb.ACKNOWLEDGE, Verb.ARRIVE, Verb.COMPLETE, Verb.ACCEPT, Verb.CLOSE)
    receive(database, desk, finding(), finding(at=datetime(2026, 3, 3, tzinfo=UTC)))
    assert [(order.number, order.status) for order in orders(database, book)] == [
        ("WO-000001", "closed"), ("WO-000002", "open")]  # fmt: skip


@pytest.mark.parametrize("field", ["suppressed_by", "shelved_by"])
def test_a_suppressed_or_shelved_finding_is_kept_but_opens_no_order_until_it_is_free(
    database: Database, book: ContractBook, desk: Desk, finding: NewFinding, field: str
) -> None:
    receive(database, desk, finding(**{field: "someone"}))
    assert orders(database, book) == []
    with database.reading() as session:
        (view,) = read_findings(session, active=True, limit=None)
    assert view.work_order_id is None
    receive(database, desk, finding())
    assert len(orders(database, book)) == 1


def test_a_pending_finding_is_nobodys_business(
    database: Database, book: ContractBook, desk: Desk, finding: NewFinding
) -> None:
    receive(database, desk, finding(state=FindingState.PENDING))
    with database.reading() as session:
        assert read_findings(session, active=None, limit=None) == []
    assert orders(database, book) == []


def test_an_instant_keeps_its_microsecond_and_a_value_that_is_no_number_stays_readable(
    database: Database, book: ContractBook, desk: Desk, finding: NewFinding
) -> None:
    at = datetime(2026, 3, 2, 1, 2, 3, 456789, tzinfo=UTC)
    raised = finding(at=at)
    odd = msgspec.structs.replace(raised.evidence[0], value=float("nan"))
    receive(database, desk, msgspec.structs.replace(raised, evidence=(odd,)))
    (order,) = orders(database, book)
    assert order.opened_at == at
    assert order.evidence[0].value == "nan"


def test_a_rolled_back_transaction_leaves_nothing(
    database: Database, book: ContractBook, desk: Desk, finding: NewFinding
) -> None:
    with database.reading() as session:
        desk.receive(session, [finding()])
    assert orders(database, book) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_batches_and_replays_change_nothing(
    tmp_path: Path, upgraded_sqlite: Path, book: ContractBook, desk: Desk, finding: NewFinding, data: st.DataObject,
) -> None:  # fmt: skip
    stream: list[Finding] = []
    for step in range(data.draw(st.integers(1, 6))):
        at = datetime(2026, 3, 2, step, tzinfo=UTC)
        one = finding(asset=data.draw(st.sampled_from(["lift-1", "ahu-1"])), at=at, cause_key=data.draw(
            st.sampled_from(["a", "b"])))  # fmt: skip
        stream += [one, cleared(one, timedelta(minutes=data.draw(st.integers(1, 30))))]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=4)))
    results = []
    for replayed in (False, True):
        path = tmp_path / f"{uuid.uuid4().hex}.db"  # a file of its own: an old journal beside it would be taken for its
        shutil.copyfile(upgraded_sqlite, path)
        database = Database(f"sqlite:///{path}")
        if replayed:
            edges = [0, *cuts, len(stream)]
            for low, high in pairwise(edges):
                receive(database, desk, *stream[low:high])
                receive(database, desk, *stream[data.draw(st.integers(0, low)) : high])
        else:
            receive(database, desk, *stream)
        results.append(orders(database, book))
        database.close()
    assert results[0] == results[1]
    assert to_us(results[0][0].opened_at) == stream[0].raised_us


def test_a_storm_becomes_the_right_few_orders_without_losing_one(
    database: Database, book: ContractBook, desk: Desk, finding: NewFinding
) -> None:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    storm = [
        finding(at=start + timedelta(seconds=number), cause_key=f"zone-{number % 600 if number < 1_200 else 0}")
        for number in range(1_300)
    ]
    receive(database, desk, *storm, *[cleared(one) for one in storm[:700]])
    found = orders(database, book)
    assert len(found) == 600
    assert sorted(member for order in found for member in order.findings) == sorted(one.id for one in storm)
    assert sum(line.verb == "recover" for order in found for line in order.history) == 700
    assert len(found[0].findings) == 102


def test_an_order_whose_id_is_taken_is_reported_as_retryable(
    database: Database, book: ContractBook, desk: Desk, finding: NewFinding
) -> None:
    receive(database, desk, finding())
    do(database, book, Verb.CANCEL)
    with database.writing() as session:  # a hand that should not have been there
        session.execute(sa.text("DELETE FROM work_order_finding"))
    with pytest.raises(DeskBusyError, match="no orders could be opened in 20 tries"):
        receive(database, desk, finding())
