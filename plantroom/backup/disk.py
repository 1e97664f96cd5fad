"""What the disk says while a backup is made or put back, in words for the operator."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facility.errors import PlantroomError, RetryableError


@contextmanager
def disk_errors(folder: Path, outcome: str, elsewhere: str) -> Iterator[None]:
    """Turns an OSError into a RetryableError. `outcome` says what has happened to the data ("Nothing was put back"),
    `elsewhere` what to name instead when the disk is full."""
    try:
        yield
    except PlantroomError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            msg = f"{folder}: the disk is full. {outcome}; make room, or name another {elsewhere}"
        else:
            msg = f"{error.filename or folder}: {error.strerror or error}. {outcome}; see to it and try again"
        raise RetryableError(msg) from error
