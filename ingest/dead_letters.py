"""Dead letters from the journal into their table, and out of it for the API."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from facility.errors import RetryableError
from facility.reading import Commit, DeadLetter
from ingest.repository import KEPT, add_dead_letters, count_dead_letters, newest_dead_letters, remove_dead_letters
from ingest.shard import MAIN_SHARD
from ingest.stores.cursor import CursorFile
from ingest.tables import DeadLetterRow

_STRIDE = 1_000  # commits without a dead letter that are read again after a start, to spare the disk


class DeadLetterBox:
    """A sink of one shard's follower, and a reader of the table of all. `sessions` opens a session of the program's
    database.

    The cursor is a file beside the database and moves after the rows are committed; a row is unique by its place in
    the journal, so a range that comes again adds nothing.
    """

    def __init__(
        self,
        sessions: Callable[[], AbstractContextManager[Session]],
        cursor: Path,
        *,
        kept: int = KEPT,
        shard: str = MAIN_SHARD,
    ) -> None:
        self._sessions, self._cursor, self._kept, self._shard = sessions, CursorFile(cursor), kept, shard

    @property
    def cursor(self) -> int:
        """Up to here every dead letter is in the table; it may lag a little behind the newest commit taken."""
        return self._cursor.seq

    def begin_writing(self) -> None:
        """Another process wrote until now: go on where it left the cursor."""
        self._cursor.reload()

    def take(self, commits: Sequence[Commit]) -> None:
        """Keep the dead letters among these commits. Raises RetryableError while the database is away or locked."""
        found = any(isinstance(entry, DeadLetter) for commit in commits for entry in commit.entries)
        if found:
            try:
                with self._sessions() as session:
                    add_dead_letters(session, commits, kept=self._kept, shard=self._shard)
                    session.commit()
            except OperationalError as error:
                msg = f"cannot write dead letters: {error.orig}; check that the database is up"
                raise RetryableError(msg) from error
        if commits and (found or commits[-1].seq - self._cursor.seq >= _STRIDE):
            self._cursor.move(commits[-1].seq)

    def rewind(self, seq: int) -> None:
        """The journal was cut back to `seq`: letters after that go, others come in their places."""
        try:
            with self._sessions() as session:
                remove_dead_letters(session, seq, self._shard)
                session.commit()
        except OperationalError as error:
            msg = f"cannot remove dead letters: {error.orig}; check that the database is up"
            raise RetryableError(msg) from error
        self._cursor.rewind(seq)

    def newest(self, limit: int) -> Sequence[DeadLetterRow]:
        """Of every shard, the newest first."""
        with self._sessions() as session:
            return newest_dead_letters(session, limit)

    def count(self) -> int:
        """How many are kept of every shard."""
        with self._sessions() as session:
            return count_dead_letters(session)
