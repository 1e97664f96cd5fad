"""What a bad disk does to a journal: its tail is gone, and the next writer cuts it back to the last whole commit."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from ingest.segment import list_segments


def cut(folder: Path, keep: float) -> None:
    """Damage the newest file's tail, so that this share of its bytes is left."""
    path = list_segments(folder)[-1][1]
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    os.truncate(path, int(path.stat().st_size * keep) // 4096 * 4096)
