"""A journal that was cut back while nobody looked: whoever leads next finds it, and whoever follows hears of it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cutting import cut
from journaling import Journal, run

from facility.errors import PermanentError
from ingest.journal import JournalWriter
from plantroom.database import Database

LOW = 20.0
KEEP = 0.6


@pytest.fixture
def journal(database: Database, tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path / "journal", database).opened):
        yield Journal(tmp_path / "journal", database)


def cut_below(journal: Journal, seq: int) -> int:
    """Cut the journal back; what was kept, which is less than `seq`, and more than the snapshot is of."""
    cut(journal.folder, KEEP)
    with JournalWriter(journal.folder) as writer:
        kept = writer.last_seq
    assert 10 < kept < seq
    return kept


@pytest.mark.parametrize("refilled", [False, True])
def test_who_leads_after_a_start_finds_a_cut_behind_its_snapshot(journal: Journal, *, refilled: bool) -> None:
    """The snapshot is older than the cut, so that reading on from there shows nothing of it."""
    journal.write(10)
    first, page = journal.host("first"), journal.host("")
    run(first, 10)  # and its snapshot is of here
    end = journal.write(60, "tank-1", LOW)
    run(first, end)
    run(page, end)
    assert journal.active() == {"tank-1"}
    assert journal.progress()[:3] == (end, 10, 0)
    kept = cut_below(journal, end)
    newest = journal.write(100 if refilled else 1, "tank-2", LOW)
    journal.ended()
    second = journal.host("second")
    assert second.cursor == 10
    run(second, newest)
    run(page, newest)
    assert (kept < newest, journal.progress().rewinds) == (True, 1)
    assert {one.asset_id for one in second.engine.active()} == {one.asset_id for one in page.engine.active()}
    assert journal.active() == {one.asset_id for one in second.engine.active()}


def test_what_was_found_in_the_part_that_is_gone_is_ended(journal: Journal) -> None:
    journal.write(10)
    first = journal.host("first")
    run(first, 10)
    journal.write(50)
    run(first, journal.write(5, "tank-1", LOW))
    assert journal.active() == {"tank-1"}
    kept = cut_below(journal, 60)
    journal.ended()
    second = journal.host("second")
    run(second, journal.write(3))
    assert journal.active() == set()
    assert journal.progress()[::2] == (kept + 3, 1)


def test_a_standby_that_lags_finds_what_the_leader_had_kept_beyond_it(journal: Journal) -> None:
    journal.write(10)
    leader, standby, page = journal.host("leader"), journal.host("standby"), journal.host("")
    run(leader, 10)
    run(standby, 10)
    end = journal.write(60, "tank-1", LOW)
    run(leader, end)
    run(page, end)
    cut_below(journal, end)
    newest = journal.write(2)
    journal.ended()
    run(standby, newest)
    run(page, newest)
    assert (standby.leads, journal.progress().rewinds) == (True, 1)


def test_a_leader_that_went_back_to_what_is_kept_finds_it_too(journal: Journal) -> None:
    journal.write(10)
    leader, page = journal.host("leader"), journal.host("")
    run(leader, 10)
    end = journal.write(60)
    run(leader, end)
    run(page, end)
    leader._stale = True  # the database was away
    cut_below(journal, end)
    newest = journal.write(2)
    run(leader, newest)
    run(page, newest)
    assert journal.progress().rewinds == 1


def test_starts_of_the_writer_are_no_cut(journal: Journal) -> None:
    for number in range(1, 5):
        end = journal.write(7)
        journal.ended()
        run(journal.host(f"engine-{number}"), end)
    assert journal.progress()[::2] == (28, 0)


def test_another_journal_is_not_judged(journal: Journal, tmp_path: Path) -> None:
    run(journal.host("first"), journal.write(10))
    journal.ended()
    other = Journal(tmp_path / "other", journal.database)
    other.write(50, "tank-1", LOW)
    with pytest.raises(PermanentError, match=r"up to commit 10 of another journal .* `plantroom db new-journal`"):
        journal.host("stranger", other.folder)
    with pytest.raises(PermanentError, match="of another journal"):
        journal.host("", other.folder)
    assert (journal.active(), journal.progress().cursor_seq) == (set(), 10)


def test_of_two_that_begin_together_over_journals_of_their_own_one_is_refused(journal: Journal, tmp_path: Path) -> None:
    other = Journal(tmp_path / "other", journal.database)
    first, page, second = (journal.host("first"), *(journal.host(name, other.folder) for name in ("", "second")))
    journal.write(10)
    other.write(50, "tank-1", LOW)
    run(first, 10)
    for one in (page, second):
        with pytest.raises(PermanentError, match="of another journal"):
            one.step()
    journal.ended()
    with pytest.raises(PermanentError, match="of another journal"):
        second.step()
    assert (journal.active(), journal.progress().cursor_seq) == (set(), 10)


def test_a_folder_that_is_still_empty_is_waited_for(journal: Journal, tmp_path: Path) -> None:
    """Ingest makes the first segment, and may start after the engine."""
    run(journal.host("first"), journal.write(10))
    journal.ended()
    early = journal.host("early", tmp_path / "other")
    assert (early.step(), early.cursor) == (0, 10)
    Journal(tmp_path / "other", journal.database).write(1)
    with pytest.raises(PermanentError, match="of another journal"):
        early.step()
