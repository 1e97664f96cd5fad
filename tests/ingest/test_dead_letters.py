"""Messages that could not be read are kept once, newest first, and not without end."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlmodel import Session, SQLModel

from facility.errors import RetryableError
from facility.reading import Commit, DeadLetter, Heartbeat
from ingest.dead_letters import DeadLetterBox
from ingest.repository import PAYLOAD_BYTES, count_dead_letters
from ingest.tables import DeadLetterRow


@pytest.fixture
def sessions(tmp_path: Path) -> Callable[[], Session]:
    engine = create_engine(f"sqlite:///{tmp_path / 'db'}")
    SQLModel.metadata.create_all(engine, tables=[SQLModel.metadata.tables[DeadLetterRow.__tablename__]])
    return lambda: Session(engine)


def letter(number: int, payload: bytes = b"{") -> DeadLetter:
    return DeadLetter(number, f"plantroom/x/{number}", payload, "is not JSON")


def test_a_commit_read_again_adds_nothing(sessions: Callable[[], Session], tmp_path: Path) -> None:
    commits = [Commit(1, 0, (letter(1), Heartbeat(1), letter(2))), Commit(2, 0, (letter(3),))]
    for _ in range(2):
        box = DeadLetterBox(sessions, tmp_path / "cursor")
        box.take(commits)
        assert [row.at_us for row in box.newest(10)] == [3, 2, 1]
        assert box.cursor == 2
        (tmp_path / "cursor").unlink()  # as if killed before the cursor moved
    assert [row.topic for row in box.newest(1)] == ["plantroom/x/3"]


def test_only_the_newest_are_kept(sessions: Callable[[], Session], tmp_path: Path) -> None:
    box = DeadLetterBox(sessions, tmp_path / "cursor", kept=3)
    box.take([Commit(1, 0, tuple(letter(n) for n in range(5)))])
    box.take([Commit(2, 0, (letter(5),))])
    assert [row.at_us for row in box.newest(10)] == [5, 4, 3]
    with sessions() as session:
        assert count_dead_letters(session) == 3


def test_the_same_place_in_two_journals_holds_two_letters(sessions: Callable[[], Session], tmp_path: Path) -> None:
    main, north = (DeadLetterBox(sessions, tmp_path / name, kept=2, shard=name) for name in ("main", "north"))
    main.take([Commit(1, 0, (letter(1), letter(2)))])
    north.take([Commit(1, 0, (letter(3),))])
    north.take([Commit(2, 0, (letter(4), letter(5)))])
    assert [row.at_us for row in main.newest(10)] == [5, 4, 2, 1], "each keeps the newest of its own"
    north.rewind(1)
    assert [(row.shard, row.at_us) for row in north.newest(10)] == [("main", 2), ("main", 1)]


def test_a_payload_is_cut_and_its_size_noted(sessions: Callable[[], Session], tmp_path: Path) -> None:
    box = DeadLetterBox(sessions, tmp_path / "cursor")
    box.take([Commit(1, 0, (letter(1, b"\xff\x00" * PAYLOAD_BYTES),))])
    (row,) = box.newest(1)
    assert (row.size, len(row.payload)) == (2 * PAYLOAD_BYTES, PAYLOAD_BYTES)


def test_the_cursor_moves_over_quiet_commits_now_and_then(sessions: Callable[[], Session], tmp_path: Path) -> None:
    box = DeadLetterBox(sessions, tmp_path / "cursor")
    box.take([Commit(seq, 0, (Heartbeat(seq),)) for seq in range(1, 500)])
    assert box.cursor == 0
    box.take([Commit(seq, 0, (Heartbeat(seq),)) for seq in range(500, 1_001)])
    assert box.cursor == 1_000


def test_a_database_that_is_away_is_retryable(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'nowhere' / 'db'}")
    box = DeadLetterBox(lambda: Session(engine), tmp_path / "cursor")
    with pytest.raises(RetryableError, match="cannot write dead letters"):
        box.take([Commit(1, 0, (letter(1),))])
    assert box.cursor == 0
