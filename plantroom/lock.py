"""One instance per folder: a second start on the same `var` is refused by name, a crash leaves nothing behind."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from facility.errors import refuse


class InstanceLock:
    """Held as long as the process lives; the operating system lets go of it when the process dies."""

    def __init__(self, folder: Path, hint: str = "Stop it first, or give this one another folder with --var.") -> None:
        self._path, self._hint = folder / "lock", hint
        try:
            self._file = self._path.open("a+", encoding="ascii")
        except OSError as error:
            what = f"cannot be written: {error.strerror}"
            raise refuse(str(self._path), what, "Give this user the right to write there.") from error

    def __enter__(self) -> Self:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.seek(0)
            owner = self._file.read().strip() or "another process"
            self._file.close()
            raise refuse(str(self._path.parent), f"is in use by process {owner}", self._hint) from error
        except OSError as error:
            self._file.close()
            what = f"cannot be locked: {error.strerror}"
            raise refuse(str(self._path), what, "Put it on a file system with locks (flock).") from error
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
