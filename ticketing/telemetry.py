"""What the data says about an order: still active, or recovered, and whether that was before the work. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ticketing.work_order import RUNNING_STATUSES, Status, Verb


class TelemetryState(StrEnum):
    """What the findings of an order say together."""

    ACTIVE = "active"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class Telemetry:
    """`recovered_at` is when the last finding cleared. `first`: that was before the work was completed, so nobody
    knows yet what the cause was; `asks_for_cause` until a diagnosis says it."""

    state: TelemetryState
    recovered_at: datetime | None = None
    first: bool = False
    asks_for_cause: bool = False


@dataclass(frozen=True, slots=True)
class TelemetryLine:
    """What of a line of history matters here."""

    at: datetime
    verb: str
    finding_id: str | None
    to_status: Status


RECOVER = "recover"
TELLS = frozenset({RECOVER, Verb.DIAGNOSE.value})
"""The lines that matter, beside the last one."""


def judge_telemetry(members: Iterable[str], history: Iterable[TelemetryLine]) -> Telemetry:
    """The state of an order's findings, from its members (finding ids) and its history in order of writing."""
    lines = tuple(history)
    recoveries = {line.finding_id: line for line in lines if line.verb == RECOVER}
    wanted = set(members)
    if not wanted or wanted - recoveries.keys():
        return Telemetry(TelemetryState.ACTIVE)
    last = max((recoveries[one] for one in wanted), key=lambda line: line.at)
    first = last.to_status in RUNNING_STATUSES
    told = any(line.verb == Verb.DIAGNOSE for line in lines)
    over = lines[-1].to_status is Status.CANCELLED
    return Telemetry(TelemetryState.RECOVERED, last.at, first, first and not told and not over)
