"""The life of an order: pure decisions, each with its reason."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketing.contract import PauseReason
from ticketing.work_order import (
    OPEN_STATUSES,
    Change,
    Order,
    Refusal,
    Refused,
    Status,
    Transition,
    Verb,
    Words,
    allowed_verbs,
    decide_transition,
)

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
SAID = Words("as it was", PauseReason.PARTS, to="Wang")
LIFE = (Verb.ACKNOWLEDGE, Verb.ARRIVE, Verb.COMPLETE, Verb.ACCEPT, Verb.CLOSE)


def opened() -> Order:
    return Order("wo_1", Status.OPEN, 1, (Change(1, AT, "open", "desk", Status.OPEN),))


def after(order: Order, decision: Transition | Refused) -> Order:
    assert isinstance(decision, Transition), decision
    change = decision.change
    return Order(order.id, change.to_status, change.version, (*order.history, change))


def reach(*verbs: Verb) -> Order:
    order = opened()
    for minute, verb in enumerate(verbs, 1):
        at = AT + timedelta(minutes=minute)
        order = after(order, decide_transition(order, verb, "Li", at, SAID))
    return order


def test_a_whole_life_stamps_each_step() -> None:
    order, stamps = opened(), []
    for verb in LIFE:
        decision = decide_transition(order, verb, "Li", AT)
        order = after(order, decision)
        assert isinstance(decision, Transition)
        stamps.append(decision.stamp)
    assert stamps == ["acknowledged_at", "arrived_at", "completed_at", "accepted_at", "closed_at"]
    assert (order.status, order.version, len(order.history)) == (Status.CLOSED, 6, 6)


@pytest.mark.parametrize(
    ("before", "verb", "what", "allowed"),
    [
        ((), Verb.COMPLETE, "cannot complete an order that is open", "acknowledge, cancel"),
        ((), Verb.CLOSE, "cannot close an order that is open", "acknowledge, cancel"),
        (
            LIFE[:1],
            Verb.ACKNOWLEDGE,
            "cannot acknowledge an order that is acknowledged (by Li)",
            "arrive, hold, cancel",
        ),
        (LIFE[:3], Verb.CANCEL, "cannot cancel an order that is completed", "accept"),
        ((*LIFE[:1], Verb.HOLD), Verb.ARRIVE, "cannot arrive an order that is held", "resume, cancel"),
        (LIFE, Verb.CANCEL, "cannot cancel an order that is closed", "Possible now: reopen."),
        ((Verb.CANCEL,), Verb.REOPEN, "cannot reopen an order that is cancelled", "nothing more is possible"),
    ],
)
def test_a_verb_that_is_wrong_for_the_state_says_what_is_possible(
    before: tuple[Verb, ...], verb: Verb, what: str, allowed: str
) -> None:
    refused = decide_transition(reach(*before), verb, "Wang", AT)
    assert isinstance(refused, Refused)
    assert refused.why is Refusal.WRONG_STATUS
    assert what in refused.what
    assert allowed in refused.hint


def test_a_stale_version_is_told_what_changed() -> None:
    refused = decide_transition(reach(Verb.ACKNOWLEDGE, Verb.ARRIVE), Verb.COMPLETE, "Wang", AT, version=1)
    assert isinstance(refused, Refused)
    assert refused.why is Refusal.STALE
    assert "changed since version 1: acknowledge by Li, then arrive by Li" in refused.what
    assert "version 3, arrived" in refused.hint


def test_a_version_that_never_was_is_refused() -> None:
    refused = decide_transition(opened(), Verb.ACKNOWLEDGE, "Wang", AT, version=7)
    assert isinstance(refused, Refused)
    assert "version 7 of the order does not exist; it is at version 1" in refused.what


def test_the_version_one_saw_is_accepted() -> None:
    assert isinstance(decide_transition(opened(), Verb.ACKNOWLEDGE, "Wang", AT, version=1), Transition)


def test_a_hold_needs_a_reason_and_names_them() -> None:
    refused = decide_transition(reach(Verb.ACKNOWLEDGE), Verb.HOLD, "Li", AT)
    assert isinstance(refused, Refused)
    assert refused.why is Refusal.NO_REASON
    assert "access, parts, third_party, customer, force_majeure" in refused.hint


@pytest.mark.parametrize("before", [LIFE[:1], LIFE[:2]])
def test_resume_goes_back_to_where_the_hold_began(before: tuple[Verb, ...]) -> None:
    order = reach(*before, Verb.HOLD, Verb.RESUME, Verb.HOLD, Verb.RESUME)
    assert order.status is reach(*before).status


def test_history_never_runs_backward() -> None:
    order = reach(Verb.ACKNOWLEDGE)
    decision = decide_transition(order, Verb.ARRIVE, "Li", AT - timedelta(days=1), Words("here"))
    assert isinstance(decision, Transition)
    assert decision.change.at == order.history[-1].at
    assert decision.change.note.startswith("here (the clock was behind")


@pytest.mark.parametrize(("version", "history"), [(0, opened().history), (1, ())])
def test_an_order_without_version_or_history_does_not_exist(version: int, history: tuple[Change, ...]) -> None:
    with pytest.raises(ValueError, match="order wo_1"):
        Order("wo_1", Status.OPEN, version, history)


@given(st.lists(st.tuples(st.sampled_from(list(Verb)), st.integers(-60, 60)), max_size=30))
def test_any_sequence_of_verbs_keeps_the_invariants(steps: list[tuple[Verb, int]]) -> None:
    order = opened()
    for verb, minutes in steps:
        possible = verb in allowed_verbs(order.status)
        at = AT + timedelta(minutes=minutes)
        decision = decide_transition(order, verb, "Li", at, SAID)
        assert isinstance(decision, Transition) is possible
        if isinstance(decision, Transition):
            order = after(order, decision)
        else:
            assert decision.allowed == allowed_verbs(order.status)
    instants = [change.at for change in order.history]
    assert instants == sorted(instants)
    assert [change.version for change in order.history] == list(range(1, order.version + 1))
    assert (order.status in OPEN_STATUSES) == bool(set(allowed_verbs(order.status)) - {Verb.REOPEN})
