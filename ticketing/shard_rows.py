"""SQL of who judges which building, and of moves between two shards. The caller owns the transaction.

A move goes through `Phase`, each step by the leading engine process that the step is for, and each only from the step
before: whatever is done twice, or by a process that has been replaced, changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from ticketing.statements import chunks, insert_into, row_count
from ticketing.tables_shard import BuildingShardRow


class Phase(StrEnum):
    """How far a move is. WANTED: somebody asked for it. COVERED: nothing published on its topics passes the new shard
    by, and the old one is to let it go. RELEASED: it belongs to the new shard, whose engine is to take it up."""

    STAYS = ""
    WANTED = "wanted"
    COVERED = "covered"
    RELEASED = "released"


def list_buildings(session: Session) -> Sequence[BuildingShardRow]:
    """Every building that has ever belonged to somebody, by id."""
    return session.exec(select(BuildingShardRow).order_by(col(BuildingShardRow.building_id))).all()


def owners(session: Session, buildings: Iterable[str]) -> dict[str, str]:
    """Building -> shard, of those that have a row."""
    found: dict[str, str] = {}
    for part in chunks(buildings):
        query = select(BuildingShardRow.building_id, BuildingShardRow.shard)
        found |= dict(session.exec(query.where(col(BuildingShardRow.building_id).in_(part))).all())
    return found


def add_buildings(session: Session, buildings: Iterable[str], shard: str, now: datetime) -> None:
    """These are new, and this shard's; those that have a row keep it."""
    values = [{"building_id": name, "shard": shard, "epoch": 0, "phase": "", "since_at": now} for name in buildings]
    if values:
        insert = insert_into(session.get_bind().dialect.name, BuildingShardRow)
        session.execute(insert.on_conflict_do_nothing(), values)


def want_move(session: Session, building: str, to_shard: str, now: datetime) -> bool:
    """Ask for it; False when any building is between two shards, or this one is there already or unknown.

    One at a time: then what each of the two journals is to say next follows from one row.
    """
    moving = session.execute(sa.select(col(BuildingShardRow.building_id)).where(col(BuildingShardRow.phase) != ""))
    if moving.first() is not None:
        return False
    stays = (col(BuildingShardRow.phase) == Phase.STAYS.value, col(BuildingShardRow.shard) != to_shard)
    begun = {"to_shard": to_shard, "phase": Phase.WANTED.value, "since_at": now, "after_seq": None, "memory": None}
    mine = sa.update(BuildingShardRow).where(col(BuildingShardRow.building_id) == building, *stays)
    return bool(row_count(session.execute(mine.values(**begun, epoch=col(BuildingShardRow.epoch) + 1))))


def take_back(session: Session, building: str, now: datetime) -> bool:
    """It stays where it is after all; False when the old shard was told to let it go, or nobody asked for a move."""
    row = BuildingShardRow
    is_covered = (col(row.phase) == Phase.COVERED.value, col(row.after_seq).is_(None))
    is_held = sa.or_(col(row.phase) == Phase.WANTED.value, sa.and_(*is_covered))
    mine = sa.update(row).where(col(row.building_id) == building, is_held)
    return bool(row_count(session.execute(mine.values(to_shard=None, phase=Phase.STAYS.value, since_at=now))))


def cover(session: Session, row: BuildingShardRow, now: datetime) -> bool:
    """The new shard hears it wholly; whether this changed anything."""
    return _change(session, row, Phase.WANTED, {"phase": Phase.COVERED.value, "after_seq": None, "since_at": now})


def begin_step(session: Session, row: BuildingShardRow, last_seq: int) -> bool:
    """The event of this step comes behind commit `last_seq` of the journal it is for; whether this changed anything.

    Noted before the event is handed over, so that the same event of an earlier move, judged again, is not taken for it.
    """
    if row.after_seq is not None and row.after_seq <= last_seq:
        return False
    return _change(session, row, Phase(row.phase), {"after_seq": last_seq})


def release(session: Session, building: str, shard: str, memory: bytes, seq: int, now: datetime) -> bool:
    """The engine of `shard` let it go at commit `seq` of its journal; False when nobody waits for that."""
    row = BuildingShardRow
    step = (col(row.shard) == shard, col(row.phase) == Phase.COVERED.value, col(row.after_seq) < seq)
    mine = sa.update(row).where(col(row.building_id) == building, *step)
    gone: dict[str, Any] = {"shard": col(row.to_shard), "phase": Phase.RELEASED.value, "memory": memory}
    return bool(row_count(session.execute(mine.values(**gone, after_seq=None, since_at=now))))


def give_back(session: Session, row: BuildingShardRow, memory: bytes, now: datetime) -> bool:
    """The engine of `row.shard` let it go and this database knows of no move there: it is older than the journal. It
    comes back with that memory, and a move that was asked for has to be asked for anew. Whether it changed anything."""
    back = {"phase": Phase.RELEASED.value, "to_shard": row.shard, "memory": memory}
    return _change(session, row, Phase(row.phase), {**back, "after_seq": None, "since_at": now})


def take_up(session: Session, building: str, shard: str, seq: int, now: datetime) -> bool:
    """The engine of `shard` judges it since commit `seq` of its journal; False when it was not on its way there."""
    row = BuildingShardRow
    step = (col(row.shard) == shard, col(row.phase) == Phase.RELEASED.value, col(row.after_seq) < seq)
    mine = sa.update(row).where(col(row.building_id) == building, *step)
    there = {"to_shard": None, "phase": Phase.STAYS.value, "memory": None, "after_seq": None, "since_at": now}
    return bool(row_count(session.execute(mine.values(**there))))


def _change(session: Session, row: BuildingShardRow, phase: Phase, values: Mapping[str, Any]) -> bool:
    where = (
        col(BuildingShardRow.building_id) == row.building_id,
        col(BuildingShardRow.epoch) == row.epoch,
        col(BuildingShardRow.phase) == phase.value,
    )
    return bool(row_count(session.execute(sa.update(BuildingShardRow).where(*where).values(**values))))
