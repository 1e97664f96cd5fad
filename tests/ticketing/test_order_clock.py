"""The clocks of an order: response stops at arrive, resolution at complete, holds pause what the contract says."""

from datetime import UTC, datetime, timedelta

import pytest

from ticketing.contract import PauseReason, ServiceLevel
from ticketing.contract_book import ContractBook
from ticketing.order_clock import decide_clocks, pauses_of
from ticketing.work_order import Change, Status, Verb

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return AT + timedelta(minutes=minutes)


def line(verb: Verb, to: Status, minutes: int, before: Status, reason: PauseReason | None = None) -> Change:
    return Change(1, at(minutes), verb.value, "Li", to, before, "", reason.value if reason else None)


OPENING = Change(1, AT, "open", "desk", Status.OPEN)
ACKNOWLEDGED = line(Verb.ACKNOWLEDGE, Status.ACKNOWLEDGED, 5, Status.OPEN)
ARRIVED = line(Verb.ARRIVE, Status.ARRIVED, 20, Status.ACKNOWLEDGED)
HELD = line(Verb.HOLD, Status.HELD, 60, Status.ARRIVED, PauseReason.PARTS)
TOLD = Change(1, at(70), "recover", "desk", Status.HELD, Status.HELD)
RESUMED = line(Verb.RESUME, Status.ARRIVED, 180, Status.HELD)
COMPLETED = line(Verb.COMPLETE, Status.COMPLETED, 200, Status.ARRIVED)


@pytest.fixture
def lift(book: ContractBook) -> ServiceLevel:
    level = book.level("demo-2026", 1, "lift")  # 2 h and 24 h around the clock; parts and access pause resolution
    assert level is not None
    return level


def test_the_next_deadline_is_response_then_resolution_then_none(lift: ServiceLevel) -> None:
    response, resolution = at(120), at(24 * 60)
    assert decide_clocks(lift, AT, [OPENING, ACKNOWLEDGED], at(10)).next_due_at == response
    assert decide_clocks(lift, AT, [OPENING, ACKNOWLEDGED, ARRIVED], at(30)).next_due_at == resolution
    assert decide_clocks(lift, AT, [OPENING, ACKNOWLEDGED, ARRIVED, COMPLETED], at(300)).next_due_at is None


def test_a_clock_that_stopped_stays_as_it_was(lift: ServiceLevel) -> None:
    history = [OPENING, ACKNOWLEDGED, ARRIVED]
    early, late = (decide_clocks(lift, AT, history, at(minutes)) for minutes in (30, 3000))
    assert early.response == late.response
    assert early.response.stopped_at == at(20)
    assert not late.response.is_breached
    assert late.resolution.is_breached


def test_arriving_late_is_a_breach_and_at_the_deadline_is_none(lift: ServiceLevel) -> None:
    for minutes, breached in ((120, False), (121, True)):
        history = [OPENING, ACKNOWLEDGED, line(Verb.ARRIVE, Status.ARRIVED, minutes, Status.ACKNOWLEDGED)]
        assert decide_clocks(lift, AT, history, at(500)).response.is_breached is breached


def test_a_hold_moves_the_resolution_by_exactly_its_time_and_leaves_the_response(lift: ServiceLevel) -> None:
    history = [OPENING, ACKNOWLEDGED, ARRIVED, HELD, TOLD, RESUMED]
    clocks = decide_clocks(lift, AT, history, at(190))
    assert clocks.response.deadline.due_at == at(120)
    assert clocks.resolution.deadline.due_at == at(24 * 60 + 120)
    assert [(pause.from_at, pause.until_at) for pause in pauses_of(history)] == [(at(60), at(180))]


def test_while_held_the_deadline_is_the_one_if_work_resumed_now(lift: ServiceLevel) -> None:
    clocks = decide_clocks(lift, AT, [OPENING, ACKNOWLEDGED, ARRIVED, HELD, TOLD], at(90))
    assert clocks.resolution.deadline.due_at == at(24 * 60 + 30)
    assert clocks.resolution.deadline.is_paused
    assert clocks.resolution.deadline.left == timedelta(hours=23)


def test_an_entrapment_never_pauses(book: ContractBook) -> None:
    level = book.level("demo-2026", 1, "entrapment")
    assert level is not None
    clocks = decide_clocks(level, AT, [OPENING, ACKNOWLEDGED, ARRIVED, HELD], at(90))
    assert clocks.resolution.deadline.due_at == at(240)
    assert not clocks.resolution.deadline.is_paused


def test_cancelling_stops_both(lift: ServiceLevel) -> None:
    cancelled = line(Verb.CANCEL, Status.CANCELLED, 10, Status.OPEN)
    clocks = decide_clocks(lift, AT, [OPENING, cancelled], at(9000))
    assert (clocks.response.stopped_at, clocks.resolution.stopped_at) == (at(10), at(10))
    assert clocks.next_due_at is None
