"""Looks whether a backup is whole: every checksum, the database, the journal without gaps, and that they fit."""

import gzip
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

from ingest.segment import list_segments
from plantroom.backup.copying import Teller, check_file
from plantroom.backup.journal import open_copy
from plantroom.backup.make import check_consistent
from plantroom.backup.manifest import DATABASE, BackupError, JournalFacts, Manifest, read_manifest
from plantroom.backup.postgres import table_file
from plantroom.backup.sqlite import NAME, read_facts
from plantroom.database import known_schemas

_OWN = frozenset({"manifest.json", "manifest.sha256"})


def check_backup(folder: Path, teller: Teller) -> tuple[Manifest, list[str]]:
    """What a backup holds, and everything wrong with it. Raises InputError, BackupError for what is no backup."""
    manifest = read_manifest(folder)
    problems = check_files(folder, manifest, teller)
    try:
        check_version(manifest)
        check_consistent(manifest.database, manifest.journals)
        if not problems:
            teller.begin("database and journal")
            problems += _check_database(folder, manifest)
            problems += [text for one in manifest.journals for text in check_journal(folder / one.path, one)]
    except BackupError as error:
        problems.append(str(error))
    return manifest, problems


def check_version(manifest: Manifest) -> None:
    """Raises BackupError for a backup of a newer program."""
    if manifest.database.schema not in known_schemas():
        msg = (
            f"it was made by plantroom {manifest.version} and its database has schema {manifest.database.schema}, "
            "which this program does not know. Install that version or a newer one; nothing was changed"
        )
        raise BackupError(msg)


def check_files(folder: Path, manifest: Manifest, teller: Teller) -> list[str]:
    """What is wrong with sizes and checksums."""
    problems = []
    teller.begin("checksums", manifest.total_bytes)
    for entry in manifest.files:
        try:
            size, sha256 = check_file(folder / entry.path, teller)
        except OSError as error:
            problems.append(f"{folder / entry.path} cannot be read: {error.strerror}")
            continue
        if size != entry.size:
            problems.append(f"{folder / entry.path} has {size:,} bytes, {entry.size:,} were written")
        elif sha256 != entry.sha256:
            problems.append(f"{folder / entry.path} is not what was written: its checksum differs")
    known = {entry.path for entry in manifest.files}
    strangers = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - known - _OWN
    return [*problems, *(f"{folder / path} is no part of this backup" for path in sorted(strangers))]


def check_journal(folder: Path, facts: JournalFacts) -> list[str]:
    """Gaps and damage in a copied journal."""
    expected, problems = facts.first_seq, []
    for first_seq, path in list_segments(folder):
        try:
            with closing(open_copy(path)) as db:
                count, first, last = db.execute("SELECT count(*), min(seq), max(seq) FROM commits").fetchone()
        except sqlite3.Error as error:
            problems.append(f"{path} cannot be read: {error}")
            continue
        if first_seq != expected or (count and (first != first_seq or last - first + 1 != count)):
            problems.append(f"{path} does not hold commit {expected:,} and those after it without a gap")
        expected = first_seq + count
    if expected - 1 != facts.last_seq:
        problems.append(f"{folder} ends at commit {expected - 1:,}, the manifest says {facts.last_seq:,}")
    return problems


def _check_database(folder: Path, manifest: Manifest) -> list[str]:
    facts = manifest.database
    if facts.kind == "sqlite":
        found = read_facts(folder / DATABASE / NAME)
        return [] if found == facts else [f"{folder / DATABASE / NAME} does not hold what the manifest says"]
    problems = []
    for table in manifest.tables:
        path = folder / DATABASE / table_file(table.name)
        try:
            with gzip.open(path, "rb") as file:
                rows = sum(block.count(b"\n") for block in iter(lambda: file.read(2**20), b""))
        except (OSError, EOFError, zlib.error) as error:
            problems.append(f"{path} is damaged: {error}")
            continue
        if rows != facts.rows[table.name]:
            problems.append(f"{path} holds {rows:,} rows, the manifest says {facts.rows[table.name]:,}")
    return problems
