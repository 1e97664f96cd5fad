"""Backup and restore by the command: everything comes back, and whatever is in the way is said and leaves nothing."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from commanding import Commands
from keeping import Content, build, content
from running import ROOT, wait_until

from facility.finding import Finding
from facility.reading import PointValue, Reading, Scan
from facility.registry import Registry
from ingest.journal import JournalReader, JournalWriter
from ingest.stores.parquet import ParquetStore
from plantroom.backup.make import list_backups
from plantroom.backup.manifest import read_manifest, write_manifest
from plantroom.database import Database, parse_url
from ticketing.contract_book import ContractBook

NewFinding = Callable[..., Finding]
PLACED = '{"made_at": "of another", "targets": ["var/inbox.json", "var/plantroom.db"]}'


@pytest.fixture
def instance(
    database: Database, tmp_path: Path, registry: Registry, book: ContractBook, finding: NewFinding,
    plantroom: Commands, monkeypatch: pytest.MonkeyPatch,
) -> Content:  # fmt: skip
    """A small instance in `var`, on either kind of database, and what it holds."""
    (tmp_path / "var").mkdir()
    url = database.url.render_as_string(hide_password=False)
    monkeypatch.setenv("PLANTROOM_DATABASE_URL", url)
    build(tmp_path / "var", url, registry, book, [finding(rule=f"rule-{number}") for number in range(3)])
    assert plantroom  # it has the working folder and an environment without settings
    return content(tmp_path / "var", url)


@pytest.fixture
def small(
    sqlite_file: Path, tmp_path: Path, registry: Registry, book: ContractBook, finding: NewFinding, plantroom: Commands
) -> Commands:
    """The command in the folder of a small instance on SQLite, in `var`."""
    (tmp_path / "var").mkdir()
    path = sqlite_file.rename(tmp_path / "var/plantroom.db")
    build(tmp_path / "var", f"sqlite:///{path}", registry, book, [finding()])
    return plantroom


def address(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


def destroy(database: Database, var: Path) -> None:
    """Remove the folder and everything in the database."""
    shutil.rmtree(var)
    database.close()
    if database.url.get_backend_name() == "sqlite":
        for path in Path(str(database.url.database)).parent.glob("plantroom.db*"):
            path.unlink()
        return
    engine = sa.create_engine(parse_url(address(database)), isolation_level="AUTOCOMMIT")
    with closing(engine.raw_connection()) as connection:
        connection.cursor().execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        connection.commit()
    engine.dispose()


def indexes_and_keys(database: Database) -> list[str]:
    """Every index and constraint, in the database's own words."""
    if database.url.get_backend_name() == "sqlite":
        asked = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"
    else:
        asked = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL SELECT conname || "
        asked += "pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
    with database.reading() as session:
        return sorted(str(row[0]) for row in session.execute(sa.text(asked)))


def newest(folder: str = "backups") -> Path:
    return list_backups(Path(folder))[-1]


def test_everything_comes_back_after_everything_was_destroyed(
    instance: Content, database: Database, tmp_path: Path, plantroom: Commands
) -> None:
    schema = indexes_and_keys(database)
    made = plantroom("backup", "backups")
    assert (made.code, made.err) == (0, "")
    assert "commits 1 to 40" in made.out
    checked = plantroom("backup", "--verify", "backups")
    assert checked.code == 0, checked.err
    destroy(database, tmp_path / "var")
    restored = plantroom("restore", "backups")
    assert restored.code == 0, restored.err
    assert content(tmp_path / "var", address(database)) == instance
    assert indexes_and_keys(database) == schema
    assert not (tmp_path / "var/.restore").exists()
    assert not (tmp_path / "var/token").exists()
    with JournalWriter(tmp_path / "var/journal") as journal:  # and the numbers go on
        assert journal.append(0, []) == 41
    with database.writing() as session:
        lines = "INSERT INTO work_order_event (work_order_id, version, at, verb, by, note, to_status) "
        lines += "SELECT id, 1, opened_at, 'note', 'ann', '', 'open' FROM work_order"
        session.execute(sa.text(lines))


@pytest.mark.service
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_what_was_put_back_stays_when_the_statistics_cannot_be_made(
    instance: Content, database: Database, tmp_path: Path, plantroom: Commands, request: pytest.FixtureRequest
) -> None:
    assert plantroom("backup", "backups").code == 0
    destroy(database, tmp_path / "var")
    patience: list[str] = []

    def refuse_statistics(*arguments: object) -> None:
        if arguments[2] == "ANALYZE":
            raise sa.exc.OperationalError("ANALYZE", None, Exception("no memory"))

    def ask(connection: sa.Connection) -> None:
        patience.append(connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar_one())

    for event, listener in (("before_cursor_execute", refuse_statistics), ("commit", ask)):
        sa.event.listen(sa.Engine, event, listener)
        request.addfinalizer(partial(sa.event.remove, sa.Engine, event, listener))
    restored = plantroom("restore", "backups")
    assert restored.code == 0, restored.err
    assert "0" in patience, "files may take their time while the transaction waits"
    assert content(tmp_path / "var", address(database)) == instance


def test_the_second_backup_links_what_the_first_has(small: Commands, tmp_path: Path) -> None:
    assert small("backup", "backups").code == 0
    first = newest()
    with JournalWriter(tmp_path / "var/journal", segment_bytes=400) as journal:
        journal.append(0, [])
    wait_until(lambda: small("backup", "backups").code == 0, 5, "the next second")
    second = newest()
    parts = [entry.path for entry in read_manifest(second).files if entry.path.endswith(".parquet")]
    assert parts
    assert all((second / path).samefile(first / path) for path in parts)
    assert not (second / "database/plantroom.db").samefile(first / "database/plantroom.db")
    assert read_manifest(second).journals[0].last_seq == 41
    wait_until(lambda: small("backup", "backups", "--full", "--keep", "2").code == 0, 5, "the next second")
    assert not any((newest() / path).samefile(second / path) for path in parts)
    assert not first.exists()
    assert small("backup", "--verify", str(second)).code == 0


def test_secrets_come_along_only_when_asked_for(
    small: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roster = tmp_path / "roster.yaml"
    shutil.copyfile(ROOT / "plantroom/demo/roster.yaml", roster)
    with roster.open("a", encoding="utf-8") as file:
        file.write('channels:\n  chat: {address: "json://chat.example/the-secret-path"}\n')
    monkeypatch.setenv("PLANTROOM_ROSTER", str(roster))
    monkeypatch.setenv("PLANTROOM_MQTT_PASSWORD", "the-secret-word")
    monkeypatch.setenv("PLANTROOM_HTTP_PORT", "8611")
    for place in ("var/secrets", "rules"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "key").write_text(f"the-key-in-{place}", encoding="utf-8")
    monkeypatch.setenv("PLANTROOM_INFLUX_TOKEN_FILE", "var/secrets/key")
    monkeypatch.setenv("PLANTROOM_RULES", "rules")
    (tmp_path / ".env").write_text("PLANTROOM_TOKEN_FILE=rules/key\n", encoding="utf-8")
    assert small("backup", "plain").code == 0
    assert small("backup", "with", "--with-secrets").code == 0

    def holds(folder: str, secret: bytes) -> bool:
        return any(secret in path.read_bytes() for path in Path(folder).rglob("*") if path.is_file())

    for secret in (b"the-secret-path", b"the-secret-word", b"the-admin-token", b"the-key-in-var", b"the-key-in-rules"):
        assert not holds("plain", secret), secret
        assert holds("with", secret), secret
    assert "PLANTROOM_HTTP_PORT=8611" in (newest("plain") / "settings.env").read_text(encoding="utf-8")
    shutil.rmtree("var")
    roster.unlink()
    monkeypatch.delenv("PLANTROOM_INFLUX_TOKEN_FILE")
    answer = small("restore", "with")
    assert f"written: {roster}" in answer.out, answer.err
    assert "the-secret-path" in roster.read_text(encoding="utf-8")
    assert (tmp_path / "var/token").is_file()


def test_files_of_people_that_are_there_are_left_alone(
    small: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rules").mkdir()
    for name in ("one", "two"):
        (tmp_path / f"rules/{name}.yaml").write_text(f"# {name}", encoding="utf-8")
    monkeypatch.setenv("PLANTROOM_RULES", "rules")
    assert small("backup", "backups").code == 0
    shutil.rmtree("var")
    (tmp_path / "rules/one.yaml").write_text("# newer", encoding="utf-8")
    (tmp_path / "rules/two.yaml").unlink()
    answer = small("restore", "backups")
    assert (tmp_path / "rules/one.yaml").read_text(encoding="utf-8") == "# newer"
    assert (tmp_path / "rules/two.yaml").read_text(encoding="utf-8") == "# two"
    assert "left as it is: rules/one.yaml; the backup's is backups/" in answer.out


@pytest.mark.parametrize("harm", ["changed", "cut", "missing", "manifest"])
def test_a_damaged_backup_is_seen_and_nothing_is_put_back(harm: str, small: Commands) -> None:
    assert small("backup", "backups").code == 0
    shutil.rmtree("var")
    victim = newest() / ("manifest.json" if harm == "manifest" else "database/plantroom.db")
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    if harm == "missing":
        victim.unlink()
    else:
        victim.write_bytes(content[:-100] if harm == "cut" else content)
    for words in (("backup", "--verify", "backups"), ("restore", "backups")):
        answer = small(*words)
        assert answer.code == 2
        assert str(victim.name) in answer.err
        assert "se another" in answer.err
    assert not Path("var").exists()


def test_a_backup_of_a_newer_program_is_refused(small: Commands) -> None:
    assert small("backup", "backups").code == 0
    manifest = read_manifest(newest())
    newer = msgspec.structs.replace(manifest.database, schema="9999")
    write_manifest(newest(), msgspec.structs.replace(manifest, version="9.0.0", database=newer))
    shutil.rmtree("var")
    answer = small("restore", "backups")
    assert answer.code == 2
    assert "made by plantroom 9.0.0" in answer.err
    assert "schema 9999" in answer.err
    assert not Path("var").exists()


def test_a_target_that_is_not_empty_is_refused_and_stays(
    instance: Content, database: Database, tmp_path: Path, plantroom: Commands
) -> None:
    assert plantroom("backup", "backups").code == 0
    answer = plantroom("restore", "backups")
    assert answer.code == 2
    assert "is not empty" in answer.err
    assert content(tmp_path / "var", address(database)) == instance
    shutil.rmtree("var")
    answer = plantroom("restore", "backups")
    assert answer.code == 2
    assert "is not empty" in answer.err
    assert not Path("var").exists()


def test_the_journal_must_reach_as_far_as_the_engine_has_come(small: Commands) -> None:
    with closing(sqlite3.connect("var/plantroom.db")) as db, db:
        db.execute("UPDATE engine_state SET cursor_seq = 41")
    answer = small("backup", "backups")
    assert answer.code == 2
    assert "needs the journal from commit 31 to 41" in answer.err
    assert not list(Path("backups").glob("*Z"))
    assert not list(Path("backups").glob(".unfinished*"))


def test_a_full_disk_is_said_and_leaves_nothing(small: Commands) -> None:
    Path("var/large").write_bytes(bytes(200_000))
    assert small("backup", "backups").code == 0
    Path("var").rename("away")
    small_files = ["import resource", "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"]
    script = "; ".join(["import signal", "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)", *small_files,
                        "from plantroom.cli import main", "main()"])  # fmt: skip
    for words, left in ((("backup", "other", "--var", "away"), "other"), (("restore", "backups"), "var")):
        command = [sys.executable, "-c", script, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT)})
        assert done.returncode == 2
        assert "the disk is full" in done.stderr
        assert not [path for path in Path(left).rglob("*") if path.is_file() and path.name != "lock"]


def test_a_roster_in_which_nobody_can_find_the_secrets_is_left_out(
    small: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("roster.yaml", "var/roster.yaml"):
        (tmp_path / place).write_text('channels: {chat: {address: "json://a-known-secret', encoding="utf-8")
        monkeypatch.setenv("PLANTROOM_ROSTER", str(tmp_path / place))
        assert small("backup", "backups").code == 0
        texts = [path.read_text(encoding="utf-8") for path in newest().rglob("*roster.yaml")]
        assert texts[-1].startswith("# The roster was no YAML")
        assert not any("a-known-secret" in text for text in texts)
        shutil.rmtree("backups")


def test_what_cannot_be_removed_is_said(small: Commands) -> None:
    Path("var/lost+found").mkdir()
    Path("var/lost+found/block").touch()
    assert small("backup", "backups").code == 0
    assert not list(Path("backups").rglob("block"))
    first = newest().rename("backups/2001-01-01T00-00-00Z")
    old = Path("backups/2000-01-01T00-00-00Z")
    old.symlink_to(first.name)
    answer = small("backup", "backups", "--keep", "2")
    assert answer.code == 2
    assert f"{old} cannot be removed" in answer.err
    assert f"The backup {newest()} was made" in answer.err
    Path("backups/.unfinished-x").touch()
    answer = small("backup", "backups")
    assert answer.code == 2
    assert ".unfinished-x: Not a directory. Nothing of this backup was kept" in answer.err


def test_a_killed_backup_leaves_the_ones_before_and_is_cleared_away_by_the_next(small: Commands) -> None:
    with Path("var/large").open("wb") as file:
        file.truncate(3 * 2**30)  # sparse: it takes long to read and no disk
    command = [sys.executable, "-m", "plantroom", "backup", "backups"]
    with subprocess.Popen(command, env={"PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: list(Path("backups").glob(".unfinished*/var/large")), 20, "the backup to be at work")
        process.kill()
    assert list_backups(Path("backups")) == []
    Path("var/large").unlink()
    assert small("backup", "backups").code == 0
    assert len(list_backups(Path("backups"))) == 1
    assert not list(Path("backups").glob(".unfinished*"))


def test_a_killed_restore_is_known_and_begun_anew(small: Commands) -> None:
    assert small("backup", "backups").code == 0
    shutil.rmtree("var")
    Path("var/.restore").mkdir(parents=True)  # what a kill leaves while files go to their places
    Path("var/.restore/placed.json").write_text(PLACED, encoding="utf-8")
    Path("var/inbox.json").write_text("half", encoding="utf-8")
    answer = small("run", "--site", str(ROOT / "plantroom/demo/site.yaml"))
    assert answer.code == 2
    assert "was interrupted; run `plantroom restore` again" in answer.err
    assert small("restore", "backups").code == 0
    assert Path("var/inbox.json").read_text(encoding="utf-8") == '{"seq":31}'


def test_every_shard_s_journal_and_readings_are_taken_while_they_are_written(small: Commands, tmp_path: Path) -> None:
    """Also one that the settings do not name any more."""
    folder = tmp_path / "var/shards/north"
    with (
        JournalWriter(folder / "journal", segment_bytes=400) as journal,
        closing(ParquetStore(folder / "readings")) as store,
    ):
        for number in range(1, 21):
            values = (PointValue("motor_temperature", float(number)),)
            seq = journal.append(number, [Scan("lift-1", number * 10**6, True, values)])
            store.write(seq, seq, [Reading("lift-1", "motor_temperature", number * 10**6, float(number))])
        store.flush()
        (folder / "run").mkdir()
        (folder / "run/ingest.listening").write_text("1", encoding="utf-8")
        (folder / "inbox.json").write_text("{}", encoding="utf-8")
        made = small("backup", "backups")
    assert made.code == 0, made.err
    assert [(one.path, one.last_seq) for one in read_manifest(newest()).journals] == [
        ("var/journal", 40),
        ("var/shards/north/journal", 20),
    ]
    assert small("backup", "--verify", "backups").code == 0
    with JournalReader(folder / "journal") as reader:
        commits = reader.read(0, 100)
    shutil.rmtree("var")
    assert small("restore", "backups").code == 0
    with JournalReader(folder / "journal") as reader:
        assert reader.read(0, 100) == commits
    with closing(ParquetStore(folder / "readings")) as store:
        assert len(store.read("lift-1", "motor_temperature", 0, 10**9)) == 20
    assert (folder / "inbox.json").exists()
    assert not (folder / "run").exists()
