"""Findings whose rule, asset or point is gone, or whose rule reads otherwise now: they clear, so no order hangs."""

from collections.abc import Mapping

import msgspec

from facility.finding import Finding, FindingState
from rules.memory import JudgementMemory


def clear_vanished(
    before: Mapping[str, JudgementMemory], after: Mapping[str, JudgementMemory], at_us: int
) -> list[Finding]:
    """The cleared findings of judgements in `before` that did not live on in `after`, as of `at_us` (event time)."""
    return [
        clear(memory.finding, at_us)
        for key, memory in before.items()
        if memory.finding is not None and after.get(key) is not memory
    ]


def clear(finding: Finding, at_us: int) -> Finding:
    """The finding as it ends at `at_us` without having been looked at."""
    return msgspec.structs.replace(finding, state=FindingState.CLEARED, cleared_us=at_us)
