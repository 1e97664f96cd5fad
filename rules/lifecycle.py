"""From a condition to a finding: idle, pending while the persistence runs, active, cleared. All in event time."""

from enum import Enum

from rules.judgement import Judgement
from rules.memory import Phase
from rules.program import AWAKE, HOLDS


class Step(Enum):
    """What one look at a judgement brought."""

    NOTHING = 0
    RAISED = 1
    CLEARED = 2
    CHANGED = 3


def advance(judgement: Judgement, now_us: int) -> Step:
    """Look at a judgement at `now_us` and move it on; `memory.due_us` is when to look again at the latest.

    A false or Unknown condition discards the elapsed persistence, unless the rule forgives it for a while. An Unknown
    clear condition clears nothing. A finding is raised at onset plus persistence, which is `now_us` because that
    instant is always a due one; when the condition failed just then and was forgiven, once it holds again.
    """
    memory = judgement.memory
    if not memory.phase and (held := judgement.hold(now_us)) != HOLDS:  # nearly always: idle, and it does not hold
        if held != AWAKE or judgement.asleep is not None:
            judgement.rest(held, now_us)
        memory.due_us = judgement.alarm.at_us
        return Step.NOTHING
    step = _hold_on(judgement, now_us) if judgement.active else _rise(judgement, now_us)
    memory.due_us = judgement.alarm.at_us
    if judgement.returns:
        judgement.note_return()
    return step


def _hold_on(judgement: Judgement, now_us: int) -> Step:
    """An active finding stays, or clears once its clear condition has held: a latched one not before a visit, a
    flapping one not before it was quiet for long.
    """
    memory, values = judgement.memory, judgement.look(now_us)
    if judgement.clear(values, now_us) is not True:
        memory.clearing_us = -1
        returned, memory.latched = memory.latched, False
        return Step.CHANGED if returned else Step.NOTHING
    if memory.clearing_us < 0:
        memory.clearing_us = now_us
    quiet_us = judgement.quiet_us
    if now_us >= memory.clearing_us + quiet_us:
        if judgement.rule.latch and not memory.released:
            latches, memory.latched = not memory.latched, True
            return Step.CHANGED if latches else Step.NOTHING
        memory.phase = Phase.IDLE
        judgement.when(values, now_us)  # for the instants at which it wants to be looked at again
        return Step.CLEARED
    judgement.alarm.wake(memory.clearing_us + quiet_us)
    judgement.wake_when_stale(now_us)
    return Step.NOTHING


def _rise(judgement: Judgement, now_us: int) -> Step:
    """Idle becomes pending becomes active, or pending idle."""
    memory, held = judgement.memory, judgement.hold(now_us)
    if held != HOLDS:
        if _forgiven(judgement, now_us):
            judgement.wake_up()
        else:
            memory.phase, memory.onset_us, memory.lapsed_us = Phase.IDLE, -1, -1
            judgement.rest(held, now_us)
        return Step.NOTHING
    judgement.wake_up()
    if memory.phase == Phase.IDLE:
        memory.phase, memory.onset_us, memory.delayed_us = Phase.PENDING, now_us, 0
    memory.lapsed_us = -1
    if now_us >= memory.onset_us + judgement.persistence_us:
        memory.phase, memory.clearing_us = Phase.ACTIVE, -1
        memory.latched = memory.released = False
        _count_raise(judgement, now_us)
        if judgement.forgive_us:
            memory.delayed_us = now_us - memory.onset_us - judgement.persistence_us
        judgement.clear(judgement.values(now_us), now_us)  # for the instants at which to look again
        return Step.RAISED
    judgement.alarm.wake(memory.onset_us + judgement.persistence_us)
    judgement.wake_when_stale(now_us)
    return Step.NOTHING


def _count_raise(judgement: Judgement, now_us: int) -> None:
    rule, memory = judgement.rule, judgement.memory
    if rule.flapping_times:
        lately = [at for at in memory.raises if at > now_us - rule.flapping_us]
        memory.raises = [*lately, now_us][-rule.flapping_times :]
        memory.flapping = len(memory.raises) >= rule.flapping_times


def _forgiven(judgement: Judgement, now_us: int) -> bool:
    """Whether a failing condition may still come back without starting anew."""
    memory = judgement.memory
    if memory.phase != Phase.PENDING or not judgement.forgive_us:
        return False
    if memory.lapsed_us < 0:
        memory.lapsed_us = now_us
    until_us = memory.lapsed_us + judgement.forgive_us
    if now_us < until_us:
        judgement.alarm.wake(until_us)
    return now_us < until_us


def discard(judgement: Judgement) -> None:
    """There was time nobody listened to: what was pending, clearing or counting starts anew."""
    memory = judgement.memory
    if memory.phase == Phase.PENDING:
        memory.phase, memory.onset_us = Phase.IDLE, -1
    memory.clearing_us = memory.lapsed_us = -1
    for term in memory.terms:
        term.since_us, term.known, term.times, term.numbers, term.value = -1, None, [], [], None
        term.slot = ""
