"""The spool of control events: durable, in order, and nothing unreadable stops it."""

from pathlib import Path

import pytest

from facility.reading import BuildingsAssigned, ControlEvent, Shelved, SiteEdited, VisitRecorded
from ingest.control import peek, submit, waiting


def visit(event_id: str, at_us: int) -> VisitRecorded:
    return VisitRecorded(event_id, at_us, "lift-1", "ann")


def test_events_wait_in_the_order_of_their_instants(tmp_path: Path) -> None:
    events: list[ControlEvent] = [
        visit("b", 2),
        Shelved("a", 1, "lift-1", "r", 9, "ann", "noise"),
        SiteEdited("c", 10, {"s.yaml": "x"}),
    ]
    for event in events:
        submit(tmp_path / "spool", event)
    assert [item.event.event_id for item in waiting(tmp_path / "spool")] == ["a", "b", "c"]


def test_the_same_event_again_is_one_event(tmp_path: Path) -> None:
    assert submit(tmp_path, visit("../odd id", 1)) == submit(tmp_path, visit("../odd id", 1))
    assert len(waiting(tmp_path)) == 1


def test_no_spool_holds_nothing(tmp_path: Path) -> None:
    assert waiting(tmp_path / "none") == []


def test_an_assignment_comes_out_as_it_went_in(tmp_path: Path) -> None:
    event = BuildingsAssigned("north/2/handed", 5, ("tower", "mall"), ("school",), {"tower": b"\x00\xff packed"})
    submit(tmp_path, event)
    assert [item.event for item in waiting(tmp_path)] == [event]


def test_an_unreadable_file_is_set_aside(tmp_path: Path) -> None:
    path = submit(tmp_path, visit("a", 1))
    path.write_bytes(path.read_bytes()[:5])
    submit(tmp_path, visit("b", 2))
    assert [item.event.event_id for item in waiting(tmp_path)] == ["b"]
    assert path.with_name(path.name + ".rejected").exists()
    (tmp_path / "half.fresh").write_bytes(b"")
    assert [item.event.event_id for item in waiting(tmp_path)] == ["b"]


def test_who_only_looks_touches_nothing(tmp_path: Path) -> None:
    path = submit(tmp_path, visit("a", 1))
    path.write_bytes(path.read_bytes()[:5])
    submit(tmp_path, visit("b", 2))
    (tmp_path / "00000000000000000001-gone.event").symlink_to(tmp_path / "taken meanwhile")
    before = sorted(tmp_path.iterdir())
    assert [event.event_id for event in peek(tmp_path)] == ["b"]
    assert peek(tmp_path / "none") == []
    assert sorted(tmp_path.iterdir()) == before


def test_a_good_event_that_cannot_be_read_now_is_not_set_aside(tmp_path: Path) -> None:
    """Too many open files, or a disk that fails for a moment: what follows it may say the opposite, and waits."""
    path = submit(tmp_path, visit("a", 1))
    submit(tmp_path, visit("b", 2))
    data = path.read_bytes()
    path.unlink()
    path.mkdir()  # reading that is an OSError for everybody, root too
    for look in (waiting, peek):
        with pytest.raises(IsADirectoryError):
            look(tmp_path)
    path.rmdir()
    path.write_bytes(data)
    assert [item.event.event_id for item in waiting(tmp_path)] == ["a", "b"]


def test_a_file_that_is_gone_when_it_is_read_is_no_event(tmp_path: Path) -> None:
    submit(tmp_path, visit("b", 2))
    (tmp_path / "00000000000000000001-gone.event").symlink_to(tmp_path / "taken meanwhile")
    assert [item.event.event_id for item in waiting(tmp_path)] == ["b"]
