"""A journal has one writer at a time: a lock on a file in its folder, which ends with the process that holds it."""

import fcntl
from io import TextIOWrapper
from pathlib import Path

from ingest.segment import JournalError


class JournalBusyError(JournalError):
    """Another process writes this journal."""


def lock_journal(folder: Path) -> TextIOWrapper:
    """Ours until it is closed. Raises JournalBusyError, or JournalError where the file system has no locks to give."""
    handle = (folder / "writer.lock").open("w", encoding="utf-8")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        handle.close()
        msg = f"another process writes the journal in {folder}. Stop it, or give this one its own folder"
        raise JournalBusyError(msg) from error
    except OSError as error:
        handle.close()
        msg = f"the journal in {folder} cannot be locked: {error.strerror}. Put it on a file system with locks (flock)"
        raise JournalError(msg) from error
    return handle
