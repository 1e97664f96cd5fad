"""How far the engines of shards are behind that this process does not follow."""

from collections.abc import Sequence
from contextlib import closing

import structlog

from facility.errors import PlantroomError
from ingest.journal import JournalReader
from plantroom.database import Database
from plantroom.shard import Shard
from ticketing import repository

log = structlog.get_logger(__name__)


class OtherShards:
    """By what lies on the disk and in the database."""

    def __init__(self, database: Database, shards: Sequence[Shard]) -> None:
        self._database, self._shards = database, tuple(shards)

    def lags(self) -> list[int]:
        """Commits that are not judged yet, shard by shard; without those that cannot be asked now."""
        found = []
        for shard in self._shards:
            try:
                found.append(self._lag(shard))
            except PlantroomError as error:
                log.debug("nobody can say how far an engine is behind", shard=shard.name, reason=str(error))
        return found

    def _lag(self, shard: Shard) -> int:
        with closing(JournalReader(shard.journal_folder)) as journal, self._database.reading() as session:
            return max(0, journal.last_seq() - repository.load_progress(session, shard.engine).cursor_seq)
