"""Where an engine begins: at its snapshot, at the begin of the journal, or warm in the middle of it.

A snapshot belongs to one version of the engine. When another version refuses it and the journal's beginning has been
dropped, nothing can be judged again from the start. The engine then takes the plant from the snapshot (sites, rules,
what people set), judges the last two days before its place with nobody listening, so that windows and timers are full,
and goes on. What it cannot know is cleared: see `settle`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec
import structlog
from sqlmodel import Session

from facility.errors import PermanentError
from facility.finding import Finding, FindingState
from facility.instant import DAY_US
from facility.reading import BuildingsAssigned, Commit, RuleSetActivated, SiteEdited
from ingest.runs import Place
from plantroom.finding_views import finding_of
from rules.engine import Engine
from rules.errors import RulesError
from rules.snapshot import plant_of
from ticketing import repository
from ticketing.engine_state import NEW_JOURNAL
from ticketing.tables import EngineStateRow

log = structlog.get_logger(__name__)
WARM_UP_US = 2 * DAY_US
"""Of arrival time. What a rule remembers for longer (baselines, running hours) is learnt again."""
_PLANT_EVENTS = (SiteEdited, RuleSetActivated, BuildingsAssigned)
_OTHERS = "."
"""In the rule ids of findings that come from people and plans; a rule's own is kebab-case."""


class JournalStretch(Protocol):
    """The journal, as far as a beginning needs it."""

    def read(self, after_seq: int, limit: int = ...) -> list[Commit]:
        """The commits after this sequence number, oldest first; empty at the end."""

    def first_seq(self) -> int:
        """The oldest sequence number that is still kept; 0 for an empty journal."""

    def last_seq(self) -> int:
        """The newest sequence number; 0 for an empty journal."""

    def common(self, place: Place) -> Place | None:
        """Up to where this journal is the one that `place` was in; None when it is another one."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """An engine and the commit it has judged last. Up to `warm_at` it only warms up: what it finds is told nobody."""

    engine: Engine
    seq: int
    warm_at: int = 0


def begin(state: EngineStateRow, journal: JournalStretch, *, allowance_us: int, scans_advance: bool) -> Beginning:
    """Where to begin with what the database holds. Raises PermanentError when there is no sound place."""
    common_with(journal, repository.Progress(state.cursor_seq, run=state.run))
    if state.run == NEW_JOURNAL:
        engine, before = Engine(allowance_us=allowance_us, scans_advance=scans_advance), max(0, journal.first_seq() - 1)
        return Beginning(engine, before, max(before, journal.last_seq(), 1))
    if state.snapshot is not None and state.snapshot_seq is not None:
        try:
            return Beginning(Engine.restore(state.snapshot, allowance_us=allowance_us), state.snapshot_seq)
        except RulesError as error:
            reason = str(error)
    else:
        reason = "there is none"
    first = journal.first_seq()
    if first <= 1:
        if state.snapshot is not None:
            log.warning("the engine's snapshot cannot be used, judging the whole journal again", reason=reason)
        return Beginning(Engine(allowance_us=allowance_us, scans_advance=scans_advance), 0)
    plant = plant_of(state.snapshot) if state.snapshot is not None else None
    if plant is None or state.cursor_seq < first - 1:
        msg = (
            f"the journal begins at {first} and the engine's snapshot before it cannot be used ({reason}); "
            "restore database and journal from one backup, or move var/journal and var/cursors away to begin anew"
        )
        raise PermanentError(msg)
    seq = _before(journal, first, state.cursor_seq)
    log.warning("the engine's snapshot cannot be used, warming up", reason=reason, after=seq, until=state.cursor_seq)
    engine = Engine.begin(plant, seq, allowance_us=allowance_us, scans_advance=scans_advance)
    return Beginning(engine, seq, state.cursor_seq)


def common_with(journal: JournalStretch, kept: repository.Progress) -> Place:
    """Up to where the journal is the one that the database was judged from. Raises PermanentError for another one:
    what two journals found must not come into one database, where each would end the other's findings."""
    common = journal.common(Place(kept.cursor_seq, kept.run))
    if common is None:
        msg = (
            f"the database was judged up to commit {kept.cursor_seq:,} of another journal than that of this instance. "
            "If another instance works with this database, give this one a database of its own "
            "(PLANTROOM_DATABASE_URL). If that journal is lost for good, or this one was put back from an older copy, "
            "stop every process and run `plantroom db new-journal`"
        )
        raise PermanentError(msg)
    return common


def settle(session: Session, engine: Engine, owns: Callable[[str], bool]) -> list[Finding]:
    """What the desk must hear once an engine is warm: its active findings of these buildings, and the end of those that
    it does not know, whose beginning it has not seen. Where the cause still holds, one of its own stands for it, under
    the same cause."""
    active = [finding for finding in engine.active() if owns(finding.building_id)]
    known = {finding.id for finding in active}
    judged = engine.judged_us()
    rows = [row for row in repository.list_findings(session, active=True, limit=None) if owns(row.building_id)]
    unknown = [finding_of(row) for row in rows if row.id not in known and _OTHERS not in row.rule_id]
    return [*(_cleared(one, judged.get(one.building_id, one.raised_us)) for one in unknown), *active]


def without_readings(commit: Commit) -> Commit:
    """What changes the plant itself: sites, rules, and who judges which buildings."""
    return Commit(commit.seq, commit.arrived_us, tuple(one for one in commit.entries if isinstance(one, _PLANT_EVENTS)))


def _cleared(finding: Finding, at_us: int) -> Finding:
    return msgspec.structs.replace(finding, state=FindingState.CLEARED, cleared_us=max(at_us, finding.raised_us))


def _before(journal: JournalStretch, first: int, last: int) -> int:
    """The commit after which the warm-up begins: two days before commit `last`, or the oldest that is kept."""
    if last < first:
        return first - 1

    def arrived(seq: int) -> int:
        return journal.read(seq - 1, 1)[0].arrived_us

    return _bisect(lambda seq: arrived(seq) < arrived(last) - WARM_UP_US, first, last) - 1


def _bisect(is_before: Callable[[int], bool], low: int, high: int) -> int:
    """The first number of `low`..`high` that is not before."""
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if is_before(middle) else (low, middle)
    return low
