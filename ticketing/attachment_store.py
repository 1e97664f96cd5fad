"""Pictures on disk, each under the hash of its own content: the same one is kept once, and a damaged one is known."""

import hashlib
import os
import re
import uuid
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"^[0-9a-f]{64}$")


class DamagedError(ValueError):
    """A file is gone, or does not hold what it held; the message says which."""


@dataclass(frozen=True, slots=True)
class AttachmentStore:
    """A folder of pictures. Files are only added; several processes may write at once."""

    folder: Path

    def put(self, content: bytes) -> str:
        """Keep it through a power cut, and say its SHA-256 in hex, by which `get` finds it."""
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        if path.exists():
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

    def _path(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest


def _keep_name(folder: Path) -> None:
    """Make the file's name last too; Windows has no such call and needs none."""
    if os.name != "posix":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
