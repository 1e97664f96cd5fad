"""What a backup holds: every file with its size and checksum, and how database and journal belong together."""

import hashlib
from pathlib import Path

import msgspec

from facility.errors import PermanentError, refuse
from plantroom.files import write_atomically

FORMAT = 1
"""Raised when a program of before could not restore what this one writes."""
_MANIFEST, _SUM = "manifest.json", "manifest.sha256"
VAR, DATABASE, FILES, SETTINGS_FILE = "var", "database", "files", "settings.env"
"""Folders of a backup: what lay under `var`, the database, the files people wrote; and the settings without secrets."""


class BackupError(PermanentError):
    """A backup cannot be made, read or put back; the message says what, where and what to do."""


class FileEntry(msgspec.Struct, frozen=True):
    """One file of a backup. `path` is relative to the backup, `modified_ns` is of the file it was copied from."""

    path: str
    size: int
    sha256: str
    mode: int = 0o644
    modified_ns: int = 0


class DatabaseFacts(msgspec.Struct, frozen=True):
    """`kind` is sqlite or postgresql, `rows` counts each table. `engines` says of each engine up to which commit its
    findings and orders are in the database, and to which commit its snapshot belongs."""

    kind: str
    schema: str
    rows: dict[str, int]
    engines: dict[str, tuple[int, int | None]] = {}


class TableFacts(msgspec.Struct, frozen=True):
    """One table of a PostgreSQL database, as it was copied: its columns in their order."""

    name: str
    columns: tuple[str, ...]


class JournalFacts(msgspec.Struct, frozen=True):
    """The commits `first_seq` to `last_seq` in the folder `path` of the backup; none when `last_seq` < `first_seq`."""

    path: str
    first_seq: int
    last_seq: int


class InfluxFacts(msgspec.Struct, frozen=True):
    """What was taken out of InfluxDB: how many rows of each bucket, by what its name ends in."""

    rows: dict[str, int]


class OwnFile(msgspec.Struct, frozen=True):
    """A file or folder that a setting named; `original` is where it lay, `path` where it lies in the backup."""

    setting: str
    original: str
    path: str


class Manifest(msgspec.Struct, frozen=True):
    """The whole backup. `made_at` is ISO 8601 in UTC by the wall clock, `seconds` how long it took."""

    format: int
    version: str
    made_at: str
    seconds: float
    with_secrets: bool
    hidden: int
    """Addresses and secrets of the roster that stand behind labels."""
    database: DatabaseFacts
    tables: tuple[TableFacts, ...]
    journals: tuple[JournalFacts, ...]
    own: tuple[OwnFile, ...]
    files: tuple[FileEntry, ...]
    influx: InfluxFacts | None = None
    """None where the readings lay in files, or were left out."""
    influx_missing: str = ""
    """Why they were left out though nobody had said so: InfluxDB was away."""

    @property
    def total_bytes(self) -> int:
        """What all files hold together."""
        return sum(entry.size for entry in self.files)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write it with its own checksum. Raises OSError."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    write_atomically(folder / _SUM, f"{hashlib.sha256(text).hexdigest()}  {_MANIFEST}\n".encode())
    write_atomically(folder / _MANIFEST, text)


def read_manifest(folder: Path) -> Manifest:
    """What a backup holds. Raises BackupError for a folder that is none, is damaged, or was made by a newer program."""
    try:
        text = (folder / _MANIFEST).read_bytes()
        expected = (folder / _SUM).read_text(encoding="ascii").split()[0]
    except (OSError, UnicodeDecodeError, IndexError) as error:
        hint = "Name a folder that `plantroom backup` wrote."
        raise refuse(str(folder), f"is no complete backup: {error}", hint) from error
    if hashlib.sha256(text).hexdigest() != expected:
        msg = f"{folder / _MANIFEST} is not what was written: its checksum differs. Use another backup"
        raise BackupError(msg)
    try:
        kept_format = msgspec.json.decode(text, type=_Head).format
        if kept_format <= FORMAT:
            return msgspec.json.decode(text, type=Manifest)
    except msgspec.DecodeError as error:
        msg = f"{folder / _MANIFEST} cannot be read: {error}. Use another backup"
        raise BackupError(msg) from error
    msg = f"{folder} was written in format {kept_format}, this program knows {FORMAT}. Install a newer plantroom"
    raise BackupError(msg)


class _Head(msgspec.Struct):
    format: int
