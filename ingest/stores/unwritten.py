"""What the writer of a Parquet store still holds in memory, read from the journal by another process."""

from collections.abc import Iterator
from pathlib import Path

from facility.reading import Reading
from ingest.journal import JournalReader
from ingest.stores.base import readings_of, storable
from ingest.stores.cursor import CursorFile


def unwritten(folder: Path, journal: Path) -> Iterator[Reading]:
    """The readings of the journal's commits that no part in `folder` holds yet, in the order they came.

    Read them before the parts: what becomes a part meanwhile is then seen twice, never missed. Raises JournalError
    when the journal does not go on where the store stands, InputError for a damaged cursor.
    """
    cursor, reader = CursorFile(folder / "cursor").seq, JournalReader(journal)
    try:
        while commits := reader.read(cursor):
            cursor = commits[-1].seq
            yield from storable(readings_of(commits))
    finally:
        reader.close()
