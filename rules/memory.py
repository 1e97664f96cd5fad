"""Everything the engine remembers between readings: plain data that msgspec writes out, so that a snapshot is exact.

Instants are event time in microseconds; -1 and NEVER stand for "not yet" where a field says so. What is written at
every reading is a dataclass: storing into one costs a tenth of storing into a msgspec struct.
"""

from dataclasses import dataclass, field
from enum import IntEnum

import msgspec

from facility.finding import Finding
from facility.reading import PointValue, Value, VisitRecorded
from rules.baseline import Baseline
from rules.joint import Joint
from rules.storm import Storm
from rules.trend import Trend
from rules.window import Window

NEVER = 1 << 62


@dataclass(slots=True, eq=False)
class PointMemory:
    """What is known of one point.

    `value` is None when the last reading was bad or none came; it is believed until `fresh_until_us`. `good_us` is
    the last good reading. `quiet_from_us` is where its silence counts from, moved over time nobody listened to.
    `last` is the newest reading of any quality, `last_good` the newest good one. `unrolled` is added to a counter
    that was reset or rolled over, `visited` is its unrolled value at the last recorded visit. `recent` are some of the
    good readings before, for evidence: of numbers one in five minutes, of states the changes; the next at `sample_us`.
    """

    value: Value | None = None
    good_us: int = -1
    fresh_until_us: int = -1
    quality: int = 0
    quality_us: int = -1
    seen: bool = False
    quiet_from_us: int = -1
    last: Value | None = None
    last_good: Value | None = None
    unrolled: float = 0.0
    visited: float | None = None
    windows: dict[int, Window] = field(default_factory=dict)
    recent: list[tuple[int, Value]] = field(default_factory=list)
    sample_us: int = -1


@dataclass(slots=True, eq=False)
class AssetMemory:
    """The points of one asset, the silence of all of them together, and what was learnt of it."""

    seen: bool = False
    quiet_from_us: int = -1
    points: dict[str, PointMemory] = field(default_factory=dict)
    learnt: dict[str, Baseline | Trend | Joint] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class TermMemory:
    """One `since`, `count` or `starts`: when it became true (-1: it is not), its last known truth, its instants.

    What `average`, `sampled` and `cusum` keep here is said in `running.py`.
    Of a term that learns: the number at the last look, None when it was Unknown or did not count, and its slot; of
    `off_together` the numbers.
    """

    since_us: int = -1
    known: bool | None = None
    times: list[int] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)
    value: float | None = None
    slot: str = ""


class Phase(IntEnum):
    """Where a judgement stands."""

    IDLE = 0
    PENDING = 1
    ACTIVE = 2


@dataclass(slots=True, eq=False)
class JudgementMemory:
    """One rule on one asset. `clearing_us` is since when the clear condition holds, -1 when it does not.

    `lapsed_us` is since when the condition of a pending finding fails and is forgiven, -1 when it holds; `delayed_us`
    how much later than its persistence it was raised because of that. `latched`: it would have cleared and waits for a
    visit; `released`: there was one since it was raised. `raises` are the last instants it was raised at, as many as
    its rule needs to tell that it is `flapping`.

    `last_finding_id` is its last finding, raised at `last_raised_us`, which explains others until
    `explains_until_us` although it cleared.
    """

    rule_hash: str
    phase: int = Phase.IDLE
    onset_us: int = -1
    clearing_us: int = -1
    lapsed_us: int = -1
    latched: bool = False
    released: bool = False
    flapping: bool = False
    raises: list[int] = field(default_factory=list)
    delayed_us: int = 0
    due_us: int = NEVER
    finding: Finding | None = None
    last_finding_id: str = ""
    last_raised_us: int = -1
    explains_until_us: int = -1
    terms: list[TermMemory] = field(default_factory=list)


class BuildingMemory(msgspec.Struct):
    """One building: `newest_us` is the newest event, `judged_us` the last instant that was judged (both -1 at first).

    `waiting` holds what is not yet judged: instant -> asset -> point -> reading; a heartbeat is an instant without
    readings. `judgements` are keyed by `rule id`, asset and point joined by a slash.
    """

    newest_us: int = -1
    judged_us: int = -1
    late: int = 0
    waiting: dict[int, dict[str, dict[str, PointValue]]] = {}
    assets: dict[str, AssetMemory] = {}
    judgements: dict[str, JudgementMemory] = {}
    storms: dict[str, Storm] = {}


class Kept(msgspec.Struct):
    """What came of a building that is on the way here: `memory` holds the newest event and what waits, all unjudged.
    `visits` come with the newest event that there was before them."""

    memory: BuildingMemory
    visits: list[tuple[int, VisitRecorded]] = []
