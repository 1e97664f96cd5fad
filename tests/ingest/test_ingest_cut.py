"""A journal whose tail was damaged and cut back: its numbers come again, and every follower notices."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from cutting import cut
from sqlmodel import Session, SQLModel, create_engine

from facility.reading import Commit, DeadLetter, PointValue, Scan
from ingest.dead_letters import DeadLetterBox
from ingest.follower import Follower
from ingest.journal import JournalCutError, JournalError, JournalReader, JournalWriter
from ingest.segment import list_segments
from ingest.stores.base import SeriesSink
from ingest.stores.parquet import ParquetStore
from ingest.tables import DeadLetterRow

S = 10**6


def write(folder: Path, count: int, mark: str) -> int:
    """Append; the newest number."""
    with JournalWriter(folder) as writer:
        for _ in range(count):
            seq = writer.last_seq + 1
            filler = DeadLetter(seq, mark, mark.encode() * 2000, "r")
            writer.append(seq * S, [Scan("lift-1", seq * S, True, (PointValue("car_position", float(seq)),)), filler])
        return writer.last_seq


def marks(commits: Sequence[Commit]) -> list[str]:
    return [entry.topic for commit in commits for entry in commit.entries if isinstance(entry, DeadLetter)]


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("refill", [1, 60])
def test_a_reader_notices_that_its_numbers_come_again(tmp_path: Path, *, restarted: bool, refill: int) -> None:
    folder, seen = tmp_path / "journal", tmp_path / "seen"
    write(folder, 40, "a")
    reader = JournalReader(folder, seen=seen)
    assert len(reader.read(0)) == 40
    if restarted:
        reader.close()
    cut(folder, 0.5)
    kept = write(folder, refill, "b") - refill
    assert 0 < kept < 40
    if restarted:
        reader = JournalReader(folder, seen=seen)
    with pytest.raises(JournalCutError, match=f"cut back to commit {kept} after 40 had been read") as error:
        reader.read(40)
    assert error.value.common == kept
    assert marks(reader.read(kept)) == ["b"] * refill
    reader.close()


def test_a_restart_of_the_writer_alone_is_no_cut(tmp_path: Path) -> None:
    with JournalReader(tmp_path, seen=tmp_path / "seen") as reader:
        for number in range(1, 6):
            write(tmp_path, 3, "a")
            assert len(reader.read(3 * number - 3)) == 3
        assert reader.read(15) == []
    with JournalReader(tmp_path, seen=tmp_path / "seen") as again:
        assert [commit.seq for commit in again.read(2)] == list(range(3, 16))


def test_a_reader_that_rests_at_the_end_notices_too(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    write(folder, 40, "a")
    with JournalReader(folder, seen=tmp_path / "seen") as reader:
        assert len(reader.read(0)) == 40
        for _ in range(3):
            assert (reader.read(40), reader.last_seq()) == ([], 40)
        cut(folder, 0.5)
        kept = write(folder, 1, "b") - 1
        with pytest.raises(JournalCutError, match=f"cut back to commit {kept}"):
            reader.read(40)
        assert marks(reader.read(kept)) == ["b"]
        for _ in range(3):
            assert (reader.read(kept + 1), reader.last_seq()) == ([], kept + 1)


@pytest.mark.parametrize("keep", [0.0, 0.9])
def test_a_lone_segment_that_is_lost_wholly_is_a_cut_too(tmp_path: Path, keep: float) -> None:
    folder, seen = tmp_path / "journal", tmp_path / "seen"
    write(folder, 40, "a")
    with JournalReader(folder, seen=seen) as reader:
        reader.read(0)
    path = list_segments(folder)[-1][1]
    cut(folder, keep)
    with path.open("r+b") as file:
        file.write(b"nothing of ours" * 1000)
    assert write(folder, 50, "b") == 50
    with JournalReader(folder, seen=seen) as reader, pytest.raises(JournalCutError, match="cut back to commit 0"):
        reader.read(40)


def test_runs_are_known_across_rotation_and_after_dropping(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    with JournalReader(folder, seen=tmp_path / "seen") as reader:
        for _ in range(3):
            with JournalWriter(folder, segment_bytes=5000) as writer:
                for _ in range(9):
                    writer.append(0, [DeadLetter(0, "t", b"x" * 1500, "r")])
        assert len(reader.read(0)) == 27
        with JournalWriter(folder) as writer:
            assert writer.drop_before(27) > 3
            writer.append(0, [DeadLetter(0, "t", b"x", "r")])
        assert [commit.seq for commit in reader.read(27)] == [28]


def test_another_journal_in_the_same_place_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "one", 5, "a")
    write(tmp_path / "two", 9, "b")
    with JournalReader(tmp_path / "one", seen=tmp_path / "seen") as reader:
        reader.read(0)
    (tmp_path / "one").rename(tmp_path / "gone")
    (tmp_path / "two").rename(tmp_path / "one")
    with (
        JournalReader(tmp_path / "one", seen=tmp_path / "seen") as reader,
        pytest.raises(JournalError, match="is not the one that was read"),
    ):
        reader.read(5)


def test_a_journal_put_back_from_a_copy_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    write(folder, 5, "a")
    (tmp_path / "copy").mkdir()
    for path in folder.iterdir():
        (tmp_path / "copy" / path.name).write_bytes(path.read_bytes())
    with JournalWriter(folder) as writer, JournalReader(folder, seen=tmp_path / "seen") as reader:
        writer.append(0, [DeadLetter(0, "old", b"", "r")])
        assert len(reader.read(0)) == 6
    for path in folder.iterdir():
        path.unlink()
    for path in (tmp_path / "copy").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    write(folder, 9, "b")
    with JournalReader(folder, seen=tmp_path / "seen") as reader, pytest.raises(JournalError, match="is not the one"):
        reader.read(6)


def test_stores_and_dead_letters_go_back_and_take_the_new_commits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "journal"
    write(folder, 40, "a")
    engine = create_engine(f"sqlite:///{tmp_path / 'letters.db'}")
    SQLModel.metadata.create_all(engine, tables=[SQLModel.metadata.tables[str(DeadLetterRow.__tablename__)]])
    store = ParquetStore(tmp_path / "store", part_s=0.0)
    letters = DeadLetterBox(lambda: Session(engine), tmp_path / "letters.cursor")
    followers = [
        Follower("readings", JournalReader(folder, seen=tmp_path / "a"), SeriesSink(store)),
        Follower("letters", JournalReader(folder, seen=tmp_path / "b"), letters),
    ]
    assert [follower.catch_up() for follower in followers] == [40, 40]
    cut(folder, 0.5)
    kept = write(folder, 3, "b") - 3
    for follower in followers:
        assert follower.catch_up() == 3
        assert follower.state.position == follower.state.durable == kept + 3
    assert [row.topic for row in letters.newest(4)] == ["b", "b", "b", "a"]
    assert letters.count() == kept + 3
    assert len(store.read("lift-1", "car_position", 0, 100 * S)) == 40, "what was read stays"
    assert capsys.readouterr().out.count("the journal was cut back") == 2
    # Also when the follower starts only after the cut.
    cut(folder, 0.5)
    write(folder, 1, "c")
    reader, sink = JournalReader(folder, seen=tmp_path / "a"), SeriesSink(ParquetStore(tmp_path / "store"))
    late = Follower("readings", reader, sink)
    assert late.catch_up() == 1
    engine.dispose()
