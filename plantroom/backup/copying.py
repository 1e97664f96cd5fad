"""Files copied with their checksum on the way, and the word on how far it is."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from facility.errors import refuse
from plantroom.backup.manifest import FileEntry

_CHUNK = 2**20


class Teller(Protocol):
    """Hears how far a long work is."""

    def begin(self, what: str, size: int | None = None) -> None:
        """A part begins; `size` in bytes where it is known."""

    def advance(self, size: int) -> None:
        """So many bytes more are done."""


class Silent:
    """A teller that says nothing."""

    def begin(self, what: str, size: int | None = None) -> None:
        """Nothing."""

    def advance(self, size: int) -> None:
        """Nothing."""


def copy_file(source: Path, target: Path, teller: Teller) -> tuple[int, str]:
    """Copy, and say how many bytes it was and their SHA-256. Not yet safe from a power cut. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as reader, target.open("wb") as writer:
        while chunk := reader.read(_CHUNK):
            writer.write(chunk)
            digest.update(chunk)
            size += len(chunk)
            teller.advance(len(chunk))
    return size, digest.hexdigest()


def check_file(path: Path, teller: Teller) -> tuple[int, str]:
    """Size and SHA-256 of a file. Raises OSError."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as reader:
        while chunk := reader.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            teller.advance(len(chunk))
    return size, digest.hexdigest()


class Copier:
    """Copies files into one backup, and links those that the backup before has already."""

    def __init__(self, folder: Path, earlier: Path | None, known: Mapping[str, FileEntry], teller: Teller) -> None:
        self._folder, self._earlier, self._known, self._teller = folder, earlier, known, teller
        self.entries: dict[str, FileEntry] = {}
        self.linked_bytes = 0
        """What was not copied because the backup before has it."""

    def take(self, source: Path, path: str) -> None:
        """Copy `source` to `path` of the backup. Raises FileNotFoundError when it has gone, OSError."""
        stat = source.stat()
        mode = stat.st_mode & 0o777
        known = self._known.get(path)
        is_same = known is not None and (known.size, known.modified_ns) == (stat.st_size, stat.st_mtime_ns)
        if known is not None and is_same and self._link(path):
            self.entries[path] = known
            self.linked_bytes += known.size
            self._teller.advance(known.size)
            return
        size, sha256 = copy_file(source, self._folder / path, self._teller)
        (self._folder / path).chmod(mode)
        self.entries[path] = FileEntry(path, size, sha256, mode, stat.st_mtime_ns)

    def note(self, path: str, mode: int = 0o600) -> None:
        """Take note of a file that was made in the backup itself. Raises OSError."""
        (self._folder / path).chmod(mode)
        size, sha256 = check_file(self._folder / path, Silent())
        self.entries[path] = FileEntry(path, size, sha256, mode)

    def forget(self, path: str) -> None:
        """Take a file out again."""
        del self.entries[path]
        (self._folder / path).unlink()

    def _link(self, path: str) -> bool:
        if self._earlier is None:
            return False
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):  # a file system without links, or an earlier backup that was thinned out: it is copied
            os.link(self._earlier / path, target)
            return True
        return False


def check_space(folder: Path, needed: int, what: str) -> None:
    """Raises InputError when the disk of `folder` has not `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        hint = f"{what} needs {format_bytes(needed)}, {format_bytes(free)} are free. Make room, or name another disk."
        raise refuse(str(folder), "has too little space", hint)


def format_bytes(size: float) -> str:
    """Such as `1.4 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
