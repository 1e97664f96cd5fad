"""Pictures on disk, each under the hash of its own content: the same one is kept once, and a damaged one is known."""

import hashlib
import math
import os
import re
import uuid
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_NAME = re.compile(r"^[0-9a-f]{64}$")
_ASIDE = ".aside"
PARTS = 256
"""The folder is kept in so many parts, by the first two digits of the hash."""


class DamagedError(ValueError):
    """A file is gone, or does not hold what it held; the message says which."""


@dataclass(frozen=True, slots=True)
class AttachmentStore:
    """A folder of pictures. Several processes may write at once, while one sweeps out what nobody names."""

    folder: Path

    def put(self, content: bytes) -> str:
        """Keep it through a power cut, and say its SHA-256 in hex, by which `get` finds it."""
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        with suppress(FileNotFoundError):
            os.utime(path)  # it is as young as a new one: a sweep leaves it alone
            return digest
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{digest}.{uuid.uuid4().hex}.tmp")
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _keep_name(path.parent)
        return digest

    def get(self, digest: str) -> bytes:
        """The content. Raises DamagedError when the file is gone or another's."""
        if not _NAME.match(digest):
            msg = f"{digest!r} is no SHA-256"
            raise DamagedError(msg)
        path = self._path(digest)
        try:
            content = path.read_bytes()
        except OSError as error:
            msg = f"{path} cannot be read: {error.strerror}"
            raise DamagedError(msg) from error
        if hashlib.sha256(content).hexdigest() != digest:
            msg = f"{path} does not hold what was kept in it"
            raise DamagedError(msg)
        return content

    def sweep(self, part: int, named: Callable[[Collection[str]], Collection[str]], before: datetime) -> int:
        """Remove the files of one part that were put before `before` (aware) and that nobody names; how many.

        `named` says which of these hashes somebody names. A file goes aside first and is looked at again: one that was
        put once more in this moment comes back, also after a program that ended in between.
        """
        folder, limit = self.folder / f"{part:02x}", before.timestamp()
        if not folder.is_dir():
            return 0
        for path in folder.glob(f"*{_ASIDE}"):
            path.replace(path.with_suffix(""))
        old = {path.name: path for path in folder.iterdir() if _put_at(path) < limit}
        unnamed = old.keys() - set(named([name for name in old if _NAME.match(name)]))
        return sum(_remove(old[name], limit) for name in sorted(unnamed))

    def _path(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest


def _put_at(path: Path) -> float:
    """When a file was put, in seconds; never, for one that is gone by now."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return math.inf


def _remove(path: Path, limit: float) -> bool:
    """Remove a file unless it was put again after all."""
    aside = path.with_name(f"{path.name}{_ASIDE}")
    try:
        path.replace(aside)
    except FileNotFoundError:
        return False
    if _put_at(aside) < limit:
        aside.unlink()
        return True
    aside.replace(path)
    return False


def _keep_name(folder: Path) -> None:
    """Make the file's name last too; Windows has no such call and needs none."""
    if os.name != "posix":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
