"""The doctor on several shards: whose the buildings are, and whether a move goes on."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from facility.clock import RealClock
from facility.errors import InputError, PlantroomError
from plantroom.building_owner import WAITS, are_divided
from plantroom.database import Database, parse_url
from plantroom.doctor import Check, bad, good, warn
from plantroom.settings import Settings
from ticketing import shard_rows
from ticketing.shard_rows import Phase
from ticketing.tables_shard import BuildingShardRow

SLOW = timedelta(minutes=1)
"""A move takes some seconds."""


def check_shards(settings: Settings) -> list[Check]:
    """Nothing where there always was one shard, or where the database cannot be asked: another check says why."""
    try:
        rows = _rows(settings)
    except PlantroomError:
        return []
    names = [shard.name for shard in settings.all_shards]
    try:
        if not are_divided(rows, names):
            return []
    except InputError as error:
        (problem,) = error.problems
        return [bad("shards", f"{problem.where} {problem.what}", problem.hint)]
    slow = [row for row in rows if row.phase and RealClock().now() - row.since_at > SLOW]
    if slow:
        said = "; ".join(f"{row.building_id} on its way to {row.to_shard} {WAITS[Phase(row.phase)]}" for row in slow)
        return [warn("shards", said, "See that ingest and engine of both shards run; their logs say what lacks.")]
    counts = Counter(row.shard for row in rows)
    return [good("shards", "buildings: " + ", ".join(f"{counts[name]} {name}" for name in names))]


def _rows(settings: Settings) -> Sequence[BuildingShardRow]:
    url = parse_url(settings.database_address())
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        return []
    with closing(Database(settings.database_address())) as database:
        database.check()
        with database.reading() as session:
            return shard_rows.list_buildings(session)
