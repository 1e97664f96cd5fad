"""What one engine may write of which building, and what it writes when a building leaves it or comes to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import structlog
from sqlmodel import Session

from facility.clock import RealClock
from facility.errors import refuse
from facility.finding import Finding
from ingest.shard import MAIN_SHARD
from rules.engine import Engine
from rules.handover import pack_building
from rules.memory import BuildingMemory
from rules.words import Words
from ticketing import shard_rows
from ticketing.shard_rows import Phase
from ticketing.tables_shard import BuildingShardRow

log = structlog.get_logger(__name__)
WAITS = {
    Phase.WANTED: "waits until the new shard hears all of its topics",
    Phase.COVERED: "waits until the old shard has judged what was under way to it",
    Phase.RELEASED: "waits until the new shard takes it up",
}
"""What a building that moves waits for."""


class Owner(Protocol):
    """Who says which buildings an engine's findings are kept of; inside the caller's transaction."""

    def owns(self, session: Session) -> Callable[[str], bool]:
        """Whether this engine knows of every finding of a building, so that one that it does not know has ended."""

    def admit(self, session: Session, findings: Sequence[Finding]) -> Sequence[Finding]:
        """Those of its buildings."""

    def keep(self, session: Session, changes: "Changes", engine: Engine) -> frozenset[str]:
        """Write who went and who came; those that came. What another one has now is taken out of `engine.released`."""


@dataclass(slots=True)
class Changes:
    """What the commits judged since the last write have changed: building -> commit."""

    left: dict[str, int] = field(default_factory=dict)
    came: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.left or self.came)

    def look(self, engine: Engine, before: Sequence[str] | None, seq: int) -> None:
        """After commit `seq` was judged; `before` is what was assigned until then."""
        if engine.assigned is not before:
            self.left |= {name: seq for name in engine.released if before is None or name in before}
            self.came |= dict.fromkeys(set(engine.assigned or ()) - set(before or ()), seq)

    def clear(self) -> None:
        """They are written, or another process has written them."""
        self.left, self.came = {}, {}


def buildings_are_divided(session: Session, shards: Sequence[str]) -> bool:
    """As `are_divided`, by what the database holds now."""
    return are_divided(shard_rows.list_buildings(session), shards)


def are_divided(rows: Sequence[BuildingShardRow], shards: Sequence[str]) -> bool:
    """Whether there are several shards, or were. Raises InputError when a building belongs to one that is not named."""
    for row in rows:
        for name in (row.shard, row.to_shard):
            if name is not None and name not in shards:
                what = f"belongs to the shard {name!r}, or moves there, and the setting `shards` does not name it"
                move = f"plantroom shards move {row.building_id} main"
                hint = f"Name it in PLANTROOM_SHARDS; to do without it, start as before and move the building: {move}."
                raise refuse(f"building {row.building_id}", what, hint)
    return len(shards) > 1 or bool(rows)


class WholePlant:
    """The owner where there is one shard: everything is its own."""

    def owns(self, session: Session) -> Callable[[str], bool]:  # noqa: ARG002 - as `Owner`
        """All."""
        return lambda _: True

    def admit(self, session: Session, findings: Sequence[Finding]) -> Sequence[Finding]:  # noqa: ARG002 - as `Owner`
        """All."""
        return findings

    def keep(self, session: Session, changes: Changes, engine: Engine) -> frozenset[str]:  # noqa: ARG002 - as `Owner`
        """Nobody else is there to come from or go to."""
        return frozenset()


class OneOfSeveral:
    """The owner of the buildings that the database says are this shard's; one that it does not know is `main`'s."""

    def __init__(self, shard: str) -> None:
        self._shard = shard

    def owns(self, session: Session) -> Callable[[str], bool]:
        """By the rows. What is on its way here has findings that this engine does not know yet."""
        rows = {row.building_id: row for row in shard_rows.list_buildings(session)}
        whose = {name: row.shard for name, row in rows.items() if row.phase != Phase.RELEASED.value}
        return lambda name: (whose.get(name) if name in rows else MAIN_SHARD) == self._shard

    def admit(self, session: Session, findings: Sequence[Finding]) -> Sequence[Finding]:
        """By the rows as they stand in this transaction: only the engine that has a building can give it away, and
        does so in a transaction of its own lease."""
        whose = shard_rows.owners(session, {one.building_id for one in findings})
        mine = [one for one in findings if whose.get(one.building_id, MAIN_SHARD) == self._shard]
        if len(mine) < len(findings):
            others = sorted({one.building_id for one in findings} - {one.building_id for one in mine})
            log.warning("findings about buildings of another shard are not kept", buildings=others, shard=self._shard)
        return mine

    def keep(self, session: Session, changes: Changes, engine: Engine) -> frozenset[str]:
        """Only what the rows wait for: an engine that judges its journal again says again what was long done. Memory
        that the rows do not wait for is kept while they say that the building is this shard's: see `BuildingMoves`."""
        now = _now()
        for building, seq in changes.left.items():
            memory = engine.released.get(building) or pack_building(BuildingMemory(newest_us=-1), (), Words())
            if shard_rows.release(session, building, self._shard, memory, seq, now):
                log.info("a building has left this shard", building=building, shard=self._shard, at=seq)
        came = set()
        for building, seq in changes.came.items():
            if shard_rows.take_up(session, building, self._shard, seq, now):
                log.info("a building has come to this shard", building=building, shard=self._shard, at=seq)
                came.add(building)
        whose = shard_rows.owners(session, engine.released)
        for building in [name for name in engine.released if whose.get(name, self._shard) != self._shard]:
            del engine.released[building]
        return frozenset(came)


def _now() -> datetime:
    return RealClock().now()
