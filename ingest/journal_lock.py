"""A journal has one writer at a time: a lock on a file in its folder, which ends with the process that holds it."""

import fcntl
from io import TextIOWrapper
from pathlib import Path

from ingest.segment import JournalError


class JournalBusyError(JournalError):
    """Another process writes this journal."""


def lock_journal(folder: Path) -> TextIOWrapper:
    """Ours until it is closed. Raises JournalBusyError."""
    handle = (folder / "writer.lock").open("w", encoding="utf-8")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        msg = f"another process writes the journal in {folder}. Stop it, or give this one its own folder"
        raise JournalBusyError(msg) from error
    return handle
