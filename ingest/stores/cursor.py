"""A sequence number on disk: which commit of the journal a follower has dealt with for good."""

import os
from pathlib import Path

from facility.errors import RetryableError, refuse


class CursorFile:
    """One number in one file, replaced whole (tmp, fsync, rename), so a crash leaves the old or the new one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seq = self._load()

    @property
    def seq(self) -> int:
        """The number on disk; 0 when there is no file yet."""
        return self._seq

    def reload(self) -> int:
        """What another process has put there meanwhile."""
        self._seq = self._load()
        return self._seq

    def move(self, seq: int) -> None:
        """Durable on return. It never goes back: a smaller number changes nothing. Raises RetryableError."""
        if seq > self._seq:
            self._save(seq)

    def rewind(self, seq: int) -> None:
        """Go back, durable on return: the journal was cut back to `seq`. Raises RetryableError."""
        if seq < self._seq:
            self._save(seq)

    def _save(self, seq: int) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, f"{seq}\n".encode())
        except OSError as error:
            msg = f"cannot write the cursor {self._path}: {error}; check space and permissions"
            raise RetryableError(msg) from error
        self._seq = seq

    def _load(self) -> int:
        try:
            text = self._path.read_text(encoding="ascii")
        except FileNotFoundError:
            return 0
        except UnicodeDecodeError:
            text = "not text"
        if not text.strip().isdigit():
            hint = "Move it aside: the follower then begins at the start of the journal and writes the same again."
            raise refuse(str(self._path), f"holds {text[:40]!r} where a commit's number was expected", hint)
        return int(text)


def write_whole(path: Path, data: bytes) -> None:
    """The file holds `data` or what it held before, also after a power cut. Raises OSError."""
    tmp = path.with_name(f"{path.name}.tmp")
    with tmp.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    tmp.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames and unlinks inside a folder durable. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
