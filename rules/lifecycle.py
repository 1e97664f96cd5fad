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


def advance(judgement: Judgement, now_us: int) -> Step:
    """Look at a judgement at `now_us` and move it on; `memory.due_us` is when to look again at the latest.

    A false or Unknown condition discards the elapsed persistence. An Unknown clear condition clears nothing. A
    finding is raised at onset plus persistence, which is `now_us` because that instant is always a due one.
    """
    memory = judgement.memory
    step = Step.NOTHING
    if memory.phase == Phase.ACTIVE:
        values = judgement.look(now_us)
        if judgement.clear(values, now_us) is not True:
            memory.clearing_us = -1
        else:
            if memory.clearing_us < 0:
                memory.clearing_us = now_us
            if now_us >= memory.clearing_us + judgement.clear_persistence_us:
                memory.phase = Phase.IDLE
                step = Step.CLEARED
                judgement.when(values, now_us)  # for the instants at which it wants to be looked at again
            else:
                judgement.alarm.wake(memory.clearing_us + judgement.clear_persistence_us)
                judgement.wake_when_stale(now_us)
    elif (held := judgement.hold(now_us)) != HOLDS:
        memory.phase, memory.onset_us = Phase.IDLE, -1
        judgement.asleep = held if held < judgement.rule.program.hold.sleeps else AWAKE
    else:
        judgement.asleep = AWAKE
        if memory.phase == Phase.IDLE:
            memory.phase, memory.onset_us = Phase.PENDING, now_us
        if now_us >= memory.onset_us + judgement.persistence_us:
            memory.phase, memory.clearing_us = Phase.ACTIVE, -1
            step = Step.RAISED
            judgement.clear(judgement.values(now_us), now_us)  # for the instants at which to look again
        else:
            judgement.alarm.wake(memory.onset_us + judgement.persistence_us)
            judgement.wake_when_stale(now_us)
    memory.due_us = judgement.alarm.at_us
    return step


def discard(judgement: Judgement) -> None:
    """There was time nobody listened to: what was pending, clearing or counting starts anew."""
    memory = judgement.memory
    if memory.phase == Phase.PENDING:
        memory.phase, memory.onset_us = Phase.IDLE, -1
    memory.clearing_us = -1
    for term in memory.terms:
        term.since_us, term.known, term.times, term.numbers, term.value = -1, None, [], [], None
