"""A backup is taken while no building moves between shards: its memory would be on neither side, or on both."""

import threading
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL

from plantroom.backup.copying import Teller
from plantroom.backup.manifest import BackupError
from plantroom.database import Database
from ticketing import shard_rows
from ticketing.tables_shard import BuildingShardRow

WAIT_S = 60.0
_LOOK_S = 0.5


def moves_begun(url: URL) -> tuple[dict[str, int], list[str]]:
    """How many moves of each building were ever begun, and which buildings are on their way now. Raises
    DatabaseAwayError."""
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).is_file():
        return {}, []  # whoever copies it says so
    database = Database(url.render_as_string(hide_password=False))
    try:
        with database.reading() as session:
            if not sa.inspect(session.get_bind()).has_table(str(BuildingShardRow.__tablename__)):
                return {}, []  # the database of an older version
            rows = shard_rows.list_buildings(session)
    finally:
        database.close()
    return {row.building_id: row.epoch for row in rows}, [row.building_id for row in rows if row.phase]


def wait_until_still(url: URL, teller: Teller, wait_s: float = WAIT_S) -> dict[str, int]:
    """Until no building is on its way; for `check_still`. Raises BackupError when that takes too long."""
    pause, begun_s = threading.Event(), 0.0
    while True:
        moves, moving = moves_begun(url)
        if not moving:
            return moves
        if begun_s >= wait_s:
            msg = (
                f"building {moving[0]!r} is on its way to another shard since more than {wait_s:.0f} s. Take the "
                "backup when it is there: `plantroom shards` says what it waits for"
            )
            raise BackupError(msg)
        if not begun_s:
            teller.begin(f"waiting for {moving[0]} to come to its shard")
        pause.wait(_LOOK_S)
        begun_s += _LOOK_S


def check_still(url: URL, before: dict[str, int]) -> None:
    """Raises BackupError when a building was moved since."""
    moves, _ = moves_begun(url)
    if moved := sorted(name for name, epoch in moves.items() if epoch != before.get(name, 0)):
        msg = f"building {moved[0]!r} was moved to another shard meanwhile. Take the backup again"
        raise BackupError(msg)
