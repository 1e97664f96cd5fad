"""The order database of SQLite: copied through its online backup, put back as a file."""

import sqlite3
from contextlib import closing
from pathlib import Path

from facility.errors import refuse
from plantroom.backup.journal import copy_sqlite, open_copy
from plantroom.backup.manifest import BackupError, DatabaseFacts

NAME = "plantroom.db"


def dump_sqlite(source: Path, folder: Path) -> DatabaseFacts:
    """Copy the file into `folder` as it is at this instant. Raises InputError, BackupError."""
    if not source.is_file():
        hint = "Name the folder of an instance with --var, or its database in PLANTROOM_DATABASE_URL."
        raise refuse(str(source), "is not there: this instance has never run", hint)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        copy_sqlite(source, folder / NAME)
    except sqlite3.Error as error:
        if "full" in str(error):
            raise OSError(28, "No space left on device", str(folder)) from error
        msg = f"{source} cannot be copied: {error}. Run `plantroom doctor`"
        raise BackupError(msg) from error
    return read_facts(folder / NAME)


def read_facts(path: Path) -> DatabaseFacts:
    """What a copied database holds. Raises BackupError for one that is damaged."""
    try:
        with closing(open_copy(path)) as db:
            (report,) = db.execute("PRAGMA quick_check(1)").fetchone()
            names = [
                name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
            ]
            if report != "ok" or "alembic_version" not in names:
                raise sqlite3.DatabaseError(report if report != "ok" else "it has no schema version")
            rows = {name: db.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}  # noqa: S608 - names of the database itself
            (schema,) = db.execute("SELECT version_num FROM alembic_version").fetchone()
            found = db.execute("SELECT name, cursor_seq, snapshot_seq FROM engine_state").fetchall()
    except sqlite3.Error as error:
        msg = f"{path} is no whole database: {error}. Use another backup"
        raise BackupError(msg) from error
    return DatabaseFacts("sqlite", schema, rows, {name: (cursor, snapshot) for name, cursor, snapshot in found})
