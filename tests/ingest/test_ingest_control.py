"""The spool of control events: durable, in order, and nothing unreadable stops it."""

from pathlib import Path

from facility.reading import BuildingsAssigned, ControlEvent, Shelved, SiteEdited, VisitRecorded
from ingest.control import submit, waiting


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
