"""A journal that was lost for good: the instance goes on with one that was begun anew, when its people say so."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from commanding import Commands
from journaling import AT_US, FULL, Journal, run
from running import ROOT

from facility.clock import RealClock
from facility.errors import PermanentError
from facility.instant import DAY_US
from facility.reading import MaintenanceDeclared, Shelved
from ingest.control import waiting
from ingest.follower import Follower
from ingest.journal import JournalReader, JournalWriter
from ingest.stores.base import SeriesSink
from ingest.stores.parquet import ParquetStore
from plantroom.database import Database
from plantroom.keeper import Keeper
from plantroom.lock import InstanceLock

LOW = 20.0
DAY = 86_400 * 10**6


@pytest.fixture
def journal(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plantroom: Commands
) -> Iterator[Journal]:
    """With a tank that is low, something shelved and something set, and its readings in parts."""
    assert plantroom, "it clears the environment first"
    monkeypatch.setenv("PLANTROOM_DATABASE_URL", database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("PLANTROOM_VAR", str(tmp_path))
    with closing(Journal(tmp_path / "journal", database).opened):
        made = Journal(tmp_path / "journal", database)
        made.write(2)
        far_us = RealClock().now_us() + 400 * DAY_US
        with JournalWriter(made.folder) as writer:
            shelved = Shelved("shelved", AT_US, "tank-3", "level-low-soon", far_us, "eve", "painting")
            over = Shelved("over", AT_US, "tank-2", "level-low-soon", AT_US + DAY_US, "eve", "was painted")
            planned = MaintenanceDeclared("planned", AT_US, "tank-3", AT_US, far_us, "eve", "a new roof")
            writer.append(AT_US, [shelved, over, planned])
        engine = made.host("first")
        end = made.write(5, "tank-1", LOW)
        run(engine, end)
        engine._write([], end, snapshot=True)
        with closing(ParquetStore(tmp_path / "readings")) as store:
            follower = Follower("readings", JournalReader(made.folder), SeriesSink(store))
            follower.catch_up()
        assert made.active() == {"tank-1"}
        yield made


def new_journal() -> "subprocess.CompletedProcess[str]":
    """The command, as a process of its own: who leads next ends the sessions of who led."""
    words = [sys.executable, "-m", "plantroom", "db", "new-journal"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=60)


def lose(journal: Journal) -> None:
    """The disk with the journal is gone, and ingest has begun another one."""
    journal.ended()
    shutil.rmtree(journal.folder)


def test_it_goes_on_with_orders_readings_and_what_people_had_set(journal: Journal, tmp_path: Path) -> None:
    lose(journal)
    journal.write(1, "tank-2", FULL)
    with pytest.raises(PermanentError, match="of another journal"):
        journal.host("second")
    answer = new_journal()
    assert answer.returncode == 0, answer
    assert "2 things that people had set are said again" in answer.stdout
    assert "dead letters of the journal that is lost were removed" in answer.stdout
    (shelved, planned) = sorted(
        (one.event for one in waiting(tmp_path / "control")), key=lambda one: type(one).__name__, reverse=True
    )
    assert isinstance(shelved, Shelved)
    assert isinstance(planned, MaintenanceDeclared)
    assert (shelved.asset_id, shelved.by, planned.reason) == ("tank-3", "eve", "a new roof")
    with JournalWriter(journal.folder) as writer:
        writer.append(AT_US, [shelved, planned])
    second, page = journal.host("second"), journal.host("")
    end = journal.write(3, "tank-0", LOW)
    run(second, end)
    run(page, end)
    assert [one.asset_id for one in second.engine.shelves()] == ["tank-3"]
    assert journal.active() == {"tank-0"}, "what it cannot know is ended, and what it finds is found"
    with closing(ParquetStore(tmp_path / "readings")) as store:
        follower = Follower("readings", JournalReader(journal.folder), SeriesSink(store))
        assert follower.catch_up() == end
        assert len(store.read("tank-1", "tank_level", 0, AT_US + 10 * DAY)) == 5, "of the journal that is lost"
        assert len(store.read("tank-0", "tank_level", 0, AT_US + 10 * DAY)) == 5, "two of them are from it too"


def test_also_before_ingest_has_begun_it(journal: Journal) -> None:
    lose(journal)
    assert new_journal().returncode == 0
    assert new_journal().returncode == 2, "it was done"
    second = journal.host("second")
    second.step()
    assert journal.active() == set()
    run(second, journal.write(3, "tank-0", LOW))
    assert journal.active() == {"tank-0"}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_also_when_the_version_before_did_not_say_which_journal_was_judged(journal: Journal) -> None:
    """As migration 0016 leaves the row: which run of the journal's writer it was is not known."""
    with journal.database.writing() as session:
        session.connection().execute(sa.text("UPDATE engine_state SET run = ''"))
    lose(journal)
    journal.write(1, "tank-2", FULL)
    with pytest.raises(PermanentError, match="of another journal"):
        journal.host("second")
    answer = new_journal()
    assert answer.returncode == 0, answer
    second = journal.host("second")
    run(second, journal.write(3, "tank-0", LOW))
    assert journal.active() == {"tank-0"}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_it_is_refused_while_the_instance_runs_and_for_the_journal_that_was_judged(
    journal: Journal, tmp_path: Path
) -> None:
    answer = new_journal()
    assert (answer.returncode, "is the journal that this database was judged from" in answer.stderr) == (2, True), (
        answer
    )
    lose(journal)
    with closing(Keeper(tmp_path / "run" / "keeper.lock")) as keeper:
        keeper.take()
        assert "has an engine that runs" in new_journal().stderr
    with InstanceLock(tmp_path):
        assert "is in use by process" in new_journal().stderr
    assert journal.progress().cursor_seq == 8, "nothing was changed"
