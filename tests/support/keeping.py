"""A small instance on disk, as the program leaves one, to be backed up, destroyed and looked at."""

import hashlib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from facility.finding import Finding
from facility.reading import Commit, PointValue, Reading, Scan
from facility.registry import Registry
from ingest.journal import JournalReader, JournalWriter
from ingest.stores.parquet import ParquetStore
from plantroom.database import Database
from ticketing import repository
from ticketing.attachment_store import AttachmentStore
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk

COMMITS, JUDGED, SNAPSHOT = 40, 35, 30
T0 = 20_000 * 86_400 * 10**6
PICTURE = b"a picture of the pump"


@dataclass(frozen=True, slots=True)
class Content:
    """Everything an instance holds that must not change on the way through a backup."""

    commits: tuple[Commit, ...]
    readings: tuple[Reading, ...]
    rows: dict[str, list[tuple[object, ...]]]
    picture: bytes
    files: dict[str, bytes]


def build(var: Path, url: str, registry: Registry, book: ContractBook, found: Sequence[Finding]) -> None:
    """Fill `var` and the database, which has its schema."""
    with JournalWriter(var / "journal", segment_bytes=400) as journal:
        for number in range(1, COMMITS + 1):
            values = (PointValue("motor_temperature", float(number)),)
            journal.append(T0 + number, [Scan("lift-1", T0 + number * 10**6, True, values)])
    store = ParquetStore(var / "readings")
    with JournalReader(var / "journal") as reader:
        for commit in reader.read(0, SNAPSHOT):
            store.write(commit.seq, commit.seq, _readings([commit]))
            if commit.seq == 20:
                store.flush()
    store.close()
    with closing(Database(url)) as database, database.writing() as session:
        Desk(book, lambda: registry).receive(session, found)
        repository.save_cursor(session, JUDGED)
        repository.save_snapshot(session, SNAPSHOT, b"as it was")
    AttachmentStore(var / "attachments").put(PICTURE)
    (var / "inbox.json").write_text('{"seq":31}', encoding="utf-8")
    (var / "token").write_text("the-admin-token-of-this-instance-0000\n", encoding="utf-8")
    for name in ("run", "broker", "cursors"):
        (var / name).mkdir()
        (var / name / "some.file").write_text("1", encoding="utf-8")


def content(var: Path, url: str) -> Content:
    """What the instance holds now."""
    with JournalReader(var / "journal") as reader:
        commits = tuple(reader.read(0, 1_000))
    store = ParquetStore(var / "readings")
    readings = tuple(store.read("lift-1", "motor_temperature", T0, T0 + 10**9))
    store.close()
    with closing(Database(url)) as database, database.engine.connect() as connection:
        names = sorted(sa.inspect(connection).get_table_names())
        tables = {name: connection.execute(sa.text(f'SELECT * FROM "{name}"')) for name in names}  # noqa: S608 - names of the database itself
        rows = {name: sorted((tuple(row) for row in found), key=repr) for name, found in tables.items()}
    picture = AttachmentStore(var / "attachments").get(hashlib.sha256(PICTURE).hexdigest())
    files = {name: (var / name).read_bytes() for name in ("inbox.json", "cursors/some.file", "readings/cursor")}
    return Content(commits, readings, rows, picture, files)


def _readings(commits: Sequence[Commit]) -> list[Reading]:
    return [
        Reading(entry.asset_id, value.point, entry.at_us, value.value)
        for commit in commits
        for entry in commit.entries
        if isinstance(entry, Scan)
        for value in entry.values
    ]
