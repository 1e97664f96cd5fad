"""Whether what another process has written down is still of the journal as it is now, or of before a cut."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from facility.errors import PermanentError, RetryableError
from ingest.journal import JournalReader
from ingest.runs import SeenRuns, place_of


class InLine:
    """The writer's `cursor` looked at with the file `seen`, which says what runs of the journal the writer has read."""

    def __init__(self, journal: Path, seen: Path) -> None:
        self._journal, self._seen = journal, seen

    def __call__(self, cursor: Callable[[], int]) -> int:
        """Up to which commit, at most that of the cursor, what is written is of the journal as it is now. `cursor` is
        asked after the runs: a writer that notices a cut moves it back before it takes the new runs. Raises
        RetryableError when the journal cannot be read."""
        try:
            place = place_of(SeenRuns(self._seen).runs, cursor())
            with closing(JournalReader(self._journal)) as journal:
                common = journal.common(place)
        except PermanentError as error:
            msg = f"nobody can say whether the parts are of this journal: {error}"
            raise RetryableError(msg) from error
        return common.seq if common is not None else place.seq
