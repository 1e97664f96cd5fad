"""A restore that is killed at any instant: the program does not start on the half, and the next restore is whole."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import killing
import pytest
import sqlalchemy as sa
from commanding import Commands
from keeping import Content, build, content
from running import ROOT
from soaking import Begin

from facility.errors import PermanentError
from facility.finding import Finding
from facility.registry import Registry
from plantroom.backup.unfinished import refuse_unfinished
from plantroom.database import Database, parse_url
from ticketing.contract_book import ContractBook

NewFinding = Callable[..., Finding]
AT_ONCE = 4


@pytest.fixture
def backed_up(
    database: Database, tmp_path: Path, registry: Registry, book: ContractBook, finding: NewFinding,
    plantroom: Commands, monkeypatch: pytest.MonkeyPatch,
) -> Content:  # fmt: skip
    """What the instance held that is in `backups`, on either kind of database; it is destroyed."""
    (tmp_path / "var").mkdir()
    url = address(database)
    monkeypatch.setenv("PLANTROOM_DATABASE_URL", url)
    build(tmp_path / "var", url, registry, book, [finding(rule=f"rule-{number}") for number in range(3)])
    held = content(tmp_path / "var", url)
    answer = plantroom("backup", "backups")
    assert answer.code == 0, answer.err
    clear(database)
    return held


def address(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


def clear(database: Database) -> None:
    """Neither folder nor anything in the database."""
    shutil.rmtree("var", ignore_errors=True)
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


def restore(nth: int) -> "subprocess.CompletedProcess[str]":
    """The command as a process of its own that is killed before the nth thing it does to files."""
    command = [sys.executable, killing.__file__, str(nth), "restore", "backups"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def touches(database: Database) -> tuple[int, int]:
    """How often a whole restore does something to files, and which is the one after which the program starts."""
    done = restore(0)
    assert done.returncode == 0, done.stderr
    found = re.search(r"touched (\d+) times, the last rename was (\d+)", done.stderr)
    assert found is not None
    clear(database)
    return int(found[1]), int(found[2])


def is_refused_at_the_start() -> bool:
    try:
        refuse_unfinished(Path("var"))
    except PermanentError:
        return True
    return False


def strike(database: Database, held: Content, instants: Sequence[int]) -> dict[str, int]:
    """Kill a restore at each of these, some of them twice in a row; what is there in the end is whole."""
    counted = {"kills": 0, "whole already": 0}
    for nth in instants:
        for again in range(1 + nth % 2):
            killed = restore(nth + again)
            if killed.returncode != -signal.SIGKILL:
                break
            counted["kills"] += 1
        done = restore(0)
        if "holds a restore that is complete" in done.stderr:
            assert not is_refused_at_the_start()
            counted["whole already"] += 1
        else:
            assert done.returncode == 0, (nth, done.stderr)
        assert not is_refused_at_the_start()
        assert content(Path("var"), address(database)) == held, nth
        assert not list(Path("var").glob(".restore*"))
        clear(database)
    return counted


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_restore_that_was_killed_is_made_again(backed_up: Content, database: Database) -> None:
    total, _ = touches(database)
    assert total > 4 * AT_ONCE
    instants = [1 + number * (total - 1) // (AT_ONCE - 1) for number in range(AT_ONCE)]
    counted = strike(database, backed_up, instants)
    assert counted["kills"] >= AT_ONCE


def test_ctrl_c_when_all_is_in_its_place_takes_nothing_back(backed_up: Content, database: Database) -> None:
    """Nor does a disk that fails then: PostgreSQL has committed."""
    _, last = touches(database)
    interrupted = restore(-last)
    assert interrupted.returncode not in (0, -signal.SIGKILL), interrupted
    assert is_refused_at_the_start()
    done = restore(0)
    assert done.returncode == 0, done.stderr
    assert content(Path("var"), address(database)) == backed_up
    assert not list(Path("var").glob(".restore*"))


def test_what_the_version_before_left_of_a_restore_is_cleared_away(backed_up: Content, database: Database) -> None:
    stage, half = Path("var/.restore"), Path("var/inbox.json")
    stage.mkdir(parents=True)
    half.write_text("half", encoding="utf-8")
    (stage / "placed.json").write_text(json.dumps([str(half.absolute())]), encoding="utf-8")
    assert is_refused_at_the_start()
    done = restore(0)
    assert done.returncode == 0, done.stderr
    assert content(Path("var"), address(database)) == backed_up


@pytest.mark.soak
def test_a_restore_may_be_killed_before_anything_it_does(
    backed_up: Content, database: Database, soak_row: Begin
) -> None:
    kind = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[database.url.get_backend_name()]
    counted = soak_row(f"kill -9 of a restore before each thing it does to files, on {kind}")
    total, _ = touches(database)
    counted.update(strike(database, backed_up, range(1, total + 1)))
